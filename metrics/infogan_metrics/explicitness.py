"""Explicitness: can a linear classifier read the factors off the codes?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_train_and_test, constant_columns, standardise
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class Explicitness(Score):
    """Explicitness on the test split, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,), test split
    train_value: float


def explicitness(
    codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike, test_factors: ArrayLike
) -> Explicitness:
    """Area under the ROC curve of a logistic regression from all codes to each factor.

    The area is averaged over the values of a factor (each against the rest) that occur in the split, then over
    factors. Codes are standardised by the training split; constant codes are left out.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: int arrays (n_samples, n_factors) and (n_test, n_factors).
    Returns:
        Mean area in [0, 1], no unit; higher is better. 0.5 is chance, and what constant codes score.
    Raises:
        NotDefinedError: if a factor is constant in either split.
        ValueError: if the arrays are malformed or do not fit together.
    Reference: Ridgeway and Mozer 2018, arXiv:1802.05312, section 3.
    """
    x, y, test_x, test_y = as_train_and_test(codes, factors, test_codes, test_factors)
    for split in (y, test_y):
        constant = np.ptp(split, axis=0) == 0
        if constant.any():
            raise NotDefinedError(
                f"explicitness is not defined: factor {int(np.argmax(constant))} is constant"
            )
    alive = ~constant_columns(x)
    if not alive.any():
        return Explicitness(0.5, len(x), np.full(y.shape[1], 0.5), 0.5)
    x, test_x = standardise(x[:, alive], test_x[:, alive])
    areas = np.array(
        [_areas(x, train, test_x, test) for train, test in zip(y.T, test_y.T, strict=True)]
    )  # (n_factors, 2)
    return Explicitness(float(areas[:, 1].mean()), len(x), areas[:, 1], float(areas[:, 0].mean()))


def _areas(x: Codes, y: Indices, test_x: Codes, test_y: Indices) -> tuple[float, float]:
    """Return the mean area under the curves of one factor's values, on the training and the test split."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(x, y)
    return _mean_area(model.predict_proba(x), y), _mean_area(model.predict_proba(test_x), test_y)


def _mean_area(probabilities: NDArray[np.float64], y: Indices) -> float:
    return float(np.mean([_area(probabilities[:, value], y == value) for value in np.unique(y)]))


def _area(probability: NDArray[np.float64], holds: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a sample that holds and one that does not which are in order; ties count half."""
    ordered, held = np.sort(probability), probability[holds]
    ranks = (np.searchsorted(ordered, held) + np.searchsorted(ordered, held, side="right") + 1) / 2
    n_held = len(held)
    return float((ranks.sum() - n_held * (n_held + 1) / 2) / (n_held * (len(holds) - n_held)))
