"""RMIG: the mutual information gap of a stochastic encoder, with its whole posterior in the bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, as_codes_and_factors
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class RMIG(Score):
    """The gap, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats
    n_bins: int
    limits: NDArray[np.float64]  # (n_codes, 2), where the bins of each code begin and end


def rmig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    deviations: ArrayLike | None = None,
    n_bins: int = 100,
    limits: tuple[float, float] | None = None,
) -> RMIG:
    """Robust Mutual Information Gap: MIG with Q(z|x) a Gaussian, not its mean alone.

    Each sample spreads over a code's bins by the probability that its Gaussian puts there, what lies outside going to
    the first and the last bin. For each factor, the mutual information of the code that knows it best, less that of
    the second best, over the factor's entropy.

    Args:
        codes: float array (n_samples, n_codes), the means of Q(z|x).
        factors: int array (n_samples, n_factors).
        deviations: float array (n_samples, n_codes), the standard deviations of Q(z|x), at least 0. None: 0, each
            sample in one bin.
        n_bins: bins of equal width; the authors take 100.
        limits: where the bins of every code begin and end; (-4, 4) in the paper, whose codes are standard normal.
            None: for each code from the smallest mean to the largest, and four deviations beyond.
    Returns:
        Mean gap in [0, 1], no unit; higher is better. With a single code, the second best is 0.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or do not fit together, a deviation is below 0, `n_bins` is below 2 or
            `limits` does not increase.
    Reference: Do and Tran 2020, arXiv:1908.09961, section 4.3 and appendix; their code takes the density at a bin's
    centre times its width for the probability, which is the same where deviations are wider than a bin.
    """
    means, y = as_codes_and_factors(codes, factors)
    spread = np.zeros_like(means) if deviations is None else as_codes(deviations, "deviations")
    if spread.shape != means.shape or (spread < 0).any():
        raise ValueError(
            f"`deviations` must be at least 0 and have the shape {means.shape} of `codes`, but has {spread.shape} "
            f"and a smallest value of {spread.min():g}"
        )
    if n_bins < 2:
        raise ValueError(f"`n_bins` must be at least 2, but is {n_bins}")
    if not y.any(axis=0).all():
        raise NotDefinedError(f"RMIG is not defined: factor {int(np.argmin(y.any(axis=0)))} is constant")
    bounds = _limits(means, spread, limits)
    columns = [np.ascontiguousarray(column) for column in y.T]
    indicators = [_indicators(column) for column in columns] if spread.any() else []
    mutual = np.empty((means.shape[1], y.shape[1]))
    for i, (low, high) in enumerate(bounds):
        edges = np.linspace(low, high, n_bins + 1)[1:-1]
        if spread[:, i].any():
            shares = _shares(means[:, i], spread[:, i], edges)
            joints = [shares.T @ indicator for indicator in indicators]
        else:
            bins = np.searchsorted(edges, means[:, i], side="right")
            joints = [_counts(bins, column, n_bins) for column in columns]
        mutual[i] = [_information(joint / len(means)) for joint in joints]
    entropy = np.array([_entropy(np.bincount(column) / len(column)) for column in columns])
    second, best = np.sort(np.vstack([mutual, np.zeros(len(entropy))]), axis=0)[-2:]
    per_factor = np.minimum((best - second) / entropy, 1.0)
    return RMIG(float(per_factor.mean()), len(means), per_factor, mutual, entropy, n_bins, bounds)


def _limits(means: Codes, spread: Codes, limits: tuple[float, float] | None) -> NDArray[np.float64]:
    if limits is None:
        return np.column_stack([(means - 4 * spread).min(axis=0), (means + 4 * spread).max(axis=0)])
    if not limits[0] < limits[1]:
        raise ValueError(f"`limits` must increase, but is {limits}")
    return np.tile(np.asarray(limits, dtype=np.float64), (means.shape[1], 1))


def _shares(mean: NDArray[np.float64], spread: NDArray[np.float64], edges: NDArray[np.float64]) -> Codes:
    """Return the probability of each bin between inner `edges` for each sample (n_samples, n_bins)."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        below = ndtr((edges - mean[:, None]) / spread[:, None])
    exact = spread == 0
    below[exact] = (
        mean[exact, None] < edges
    )  # a value on an edge lies in the upper bin, as in numpy's histogram
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _indicators(values: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return which value each sample has, (n_samples, n_values)."""
    return np.asarray(values[:, None] == np.arange(values.max() + 1), dtype=np.float64)


def _counts(bins: NDArray[np.intp], values: NDArray[np.intp], n_bins: int) -> NDArray[np.float64]:
    """Return the number of samples in each bin with each value (n_bins, n_values)."""
    n_values = int(values.max()) + 1
    counts = np.bincount(bins * n_values + values, minlength=n_bins * n_values)
    return counts.reshape(n_bins, n_values).astype(np.float64)


def _entropy(p: NDArray[np.float64]) -> float:
    return float(-np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0)))


def _information(joint: NDArray[np.float64]) -> float:
    independent = np.multiply.outer(joint.sum(axis=1), joint.sum(axis=0))
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    return max(float(np.sum(joint * np.log(ratio))), 0.0)
