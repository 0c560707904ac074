"""MIG-sup: does a code know one factor alone? The gap of MIG, taken over factors instead of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import Informations, informations
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class MIGSup(Score):
    """The gap, averaged over codes, and what it is made of."""

    per_code: NDArray[np.float64]  # (n_codes,) in [0, 1]; 0 for a code that knows nothing
    alive: NDArray[np.bool_]  # (n_codes,): which codes know anything of any factor
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats
    n_bins: int


def mig_sup(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    n_bins: int = 20,
    dead_codes: Literal["skip", "zero"] = "skip",
) -> MIGSup:
    """MIG's supplement: a code that holds two factors lowers it, two codes that hold one factor do not.

    For each code, its mutual information with the factor it knows best less that with the second best, each
    over the factor's entropy.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into.
        dead_codes: leave out codes that know exactly nothing (constant ones), or count them as 0, as the
            paper's mean over all codes does, which punishes spare codes.
    Returns:
        Mean gap in [0, 1], no unit; higher is better. With a single factor, the second best is 0.
    Raises:
        NotDefinedError: if a factor is constant, or if no code knows anything.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Li et al. 2020, arXiv:2002.10549, section 4.
    """
    return mig_sup_of(informations(codes, factors, n_bins), dead_codes=dead_codes)


def mig_sup_of(known: Informations, *, dead_codes: Literal["skip", "zero"] = "skip") -> MIGSup:
    """MIG-sup of what was counted, for counts that were gathered piece by piece; see `mig_sup`."""
    known.check_factors("MIG-sup")
    normalised = known.mutual / known.factor_entropy
    with_zero = np.column_stack([normalised, np.zeros(len(normalised))])  # the second best of a single factor
    second, best = np.sort(with_zero, axis=1)[:, -2:].T
    per_code = np.minimum(best - second, 1.0)  # rounding can exceed 1
    alive = known.alive
    counted = per_code if dead_codes == "zero" else per_code[alive]
    if not counted.size:
        raise NotDefinedError("MIG-sup is not defined: no code knows anything of any factor")
    return MIGSup(
        float(counted.mean()), known.n, per_code, alive, known.mutual, known.factor_entropy, known.n_bins
    )
