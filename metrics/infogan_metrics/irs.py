"""Interventional Robustness Score: does a code stay put while everything but its factor changes?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes_and_factors, constant_columns
from infogan_metrics.information import bin_codes
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class IRS(Score):
    """IRS, averaged over codes, and what it is made of."""

    per_code: NDArray[np.float64]  # (n_codes,), at most 1; NaN for a constant code
    robustness: NDArray[np.float64]  # (n_codes, n_factors), at most 1; NaN for a constant code


def irs(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    quantile: float = 0.99,
    n_bins: int = 20,
    weights: Literal["deviation", "equal"] = "deviation",
) -> IRS:
    """Interventional Robustness Score of `codes` about `factors`.

    Robustness of a code to all factors but one: 1 less how far it strays from its mean while that factor is
    held, over how far it strays at all. A code scores its best factor's. Pure noise scores about 0.4.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors); those are cut into `n_bins` bins of equal width.
        quantile: of the distances from the mean that counts as how far a code strays; 1 is the farthest.
        weights: how codes are averaged: by the largest distance from their mean, as published, so that the
            scale of a code matters; or equally.
    Returns:
        Mean over the codes that are not constant, at most 1, no unit; higher is better.
    Raises:
        NotDefinedError: if all codes are constant.
        ValueError: if the arrays are malformed, their numbers of rows differ, or `quantile` is not in (0, 1].
    Reference: Suter et al. 2019, arXiv:1811.00007, section 4.
    """
    if not 0 < quantile <= 1:
        raise ValueError(f"`quantile` must be in (0, 1], but is {quantile}")
    x, y = as_codes_and_factors(codes, factors)
    alive = ~constant_columns(x)
    if not alive.any():
        raise NotDefinedError("IRS is not defined: all codes are constant")
    bins = bin_codes(y.astype(np.float64), n_bins)
    live = x[:, alive]
    deviation = np.abs(live - live.mean(axis=0)).max(axis=0)
    robustness = np.full((x.shape[1], y.shape[1]), np.nan)
    strays = np.stack([_stray(live, held, quantile) for held in bins.T], axis=1)
    robustness[alive] = 1 - strays / deviation[:, None]
    per_code = robustness.max(axis=1)
    value = np.average(per_code[alive], weights=deviation if weights == "deviation" else None)
    return IRS(min(float(value), 1.0), len(x), per_code, robustness)


def _stray(codes: Codes, held: Indices, quantile: float) -> NDArray[np.float64]:
    """Return how far each code strays from its mean while a factor is held, averaged over the factor's values."""
    order = np.argsort(held, kind="stable")
    groups = np.split(codes[order], np.flatnonzero(np.diff(held[order])) + 1)
    strays = [np.quantile(np.abs(group - group.mean(axis=0)), quantile, axis=0) for group in groups]
    mean: NDArray[np.float64] = np.mean(strays, axis=0)
    return mean
