"""AnnealedVAE (Burgess et al. 2018, arXiv 1804.03599): a VAE whose KL term is to be a capacity C, which grows.

The regulariser is gamma |KL - C|, equation 8 of the paper. C grows linearly from 0 to `c_max` nats in the first
`annealing_steps` updates and stays there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from infogan_bench.config.run import RunConfig
from infogan_bench.errors import InputError
from infogan_bench.methods.method import Losses, options_of, register_method
from infogan_bench.methods.vae import VAE, VAEStep
from infogan_bench.networks import Networks
from infogan_bench.objective import Draws


@register_method("annealed-vae")
class AnnealedVAE(VAE):
    """Descends the reconstruction loss + gamma |KL - C|."""

    parts = ("loss/capacity",)

    @classmethod
    def check(cls, run: RunConfig) -> None:
        """Refuse what no VAE can train, and an annealing that takes no step.

        Raises:
            InputError: as `VAE.check`; or if `annealing_steps` is below 1.
        """
        super().check(run)
        steps = options_of(run)["annealing_steps"]
        if steps < 1:
            raise InputError(f"method.options.annealing_steps: expected 1 update or more, got {steps:g}")

    def prepare(self, draws: Draws, noise: Tensor, done: Tensor) -> Draws:
        """Add to the draws how much of the annealing is over, from 0 to 1."""
        share = (done / self.options["annealing_steps"]).clamp(max=1)
        return {**draws, "share": [share.to(torch.float32)]}

    def regulariser(self, networks: Networks, step: VAEStep) -> Losses:
        """gamma |KL - C|, and |KL - C|, in nats."""
        capacity = self.weight("c_max", step) * step.prepared["share"][0]
        distance = (step.encoding.kl - capacity).abs()
        return self.weight("gamma", step) * distance, [distance]
