"""DCI as ubisoft and InfoGAN-CR compute it: by linear regressions on the numbers of the factors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, check_same_rows, constant_columns
from infogan_metrics.dci import DCI, completeness, disentanglement
from infogan_metrics.dci_continuous import r2, unit_variance
from infogan_metrics.score import NotDefinedError

_PENALTIES = (0.0001, 0.001, 0.01, 0.1, 0.2, 0.4, 0.8, 1.0)  # that ubisoft's cross-validation chooses from
_UNIFORM_VARIANCE = 1 / 12  # of U(0, 1): the error at which ubisoft's informativeness is 0


def ubisoft_dci(codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike, test_factors: ArrayLike) -> DCI:
    """DCI as in ubisoft-laforge-disentanglement-metrics: a Lasso for each factor, its penalty by cross-validation.

    Codes and factors are scaled to [0, 1]; a code's importance is its absolute coefficient. Disentanglement counts
    codes up to the first one that no factor uses, since the source leaves its loop there.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: numbers (n_samples, n_factors) and (n_test, n_factors).
    Returns:
        Scores in [0, 1], no unit; higher is better. Informativeness is the mean of 1 - 12 MSE, at least 0: the error
        over that of a guess of a uniform factor.
    Raises:
        NotDefinedError: if there is one code or one factor, or a factor is constant.
        ValueError: if the arrays are malformed or do not fit together.
    """
    from sklearn.linear_model import Lasso

    x, y = _checked(codes, factors, "codes", "factors")
    test_x, test_y = _checked(test_codes, test_factors, "test_codes", "test_factors")
    test_x, test_y = _to_unit_range(test_x, x), _to_unit_range(test_y, y)
    x, y = _to_unit_range(x, x), _to_unit_range(y, y)
    importance: list[NDArray[np.float64]] = []
    train: list[float] = []
    test: list[float] = []
    for target, test_target in zip(y.T, test_y.T, strict=True):
        model = Lasso(alpha=_best_penalty(x, target)).fit(x, target)
        importance.append(np.abs(model.coef_))
        for scores, part, truth in ((train, x, target), (test, test_x, test_target)):
            error = float(np.mean((model.predict(part) - truth) ** 2))
            scores.append(max(1 - error / _UNIFORM_VARIANCE, 0.0))
    found = np.stack(importance, axis=1)
    unused = np.flatnonzero(found.sum(axis=1) == 0)
    counted = found.copy()
    counted[unused[0] if unused.size else len(found) :] = 0
    return _scores(found, counted, len(x), float(np.mean(test)), float(np.mean(train)))


def _best_penalty(x: Codes, target: NDArray[np.float64]) -> float:
    """Return the penalty whose Lasso has the smallest error in ten-fold cross-validation."""
    from sklearn.linear_model import Lasso
    from sklearn.model_selection import cross_val_score

    models = (Lasso(alpha=penalty, max_iter=5000) for penalty in _PENALTIES)
    errors = [-cross_val_score(m, x, target, cv=10, scoring="neg_mean_squared_error").mean() for m in models]
    return _PENALTIES[int(np.argmin(errors))]


def infogan_cr_dci(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    penalty: float = 0.02,
) -> DCI:
    """DCI as in InfoGAN-CR: a Lasso of a fixed penalty for each factor, codes and factors at unit variance.

    InfoGAN-CR reports LassoCV and three random forests beside it. Informativeness, which it does not report, is R2.

    Args:
        codes, factors, test_codes, test_factors: as in `ubisoft_dci`.
        penalty: of the sum of the absolute coefficients.
    Returns:
        Scores of at most 1, no unit; higher is better. A code that no factor uses counts nothing; it makes the source's
        disentanglement 0 / 0.
    Raises:
        NotDefinedError: if there is one code or one factor, or a factor is constant.
        ValueError: if the arrays are malformed or do not fit together.
    """
    from sklearn.linear_model import Lasso

    x, y = _checked(codes, factors, "codes", "factors")
    test_x, test_y = _checked(test_codes, test_factors, "test_codes", "test_factors")
    (x, test_x), (y, test_y) = unit_variance(x, test_x), unit_variance(y, test_y)
    models = [Lasso(alpha=penalty).fit(x, target) for target in y.T]
    found = np.stack([np.abs(model.coef_) for model in models], axis=1)
    train, test = (
        float(np.mean([r2(t[:, [k]], model.predict(part)[:, None]) for k, model in enumerate(models)]))
        for part, t in ((x, y), (test_x, test_y))
    )
    return _scores(found, found, len(x), test, train)


def _scores(
    importance: NDArray[np.float64], counted: NDArray[np.float64], n: int, test: float, train: float
) -> DCI:
    of_codes, of_factors = disentanglement(counted), completeness(importance)
    even = np.full(len(of_factors.per_factor), 1 / len(of_factors.per_factor))  # both weigh factors alike
    of_factors = replace(of_factors, value=float(of_factors.per_factor.mean()), weights=even)
    return DCI(of_codes.value, n, of_codes, of_factors, test, train, importance)


def _checked(codes: ArrayLike, factors: ArrayLike, codes_name: str, factors_name: str) -> tuple[Codes, Codes]:
    x, y = as_codes(codes, codes_name), as_codes(factors, factors_name)
    check_same_rows(x, y, (codes_name, factors_name))
    if x.shape[1] == 1 or y.shape[1] == 1:
        raise NotDefinedError("DCI is not defined for a single code or a single factor")
    constant = np.flatnonzero(constant_columns(y))
    if constant.size:
        raise NotDefinedError(f"DCI is not defined: factor {constant[0]} is constant")
    return x, y


def _to_unit_range(values: Codes, like: Codes) -> Codes:
    """Return columns scaled as those of `like` are to [0, 1]; a constant one of `like` becomes 0."""
    low, constant = like.min(axis=0), constant_columns(like)
    span = np.where(constant, 1.0, np.ptp(like, axis=0))
    return np.asarray(np.where(constant, 0.0, (values - low) / span))
