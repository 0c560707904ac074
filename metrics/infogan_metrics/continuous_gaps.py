"""MIG and JEMMIG for factors of any kind: does one code alone know a continuous factor or an angle?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.kinds import Kinds
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.typed_information import Estimator, EstimatorName, TypedInformations, typed_informations


@dataclass(frozen=True, eq=False)
class ContinuousMIG(Score):
    """The gap, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    code: NDArray[np.intp]  # (n_factors,), the code that knows the factor best; -1 where none knows it
    informations: TypedInformations
    estimator: Estimator


@dataclass(frozen=True, eq=False)
class ContinuousJEMMIG(Score):
    """The normalised score, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    nats: NDArray[np.float64]  # (n_factors,), the published quantity before it is normalised; lower is better
    informations: TypedInformations
    estimator: Estimator


def mig_continuous(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    estimator: EstimatorName = "neighbours",
    n_bins: int = 20,
    n_neighbors: int = 3,
    seed: int = 0,
) -> ContinuousMIG:
    """Mutual Information Gap of `codes` about factors of any kind.

    For each factor, the mutual information of the code that knows it best, less that of the second best, over the
    factor's entropy. A continuous factor's entropy is that of the factor cut into `n_bins` bins, so the gap is a
    share of what a reading to one part in `n_bins` would hold; more information than that counts as that.

    Args:
        codes, factors, kinds, code_kinds, estimator, n_neighbors, seed: as in `typed_information_matrix`.
        n_bins: the resolution of continuous factors, and under `bins` the bins of each continuous code as well.
    Returns:
        Mean gap in [0, 1], no unit; higher is better. 0 where all codes are constant or come in pairs.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed, or an option is outside its range.
    Reference: Chen et al. 2018, arXiv:1802.04942, section 4; the estimators as in `typed_information_matrix`.
    """
    how = Estimator(estimator, n_bins, n_neighbors, seed)
    known = typed_informations(codes, factors, kinds, code_kinds, how, score="MIG")
    second, best = _two_best(np.minimum(known.mutual, known.factor_entropy))
    per_factor = (best - second) / known.factor_entropy
    code = np.where(best > 0, known.mutual.argmax(axis=0), -1)
    return ContinuousMIG(float(per_factor.mean()), known.n, per_factor, code, known, how)


def jemmig_continuous(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    estimator: EstimatorName = "neighbours",
    n_bins: int = 20,
    n_neighbors: int = 3,
    seed: int = 0,
) -> ContinuousJEMMIG:
    """Joint entropy minus mutual information gap for factors of any kind, normalised so that higher is better.

    For each factor v, with z its best code and z' its second best: H(z) + H(v) - 2 I(z, v) + I(z', v), the entropies
    at a resolution of `n_bins` bins, and no information above them. The score is 1 less that over its ceiling,
    H(v) + ln n_bins.

    Args:
        codes, factors, kinds, code_kinds, estimator, n_neighbors, seed: as in `typed_information_matrix`.
        n_bins: the resolution of continuous variables; it enters the score's ceiling.
    Returns:
        Mean over factors in [0, 1], no unit; higher is better. Noise does not score 0: H(z) stays below ln n_bins
        where a code's bins are not filled evenly.
    Raises:
        NotDefinedError: if a factor or every code is constant.
        ValueError: if the arrays are malformed, or an option is outside its range.
    Reference: Do and Tran 2020, arXiv:1908.09961, section 4.3; normalised as by Zaidi et al. 2020, arXiv:2012.09276.
    """
    how = Estimator(estimator, n_bins, n_neighbors, seed)
    known = typed_informations(codes, factors, kinds, code_kinds, how, score="JEMMIG")
    if not known.code_entropy.any():
        raise NotDefinedError("JEMMIG is not defined: all codes are constant")
    capped = np.minimum(known.mutual, np.minimum(known.code_entropy[:, None], known.factor_entropy))
    second, best = _two_best(capped)
    code_entropy = known.code_entropy[capped.argmax(axis=0)]
    nats = np.maximum(code_entropy + known.factor_entropy - 2 * best + second, 0.0)  # rounding can fall below
    ceiling = known.factor_entropy + np.maximum(np.log(n_bins), code_entropy)
    per_factor = np.maximum(1 - nats / ceiling, 0.0)
    return ContinuousJEMMIG(float(per_factor.mean()), known.n, per_factor, nats, known, how)


def _two_best(mutual: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each factor's second largest and largest value (n_factors,); the second best of one code is 0."""
    ordered = np.sort(np.vstack([mutual, np.zeros(mutual.shape[1])]), axis=0)
    return ordered[-2], ordered[-1]
