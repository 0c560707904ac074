"""An architecture with one hidden layer in G and one in the trunk."""

import math

from torch import nn

from infogan_bench.networks import Networks, register_architecture


@register_architecture("small")
def small(image_shape, latent_dim, q_dim, width):
    pixels, hidden = math.prod(image_shape), max(1, round(64 * width))
    layers = [nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Tanh()]
    return Networks(
        G=nn.Sequential(*layers, nn.Unflatten(1, image_shape)),
        trunk=nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.LeakyReLU(0.1)),
        D_head=nn.Linear(hidden, 1),
        Q_head=nn.Linear(hidden, q_dim),
    )
