"""The objective's two losses as functions of plain tensors, and networks to call them with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config import ArchitectureConfig, CodesConfig, ObjectiveConfig
from infogan_bench.config.objective import TransformConfig
from infogan_bench.networks import Networks, build_networks
from infogan_bench.objective import Objective, Parts, Step
from infogan_bench.objective import TermSetting as ObjectiveSetting
from infogan_bench.objective.information import Views, code_weights
from infogan_bench.objective.transforms import random_affines
from infogan_bench.objective.vat import Change

BATCH = 12
CODES = LatentCodes(CodesConfig(categorical=(5, 3), uniform=1, gaussian=1, noise=4), fixed_std=False)
LAMBDAS = [(1.0, 1.0), (0.7, 0.1), (0.0, 0.0), (0.0, 0.5), (2.0, 0.0)]
TRANSFORM = TransformConfig(rotation=20, scale=0.2, shear=0.2, shift=1)


class DiscriminatorTerms(NamedTuple):
    """What D, Q and their trunk descend, and the parts that are reported; 0 where a term is off."""

    loss: Tensor
    adversarial: Tensor
    bounds: dict[str, Tensor]
    consistency: Tensor
    balance: Tensor
    vat: Tensor
    contrastive: Tensor

    @property
    def logged(self) -> list[Tensor]:
        """The parts."""
        return [self.adversarial, *self.bounds.values(), *self[3:]]


def weights(lambda_cat: float, lambda_cont: float) -> dict[str, float]:
    """lambda of each of CODES."""
    return code_weights(ObjectiveConfig(lambda_cat=lambda_cat, lambda_cont=lambda_cont), CODES)


def discriminator_loss(
    networks: Networks,
    codes: LatentCodes,
    lambdas: Mapping[str, float],
    real: Tensor,
    fake: Tensor,
    latents: Latents,
    views: Views | None = None,
    **more: Any,
) -> DiscriminatorTerms:
    """The loss of D; `more` are the weights of other terms, and what was drawn: `noise`, `change` and `pairs`."""
    loss, values = _loss("D", networks, codes, lambdas, (real, fake, latents), {"views": views, **more})
    zero = torch.zeros_like(loss)
    others = [values.get(f"loss/{name}", zero) for name in DiscriminatorTerms._fields[3:]]
    return DiscriminatorTerms(
        loss, values["loss/d"], {code.name: values[f"L_I/{code.name}"] for code in codes.all}, *others
    )


def generator_loss(
    networks: Networks,
    codes: LatentCodes,
    lambdas: Mapping[str, float],
    fake: Tensor,
    latents: Latents,
    views: Views | None = None,
    **more: Any,
) -> tuple[Tensor, Tensor]:
    """The loss of G, and its adversarial part."""
    loss, values = _loss("G", networks, codes, lambdas, (fake, fake, latents), {"views": views, **more})
    return loss, values["loss/g"]


def _loss(
    phase: Literal["D", "G"],
    networks: Networks,
    codes: LatentCodes,
    lambdas: Mapping[str, float],
    step: tuple[Tensor, Tensor, Latents],
    more: dict[str, Any],
) -> tuple[Tensor, dict[str, Tensor]]:
    drawn = {name: more.pop(name, None) for name in ("views", "noise", "change", "pairs")}
    of_kind = {code.kind == "categorical": lambdas[code.name] for code in codes.all}
    config = ObjectiveConfig.model_validate(
        {
            "lambda_cat": of_kind.get(True, 0.0),
            "lambda_cont": of_kind.get(False, 0.0),
            "transform": TRANSFORM if drawn["views"] else TransformConfig(),
            "instance_noise": float(drawn["noise"] is not None),
            **more,
        }
    )
    real, fake, latents = step
    _, channels, height, width = fake.shape
    objective = Objective(ObjectiveSetting(config, codes, (channels, height, width), len(fake)))
    parts: dict[str, Parts] = {term.row.name: () for term in objective.terms}
    parts["information"] = drawn["views"] or ()
    parts["instance_noise"], parts["contrastive"] = drawn["noise"], drawn["pairs"]
    if drawn["change"] is not None:
        parts["vat"] = Change(drawn["change"])
    of = objective.of_d if phase == "D" else objective.of_g
    loss, values = of(networks, Step(real, fake, latents, parts, {}))
    return loss, dict(zip(objective.logged(phase), values, strict=True))


class TermSetting:
    """Networks in double precision with one batch of everything."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        architecture = ArchitectureConfig(name="paper", width=0.0625)
        self.networks = build_networks(architecture, (1, 8, 8), CODES).double()
        latents = CODES.sample(BATCH, torch.Generator().manual_seed(seed))
        self.latents = Latents(latents.z.double(), latents.categories, latents.continuous.double())
        self.real = torch.rand(BATCH, 1, 8, 8, dtype=torch.float64) * 2 - 1
        self.fake: Tensor = self.networks.G(CODES.flatten(self.latents))

    def gradients(self, loss: Tensor) -> dict[str, Tensor | None]:
        """d loss / d each parameter; None where `loss` does not depend on it."""
        names, parameters = zip(*self.networks.named_parameters(), strict=True)
        found = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
        return dict(zip(names, found, strict=True))


