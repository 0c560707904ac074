"""An InfoGAN as a whole: its codes and its networks."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.models import RunConfig
from infogan_bench.networks.registry import ImageShape, build_contrastive, build_networks, initialise


class InfoGAN:
    """G, D and Q of a run, with the distribution of (z, c) that they were built for.

    Args:
        run: the configuration.
        image_shape: (C, H, W).
        generator: draws the initial weights, on the CPU, so that they are the same on any device.
        device: where the networks live.

    Raises:
        InputError: if the architecture is unknown or does not fit the images.
    """

    def __init__(
        self,
        run: RunConfig,
        image_shape: ImageShape,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.codes = LatentCodes(run.codes, fixed_std=run.objective.fixed_std)
        with torch.random.fork_rng(devices=[]):  # an architecture may draw from torch's global generator
            torch.default_generator.manual_seed(generator.initial_seed())
            networks = build_networks(run.architecture, image_shape, self.codes)
            if run.objective.contrastive:
                networks.CR = build_contrastive(run.architecture, image_shape, self.codes)
        initialise(networks, generator)
        self.networks = networks.to(self.device).to(memory_format=torch.channels_last)
        self.averaged_G = copy.deepcopy(self.networks.G).requires_grad_(False) if run.optimiser.ema else None

    @property
    def G(self) -> nn.Module:
        """The generator that makes images after training: the average of its weights where `optimiser.ema` is on."""
        return self.networks.G if self.averaged_G is None else self.averaged_G

    @torch.no_grad()
    def generate(self, latents: Latents) -> Tensor:
        """`G`'s images (B, C, H, W) in [-1, 1] for `latents`, with BatchNorm's running statistics."""
        training = self.G.training
        self.G.eval()
        images: Tensor = self.G(self.codes.flatten(latents))
        self.G.train(training)
        return images
