"""Modularity: does a code know one factor alone?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import Informations, informations
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class Modularity(Score):
    """Modularity, averaged over codes, and what it is made of."""

    per_code: NDArray[np.float64]  # (n_codes,) in [0, 1]; NaN for a code that knows nothing
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    n_bins: int


def modularity(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    n_bins: int = 20,
    dead_codes: Literal["skip", "zero"] = "skip",
) -> Modularity:
    """Modularity of `codes` about `factors`.

    A code scores 1 less the squared mutual information with all factors but its best, over that with its best
    times (n_factors - 1). How much a code knows does not matter: pure noise scores 0.65 with five factors.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into.
        dead_codes: what to do with codes that know nothing of any factor: leave them out, or count them as 0
            as disentanglement_lib does, which punishes spare codes.
    Returns:
        Mean over codes in [0, 1], no unit; higher is better.
    Raises:
        NotDefinedError: if there is one factor, a factor is constant (no code can know it, so that each would seem
            to know the others alone), or no code is left to average.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Ridgeway and Mozer 2018, arXiv:1802.05312, section 3.
    """
    return modularity_of(informations(codes, factors, n_bins), dead_codes=dead_codes)


def modularity_of(known: Informations, *, dead_codes: Literal["skip", "zero"] = "skip") -> Modularity:
    """Modularity of what was counted, for counts that were gathered piece by piece; see `modularity`."""
    n_factors = len(known.factor_entropy)
    if n_factors == 1:
        raise NotDefinedError("modularity is not defined for a single factor: any code knows that one alone")
    known.check_factors("modularity", values_may_exceed_bins=True)
    information, alive = known.mutual, known.alive
    best = information.max(axis=1)
    per_code = np.full(len(best), np.nan)
    squares = information[alive] ** 2
    top = best[alive] ** 2
    per_code[alive] = 1 - (squares.sum(axis=1) - top) / (top * (n_factors - 1))
    counted = np.nan_to_num(per_code) if dead_codes == "zero" else per_code[alive]
    if not counted.size:
        raise NotDefinedError("modularity is not defined: no code knows anything of any factor")
    return Modularity(float(counted.mean()), known.n, per_code, information, known.n_bins)
