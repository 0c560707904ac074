"""Data sets whose images are drawn from factors, each of which is drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import FactorRange, Factors
from infogan_bench.drawing import cached_file, drawn

_SPLITS = ("training", "test")


@dataclass(frozen=True)
class DrawnFactor:
    """A factor of drawn images: a category with `size` values, or a number of `range`, uniform in it."""

    name: str
    range: FactorRange | None = None
    size: int | None = None
    circular: bool = False  # True: the two ends of `range` are the same

    @property
    def kind(self) -> Kind:
        """Its kind; the period of a circular one is the length of its range."""
        if self.range is None:
            return Kind("category")
        return Kind("circular", self.range.high - self.range.low) if self.circular else Kind("continuous")


@dataclass(frozen=True)
class DrawnSet:
    """A data set that is drawn.

    Attributes:
        name: as in `dataset.name`.
        draw: turns factors (n, n_factors) into uint8 images (n, C, H, W); see `infogan_bench.drawing.drawn`.
        version: of `draw`.
        factors: the columns that `draw` takes.
        sizes: numbers of training and test images where none are asked for.
    """

    name: str
    draw: Callable[[NDArray[np.float64]], NDArray[np.uint8]]
    version: int
    factors: tuple[DrawnFactor, ...]
    sizes: tuple[int, int]

    def load(self, config: DatasetConfig) -> ImageDataset:
        """Draw the images, or take them from the cache. The first images of a larger set are those of a smaller one.

        Raises:
            DatasetError: if a `data_dir` is given.
            InputError: if the cache cannot be written.
        """
        if config.data_dir is not None:
            raise DatasetError(f"{self.name} is drawn, not read: remove `data_dir`")
        return _load(self, config.train_size, config.test_size)

    def read(self, train_size: int | None, test_size: int | None) -> ImageDataset:
        """Draw or read the images of `load`; every call reads them again."""
        asked = (
            self.sizes[0] if train_size is None else train_size,
            self.sizes[1] if test_size is None else test_size,
        )
        values = [self.values(split, size) for split, size in enumerate(asked)]
        images = [
            torch.from_numpy(drawn(self.draw, each, f"{self.name}-{split}", self.version))
            for split, each in zip(_SPLITS, values, strict=True)
        ]
        sizes = tuple(factor.size for factor in self.factors)
        factors = Factors(
            names=tuple(factor.name for factor in self.factors),
            sizes=sizes,
            test=torch.from_numpy(values[1] if None in sizes else values[1].astype(np.int64)),
            kinds=tuple(factor.kind for factor in self.factors),
            ranges=tuple(factor.range for factor in self.factors),
        )
        return ImageDataset(self.name, images[0], None, images[1], None, factors=factors)

    def files(self) -> list[Path]:
        """Return the files of the cache that hold the set, or will hold it, in its default sizes."""
        return [
            cached_file(self.draw, self.values(split, size), f"{self.name}-{_SPLITS[split]}", self.version)
            for split, size in enumerate(self.sizes)
        ]

    def values(self, split: int, n: int) -> NDArray[np.float64]:
        """Return the factors of the first n images of a split, (n, n_factors); 0: training, 1: test.

        A category has each value once in every `size` images, in a random order.
        """
        columns = []
        for place, factor in enumerate(self.factors):
            rng = np.random.default_rng([split, place])
            if factor.range is not None:
                low, high, _ = factor.range
                columns.append(low + (high - low) * rng.random(n))
            else:
                size = factor.size or 1
                turns = [rng.permutation(size) for _ in range(-(-n // size))]
                columns.append(np.concatenate(turns)[:n].astype(np.float64))
        return np.column_stack(columns)


@cache
def _load(drawn_set: DrawnSet, train_size: int | None, test_size: int | None) -> ImageDataset:
    return drawn_set.read(train_size, test_size)
