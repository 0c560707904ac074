from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infogan_metrics import NotDefinedError, bin_factors, mig, mutual_info_score, mutual_information_matrix
from infogan_metrics.information import bin_codes, entropy, joint_counts, mutual_information
from sklearn.metrics import mutual_info_score as mutual_information_of_labels


def test_bins_and_information_of_the_reference(golden: Any, case: str) -> None:
    expected = golden.expected(case)
    bins = bin_codes(golden.codes(case).astype(np.float64), 20)
    np.testing.assert_array_equal(bins + 1, expected["discretized"].T)
    information = mutual_information_matrix(golden.codes(case), golden.factors())
    np.testing.assert_allclose(information, expected["mi"], atol=1e-12)


def test_values_on_an_edge_go_to_the_bin_above_and_the_last_edge_belongs_to_the_last_bin() -> None:
    assert bin_codes(np.array([[0.0], [1.0], [1.9], [2.0], [4.0]]), 4)[:, 0].tolist() == [0, 1, 1, 2, 3]


def test_closed_forms() -> None:
    assert entropy(np.array([5, 5, 0, 5, 5])) == pytest.approx(math.log(4))
    assert entropy(np.array([0, 7])) == 0
    assert mutual_information(np.diag([3, 3, 3])) == pytest.approx(math.log(3))
    assert mutual_information(np.array([[1, 1], [1, 1]])) == 0
    # One in four is swapped, both ways: ln 2 less the binary entropy of 1/4
    binary_entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert mutual_information(np.array([[3, 1], [1, 3]])) == pytest.approx(math.log(2) - binary_entropy)


def test_a_constant_code_knows_exactly_nothing() -> None:
    random = np.random.default_rng(0)
    factors = random.integers(0, 7, (1000, 3))
    codes = np.stack([np.full(1000, 0.7, np.float32), random.normal(size=1000)], axis=1)
    assert (mutual_information_matrix(codes, factors)[0] == 0).all()


def test_identifiers_as_a_factor_take_memory_by_samples_alone() -> None:
    n = 100_000
    random = np.random.default_rng(0)
    factors = np.column_stack([random.permutation(n), random.integers(0, 3, n)])
    codes = random.normal(size=(n, 4))
    tracemalloc.start()
    information = mutual_information_matrix(codes, factors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # four tables of 20 bins by 100,000 values would hold 64 MB
    for bins, known in zip(bin_codes(codes, 20).T, information[:, 0], strict=True):
        # Each sample has a value of its own, which tells its bin: I is the entropy of the bins.
        assert known == pytest.approx(entropy(np.bincount(bins)), abs=1e-12)


def test_few_ulps_apart_and_fewer_samples_than_bins() -> None:
    code = 1.0 + np.arange(64) * np.finfo(float).eps  # 64 steps of rounding: more than the 8 of a constant
    assert len(np.unique(bin_codes(code[:, None], 20))) > 10
    with pytest.warns(UserWarning, match="10 samples are cut into 20 bins"):
        mig(np.arange(10)[:, None], np.arange(10)[:, None] % 2)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=50))
@settings(deadline=None)
def test_counts_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    code, factor = np.array(pairs).T
    bins, factors = np.stack([code, factor], axis=1), np.stack([factor, code], axis=1)
    counts = joint_counts(bins, factors)
    assert (counts.sum(axis=(2, 3)) == len(pairs)).all()
    expected = mutual_information_of_labels(code, factor)
    assert mutual_information(counts)[0, 0] == pytest.approx(expected, abs=1e-12)
    assert mutual_information(counts)[1, 1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("codes", "factors", "fault"),
    [
        (np.zeros(3), np.zeros((3, 1)), r"`codes` must be 2-D, one row per sample, but has shape \(3,\)"),
        (np.zeros((0, 2)), np.zeros((0, 1)), "`codes` must hold at least one row and one column"),
        (np.zeros((3, 2)), np.zeros((4, 1)), "must have one row per sample, but have 3 and 4 rows"),
        ([[1.0], [math.nan]], np.zeros((2, 1)), "`codes` must be finite, but row 1, column 0 is nan"),
        ([[1.0], [math.inf]], np.zeros((2, 1)), "`codes` must be finite, but row 1, column 0 is inf"),
        ([["a"], ["b"]], np.zeros((2, 1)), "`codes` must hold real numbers, but has dtype <U1"),
        ([[1.0], [2.0]], [[0.5], [1.0]], "`factors` must be discrete"),
        ([[1.0], [2.0]], [[math.nan], [1.0]], "`factors` must be finite, but row 0, column 0 is NaN"),
        ([[1.0], [2.0]], [[1.0], [-math.inf]], "`factors` must be finite, but row 1, column 0 is -inf"),
        ([[1.0], [2.0]], [[1j], [2j]], "`factors` must hold integers or strings, but has dtype complex128"),
    ],
)
def test_wrong_input_is_refused(codes: Any, factors: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        mutual_information_matrix(codes, factors)


def test_one_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="`n_bins` must be at least 2, but is 1"):
        mutual_information_matrix(np.eye(3), np.eye(3), n_bins=1)


