"""Instance noise: normal noise on the images that D judges, which falls linearly to 0 over the run (arXiv 1610.04490).

Q reads the same features, so it sees the noise as well. Transformed images have no noise.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor

from infogan_bench.codes import Latents
from infogan_bench.config.terms import TERMS
from infogan_bench.objective.step import Parts, Step
from infogan_bench.objective.term import Term


class Noise(NamedTuple):
    """Noise (B, C, H, W) that is added to the images that D judges, in its own step and in G's."""

    real: Tensor
    fake_in_d_step: Tensor
    fake_in_g_step: Tensor


class InstanceNoise(Term):
    """Changes the images that D is shown and adds nothing to the losses."""

    row = TERMS["instance_noise"]

    def draw(self, generator: torch.Generator) -> list[Tensor]:
        """Standard normal noise for three batches."""
        shape = (3, self.setting.batch, *self.setting.image_shape)
        return [torch.randn(shape, generator=generator, device=generator.device)]

    def prepare(self, drawn: list[Tensor], latents: Latents, noise: Tensor) -> Parts:
        """`Noise` of standard deviation `noise`."""
        (normal,) = drawn
        return Noise(*normal * noise.to(normal.dtype))

    def shown(self, phase: str, step: Step, judged: dict[str, Tensor]) -> dict[str, Tensor]:
        """Noisy images."""
        noise = cast(Noise, step.parts[self.row.name])
        if phase == "G":
            return {"fake": judged["fake"] + noise.fake_in_g_step}
        return {"real": judged["real"] + noise.real, "fake": judged["fake"] + noise.fake_in_d_step}
