"""Networks built for given images and codes."""

from __future__ import annotations

import torch
from torch import nn

from infogan_bench.codes import LatentCodes
from infogan_bench.config.run import ArchitectureConfig
from infogan_bench.errors import InputError
from infogan_bench.networks.module import ImageShape, Networks
from infogan_bench.networks.registry import architecture_of
from infogan_bench.networks.weights import normalise_spectrally


def build_networks(config: ArchitectureConfig, image_shape: ImageShape, codes: LatentCodes) -> Networks:
    """Build the networks of `config` for these images and codes, not yet initialised.

    Raises:
        InputError: if the name is unknown or the architecture cannot make images of this shape.
    """
    networks = architecture_of(config)(image_shape, codes.latent_dim, codes.q_dim, config.width)
    if config.spectral_norm:
        for part in (networks.trunk, networks.D_head):
            normalise_spectrally(part)
    return networks


def build_contrastive(config: ArchitectureConfig, image_shape: ImageShape, codes: LatentCodes) -> nn.Module:
    """Build `Networks.CR` for these images and codes: a second trunk with a head of Q, of the same architecture.

    Raises:
        InputError: as `build_networks`.
    """
    channels, height, width = image_shape
    n_codes = len(codes.continuous)
    twin = architecture_of(config)((2 * channels, height, width), codes.latent_dim, n_codes, config.width)
    if config.spectral_norm:
        normalise_spectrally(twin.trunk)
    return nn.Sequential(twin.trunk, twin.Q_head)


@torch.no_grad()
def check_networks(networks: Networks, image_shape: ImageShape, codes: LatentCodes) -> None:
    """Pass two latents through the networks, to find a mistake of a user's architecture before training starts.

    Raises:
        InputError: if G's images or Q's output do not have the shape that they must have.
    """
    networks.eval()
    images = networks.G(torch.zeros(2, codes.latent_dim))
    if tuple(images.shape) != (2, *image_shape):
        raise InputError(
            f"architecture.name: G makes images of shape {tuple(images.shape[1:])}, not {image_shape}"
        )
    features = networks.trunk(images)
    for head, output, width in (
        ("D_head", networks.D_head(features), 1),
        ("Q_head", networks.Q_head(features), codes.q_dim),
    ):
        if tuple(output.shape) != (2, width):
            raise InputError(
                f"architecture.name: {head} gives {tuple(output.shape[1:])} numbers an image, not {width}"
            )
