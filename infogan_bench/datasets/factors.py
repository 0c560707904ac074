"""Ground-truth factors, from which an image was drawn, as whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.sharing import PickledAsArrays

SPRITE_FACTORS = ("shape", "scale", "orientation", "x", "y")  # dSprites' own order
TRAIN_SIZE = 40_000
TEST_SIZE = 10_000
_SEED = 0


@dataclass(frozen=True, eq=False)
class Factors(PickledAsArrays):
    """The factors of a dataset and their values in the test set, from 0 to size - 1.

    Raises:
        DatasetError: if names, sizes and columns differ in number, or a value is out of range.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    test: Tensor  # (n_test, n_factors) int64
    always_alike: tuple[str, ...] = ()  # factors that the files have, but with one value in all of them

    def __post_init__(self) -> None:
        if self.test.dtype != torch.int64 or self.test.ndim != 2:
            raise DatasetError(
                f"factors must be an int64 tensor (N, n_factors), found {self.test.dtype} {tuple(self.test.shape)}"
            )
        if not len(self.names) == len(self.sizes) == self.test.shape[1]:
            raise DatasetError(
                f"factors need one name, one size and one column each, found {len(self.names)} names, "
                f"{len(self.sizes)} sizes and {self.test.shape[1]} columns"
            )
        wrong = (self.test < 0) | (self.test >= torch.tensor(self.sizes))
        if wrong.any():
            row, column = wrong.nonzero()[0].tolist()
            raise DatasetError(
                f"factor `{self.names[column]}` must be 0 to {self.sizes[column] - 1}, "
                f"found {int(self.test[row, column])}"
            )

    def head(self, test_size: int | None) -> Factors:
        """The factors of the first `test_size` test images; None means all."""
        return replace(self, test=self.test[:test_size])


def combinations(sizes: tuple[int, ...], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The factors (n, n_factors) at these places (n,) of the list of all combinations, the last varying fastest."""
    return np.stack(np.unravel_index(rows, sizes), axis=1).astype(np.int64)


def draw_split(
    total: int, train_size: int | None, test_size: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the training and the test images among `total`: always the same ones, and no image is in both.

    A smaller size takes the first images of a larger one. None means 40,000 and 10,000 images, or fewer in the same
    proportion.

    Raises:
        DatasetError: if there are fewer images than both sizes ask for.
    """
    scale = min(1.0, total / (TRAIN_SIZE + TEST_SIZE))
    test_size = math.ceil(TEST_SIZE * scale) if test_size is None else test_size
    train_size = min(TRAIN_SIZE, max(1, total - test_size)) if train_size is None else train_size
    if train_size + test_size > total:
        raise DatasetError(
            f"`train_size` {train_size:,} and `test_size` {test_size:,} are {train_size + test_size:,} images, "
            f"but there are {total:,}"
        )
    order = np.random.default_rng(_SEED).permutation(total)
    return order[:train_size], order[::-1][:test_size]
