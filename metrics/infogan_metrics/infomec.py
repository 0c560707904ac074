"""InfoMEC: modularity, compactness and explicitness, each from normalised information."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, constant_columns, standardise
from infogan_metrics.dci_continuous import r2
from infogan_metrics.information import NO_INFORMATION
from infogan_metrics.kinds import Columns, Kinds, as_columns
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.typed_information import Estimator, EstimatorName, typed_informations

_MOST_OF_NOISE = (
    1.0  # nats times the root of n: the largest estimate, by ten neighbours, of unrelated columns
)


@dataclass(frozen=True, eq=False)
class InfoMEC(Score):
    """The three scores; the value is their mean."""

    modularity: float  # InfoM in [0, 1]: each code knows one factor alone
    compactness: float  # InfoC in [0, 1]: each factor is known by one code alone
    explicitness: float  # InfoE, at most 1: a linear model reads the factors off all codes
    explicitness_per_factor: NDArray[np.float64]  # (n_factors,)
    normalised_information: NDArray[np.float64]  # (n_codes, n_factors): I over the factor's entropy
    active: NDArray[np.bool_]  # (n_codes,): the codes that modularity and compactness count
    estimator: Estimator


def infomec(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    estimator: EstimatorName = "neighbours",
    n_neighbors: int = 10,
    min_range: float = 0.05,
    seed: int = 0,
) -> InfoMEC:
    """InfoMEC of `codes` about factors of any kind, on one set of samples.

    InfoM is the mean over active codes of the largest share that a factor has in the code's normalised information,
    InfoC the mean over factors of the largest share of a code, both stretched so that equal shares are 0. InfoE is the
    share of a factor's uncertainty that an unpenalised linear model takes away on the same samples: 1 - cross-entropy
    / ln K of a logistic regression with balanced classes for a factor of K values, R2 of a linear regression for a
    continuous one and for cosine and sine of an angle.

    Args:
        codes, factors, kinds, code_kinds, estimator, seed: as in `typed_information_matrix`.
        n_neighbors: 10 as in the authors' code.
        min_range: codes with a smaller range than this share of the largest range are taken as inactive, as the
            authors do, so modularity and compactness depend on the codes' relative scales; 0 drops constant codes
            alone.
    Returns:
        The mean of the three, at most 1, no unit; higher is better. InfoM and InfoC of noise are far above 0, as in
        the authors' code: neighbours' estimates of no information are cut off at 0, so the largest of a few positive
        ones is most of the sum. A code that cannot be told from noise is warned of.
    Raises:
        NotDefinedError: if there is one factor or one active code, no information, or a factor is constant.
        ValueError: if the arrays are malformed, or an option is outside its range.
    Reference: Hsu et al. 2023, arXiv:2305.18378, section 4.
    """
    how = Estimator(estimator, n_neighbors=n_neighbors, seed=seed)
    if not 0 <= min_range < 1:
        raise ValueError(f"`min_range` must be at least 0 and below 1, but is {min_range}")
    known = typed_informations(codes, factors, kinds, code_kinds, how, score="InfoMEC")
    x, y = as_codes(codes), as_columns(factors, kinds)
    ranges = np.ptp(x, axis=0)
    active = ~constant_columns(x) & (ranges > min_range * ranges.max())
    if len(y.kinds) == 1:
        raise NotDefinedError("InfoMEC is not defined for a single factor")
    if active.sum() < 2:
        raise NotDefinedError(
            f"InfoMEC is not defined for a single code: {active.sum()} of the codes are active"
        )
    normalised = known.mutual / known.factor_entropy
    if estimator == "neighbours":
        _warn_of_noise(known.mutual, active, len(x))
    per_factor = np.array([_explicitness(x, y, k) for k in range(len(y.kinds))])
    parts = (
        _largest_share(normalised[active]),
        _largest_share(normalised[active].T),
        float(per_factor.mean()),
    )
    return InfoMEC(float(np.mean(parts)), len(x), *parts, per_factor, normalised, active, how)


def _warn_of_noise(mutual: NDArray[np.float64], active: NDArray[np.bool_], n: int) -> None:
    """Warn of active codes whose information about every factor is one that noise can have."""
    most = _MOST_OF_NOISE / np.sqrt(n)
    lost = np.flatnonzero(active & (mutual.max(axis=1) < most))
    if lost.size:
        warnings.warn(
            f"code {lost[0]} knows less than {most:.2g} nats of any factor, which {n} samples cannot tell from noise; "
            "modularity and compactness count it like a code that knows much",
            stacklevel=3,
        )


def _largest_share(rows: NDArray[np.float64]) -> float:
    """Return the mean over rows of the largest share of a row's sum, stretched so that equal shares are 0.

    A row without any information has equal shares.
    """
    totals = rows.sum(axis=1)
    if totals.max() <= NO_INFORMATION:
        raise NotDefinedError("InfoMEC is not defined: no code knows any factor")
    equal = 1 / rows.shape[1]
    shares = np.divide(rows.max(axis=1), totals, out=np.full(len(rows), equal), where=totals > NO_INFORMATION)
    return float((shares.mean() - equal) / (1 - equal))


def _explicitness(x: Codes, factors: Columns, k: int) -> float:
    alive = ~constant_columns(x)
    (z,) = standardise(x[:, alive])
    if not factors.kinds[k].discrete:
        truth = factors.targets(k)
        inputs = np.column_stack([z, np.ones(len(z))])
        return r2(truth, inputs @ np.linalg.lstsq(inputs, truth, rcond=None)[0])
    return 1 - _cross_entropy(z, factors.indices(k)) / float(np.log(factors.indices(k).max() + 1))


def _cross_entropy(z: Codes, labels: NDArray[np.intp]) -> float:
    """Return the mean cross-entropy, in nats, of a logistic regression on the samples it was fitted to."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 100 iterations are the published protocol
        model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=100).fit(z, labels)
    return float(log_loss(labels, model.predict_proba(z)))
