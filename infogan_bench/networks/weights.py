"""Weights before training, and their spectral normalisation."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from infogan_bench.networks.spectral import POWER_ITERATIONS_BEFORE_TRAINING, spectral_norm


def normalise_spectrally(part: nn.Module) -> None:
    """Give each layer a weight of largest singular value 1 (arXiv 1802.05957).

    BatchNorm is removed, as in D of that paper, because it would undo any scaling of the weights before it. Layers that
    had no bias, because BatchNorm has one, get a bias.
    """
    for module in list(part.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.Linear | nn.Conv2d) and not parametrize.is_parametrized(module, "weight"):
            if module.bias is None:
                module.bias = nn.Parameter(module.weight.new_zeros(len(module.weight)))
            spectral_norm(module)


def initialise(part: nn.Module, generator: torch.Generator, *, glorot: bool = False) -> None:
    """Weights from N(0, 0.02), biases 0 (InfoGAN, appendix C, after DCGAN); BatchNorm starts as identity.

    With `glorot`, weights without spectral normalisation are from U(-a, a), a^2 = 6 / (inputs + outputs) of a unit
    (Glorot and Bengio 2010, equation 16). A unit of a convolution has as many as channels times the kernel's size.

    All random numbers come from `generator`, also the vectors of a spectral normalisation.
    """
    for module in part.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if parametrize.is_parametrized(module, "weight"):
                _initialise_parametrized(module, generator)
            elif glorot:
                nn.init.xavier_uniform_(module.weight, generator=generator)
            else:
                nn.init.normal_(module.weight, std=0.02, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


@torch.no_grad()
def _initialise_parametrized(module: nn.Module, generator: torch.Generator) -> None:
    """Draw a weight through its parametrization, and the vectors with which spectral normalisation starts."""
    weight = torch.empty_like(cast(Tensor, module.weight)).normal_(std=0.02, generator=generator)
    module.weight = weight
    vectors = list(module.get_submodule("parametrizations.weight").buffers())
    for vector in vectors:
        vector.normal_(generator=generator)
    for _ in range(POWER_ITERATIONS_BEFORE_TRAINING if vectors else 0):
        _ = module.weight  # in training mode, each use takes one step towards the singular vectors
