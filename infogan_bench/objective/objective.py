"""The sum of a configuration's terms: the loss of D, Q and their trunk, and the loss of G.

All random numbers are drawn before the losses, which are pure functions of the networks and a step. So the same update
trains one seed, or many seeds under `torch.func.vmap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from infogan_bench.codes import Latents
from infogan_bench.networks import Networks
from infogan_bench.objective.adversarial import Adversarial
from infogan_bench.objective.balance import Balance
from infogan_bench.objective.consistency import Consistency
from infogan_bench.objective.contrastive import Contrastive
from infogan_bench.objective.information import Information
from infogan_bench.objective.instance_noise import InstanceNoise
from infogan_bench.objective.r1 import R1
from infogan_bench.objective.step import Call, Contribution, Draws, Pass, Prepared, Step
from infogan_bench.objective.term import Term, TermSetting, outside_terms
from infogan_bench.objective.vat import Vat

# Terms draw and are added in this order; another order would change the bits of the results.
_SHIPPED: tuple[type[Term], ...] = (
    Adversarial, Information, Consistency, Balance, InstanceNoise, Vat, Contrastive, R1,
)  # fmt: skip

Losses = tuple[Tensor, list[Tensor]]
"""The loss of a phase, and the values that it reports in the order of `logged`; all are scalars."""


class Objective:
    """The terms that a configuration has switched on.

    Args:
        setting: the configuration, the codes and the images' shape.

    Raises:
        InputError: if a term of the user's own is not registered, or has no such option.
    """

    def __init__(self, setting: TermSetting) -> None:
        self.setting = setting
        kinds = (*_SHIPPED, *outside_terms(setting.objective))
        self.terms = [term for term in (kind(setting) for kind in kinds) if term.is_on]

    @property
    def weights(self) -> dict[str, float]:
        """The weights that may differ among replicas, by their keys in `objective`."""
        return {key: weight for term in self.terms if term.row.own for key, weight in term.weights.items()}

    def logged(self, phase: Literal["D", "G"]) -> list[str]:
        """Names of the values that a phase reports, in the order in which it computes them."""
        return [name for term in self.terms for name in term.logged(phase)]

    def draw(self, generator: torch.Generator) -> Draws:
        """Draw all random numbers of an update, except the order of the images."""
        draws = {"latents": self.setting.codes.draw(self.setting.batch, generator)}
        for term in self.terms:
            draws[term.row.name] = term.draw(generator)
        return draws

    def prepare(self, draws: Draws, noise: Tensor) -> Prepared:
        """Compute from `draws` the tensors that the losses read.

        `noise` is the standard deviation of the instance noise, a scalar.
        """
        latents = self.setting.codes.latents(draws["latents"])
        parts = {term.row.name: term.prepare(draws[term.row.name], latents, noise) for term in self.terms}
        return Prepared(latents, parts)

    def begin(self, call: Call, real: Tensor, prepared: Prepared, own_weights: dict[str, Tensor]) -> Step:
        """Generate the images of an update, and compute whatever else the terms need from the networks before the
        losses.

        Args:
            call: calls a function of the networks, in each replica.
            real: images (B, C, H, W) in [-1, 1]; for R replicas (R, B, C, H, W), and likewise all other tensors.
            prepared: what `prepare` returned.
            own_weights: the weights that differ among replicas, (R,) each.
        """
        fake: Tensor = call(self._images, prepared.latents)
        parts = {term.row.name: term.begin(call, real, prepared.parts[term.row.name]) for term in self.terms}
        return Step(real, fake, prepared.latents, parts, own_weights)

    def of_d(self, networks: Networks, step: Step) -> Losses:
        """The loss of D, Q and their trunk with G fixed, from one pass of the trunk over all images of the step.

        BatchNorm keeps the statistics of real images, generated images and so on apart. Mixed statistics would tell D
        which half is real.
        """
        return self._losses("D", networks, step, lambda term: term.of_d)

    def of_g(self, networks: Networks, step: Step) -> Losses:
        """The loss of G with D, Q and their trunk fixed, for the same latents and the same pass of G."""
        return self._losses("G", networks, step, lambda term: term.of_g)

    def _images(self, networks: Networks, latents: Latents) -> Tensor:
        made: Tensor = networks.G(self.setting.codes.flatten(latents))
        return made

    def _losses(
        self,
        phase: Literal["D", "G"],
        networks: Networks,
        step: Step,
        of: Callable[[Term], Callable[[Pass], list[Contribution]]],
    ) -> Losses:
        judged = {"real": step.real, "fake": step.fake} if phase == "D" else {"fake": step.fake}
        for term in self.terms:
            judged = term.shown(phase, step, judged)
        batches = dict(judged)
        for term in self.terms:
            batches |= term.images(phase, step)
        apart = {name for term in self.terms for name in term.pass_alone if name in judged}
        alone = {name: networks.trunk(batches.pop(name)) for name in sorted(apart)}
        features = alone | networks.features(batches)
        trunk_pass = Pass(phase, networks, self.setting.codes, step, judged, features)
        contributions = [each for term in self.terms for each in of(term)(trunk_pass)]
        loss = contributions[0].value
        for weight, value, _ in contributions[1:]:
            if weight is not None:
                loss = loss + weight * value
        return loss, [value for _, value, name in contributions if name is not None]
