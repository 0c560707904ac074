"""Draw samples that share the value of one factor, or of all but one, as scores by votes need them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.arrays import Codes, Indices
from infogan_metrics.score import NotDefinedError

_ROWS_AT_ONCE = 1 << 13  # of codes at a time: they stay in the processor's cache
_DRAWN_AT_ONCE = 1 << 14  # row numbers, likewise


class SharedValues:
    """Rows grouped by the value of each factor.

    Raises:
        NotDefinedError: if there is one factor, or one is constant: which factor was fixed is no question then.
        ValueError: if a value occurs in a single row, since there is nothing to compare that row with.
    """

    def __init__(self, factors: Indices) -> None:
        self.n_factors = factors.shape[1]
        _check_guessable(factors)
        self._factors = factors
        by_value = np.argsort(factors, axis=0, kind="stable")  # rows of one value side by side
        self._order = by_value.ravel(order="F")  # one factor after the other
        width = int(factors.max()) + 1
        self._counts = np.stack([np.bincount(column, minlength=width) for column in factors.T])
        if (self._counts == 1).any():
            k, value = np.argwhere(self._counts == 1)[0]
            raise ValueError(
                f"every value needs two samples or more, but factor {k} has value no. {value} once"
            )
        self._starts = np.cumsum(self._counts).reshape(self._counts.shape) - self._counts

    def draw(self, k: Indices, rows: Indices, size: int, random: np.random.Generator) -> Indices:
        """For each i, draw `size` rows (with replacement) that share the value of factor k[i] with rows[i].

        Returns:
            (len(rows), size) row numbers.
        """
        value = self._factors[rows, k]
        return _draw_within(self._order, self._starts[k, value], self._counts[k, value], size, random)


class OneVaries:
    """Rows grouped by the values of all factors but one, for each factor in turn.

    Raises:
        NotDefinedError: if there is one factor, one is constant, or no two rows differ in a factor alone.
    """

    def __init__(self, factors: Indices) -> None:
        _check_guessable(factors)
        self._groups = [_rows_that_differ_in(factors, k) for k in range(factors.shape[1])]

    def draw(self, k: Indices, size: int, random: np.random.Generator) -> Indices:
        """For each i, draw `size` rows (with replacement) of a random group in which factor k[i] alone varies.

        Groups are drawn in proportion to their number of rows.

        Returns:
            (len(k), size) row numbers.
        """
        drawn = np.empty((len(k), size), dtype=np.intp)
        for factor, (rows, starts, counts) in enumerate(self._groups):
            mine = np.flatnonzero(k == factor)
            place = random.integers(len(rows), size=len(mine))
            drawn[mine] = _draw_within(rows, starts[place], counts[place], size, random)
        return drawn


def _draw_within(
    rows: Indices, starts: Indices, counts: Indices, size: int, random: np.random.Generator
) -> Indices:
    """For each i, draw `size` of the counts[i] rows from starts[i] on: (len(starts), size) row numbers."""
    drawn = np.empty((len(starts), size), dtype=np.intp)
    step = max(1, _DRAWN_AT_ONCE // size)
    for i in range(0, len(starts), step):
        some = slice(i, i + step)
        offsets = random.random((len(drawn[some]), size))
        offsets *= counts[some, None]
        places = offsets.astype(np.intp)
        places += starts[some, None]
        rows.take(places, out=drawn[some], mode="clip")  # all places exist, so nothing is clipped
    return drawn


def _check_guessable(factors: Indices) -> None:
    if factors.shape[1] == 1:
        raise NotDefinedError("guessing the factor is not defined for a single factor")
    if not factors.any(axis=0).all():
        raise NotDefinedError(f"factor {int(np.argmin(factors.any(axis=0)))} is constant")


def _rows_that_differ_in(factors: Indices, k: int) -> tuple[Indices, Indices, Indices]:
    """Return rows side by side with those that differ from them in factor `k` alone, and for each of them
    where its group starts and how many rows it has. Rows without such company are left out."""
    group = np.zeros(len(factors), dtype=np.intp)  # a number for the values of all the other factors
    size = 1
    for other in np.delete(factors, k, axis=1).T:
        width = int(other.max()) + 1
        if size > np.iinfo(np.intp).max // (width * (int(factors[:, k].max()) + 1)):
            occurring, group = np.unique(group, return_inverse=True)
            size = len(occurring)
        group = group * width + other
        size *= width
    order = np.argsort(group * (int(factors[:, k].max()) + 1) + factors[:, k])
    sorted_group, values = group[order], factors[order, k]
    starts = np.flatnonzero(np.diff(sorted_group, prepend=-1))
    counts = np.diff(starts, append=len(order))
    varies = (
        values[starts] != values[starts + counts - 1]
    )  # first and last of a group that is sorted by value
    if not varies.any():
        raise NotDefinedError(f"no two samples differ in factor {k} alone: a grid of factors is needed")
    kept = np.repeat(varies, counts)
    group_of_row = np.repeat(np.arange(varies.sum()), counts[varies])
    kept_counts = counts[varies]
    kept_starts = np.cumsum(kept_counts) - kept_counts
    return order[kept], kept_starts[group_of_row], kept_counts[group_of_row]


def summarise(
    codes: Codes, groups: Indices, summary: Callable[[Codes], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Apply `summary` to the codes of each group, some groups at a time.

    Args:
        groups: row numbers (n_groups, size).
        summary: takes (m, size, n_codes), returns (m, n_codes).
    Returns:
        (n_groups, n_codes)
    """
    step = max(1, _ROWS_AT_ONCE // groups.shape[1])
    parts = [summary(codes.take(groups[i : i + step], axis=0)) for i in range(0, len(groups), step)]
    return np.concatenate(parts)


def group_variances(groups: Codes) -> Codes:
    """Unbiased variance over the middle axis of (n_groups, size, n_codes).

    Codes are to be centred over all samples: sums of squares then lose a relative 1e-16 of the overall variance.
    """
    size = groups.shape[1]
    # np.sum is ten times slower on short axes. A product with ones is faster still, but rounds codes that vary alike
    # differently, so that the same one of them is always found.
    sums = np.einsum("gsc->gc", groups)
    squares = np.einsum("gsc,gsc->gc", groups, groups)
    variances: Codes = np.maximum(squares - sums * sums / size, 0.0) / (size - 1)
    return variances
