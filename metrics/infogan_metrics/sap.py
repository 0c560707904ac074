"""Separated Attribute Predictability: does one code alone predict a factor?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import (
    as_codes,
    as_train_and_test,
    check_same_rows,
    constant_columns,
    standardise,
    unit_size,
)
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.svm import highest_lines, one_code_svms


@dataclass(frozen=True, eq=False)
class SAP(Score):
    """The gap, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    predictability: NDArray[np.float64]  # (n_codes, n_factors) in [0, 1]


def sap_continuous(codes: ArrayLike, factors: ArrayLike) -> SAP:
    """SAP for ordered or real factors: predictability is the squared correlation of code and factor.

    Args:
        codes: float array (n_samples, n_codes).
        factors: float array (n_samples, n_factors); distances between values have to mean something.
    Returns:
        Mean over factors of best less second best code, in [0, 1], no unit; higher is better. A constant code
        predicts nothing, 0. With a single code, the second best is 0.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Kumar et al. 2018, arXiv:1711.00848, section 3.
    """
    x, y = as_codes(codes), as_codes(factors, "factors")
    check_same_rows(x, y)
    constant = constant_columns(y)
    if constant.any():
        raise NotDefinedError(f"SAP is not defined: factor {int(np.argmax(constant))} is constant")
    alive = ~constant_columns(x)
    predictability = np.zeros((x.shape[1], y.shape[1]))
    (z_codes,), (z_factors,) = standardise(x[:, alive]), standardise(y)
    predictability[alive] = np.minimum((z_codes.T @ z_factors / len(x)) ** 2, 1.0)
    return _gap(predictability, len(x))


def sap_discrete(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    scale_codes: bool = True,
) -> SAP:
    """SAP for factors without an order: predictability is the test accuracy of a linear SVM on one code.

    The SVM is strongly regularised (C = 0.01, classes balanced), so it depends on the scale of the codes, and
    even a perfect code of a factor with many values predicts few of them: 0.2 is a usual score.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: int arrays (n_samples, n_factors) and (n_test, n_factors).
        scale_codes: give every code unit variance first. False: take them as they are, as disentanglement_lib
            does, which makes the score depend on their scale.
    Returns:
        Mean over factors of best less second best code, in [0, 1], no unit; higher is better. A constant code
        predicts the value that most training samples have, as the SVM does, so that a perfect code beside a
        constant one scores 1 less chance. With a single code, the second best is 0.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or do not fit together, or if codes that are not scaled are so
            large (1e38 or more) that their squares overflow.
    Reference: Kumar et al. 2018, arXiv:1711.00848, section 3.
    """
    x, y, test_x, test_y = as_train_and_test(codes, factors, test_codes, test_factors)
    if not y.any(axis=0).all():
        raise NotDefinedError(f"SAP is not defined: factor {int(np.argmin(y.any(axis=0)))} is constant")
    alive = np.flatnonzero(~constant_columns(x))
    most_frequent = np.array([np.bincount(train).argmax() for train in y.T])
    # Where two values have equal weight, liblinear's choice for a constant code is a matter of rounding.
    predictability = np.tile(np.mean(test_y == most_frequent, axis=0), (x.shape[1], 1))
    if scale_codes:
        x[:, alive], test_x[:, alive] = standardise(x[:, alive], test_x[:, alive])
    elif (unit_size(x)[1] > 0).any():
        raise ValueError("codes of 1e38 or more are too large for an SVM: give `scale_codes=True`")
    y, test_y = (values.astype(np.min_scalar_type(int(y.max()))) for values in (y, test_y))
    for i in alive:
        order, test_order = np.argsort(x[:, i]), np.argsort(test_x[:, i])
        asked, answers = test_x[test_order, i], test_y[test_order].T
        for k, (weights, biases) in enumerate(one_code_svms(x[order, i], y[order])):
            predictability[i, k] = np.mean(highest_lines(asked, weights, biases) == answers[k])
    return _gap(predictability, len(x))


def _gap(predictability: NDArray[np.float64], n: int) -> SAP:
    with_zero = np.concatenate([predictability, np.zeros((1, predictability.shape[1]))])
    second, best = np.sort(with_zero, axis=0)[-2:]
    return SAP(float((best - second).mean()), n, best - second, predictability)
