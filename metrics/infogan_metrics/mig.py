"""Mutual Information Gap: does one code alone know a factor?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import Informations, informations
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class MIG(Score):
    """The gap, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats
    n_bins: int


def mig(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20) -> MIG:
    """Mutual Information Gap of `codes` about `factors`.

    For each factor, the mutual information of the code that knows it best, less that of the second best,
    over the factor's entropy. With a single code, the second best is 0. Warns where a factor has more values
    than there are bins, since even a perfect code then stays below 1.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into.
    Returns:
        Mean gap in [0, 1], no unit; higher is better. 0 where all codes are constant or come in pairs.
    Raises:
        NotDefinedError: if a factor is constant (its entropy is 0).
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Chen et al. 2018, arXiv:1802.04942, section 4.
    """
    return mig_of(informations(codes, factors, n_bins))


def mig_of(known: Informations) -> MIG:
    """MIG of what was counted, for counts that were gathered piece by piece; see `mig`."""
    known.check_factors("MIG")
    with_zero = np.vstack(
        [known.mutual, np.zeros(len(known.factor_entropy))]
    )  # a single code has a second best of 0
    second, best = np.sort(with_zero, axis=0)[-2:]
    per_factor = np.minimum((best - second) / known.factor_entropy, 1.0)  # rounding can exceed 1
    return MIG(
        float(per_factor.mean()), known.n, per_factor, known.mutual, known.factor_entropy, known.n_bins
    )
