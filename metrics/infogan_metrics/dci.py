"""Disentanglement, completeness and informativeness, from how much each code matters to predict each factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_train_and_test, constant_columns, standardise
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class Disentanglement(Score):
    """Disentanglement of an importance matrix; `n` is its number of codes."""

    per_code: NDArray[np.float64]  # (n_codes,) in [0, 1]; 0 for a code of no importance
    weights: NDArray[np.float64]  # (n_codes,), each code's share of all importance


@dataclass(frozen=True, eq=False)
class Completeness(Score):
    """Completeness of an importance matrix; `n` is its number of factors."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]; 0 for a factor that no code matters to
    weights: NDArray[np.float64]  # (n_factors,), each factor's share of all importance


@dataclass(frozen=True, eq=False)
class DCI(Score):
    """The three scores; the value is disentanglement."""

    disentanglement: Disentanglement
    completeness: Completeness
    informativeness: float  # mean over factors of the test accuracy, in [0, 1]
    train_informativeness: float
    importance: NDArray[np.float64]  # (n_codes, n_factors), a column for each factor's predictor


def disentanglement(importance: ArrayLike) -> Disentanglement:
    """Disentanglement of codes: 1 less the entropy of the importances of each, to base n_factors.

    Args:
        importance: non-negative array (n_codes, n_factors).
    Returns:
        Mean over codes, weighted by their importance, in [0, 1]; higher is better. 0 if nothing matters.
    Raises:
        NotDefinedError: if there is one factor, for which the base of the entropy would be 1.
        ValueError: if `importance` is not a 2-D array of finite, non-negative numbers.
    Reference: Eastwood and Williams 2018, "A framework for the quantitative evaluation of disentangled
    representations", section 2.
    """
    matrix = _as_importance(importance)
    if matrix.shape[1] == 1:
        raise NotDefinedError("disentanglement is not defined for a single factor")
    per_code, weights = _concentration(matrix)
    return Disentanglement(min(float(per_code @ weights), 1.0), len(matrix), per_code, weights)


def completeness(importance: ArrayLike) -> Completeness:
    """Completeness of factors: 1 less the entropy of the importances for each, to base n_codes.

    Args:
        importance: non-negative array (n_codes, n_factors).
    Returns:
        Mean over factors, weighted by their importance, in [0, 1]; higher is better. 0 if nothing matters.
    Raises:
        NotDefinedError: if there is one code, for which the base of the entropy would be 1.
        ValueError: if `importance` is not a 2-D array of finite, non-negative numbers.
    Reference: as `disentanglement`.
    """
    matrix = _as_importance(importance)
    if len(matrix) == 1:
        raise NotDefinedError("completeness is not defined for a single code")
    per_factor, weights = _concentration(matrix.T)
    return Completeness(min(float(per_factor @ weights), 1.0), matrix.shape[1], per_factor, weights)


def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    estimator: Literal["boosting", "binned_boosting", "forest"] | Callable[[], Any] = "boosting",
    n_jobs: int = 1,
    seed: int = 0,
) -> DCI:
    """DCI of `codes` about `factors`: one classifier for each factor, from all codes.

    Neither the scale nor the offset of a code matters: trees are given the rank of each value.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: int arrays (n_samples, n_factors) and (n_test, n_factors).
        estimator: what predicts a factor. `boosting`: scikit-learn's gradient boosting, as published, whose
            time grows with the number of values of a factor. `binned_boosting`: fewer boosted trees on binned
            codes, many times faster. `forest`: a random forest, tens of times faster. Both rank codes as boosting
            does but give lower values where codes are mixed, so compare like with like. Or a function that
            makes a classifier with `fit`, `score` and `feature_importances_`, which is given standardised codes.
        n_jobs: processes to fit the classifiers in.
        seed: of boosting and forest.
    Returns:
        Scores in [0, 1], no unit; higher is better.
    Raises:
        NotDefinedError: if there is one code or one factor, or a factor is constant.
        ValueError: if the arrays are malformed or do not fit together.
    Reference: Eastwood and Williams 2018; boosted trees as in Locatello et al. 2019, arXiv:1811.12359.
    """
    from sklearn.utils.parallel import Parallel, delayed

    x, y, test_x, test_y = as_train_and_test(codes, factors, test_codes, test_factors)
    x, test_x = _unit_deviation(x, test_x) if callable(estimator) else _ranks(x, test_x)
    if x.shape[1] == 1 or y.shape[1] == 1:
        raise NotDefinedError("DCI is not defined for a single code or a single factor")
    if not y.any(axis=0).all():
        raise NotDefinedError(f"DCI is not defined: factor {int(np.argmin(y.any(axis=0)))} is constant")
    fits = Parallel(n_jobs=n_jobs)(
        delayed(_fit)(_make(estimator, seed), x, train, test_x, test)
        for train, test in zip(y.T, test_y.T, strict=True)
    )
    importances, train_accuracies, test_accuracies = zip(*fits, strict=True)
    importance = np.stack(importances, axis=1)
    parts = disentanglement(importance), completeness(importance)
    return DCI(
        parts[0].value,
        len(x),
        *parts,
        informativeness=float(np.mean(test_accuracies)),
        train_informativeness=float(np.mean(train_accuracies)),
        importance=importance,
    )