def some_views() -> Views:
    """Transformations of a whole batch."""
    draws = torch.rand(3 * BATCH, 6, generator=torch.Generator().manual_seed(5))
    affines = random_affines(TRANSFORM, draws, (8, 8)).double()
    return Views(*torch.split(affines, BATCH))


def number(value: Tensor) -> float:
    """A scalar as a float."""
    return float(value.detach())


def size(gradients: Mapping[str, Tensor | None], part: str) -> float:
    """Sum of the absolute gradients of the parameters whose names begin with `part`."""
    return sum(
        float(g.abs().sum()) for name, g in gradients.items() if name.startswith(part) and g is not None
    )


def plain_bounds(q_output: Tensor, latents: Latents) -> dict[str, Tensor]:
    """H(c) + E log Q(c|x), from torch's distributions. Q's output: 5 + 3 logits, 2 means, 2 log deviations."""
    c_5, c_3, means, log_stds = torch.split(q_output, [5, 3, 2, 2], dim=1)
    uniform, gaussian = latents.continuous.T
    log_q = {
        "cat_0": Categorical(logits=c_5).log_prob(latents.categories[:, 0]),  # type: ignore[no-untyped-call]
        "cat_1": Categorical(logits=c_3).log_prob(latents.categories[:, 1]),  # type: ignore[no-untyped-call]
        "uniform_0": Normal(means[:, 0], log_stds[:, 0].exp()).log_prob(uniform),  # type: ignore[no-untyped-call]
        "gaussian_0": Normal(means[:, 1], log_stds[:, 1].exp()).log_prob(gaussian),  # type: ignore[no-untyped-call]
    }
    entropies = {
        "cat_0": math.log(5),
        "cat_1": math.log(3),
        "uniform_0": math.log(2),
        "gaussian_0": float(Normal(0.0, 1.0).entropy()),  # type: ignore[no-untyped-call]
    }
    return {name: entropies[name] + log_q[name].mean() for name in log_q}


def assert_equal_gradients(found: Mapping[str, Tensor | None], expected: Mapping[str, Tensor | None]) -> None:
    """Compare to 1e-5; no gradient at all is not the same as one of zero."""
    for name, gradient in expected.items():
        other = found[name]
        assert (other is None) == (gradient is None), name
        if gradient is not None:
            torch.testing.assert_close(other, gradient, rtol=1e-5, atol=1e-9, msg=name)


def say(head: nn.Module, values: Tensor) -> None:
    """Let a linear layer put out `values` whatever it is fed."""
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(values)
