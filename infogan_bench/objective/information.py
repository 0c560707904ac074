"""The information term: L_I(G, Q), a lower bound of the mutual information of codes and images (InfoGAN, equation 5).

With `transform`, the part of the categorical codes is computed on transformed images, I(c; T(G(z, c))). So a category
must stand for what the transformations keep: shape, and not slant, size or place (compare Elastic-InfoGAN, arXiv
1910.01112). The part of the continuous codes is computed on the images as they are, since a continuous code may control
the slant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor

from infogan_bench.codes import LatentCodes, Latents, Posterior
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.terms import TERMS
from infogan_bench.networks import Networks
from infogan_bench.objective.step import Contribution, Parts, Pass, Step, Weight
from infogan_bench.objective.term import Term, counts
from infogan_bench.objective.transforms import random_affines, warp


class Views(NamedTuple):
    """Affine maps (n, 2, 3) of the transformed copies of a batch's first n images."""

    fake_in_d_step: Tensor
    fake_in_g_step: Tensor
    real: Tensor


class Information(Term):
    """L_I of each code, with lambda as its weight. If lambda is 0, Q's head still learns to read the code, with weight
    1, but the trunk and G get no gradient from it."""

    row = TERMS["information"]

    @property
    def is_on(self) -> bool:
        """Always true, since Q's head learns to read the codes also if lambda is 0."""
        return True

    def logged(self, phase: str) -> tuple[str, ...]:
        """`L_I/CODE` of each code and `code_r2/CODE` of each continuous one, in the step of D."""
        codes = self.setting.codes
        if phase != "D":
            return ()
        return (
            *(f"L_I/{code.name}" for code in codes.all),
            *(f"code_r2/{code.name}" for code in codes.continuous),
        )

    def draw(self, generator: torch.Generator) -> list[Tensor]:
        """Numbers in [0, 1) that choose a transformation for each image."""
        if not (self.setting.objective.transform.any and self.setting.codes.categorical):
            return []
        return [torch.rand(3 * self.n, 6, generator=generator, device=generator.device)]

    def prepare(self, drawn: list[Tensor], latents: Latents, noise: Tensor) -> Parts:
        """`Views`, where images are transformed."""
        if not drawn:
            return ()
        _, height, width = self.setting.image_shape
        affines = random_affines(self.setting.objective.transform, drawn[0], (height, width))
        return Views(*torch.split(affines, self.n))

    def images(self, phase: str, step: Step) -> dict[str, Tensor]:
        """The first n generated images, transformed; in G's step only if a category has a weight."""
        views = step.parts[self.row.name]
        if not views:
            return {}
        views = cast(Views, views)
        if phase == "D":
            return {"fake view": transformed(step.fake, views.fake_in_d_step)}
        lambdas = self._lambdas(step)
        if not any(counts(lambdas[code.name]) for code in self.setting.codes.categorical):
            return {}
        return {"fake view": transformed(step.fake, views.fake_in_g_step)}

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """-lambda L_I of each code; the gradient of those with lambda 0 ends at Q's head. R2 of the continuous codes is
        reported beside them."""
        lambdas = self._lambdas(trunk_pass.step)
        read = _read_for_head_and_trunk(trunk_pass, lambdas)
        r2 = trunk_pass.codes.r2(trunk_pass.step.latents, read.posterior)
        return [
            *(
                Contribution(-lambdas[name] if counts(lambdas[name]) else -1.0, bound, f"L_I/{name}")
                for name, bound in read.bounds.items()
            ),
            *(Contribution(None, value, f"code_r2/{name}") for name, value in r2.items()),
        ]

    def of_g(self, trunk_pass: Pass) -> list[Contribution]:
        """-lambda L_I of each code that has a lambda."""
        lambdas = self._lambdas(trunk_pass.step)
        if not any(map(counts, lambdas.values())):
            return []
        read = _read(trunk_pass.networks, trunk_pass.codes, _read_from(trunk_pass), trunk_pass.step.latents)
        return [
            Contribution(-weight, read.bounds[name], None)
            for name, weight in lambdas.items()
            if counts(weight)
        ]

    def _lambdas(self, step: Step) -> dict[str, Weight]:
        own = step.weights
        return {
            name: own.get(key, self.weights[key]) for name, key in lambda_keys(self.setting.codes).items()
        }


def lambda_keys(codes: LatentCodes) -> dict[str, str]:
    """The key in `objective` of each code's lambda, by the code's name."""
    return {code.name: "lambda_cat" if code.kind == "categorical" else "lambda_cont" for code in codes.all}


def code_weights(objective: ObjectiveConfig, codes: LatentCodes) -> dict[str, float]:
    """lambda of each code, by its name."""
    return {name: getattr(objective, key) for name, key in lambda_keys(codes).items()}


def transformed(images: Tensor, affines: Tensor) -> Tensor:
    """The first n images, transformed by `affines` (n, 2, 3)."""
    return warp(images[: len(affines)], affines)


def _read_from(trunk_pass: Pass) -> dict[str, Tensor]:
    """The features from which Q reads the codes of each kind."""
    features = trunk_pass.features
    return {"continuous": features["fake"], "categorical": features.get("fake view", features["fake"])}


class _Reading(NamedTuple):
    """L_I of each code in nats, scalars by its name, and the posterior of images that are not transformed."""

    bounds: dict[str, Tensor]
    posterior: Posterior


def _read(
    networks: Networks, codes: LatentCodes, read_from: Mapping[str, Tensor], latents: Latents
) -> _Reading:
    posterior = codes.split(networks.Q_head(read_from["continuous"]))
    bounds = codes.mi_bounds(latents, posterior)
    if read_from["categorical"] is not read_from["continuous"]:
        features = read_from["categorical"]
        latents_of_views = Latents(*(part[: len(features)] for part in latents))
        of_views = codes.mi_bounds(latents_of_views, codes.split(networks.Q_head(features)))
        bounds |= {code.name: of_views[code.name] for code in codes.categorical}
    return _Reading(bounds, posterior)


def _read_for_head_and_trunk(trunk_pass: Pass, lambdas: Mapping[str, Weight]) -> _Reading:
    """Return the reading whose bounds of codes with lambda 0 have a gradient that ends at Q's head."""
    networks, codes, latents = trunk_pass.networks, trunk_pass.codes, trunk_pass.step.latents
    read_from = _read_from(trunk_pass)
    cut = read_from["categorical"].detach()
    is_one = read_from["continuous"] is read_from["categorical"]
    at_head = {"categorical": cut, "continuous": cut if is_one else read_from["continuous"].detach()}
    if not any(map(counts, lambdas.values())):
        return _read(networks, codes, at_head, latents)
    read = _read(networks, codes, read_from, latents)
    if all(map(counts, lambdas.values())):
        return read
    cut_bounds = _read(networks, codes, at_head, latents).bounds
    return read._replace(
        bounds={name: (read.bounds if counts(lambdas[name]) else cut_bounds)[name] for name in lambdas}
    )
