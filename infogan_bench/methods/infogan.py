"""InfoGAN (arXiv 1606.03657): D, Q and their trunk descend first, then G."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from infogan_metrics.gaussian_mi_bound import gaussian_cross_entropy
from torch import Tensor

from infogan_bench.codes import Code
from infogan_bench.config.objective import LOG_STD_RANGE
from infogan_bench.config.run import RunConfig
from infogan_bench.methods.method import Method, Phase, register_method
from infogan_bench.networks import ImageShape, InfoGAN, Model
from infogan_bench.objective import Call, Draws, Objective, Prepared, Step, TermSetting, outside_terms


@register_method("infogan")
class InfoGANMethod(Method):
    """The objective of `infogan_bench.objective`, in two phases."""

    def __init__(self, run: RunConfig, model: Model, image_shape: ImageShape) -> None:
        super().__init__(run, model, image_shape)
        self.objective = Objective(TermSetting(run.objective, model.codes, image_shape, run.batch))

    @classmethod
    def check(cls, run: RunConfig) -> None:
        """Refuse terms that nobody registered."""
        outside_terms(run.objective)

    @classmethod
    def build(
        cls,
        run: RunConfig,
        image_shape: ImageShape,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> Model:
        """G, D and Q with their trunk."""
        return InfoGAN(run, image_shape, generator, device)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """First D, Q and their trunk with G fixed, then G with the others fixed, on the same latents and images."""
        networks, objective = self.model.networks, self.objective
        return (
            Phase("D", "lr_d", networks.D_and_Q_parameters(), objective.of_d, (*objective.logged("D"),), Step.detached),
            Phase("G", "lr_g", list(networks.G.parameters()), objective.of_g, (*objective.logged("G"),)),
        )  # fmt: skip

    @property
    def weights(self) -> Mapping[str, float]:
        """Weights of the terms, by their keys in `objective`."""
        return self.objective.weights

    def draw(self, generator: torch.Generator) -> Draws:
        """Draw the latents and the random numbers of the terms."""
        return self.objective.draw(generator)

    def prepare(self, draws: Draws, noise: Tensor, done: Tensor) -> Prepared:
        """Compute the latents, and the tensors that the terms prepare from their draws."""
        return self.objective.prepare(draws, noise)

    def begin(self, call: Call, real: Tensor, prepared: Prepared, own_weights: dict[str, Tensor]) -> Step:
        """Generate the images."""
        return self.objective.begin(call, real, prepared, own_weights)

    def summary(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """H of each code, and of each continuous one the bound of its information with the best Gaussian deviation.

        L_I, H and that bound of all codes together are sums, because the codes are independent; R2 is a mean.
        """
        codes = self.model.codes
        found = {f"H/{code.name}": code.entropy for code in codes.all} | {
            "L_I": sum(metrics[f"L_I/{code.name}"] for code in codes.all),
            "H": sum(code.entropy for code in codes.all),
        }
        if not codes.continuous:
            return found
        r2 = {code: metrics[f"code_r2/{code.name}"] for code in codes.continuous}
        bounds = {f"gaussian_mi_bound/{code.name}": _gaussian_bound(code, r2[code]) for code in r2}
        return (
            found
            | bounds
            | {
                "gaussian_mi_bound": sum(bounds.values()),
                "code_r2": sum(r2.values()) / len(r2),
            }
        )


def _gaussian_bound(code: Code, r2: float) -> float:
    """A lower bound of the information of images about a code, in nats: that of Q's means with the best deviation.

    Q may have no deviation below `LOG_STD_RANGE`, and neither has this bound, so it is finite: at most 5.77 nats for
    U(-1, 1).
    """
    error = (1 - r2) * code.variance
    return code.entropy - gaussian_cross_entropy(error, min_std=math.exp(LOG_STD_RANGE[0]))
