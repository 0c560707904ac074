"""Drawn faces in the place of CelebA's photographs: glasses, hair, beard, mouth, eyes and more are known factors.

A result on this set is no result on CelebA. Its factors are independent, which CelebA's attributes are not.
"""

from __future__ import annotations

from infogan_bench.config.dataset_options import AvatarsOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.drawn import DrawnFactor, DrawnSet
from infogan_bench.drawing.avatars import FACTORS, draw_avatars, draw_small_avatars

VERSION = 1  # of the drawing; the tests hold its bytes
_FACTORS = tuple(DrawnFactor(name, size=len(values)) for name, values in FACTORS.items())
AVATARS = {
    size: DrawnSet("avatars", draw, VERSION, _FACTORS, sizes=(50_000, 10_000))
    for size, draw in ((32, draw_small_avatars), (64, draw_avatars))
}


def load_avatars(config: DatasetConfig) -> ImageDataset:
    """Draw the images, or take them from the cache.

    Raises:
        DatasetError: if a `data_dir` is given.
        InputError: if the cache cannot be written.
    """
    assert isinstance(config.options, AvatarsOptions)  # noqa: S101
    return AVATARS[config.options.size].load(config)
