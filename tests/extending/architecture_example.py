"""An architecture of one's own: one hidden layer in each network."""

import math

from torch import nn

from infogan_bench.networks import ImageShape, Networks, register_architecture


@register_architecture("small")
def small(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """G: (B, latent_dim) -> images; trunk: images -> features; the heads read the features."""
    pixels, hidden = math.prod(image_shape), max(1, round(64 * width))
    return Networks(
        G=nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Tanh(), nn.Unflatten(1, image_shape)
        ),
        trunk=nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.LeakyReLU(0.1)),
        D_head=nn.Linear(hidden, 1),
        Q_head=nn.Linear(hidden, q_dim),
    )  # fmt: skip
