"""Intervals of how far a score would move with another sample of the same size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class Interval(Score):
    """The score of the arrays as they are, and the interval that `level` of the resampled scores lie in."""

    low: float
    high: float
    level: float
    resampled: NDArray[np.float64]  # (n_resamples,), sorted


def bootstrap(
    function: Callable[..., SupportsFloat],
    *arrays: ArrayLike,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    groups: Sequence[int] | None = None,
) -> Interval:
    """Percentile bootstrap of a score: samples are drawn anew with replacement, and it is computed again.

    Resamples repeat samples, which plug-in mutual information takes for structure: where it is biased by few
    samples, as MIG of many values is, the interval may lie beside the score rather than around it. The
    interval speaks of this model and other samples, not of other seeds of training.

    Args:
        function: takes the arrays and returns a score; extra arguments go in with `functools.partial`.
        arrays: (n_samples, ...) each; rows of one group are drawn together.
        n_resamples: how often, at least 2.
        level: share of the resampled scores in the interval, in (0, 1).
        seed: of the draws.
        groups: for each array, which arrays its rows belong with: (0, 0, 1, 1) for codes, factors, test_codes
            and test_factors, (0, 1) for real and fake. Default: all together.
    Returns:
        The score with `low` and `high`, in the score's own unit.
    Raises:
        ValueError: if arrays of a group differ in their numbers of rows, or an argument is out of range.
        NotDefinedError: as `function` does; a rare value of a factor may be missing from a resample.
    Reference: Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13.
    """
    if n_resamples < 2 or not 0 < level < 1:
        raise ValueError(
            f"`n_resamples` must be at least 2 and `level` in (0, 1), but are {n_resamples} and {level}"
        )
    samples: list[NDArray[Any]] = [np.asarray(array) for array in arrays]
    members = [0] * len(samples) if groups is None else list(groups)
    sizes = _sizes(samples, members)
    random = np.random.default_rng(seed)
    scores = np.empty(n_resamples)
    for i in range(n_resamples):
        rows = {group: random.integers(size, size=size) for group, size in sizes.items()}
        drawn = (array[rows[group]] for array, group in zip(samples, members, strict=True))
        scores[i] = float(function(*drawn))
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    value = float(function(*samples))
    return Interval(value, len(samples[0]), float(low), float(high), level, np.sort(scores))


def _sizes(samples: Sequence[NDArray[Any]], members: Sequence[int]) -> dict[int, int]:
    """Return the number of rows of each group."""
    if not samples or len(members) != len(samples):
        raise ValueError(f"`groups` must name a group for each array, {len(samples)}, but has {len(members)}")
    sizes: dict[int, int] = {}
    for array, group in zip(samples, members, strict=True):
        if not array.ndim or not len(array):
            raise ValueError(f"every array must hold at least one row, but one has shape {array.shape}")
        if sizes.setdefault(group, len(array)) != len(array):
            raise ValueError(
                f"arrays of a group must have one row per sample, but have {sizes[group]} and {len(array)} "
                "rows; name groups if they are separate samples"
            )
    return sizes
