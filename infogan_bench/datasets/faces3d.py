"""Heads in the manner of the faces of InfoGAN's figure 3: turned, seen from above or below, lit and stretched.

The ranges of azimuth, elevation and light are those of the paper's data (arXiv 1606.03657, section 7.2, after Paysan et
al. 2009). Those faces vary in shape by people of whom 200 were scanned. Here the identity is one of as many heads.
"""

from __future__ import annotations

from infogan_bench.config.dataset_options import FacesOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.drawn import DrawnFactor, DrawnSet
from infogan_bench.datasets.factors import FactorRange
from infogan_bench.drawing.heads import draw_heads

VERSION = 1  # of the drawing; the tests hold its bytes


def faces3d(identities: int) -> DrawnSet:
    """Return the set with this number of identities; the first ones of a larger number are those of a smaller one."""
    factors = (
        DrawnFactor("azimuth", FactorRange(-90, 90, "degrees")),
        DrawnFactor("elevation", FactorRange(-20, 20, "degrees")),
        DrawnFactor("light", FactorRange(-90, 90, "degrees")),
        DrawnFactor("width", FactorRange(0.75, 1.25)),
        DrawnFactor("identity", size=identities),
    )
    return DrawnSet("faces3d", draw_heads, VERSION, factors, sizes=(24_000, 2_000))


def load_faces3d(config: DatasetConfig) -> ImageDataset:
    """Draw the heads, or take them from the cache.

    Raises:
        DatasetError: if a `data_dir` is given.
        InputError: if the cache cannot be written.
    """
    assert isinstance(config.options, FacesOptions)  # noqa: S101
    return faces3d(config.options.identities).load(config)
