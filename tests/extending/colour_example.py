"""Plain images of 64 x 64 pixels in four colours, and a G that paints them by its codes."""

import torch
from torch import nn

from infogan_bench.datasets import ImageDataset, register_dataset
from infogan_bench.networks import Networks, register_architecture

COLOURS = torch.tensor([[255, 0, 0], [0, 160, 40], [20, 60, 255], [250, 200, 0]], dtype=torch.uint8)
SIDE = 64


@register_dataset("colours")
def colours(data_dir):
    kind = torch.arange(300) % 4
    images = COLOURS[kind].view(-1, 3, 1, 1).repeat(1, 1, SIDE, SIDE)
    names = ("red", "green", "blue", "yellow")
    return ImageDataset("colours", images[:200], kind[:200], images[200:], kind[200:], names)


class Painter(nn.Module):
    """Its input is [2 noise | one-hot of 4 categories | a uniform code].

    The left half of an image has the category's colour. In the right half red is the uniform code, green 0, blue -1.
    """

    def __init__(self):
        super().__init__()
        self.trained = nn.Parameter(torch.zeros(1))

    def forward(self, latents):
        images = torch.full((len(latents), 3, SIDE, SIDE), -1.0, device=latents.device)
        left = latents[:, 2:6] @ (COLOURS.float() / 127.5 - 1).to(latents.device)
        images[..., : SIDE // 2] = left[:, :, None, None]
        images[:, 0, :, SIDE // 2 :] = latents[:, 6, None, None]
        images[:, 1, :, SIDE // 2 :] = 0
        return images + 0 * self.trained


@register_architecture("painter")
def painter(image_shape, latent_dim, q_dim, width):
    pixels = 3 * SIDE * SIDE
    return Networks(
        G=Painter(),
        trunk=nn.Sequential(nn.Flatten(), nn.Linear(pixels, 8), nn.LeakyReLU(0.1)),
        D_head=nn.Linear(8, 1),
        Q_head=nn.Linear(8, q_dim),
    )