# Between codes --------------------------------------------------------------------------------------------


def test_mutual_information_between_codes_of_the_reference(golden: Any, case: str) -> None:
    expected = golden.values[case]["unsupervised"]["mutual_info_score"]
    assert mutual_info_score(golden.codes(case)).value == pytest.approx(expected, abs=1e-12)


def test_mutual_information_between_codes_in_closed_form() -> None:
    four = np.repeat([0.0, 1.0, 2.0, 3.0], 25)
    score = mutual_info_score(np.stack([four, -four, four // 2], axis=1))
    # I = ln 4, ln 2 and ln 2
    assert score.value == pytest.approx((math.log(4) + 2 * math.log(2)) / 3)
    assert np.diag(score.mutual_information).tolist() == pytest.approx(
        [math.log(4), math.log(4), math.log(2)]
    )
    assert mutual_info_score(np.stack([four, np.full(100, 0.7)], axis=1)).value == 0


def test_a_single_code_has_no_other() -> None:
    with pytest.raises(NotDefinedError, match="single code"):
        mutual_info_score(np.arange(4.0)[:, None])


# Continuous factors ------------------------------------------------------------------------------------------


def test_continuous_factors_are_cut_into_bins_of_equal_width_and_discrete_ones_left_alone() -> None:
    factors = np.column_stack([[0.0, 0.1, 0.24, 0.26, 0.5, 0.99, 1.0], [7, 7, 2, 2, 5, 5, 2]])
    binned = bin_factors(factors, 4)
    assert binned[:, 0].tolist() == [0, 0, 0, 1, 2, 3, 3]  # edges 0.25, 0.5, 0.75; the last bin holds 1
    assert binned[:, 1].tolist() == [7, 7, 2, 2, 5, 5, 2]


def test_a_test_split_is_cut_at_the_edges_of_the_training_split() -> None:
    train, test = np.array([[0.0], [0.3], [1.0]]), np.array([[0.3], [0.6], [-2.5], [9.0]])
    assert bin_factors(test, 4, like=train).tolist() == [[1], [2], [0], [3]]


def test_mig_of_a_code_that_is_a_continuous_factor() -> None:
    """n_bins bins each hold 1/4 of an even grid: H = ln 4, and the factor's own code knows all of it."""
    factor = (np.arange(400)[:, None] + 0.5) / 400
    noise = np.tile([[0.0], [1.0]], (200, 1))  # alternates, so knows nothing of the quarter
    codes = np.hstack([factor, noise])
    with pytest.raises(ValueError, match="with `bin_factors`"):
        mig(codes, factor)
    assert float(mig(codes, bin_factors(factor, 4), n_bins=4)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0.5], [np.nan]], 4), "must be finite"),
        (([0.5, 0.6], 4), "must be 2-D"),
        (([[0.5]], 1), "`n_bins` must be at least 2"),
    ],
)
def test_factors_that_cannot_be_binned(arguments: tuple[object, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bin_factors(*arguments)


def test_bounds_of_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="must have the 1 columns"):
        bin_factors([[0.5], [0.7]], like=[[0.1, 0.2]])
