"""A data set of bars, in two orientations and two brightnesses, which are its labels."""

import torch

from infogan_bench.datasets import ImageDataset, register_dataset


@register_dataset("bars")
def bars(data_dir):
    kind = torch.arange(200) % 4
    images = torch.zeros(200, 1, 8, 8, dtype=torch.uint8)
    for n, value in enumerate(kind.tolist()):
        line = images[n, 0] if value < 2 else images[n, 0].T
        line[n % 8] = 255 if value % 2 else 120
    names = ("dim row", "bright row", "dim column", "bright column")
    return ImageDataset("bars", images[:136], kind[:136], images[136:], kind[136:], names)
