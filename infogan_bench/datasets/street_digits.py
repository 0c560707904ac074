"""Made-up house numbers in the place of SVHN's: digits of many fonts on coloured grounds, with neighbours.

Real SVHN shows what a network finds in photographs. Here every image follows from known factors, so that a score can
say what was found; a result on this set is no result on SVHN.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.drawn import DrawnFactor, DrawnSet
from infogan_bench.datasets.factors import FactorRange
from infogan_bench.drawing.street_digits import GROUNDS, INKS, N_FONTS, NEIGHBOURS, draw_street_digits

VERSION = 1  # of the drawing; the tests hold its bytes
STREET_DIGITS = DrawnSet(
    "street-digits",
    draw_street_digits,
    VERSION,
    (
        DrawnFactor("digit", size=10),
        DrawnFactor("font", size=N_FONTS),
        DrawnFactor("ground", size=len(GROUNDS)),
        DrawnFactor("ink", size=len(INKS)),
        DrawnFactor("light", FactorRange(0.5, 1)),
        DrawnFactor("blur", FactorRange(0.3, 1.3, "pixels")),
        DrawnFactor("neighbours", size=len(NEIGHBOURS)),
    ),
    sizes=(50_000, 10_000),
)


def load_street_digits(config: DatasetConfig) -> ImageDataset:
    """Draw the images, or take them from the cache. The digit in the middle is the label, and the first factor.

    Raises:
        DatasetError: if a `data_dir` is given.
        InputError: if the cache cannot be written.
    """
    dataset = STREET_DIGITS.load(config)
    return replace(
        dataset,
        train_labels=_digits(STREET_DIGITS.values(0, len(dataset.train_images))),
        test_labels=_digits(STREET_DIGITS.values(1, len(dataset.test_images))),
        class_names=tuple("0123456789"),
    )


def _digits(factors: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(factors[:, 0].astype(np.int64))
