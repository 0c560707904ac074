"""DCI with regressors: disentanglement, completeness and informativeness for factors of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, constant_columns, standardise
from infogan_metrics.dci import Completeness, Disentanglement, completeness, disentanglement
from infogan_metrics.kinds import Columns, Kind, Kinds, as_split, check_factors_vary
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class ContinuousDCI(Score):
    """The three scores; the value is disentanglement."""

    disentanglement: Disentanglement
    completeness: Completeness
    informativeness: (
        float  # mean over factors, test split; at most 1, and below 0 where guessing the mean is better
    )
    train_informativeness: float
    informativeness_per_factor: NDArray[
        np.float64
    ]  # (n_factors,): R2, or accuracy of a category under `forest`
    importance: NDArray[np.float64]  # (n_codes, n_factors), a column for each factor's predictor
    kinds: tuple[Kind, ...]  # of the factors


class _Fit(NamedTuple):
    importance: NDArray[np.float64]  # (n_codes,)
    train: float
    test: float


def dci_continuous(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    estimator: Literal["lasso", "forest"] = "forest",
    n_jobs: int = 1,
    seed: int = 0,
) -> ContinuousDCI:
    """DCI of `codes` about factors of any kind: one predictor for each factor, from all codes.

    `lasso`: linear regression with an L1 penalty that five-fold cross-validation chooses; a code's importance is the
    absolute coefficient, of codes and factors at unit variance. `forest`: a random forest of 50 trees of depth 8, which
    sees curved relations and an angle that a code cuts open. A category is an indicator for each value under `lasso`,
    and classified under `forest`; an angle is its cosine and sine.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: (n_samples, n_factors) and (n_test, n_factors), numbers or text.
        kinds: of the factors (`as_columns`); None: whole numbers and text are categories, others continuous.
        n_jobs: processes to fit the predictors in.
        seed: of the forest.
    Returns:
        Disentanglement and completeness in [0, 1], no unit; higher is better. Informativeness is R2, the share of the
        factor's variance that is predicted, but a category's accuracy under `forest`.
    Raises:
        NotDefinedError: if there is one code or one factor, or a factor is constant in a split.
        ValueError: if the arrays are malformed or do not fit together, or `estimator` is unknown.
    Reference: Eastwood and Williams 2018, "A framework for the quantitative evaluation of disentangled
    representations", section 2, with R2 in the place of their normalised error.
    """
    from sklearn.utils.parallel import Parallel, delayed

    if estimator not in ("lasso", "forest"):
        raise ValueError(f"`estimator` must be `lasso` or `forest`, but is {estimator!r}")
    x, y, test_x, test_y = as_split(codes, factors, test_codes, test_factors, kinds)
    if x.shape[1] == 1 or len(y.kinds) == 1:
        raise NotDefinedError("DCI is not defined for a single code or a single factor")
    for part in (y, test_y):
        check_factors_vary(part, "DCI")
    fit = _fit_lasso if estimator == "lasso" else _fit_forest
    x, test_x = unit_variance(x, test_x)
    fits: list[_Fit] = Parallel(n_jobs=n_jobs)(
        delayed(fit)(x, y, test_x, test_y, k, seed) for k in range(len(y.kinds))
    )
    importance = np.stack([one.importance for one in fits], axis=1)
    parts = disentanglement(importance), completeness(importance)
    test = np.array([one.test for one in fits])
    return ContinuousDCI(
        parts[0].value,
        len(x),
        *parts,
        informativeness=float(test.mean()),
        train_informativeness=float(np.mean([one.train for one in fits])),
        informativeness_per_factor=test,
        importance=importance,
        kinds=y.kinds,
    )


def r2(truth: Codes, predicted: Codes) -> float:
    """Share of the variance of `truth` (n_samples, d), over all its columns together, that is predicted."""
    residual = np.sum((truth - predicted) ** 2)
    return float(1 - residual / np.sum((truth - truth.mean(axis=0)) ** 2))


def forest_of(kind: Kind, n_trees: int, seed: int, *, max_depth: int, min_samples_leaf: int = 3) -> Any:
    """Return the random forest of scikit-learn that predicts a factor of this kind from all codes."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = RandomForestClassifier if kind.name == "category" else RandomForestRegressor
    return forest(
        n_trees,
        max_depth=max_depth,
        min_samples_leaf=min_samples_leaf,
        max_features=None,  # a tree that cannot see the right code uses wrong ones
        max_samples=0.5,
        random_state=seed,
    )


def _fit_forest(x: Codes, y: Columns, test_x: Codes, test_y: Columns, k: int, seed: int) -> _Fit:
    forest = forest_of(y.kinds[k], 50, seed, max_depth=8)
    if y.kinds[k].name == "category":
        forest.fit(x, y.indices(k))
        scores = forest.score(x, y.values[:, k]), forest.score(test_x, test_y.values[:, k])
        return _Fit(forest.feature_importances_, *scores)
    truth, test_truth = y.targets(k), test_y.targets(k)
    forest.fit(x, truth.squeeze())
    predicted, test_predicted = (forest.predict(part).reshape(len(part), -1) for part in (x, test_x))
    return _Fit(forest.feature_importances_, r2(truth, predicted), r2(test_truth, test_predicted))


def _fit_lasso(x: Codes, y: Columns, test_x: Codes, test_y: Columns, k: int, seed: int) -> _Fit:
    from sklearn.linear_model import LassoCV

    truth = y.targets(k)
    test_truth = test_y.targets(k)
    test_truth = np.pad(test_truth, [(0, 0), (0, truth.shape[1] - test_truth.shape[1])])  # values it lacks
    scale = np.where(constant_columns(truth), 1.0, truth.std(axis=0))
    models = [LassoCV(cv=5).fit(x, column) for column in (truth / scale).T]
    predicted, test_predicted = (
        np.column_stack([model.predict(part) for model in models]) * scale for part in (x, test_x)
    )
    importance = np.mean([np.abs(model.coef_) for model in models], axis=0)
    return _Fit(importance, r2(truth, predicted), r2(test_truth, test_predicted))


def unit_variance(x: Codes, test_x: Codes) -> tuple[Codes, Codes]:
    """Return both at the training split's mean and unit variance; zeros for a code that is constant there."""
    alive = ~constant_columns(x)
    scaled, test_scaled = np.zeros_like(x), np.zeros_like(test_x)
    if alive.any():
        scaled[:, alive], test_scaled[:, alive] = standardise(x[:, alive], test_x[:, alive])
    return scaled, test_scaled
