"""Entropy and mutual information by counting (the plug-in estimate), in nats."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes_and_factors


def bin_codes(codes: Codes, n_bins: int) -> Indices:
    """Cut each code into `n_bins` bins of equal width between its smallest and its largest value.

    Args:
        codes: float array (n_samples, n_codes), finite.
    Returns:
        Bin numbers (n_samples, n_codes) from 0 to `n_bins` - 1; a constant code lies in one bin. The edges
        are those of numpy's histogram, which decide where values lie on an edge.
    Raises:
        ValueError: if `n_bins` is below 2.
    """
    if n_bins < 2:
        raise ValueError(f"`n_bins` must be at least 2, but is {n_bins}")
    edges = [np.histogram_bin_edges(code, n_bins)[1:-1] for code in codes.T]
    bins = [np.searchsorted(edge, code, side="right") for edge, code in zip(edges, codes.T, strict=True)]
    return np.stack(bins, axis=1)


def joint_counts(bins: Indices, factors: Indices) -> NDArray[np.intp]:
    """Count each bin of each code together with each value of each factor.

    Args:
        bins: (n_samples, n_codes) from 0.
        factors: (n_samples, n_factors) from 0.
    Returns:
        Counts (n_codes, n_factors, n_bins, n_values).
    """
    n_factors, n_bins, n_values = factors.shape[1], bins.max() + 1, factors.max() + 1
    columns = factors + np.arange(n_factors) * n_values  # every factor gets its own range of indices
    width = n_factors * n_values
    counts = [
        np.bincount((code[:, None] * width + columns).ravel(), minlength=n_bins * width) for code in bins.T
    ]
    return np.stack(counts).reshape(-1, n_bins, n_factors, n_values).transpose(0, 2, 1, 3)


def entropy(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Entropy in nats over the last axis of `counts`, exactly 0 where one value has all the counts."""
    p = counts / counts.sum(axis=-1, keepdims=True)
    inverse = np.divide(1, p, out=np.ones_like(p), where=p > 0)
    total: NDArray[np.float64] = np.sum(p * np.log(inverse), axis=-1)
    return total


def mutual_information(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mutual information in nats of the variables on the last two axes of `counts`.

    Exactly 0 where either variable is constant, and never negative.
    """
    p = counts / counts.sum(axis=(-2, -1), keepdims=True)
    independent = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    ratio = np.divide(p, independent, out=np.ones_like(p), where=p > 0)
    total: NDArray[np.float64] = np.maximum(np.sum(p * np.log(ratio), axis=(-2, -1)), 0.0)
    return total


def mutual_information_matrix(
    codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20
) -> NDArray[np.float64]:
    """Mutual information of every code, cut into bins, with every factor.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width per code.
    Returns:
        (n_codes, n_factors) in nats, at least 0; a row of exact zeros for a constant code.
    Raises:
        ValueError: if the arrays are malformed or their numbers of rows differ.
    """
    x, y = as_codes_and_factors(codes, factors)
    return mutual_information(joint_counts(bin_codes(x, n_bins), y))
