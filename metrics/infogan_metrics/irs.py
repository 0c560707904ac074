"""Interventional Robustness Score: does a code stay put while everything but its factor changes?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes_and_factors, constant_columns, unit_size
from infogan_metrics.information import bin_codes
from infogan_metrics.intake import as_plain
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
        factors: int or text array (n_samples, n_factors). The values of a factor of numbers that has more than
            `n_bins` values are cut into `n_bins` bins in their order, with a warning: give a factor whose values
            have no order as text, or as many bins as it has values. Text is never cut.
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
    live, exponents = unit_size(x[:, alive])
    deviation = np.abs(live - live.mean(axis=0)).max(axis=0)
    robustness = np.full((x.shape[1], y.shape[1]), np.nan)
    strays = np.stack([_stray(live, held, quantile) for held in _held_values(factors, y, n_bins).T], axis=1)
    robustness[alive] = 1 - strays / deviation[:, None]
    per_code = robustness.max(axis=1)
    relative = np.ldexp(deviation, exponents - exponents.max())  # sizes of codes beside the largest code's
    value = np.average(per_code[alive], weights=relative if weights == "deviation" else None)
    return IRS(min(float(value), 1.0), len(x), per_code, robustness)


def _held_values(factors: ArrayLike, indices: Indices, n_bins: int) -> Indices:
    """Return the values that are held, (n_samples, n_factors): those of `indices`, numbers of many values cut."""
    held = bin_codes(indices.astype(np.float64), n_bins)
    plain = as_plain(factors, "factors")
    for k in np.flatnonzero(indices.max(axis=0) >= n_bins):
        if isinstance(plain[0, k], str | bytes):
            held[:, k] = indices[:, k]
        else:
            warnings.warn(
                f"IRS cuts the {indices[:, k].max() + 1} values of factor {k} into {n_bins} bins, in the order of "
                "their numbers: give a factor whose values have no order as text",
                stacklevel=3,
            )
    return held


def _stray(codes: Codes, held: Indices, quantile: float) -> NDArray[np.float64]:
    """Return how far each code strays from its mean while a factor is held, averaged over the factor's values."""
    order = np.argsort(held, kind="stable")
    starts = np.flatnonzero(np.diff(held[order])) + 1
    groups = np.split(np.ascontiguousarray(codes[order].T), starts, axis=1)  # (n_codes, samples) each
    strays = [_quantile(np.abs(group - group.mean(axis=1)[:, None]), quantile) for group in groups]
    mean: NDArray[np.float64] = np.mean(strays, axis=0)
    return mean


def _quantile(rows: Codes, quantile: float) -> NDArray[np.float64]:
    """Return the quantile of each row, as numpy's `quantile` interpolates it; that takes longer than to find it."""
    place = quantile * (rows.shape[1] - 1)
    below = int(place)
    above = min(below + 1, rows.shape[1] - 1)
    ordered = np.partition(rows, (below, above), axis=1)
    low, high = ordered[:, below], ordered[:, above]
    found: NDArray[np.float64] = low + (high - low) * (place - below)
    return found
