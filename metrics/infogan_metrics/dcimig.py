"""DCIMIG: how much of all factors is held by codes that know one factor alone?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import Informations, informations
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class DCIMIG(Score):
    """The share of the factors' entropy, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,), nats: the largest gap of a code that knows it best
    code: NDArray[np.intp]  # (n_factors,): the code with that gap, -1 where no code knows the factor best
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats
    n_bins: int


def dcimig(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20) -> DCIMIG:
    """DCIMIG of `codes` about `factors` (3CharM in the paper's first version).

    Each code has one factor, the one it knows best, and a gap: that mutual information less the second best
    factor's. A factor counts the largest gap among its codes, or 0 if it has none. The score is the sum over
    factors, over the sum of their entropies, so that factors with many values weigh more.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into.
    Returns:
        In [0, 1], no unit; higher is better. With a single factor, the second best is 0.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Sepliarskaia et al. 2019, arXiv:1910.05587, section 4.
    """
    return dcimig_of(informations(codes, factors, n_bins))


def dcimig_of(known: Informations) -> DCIMIG:
    """DCIMIG of what was counted, for counts that were gathered piece by piece; see `dcimig`."""
    known.check_factors("DCIMIG")
    with_zero = np.column_stack(
        [known.mutual, np.zeros(len(known.mutual))]
    )  # a single factor has a second best of 0
    second, best = np.sort(with_zero, axis=1)[:, -2:].T
    gaps = np.zeros_like(known.mutual)
    gaps[np.arange(len(gaps)), known.mutual.argmax(axis=1)] = best - second
    per_factor = gaps.max(axis=0)
    code = np.where(per_factor > 0, gaps.argmax(axis=0), -1)
    value = min(float(per_factor.sum() / known.factor_entropy.sum()), 1.0)
    return DCIMIG(value, known.n, per_factor, code, known.mutual, known.factor_entropy, known.n_bins)