def _ranks(codes: Codes, test_codes: Codes) -> tuple[Codes, Codes]:
    """Return codes as the places of their values among the training split's, interpolated for the test split.

    Trees cast codes to float32 and split no values closer than 1e-7, so that scale and offset would matter. Places
    have the same order and ties, which is all that trees see of codes.
    """
    ranks, test_ranks = np.empty_like(codes), np.empty_like(test_codes)
    for i in range(codes.shape[1]):
        values, places = np.unique(codes[:, i], return_inverse=True)
        ranks[:, i] = places
        test_ranks[:, i] = _places(test_codes[:, i], values)
    return ranks, test_ranks


def _places(codes: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where codes lie among sorted `values`: i at values[i], and in proportion between two of them."""
    if len(values) == 1:
        return np.asarray(np.sign(codes - values[0]), dtype=np.float64)
    below = np.clip(np.searchsorted(values, codes, side="right") - 1, 0, len(values) - 2)
    lower, upper = values[below], values[below + 1]
    share = (codes / 2 - lower / 2) / (upper / 2 - lower / 2)  # halves do not overflow
    places: NDArray[np.float64] = below.astype(np.float64) + np.clip(share, -1, 2)
    return places


def _unit_deviation(codes: Codes, test_codes: Codes) -> tuple[Codes, Codes]:
    """Return codes with mean 0 and standard deviation 1 in the training split, constant ones as 0."""
    alive = ~constant_columns(codes)
    scaled, test_scaled = np.zeros_like(codes), np.zeros_like(test_codes)
    scaled[:, alive], test_scaled[:, alive] = standardise(codes[:, alive], test_codes[:, alive])
    return scaled, test_scaled


def _make(estimator: str | Callable[[], Any], seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    if callable(estimator):
        return estimator()
    if estimator == "boosting":
        return GradientBoostingClassifier(random_state=seed)
    if estimator == "binned_boosting":
        from infogan_metrics.boosting import BinnedBoosting

        return BinnedBoosting()
    if (
        estimator == "forest"
    ):  # all codes at each split: a tree that cannot see the right code uses wrong ones
        return RandomForestClassifier(
            50, max_depth=8, min_samples_leaf=3, max_features=None, max_samples=0.5, random_state=seed
        )
    raise ValueError(
        f"`estimator` must be `boosting`, `binned_boosting`, `forest` or a function, but is {estimator!r}"
    )


def _fit(
    estimator: Any, x: Codes, y: Indices, test_x: Codes, test_y: Indices
) -> tuple[NDArray[np.float64], float, float]:
    estimator.fit(x, y)
    return np.abs(estimator.feature_importances_), estimator.score(x, y), estimator.score(test_x, test_y)


def _as_importance(importance: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(importance, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"`importance` must be (n_codes, n_factors), but has shape {matrix.shape}")
    if not (np.isfinite(matrix).all() and (matrix >= 0).all()):
        raise ValueError("`importance` must hold finite numbers of at least 0")
    return matrix


def _concentration(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each row 1 - H(row) / ln(n_columns), or 0 for a row of zeros, and its share of the total."""
    totals = rows.sum(axis=1, keepdims=True)
    shares = np.divide(rows, totals, out=np.full_like(rows, 1 / rows.shape[1]), where=totals > 0)
    inverse = np.divide(1, shares, out=np.ones_like(shares), where=shares > 0)
    entropies = np.sum(shares * np.log(inverse), axis=1)
    weights = totals[:, 0] / max(totals.sum(), np.finfo(np.float64).tiny)
    return np.maximum(1 - entropies / np.log(rows.shape[1]), 0.0), weights
