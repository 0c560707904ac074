"""Ground-truth factors, from which an image was drawn, and their kinds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.sharing import PickledAsArrays

SPRITE_FACTORS = ("shape", "scale", "orientation", "x", "y")  # dSprites' own order
SPRITE_KINDS = (Kind("category"), *[Kind("ordered")] * 4)
TRAIN_SIZE = 40_000
TEST_SIZE = 10_000
_SEED = 0


class FactorRange(NamedTuple):
    """The range of a factor that is no whole number."""

    low: float
    high: float
    unit: str = ""  # as in "degrees"; empty for a number without a unit


@dataclass(frozen=True, eq=False)
class Factors(PickledAsArrays):
    """The factors of a dataset and their values in the test set.

    A factor of the kind `category` or `ordered` has a size and whole numbers from 0 to size - 1. A factor of the kind
    `continuous` or `circular` has no size (None) and any finite values; a circular one has a period, in its own unit.
    `infogan_metrics` takes `test` and `kinds` as they are.

    Args:
        names: of the factors.
        sizes: numbers of values; None for a continuous or circular factor.
        test: (n_test, n_factors). int64 if all factors have sizes, float64 if one has none.
        always_alike: factors that the files have, but with one value in all of them.
        kinds: one for each factor, as a `Kind` or as its text (`"circular:360"`). Empty: a factor with a size is a
            category, one without is continuous.
        ranges: the range of each factor, or None; empty: none is known.

    Raises:
        DatasetError: if names, sizes, kinds, ranges and columns differ in number, a kind does not fit its size, or a
            value is out of range.
    """

    names: tuple[str, ...]
    sizes: tuple[int | None, ...]
    test: Tensor
    always_alike: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    ranges: tuple[FactorRange | None, ...] = ()

    def __post_init__(self) -> None:
        dtype = torch.float64 if None in self.sizes else torch.int64
        if self.test.dtype != dtype or self.test.ndim != 2:
            name = str(dtype).removeprefix("torch.")
            raise DatasetError(
                f"factors must be {'an' if name[0] == 'i' else 'a'} {name} tensor (N, n_factors), "
                f"found {self.test.dtype} {tuple(self.test.shape)}"
            )
        if not len(self.names) == len(self.sizes) == self.test.shape[1]:
            raise DatasetError(
                f"factors need one name, one size and one column each, found {len(self.names)} names, "
                f"{len(self.sizes)} sizes and {self.test.shape[1]} columns"
            )
        object.__setattr__(self, "kinds", self._kinds())
        object.__setattr__(self, "ranges", self.ranges or (None,) * len(self.names))
        for name, given in (("kind", self.kinds), ("range", self.ranges)):
            if len(given) != len(self.names):
                raise DatasetError(
                    f"factors need one {name} each, found {len(self.names)} names and {len(given)} {name}s"
                )
        for k in range(len(self.names)):
            self._check_column(k)

    @property
    def whole(self) -> tuple[int, ...]:
        """The columns of the factors whose values are whole numbers."""
        return tuple(k for k, size in enumerate(self.sizes) if size is not None)

    def _kinds(self) -> tuple[Kind, ...]:
        if not self.kinds:
            return tuple(Kind("continuous" if size is None else "category") for size in self.sizes)
        try:
            return tuple(Kind.parse(kind) if isinstance(kind, str) else kind for kind in self.kinds)
        except ValueError as error:
            raise DatasetError(f"factors: {error}") from None

    def _check_column(self, k: int) -> None:
        name, size, kind, values = self.names[k], self.sizes[k], self.kinds[k], self.test[:, k]
        if kind.discrete != (size is not None):
            takes = "a size" if kind.discrete else "no size (None)"
            raise DatasetError(f"factor `{name}` is {kind} and takes {takes}, found {size}")
        if size is not None:
            wrong = (values < 0) | (values >= size) | (values != values.floor())
            expected = f"0 to {size - 1}"
        else:
            low, high, _ = self.ranges[k] or FactorRange(-math.inf, math.inf)
            wrong = ~values.isfinite() | (values < low) | (values > high)
            expected = "finite" if self.ranges[k] is None else f"{low:g} to {high:g}"
        if wrong.any():
            value = values[wrong][0].item()
            whole = f"{value:g}" if isinstance(value, float) else value
            raise DatasetError(f"factor `{name}` must be {expected}, found {whole}")

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
