"""Chairs in the manner of InfoGAN's figure 4 (arXiv 1606.03657; its data are by Aubry et al. 2014): which chair it is,
how it is turned, and how wide it is."""

from __future__ import annotations

from infogan_bench.config.dataset_options import ChairsOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.drawn import DrawnFactor, DrawnSet
from infogan_bench.datasets.factors import FactorRange
from infogan_bench.drawing.chairs import LARGEST_WIDTH, draw_chairs

VERSION = 1  # of the drawing; the tests hold its bytes


def chairs3d(chairs: int) -> DrawnSet:
    """Return the set with this number of chairs: the 21 that ship, then chairs built of parts."""
    factors = (
        DrawnFactor("chair", size=chairs),
        DrawnFactor("rotation", FactorRange(0, 360, "degrees"), circular=True),
        DrawnFactor("width", FactorRange(0.75, LARGEST_WIDTH)),
    )
    return DrawnSet("chairs3d", draw_chairs, VERSION, factors, sizes=(20_000, 2_000))


def load_chairs3d(config: DatasetConfig) -> ImageDataset:
    """Draw the chairs, or take them from the cache.

    Raises:
        DatasetError: if a `data_dir` is given.
        InputError: if the cache cannot be written.
    """
    assert isinstance(config.options, ChairsOptions)  # noqa: S101
    return chairs3d(config.options.chairs).load(config)
