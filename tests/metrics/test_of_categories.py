"""Categorical codes against factors that are categories."""

from __future__ import annotations

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, balanced_accuracy, cluster_accuracy, nmi
from infogan_metrics.of_categories import best_code_of, category_codes
from sklearn.metrics import balanced_accuracy_score, normalized_mutual_info_score

RANDOM = np.random.default_rng(0)
N = 500


def majority(code: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The most frequent value of the factor in the category of each sample."""
    named = {category: np.bincount(factor[code == category]).argmax() for category in np.unique(code)}
    return np.array([named[category] for category in code])


def test_every_code_and_every_category_as_scikit_learn_has_them() -> None:
    hair, glasses = RANDOM.integers(4, size=N), (RANDOM.random(N) < 0.2).astype(int)
    width = RANDOM.normal(size=N)
    codes = np.column_stack(
        [
            (hair + (RANDOM.random(N) < 0.3)) % 4,
            2 * glasses + (RANDOM.random(N) < 0.1),
            RANDOM.integers(5, size=N),
        ]
    )
    found = category_codes(
        codes, np.column_stack([hair, width, glasses]), kinds=["category", "continuous", "category"]
    )
    assert found.factors == (0, 2)
    for i, code in enumerate(codes.T):
        for j, factor in enumerate((hair, glasses)):
            named = majority(code, factor)
            assert found.nmi.matrix[i, j] == pytest.approx(normalized_mutual_info_score(factor, code))
            assert found.purity.matrix[i, j] == pytest.approx(np.mean(named == factor))
            assert found.balanced_accuracy.matrix[i, j] == pytest.approx(
                balanced_accuracy_score(factor, named)
            )
            assert balanced_accuracy(code, factor).value == pytest.approx(
                found.balanced_accuracy.matrix[i, j]
            )
    assert found.nmi.code.tolist() == [0, 1]
    assert found.nmi.per_factor.tolist() == [found.nmi.matrix[0, 0], found.nmi.matrix[1, 1]]
    assert found.value == found.nmi.value == pytest.approx(found.nmi.per_factor.mean())


def test_a_rare_value_that_is_no_majority_has_nothing() -> None:
    glasses = np.repeat([0, 1], [90, 10])
    half = np.repeat([0, 1, 0, 1], [45, 45, 5, 5])
    assert balanced_accuracy(half, glasses).value == 0.5
    own = np.repeat([0, 1, 1], [88, 2, 10])  # the second category holds ten with glasses and two without
    assert balanced_accuracy(own, glasses).value == pytest.approx((88 / 90 + 1) / 2)


def test_the_best_of_several_codes() -> None:
    label = RANDOM.integers(3, size=N)
    codes = np.column_stack([RANDOM.integers(3, size=N), (label + (RANDOM.random(N) < 0.2)) % 3])
    found = best_code_of(cluster_accuracy)(codes, label)
    each = [cluster_accuracy(code, label).value for code in codes.T]
    assert found.value == max(each) == each[1]
    assert [float(one) for one in found.per_code] == each  # type: ignore[attr-defined]
    assert best_code_of(nmi)(codes[:, :1], label).value == nmi(codes[:, 0], label).value


def test_without_a_category_there_is_no_value() -> None:
    with pytest.raises(NotDefinedError, match="no factor is a category"):
        category_codes(np.zeros((4, 1), dtype=int), np.array([[0.5], [1], [2], [3]]))
