"""Rank correlation: a code orders samples as a measurement of them does."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import as_codes, check_same_rows, constant_columns
from infogan_metrics.score import NotDefinedError


def rank_correlation(
    codes: ArrayLike, measures: ArrayLike, groups: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Absolute Spearman correlation of each code with each measure, within groups.

    It is computed in every group on its own and averaged, each group weighing by its samples, so that what differs
    from group to group does not count, nor does it matter which way a code turns in one. By chance a group of n is
    worth about sqrt(2 / (pi n)), 0.08 of 100 samples.

    Args:
        codes: (n_samples, n_codes).
        measures: (n_samples, n_measures).
        groups: (n_samples,) integers, a sample's group; None: all are one.
    Returns:
        (n_codes, n_measures) in [0, 1], no unit; in a group where a code or a measure is constant it counts as 0.
    Raises:
        NotDefinedError: if every group has one sample.
        ValueError: if an array is not finite or has another shape than stated.
    """
    x, y = as_codes(codes), as_codes(measures, "measures")
    check_same_rows(x, y, ("codes", "measures"))
    labels = np.zeros(len(x), dtype=np.int64) if groups is None else np.asarray(groups)
    if labels.shape != (len(x),):
        raise ValueError(f"`groups` must have shape ({len(x)},), but has {labels.shape}")
    total, n = np.zeros((x.shape[1], y.shape[1])), 0
    for label in np.unique(labels):
        members = labels == label
        size = int(members.sum())
        if size > 1:
            total += np.abs(
                _standard_ranks(x[members]).T @ _standard_ranks(y[members])
            )  # size times the correlation
            n += size
    if not n:
        raise NotDefinedError("a rank correlation is not defined: no group has two samples")
    return np.minimum(total / n, 1.0)


def _standard_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of each column with mean 0 and standard deviation 1 (ties share theirs); 0 where it is constant."""
    from scipy.stats import rankdata  # here, so that importing the package loads numpy alone

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    ranks[:, constant_columns(values)] = 0
    return np.asarray(ranks / np.maximum(ranks.std(axis=0), np.finfo(np.float64).tiny))
