from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, sap_continuous, sap_discrete
from infogan_metrics.svm import highest_lines, one_code_svms
from sklearn.svm import LinearSVC


def splits(golden: Any, case: str) -> tuple[Any, Any, Any, Any]:
    return (
        golden.codes(case),
        golden.factors(),
        golden.codes(case, "test"),
        golden.factors("test"),
    )


# Continuous factors ---------------------------------------------------------------------------------------


def test_reference_values_of_continuous_factors(golden: Any, case: str) -> None:
    score = sap_continuous(golden.codes(case), golden.factors())
    assert score.value == pytest.approx(golden.values[case]["sap_continuous"]["SAP_score"], abs=1e-12)
    np.testing.assert_allclose(
        score.predictability, golden.expected(case)["sap_continuous_matrix"], atol=1e-12
    )


def test_closed_form_of_continuous_factors() -> None:
    factor = np.array([-1.0, -1.0, 1.0, 1.0])
    mixed = np.array([-3.0, -1.0, 1.0, 3.0])  # correlation (3 + 1 + 1 + 3) / 4 / sqrt(5), squared 4 / 5
    score = sap_continuous(np.stack([-7 * factor, mixed], axis=1), factor[:, None])
    assert score.predictability[:, 0].tolist() == pytest.approx([1.0, 0.8])
    assert score.value == pytest.approx(0.2)


def test_constant_and_single_codes_have_defined_scores() -> None:
    factor = np.arange(6.0)[:, None]
    assert sap_continuous(factor, factor).value == pytest.approx(1.0)
    constant = np.full((6, 1), np.float32(0.7))
    assert sap_continuous(constant, factor).value == 0
    assert sap_continuous(np.hstack([factor, constant]), factor).value == pytest.approx(1.0)
    assert sap_continuous(np.hstack([factor, -factor]), factor).value == pytest.approx(0.0)


def test_tiny_codes_are_not_taken_for_constant_ones() -> None:
    factor = np.arange(6.0)[:, None]
    assert sap_continuous(1e-9 * factor, factor).value == pytest.approx(1.0)


def test_constant_factors_are_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="factor 0 is constant"):
        sap_continuous(np.arange(4)[:, None], np.ones((4, 1)))
    with pytest.raises(NotDefinedError, match="factor 0 is constant"):
        sap_discrete(np.eye(4), np.ones((4, 1)), np.eye(4), np.ones((4, 1)))


def test_rows_must_agree() -> None:
    with pytest.raises(ValueError, match="must have one row per sample, but have 4 and 3 rows"):
        sap_continuous(np.eye(4), np.eye(3))


# Discrete factors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["permuted", "rotated", "missing", "noise", "redundant", "dead"])
def test_reference_values_of_discrete_factors(golden: Any, case: str) -> None:
    score = sap_discrete(*splits(golden, case), scale_codes=False)
    assert score.value == pytest.approx(golden.values[case]["sap_discrete"]["SAP_score"], abs=0.005)
    np.testing.assert_allclose(score.predictability, golden.expected(case)["sap_discrete_matrix"], atol=0.005)


def test_scaled_codes_make_discrete_sap_independent_of_scale(golden: Any) -> None:
    # Standardised codes are what the reference scored in `dead`, beside two constant ones.
    expected = golden.values["dead"]["sap_discrete"]["SAP_score"]
    for case in ("perfect", "permuted", "dead"):
        assert sap_discrete(*splits(golden, case)).value == pytest.approx(expected, abs=0.005)


def test_discrete_sap_of_a_single_code_is_its_accuracy() -> None:
    factor = np.repeat([0, 1], 20)[:, None]
    score = sap_discrete(factor, factor, factor, factor)
    assert score.predictability.tolist() == [[1.0]]
    assert score.value == 1.0


@pytest.mark.parametrize(
    ("n_classes", "scale"), [(2, 1.0), (2, 0.01), (3, 1.0), (6, 5.0), (40, 1.0), (32, 30.0)]
)
def test_the_svm_is_that_of_scikit_learn(n_classes: int, scale: float) -> None:
    random = np.random.default_rng(0)
    y = np.concatenate(
        [np.arange(n_classes), random.integers(0, n_classes, 2000) ** 2 // n_classes]
    )  # uneven
    x = scale * (3 * y / n_classes + random.normal(scale=0.5, size=len(y)) + 1)
    order = np.argsort(x, kind="stable")
    other = random.integers(0, 4, len(y))  # a second factor, which must not matter
    (_, (weights, biases), _) = one_code_svms(x[order], np.stack([other, y, other], axis=1)[order])
    svm = LinearSVC(C=0.01, class_weight="balanced", tol=1e-10, max_iter=100_000).fit(x[:, None], y)
    if n_classes == 2:  # it keeps the second class's alone
        svm.coef_, svm.intercept_ = np.array([-1, 1]) * svm.coef_, np.array([-1, 1]) * svm.intercept_
    np.testing.assert_allclose(weights, svm.coef_.ravel(), atol=1e-5)
    np.testing.assert_allclose(biases, svm.intercept_, atol=1e-4)


def test_a_constant_code_predicts_the_most_frequent_value_as_the_svm_does() -> None:
    random = np.random.default_rng(0)
    values = random.choice(3, 600, p=[0.25, 0.45, 0.3])
    factors, test_factors = values[:400, None], values[400:, None]
    dead = np.full((400, 1), 0.7)
    svm = LinearSVC(C=0.01, class_weight="balanced").fit(dead, factors[:, 0])
    chance = np.mean(svm.predict(dead[:200]) == test_factors[:, 0])
    score = sap_discrete(dead, factors, dead[:200], test_factors)
    assert score.predictability.tolist() == [[chance]]
    assert chance == np.mean(test_factors == 1)


@pytest.mark.parametrize("n_dead", [1, 3])
def test_a_perfect_code_beside_constant_ones_scores_one_less_chance(n_dead: int) -> None:
    factor = np.resize([0, 1, 1, 0, 1], 500)[:, None]
    codes = np.hstack([factor, np.full((500, n_dead), 0.7)])
    assert sap_discrete(codes, factor, codes, factor).value == pytest.approx(1 - 0.6)


def test_splits_must_fit_together() -> None:
    factor = np.array([[0], [1]])
    with pytest.raises(
        ValueError, match="`codes` and `test_codes` must have the same columns, but have 2 and"
    ):
        sap_discrete(np.eye(2), factor, np.eye(3), np.array([[0], [1], [0]]))
    with pytest.raises(ValueError, match="factor 0 has values in the test split that no training sample has"):
        sap_discrete(np.eye(2), factor, np.eye(2), np.array([[0], [2]]))
    with pytest.raises(ValueError, match="`test_codes` and `test_factors` must have one row per sample"):
        sap_discrete(np.eye(2), factor, np.eye(2), factor[:1])


def test_the_highest_line_is_found_as_among_all_lines() -> None:
    random = np.random.default_rng(0)
    for trial in range(600):
        n_lines = random.integers(2, 12)
        if trial % 3 == 0:
            weights, biases = random.normal(size=(2, n_lines))
            x = np.sort(random.normal(size=40))
        else:  # parallel and equal lines, and many that cross in one place
            weights, biases = random.integers(-3, 4, (2, n_lines)) / (trial % 3)
            x = np.sort(random.integers(-6, 7, 40) / 2)
        expected = (np.multiply.outer(x, weights) + biases).argmax(axis=1)
        np.testing.assert_array_equal(highest_lines(x, weights, biases), expected)
