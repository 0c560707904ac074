"""Trained models as the other rooms see them: a distribution of codes, a generator and an encoder."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from infogan_bench.codes import LatentCodes, Latents, Posterior
from infogan_bench.config.run import RunConfig
from infogan_bench.datasets import to_float
from infogan_bench.networks.build import build_contrastive, build_networks
from infogan_bench.networks.module import ImageShape, Networks
from infogan_bench.networks.weights import initialise

_BATCH = 500
_CALIBRATION_IMAGES = 5_000


class Model:
    """Networks of a method, with the distribution of (z, c) that they were built for.

    Scores, pictures, the Python API and MLflow use only `codes`, `generate`, `encode` and `modules`, so they take the
    model of any method.

    Args:
        codes: the distribution of the latents.
        networks: G and the encoder, built and initialised.
        device: the place of the networks.
        averaged: whether images come from an average of G's weights over the updates (`optimiser.ema`).
    """

    def __init__(
        self,
        codes: LatentCodes,
        networks: Networks,
        device: torch.device | str = "cpu",
        *,
        averaged: bool = False,
    ) -> None:
        self.device = torch.device(device)
        self.codes = codes
        self.networks = networks.to(self.device).to(memory_format=torch.channels_last)
        self.averaged_G = copy.deepcopy(self.networks.G).requires_grad_(False) if averaged else None

    @property
    def G(self) -> nn.Module:
        """The generator that makes images after training; it has averaged weights if `optimiser.ema` is on."""
        return self.networks.G if self.averaged_G is None else self.averaged_G

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The modules that a checkpoint holds, by the first part of their tensors' names."""
        averaged = {} if self.averaged_G is None else {"averaged_G": self.averaged_G}
        return {"networks": self.networks, **averaged}

    @torch.no_grad()
    def generate(self, latents: Latents) -> Tensor:
        """`G`'s images (B, C, H, W) in [-1, 1] for `latents`, with BatchNorm's running statistics."""
        training = self.G.training
        self.G.eval()
        images: Tensor = self.G(self.codes.flatten(latents))
        self.G.train(training)
        return images

    def encode(self, images: Tensor, calibration: Tensor, batch: int = _BATCH) -> Posterior:
        """Q(c|x) of uint8 images (N, C, H, W); the same for any batch size.

        The running statistics of a trunk that D shares mix real and generated batches, and would cost accuracy on real
        images. So BatchNorm's statistics are first estimated on `calibration`, real training images (uint8), in a copy
        of the networks.
        """
        encoder = nn.Sequential(copy.deepcopy(self.networks.trunk), copy.deepcopy(self.networks.Q_head))
        encoder.requires_grad_(False)
        parts = torch.split(calibration[:_CALIBRATION_IMAGES].to(self.device), _BATCH)
        update_bn((to_float(part) for part in parts if len(part) > 1), encoder)
        encoder.eval()
        with torch.no_grad():
            outputs = [encoder(to_float(part.to(self.device))) for part in torch.split(images, batch)]
        return self.codes.split(torch.cat(outputs).cpu())


class InfoGAN(Model):
    """G, D and Q of a run.

    Args:
        run: the configuration.
        image_shape: (C, H, W).
        generator: draws the initial weights, on the CPU, so that they are the same on any device.
        device: the place of the networks.

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
        codes = LatentCodes(run.codes, fixed_std=run.objective.fixed_std)
        with torch.random.fork_rng(devices=[]):  # an architecture may draw from torch's global generator
            torch.default_generator.manual_seed(generator.initial_seed())
            networks = build_networks(run.architecture, image_shape, codes)
            if run.objective.contrastive:
                networks.CR = build_contrastive(run.architecture, image_shape, codes)
        initialise(networks, generator, glorot=networks.glorot)
        super().__init__(codes, networks, device, averaged=bool(run.optimiser.ema))
