from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, best_codes, correlation_matrix, mcc
from scipy.stats import spearmanr
from scipy.stats.contingency import association, crosstab

RANDOM = np.random.default_rng(0)
FACTORS = RANDOM.normal(size=(400, 3))
CODES = FACTORS @ RANDOM.normal(size=(3, 4)) + RANDOM.normal(size=(400, 4))


def test_numpy_and_scipy_agree() -> None:
    expected = np.abs(np.corrcoef(CODES.T, FACTORS.T)[:4, 4:])
    np.testing.assert_allclose(correlation_matrix(CODES, FACTORS, method="pearson"), expected, atol=1e-12)
    expected = np.abs(spearmanr(CODES, FACTORS).statistic[:4, 4:])
    np.testing.assert_allclose(correlation_matrix(CODES, FACTORS), expected, atol=1e-12)


def test_mcc_is_the_best_of_all_matchings() -> None:
    score = mcc(CODES, FACTORS)
    every = [
        np.mean([score.correlation[i, k] for k, i in enumerate(order)])
        for order in itertools.permutations(range(4), 3)
    ]
    assert score.value == pytest.approx(max(every))
    assert len(set(score.code)) == 3
    np.testing.assert_allclose(score.per_factor, score.correlation[score.code, range(3)])


def test_mcc_of_permuted_scaled_and_noisy_factors() -> None:
    assert mcc(FACTORS[:, [2, 0, 1]] * [-3, 1e-3, 7] + 5, FACTORS).value == pytest.approx(1.0)
    factor, noise = RANDOM.normal(size=(2, 20_000, 1))
    # corr(v, v + e) = 1 / sqrt(1 + var e)
    assert mcc(factor + 2 * noise, factor).value == pytest.approx(1 / math.sqrt(5), abs=0.01)


def test_spearman_asks_for_a_monotone_map_alone() -> None:
    curved = np.exp(3 * FACTORS)
    assert mcc(curved, FACTORS, method="spearman").value == pytest.approx(1.0)
    assert mcc(curved, FACTORS).value < 0.6


def test_mcc_of_too_few_codes_counts_the_factors_left_over() -> None:
    score = mcc(FACTORS[:, [1]], FACTORS)
    assert score.code.tolist() == [-1, 0, -1]
    assert score.value == pytest.approx(1 / 3)
    assert mcc(np.zeros((400, 3)), FACTORS).value == 0


def test_whole_numbers_are_numbers_for_mcc() -> None:
    factor = np.tile(np.arange(6), 50)[:, None]
    assert mcc(-factor, factor).kinds[0].name == "ordered"
    assert mcc(-factor, factor).value == pytest.approx(1.0)
    assert mcc((factor - 2.5) ** 2, factor).value == pytest.approx(0.0, abs=1e-12)
    # As a category its names do not matter: the code is the same within each value
    assert mcc((factor - 2.5) ** 2, factor, kinds="category").value == pytest.approx(1.0)


def less_chance(share: float, n: int, n_values: int) -> float:
    """Kelley's epsilon of a share of variance between values."""
    return math.sqrt(1 - (1 - share) * (n - 1) / (n - n_values))


def test_the_correlation_ratio_is_the_root_of_the_share_between_values() -> None:
    code, label = np.array([0.0, 2, 1, 3, 5, 7]), np.array(["a", "a", "b", "b", "c", "c"])
    # Means 1, 2, 6 around 3: between 2 (4 + 1 + 9) = 28; within 6 x 1 = 6
    assert correlation_matrix(code[:, None], label[:, None], method="pearson")[0, 0] == pytest.approx(
        less_chance(28 / 34, 6, 3)
    )


def test_a_category_of_many_values_knows_nothing_by_chance() -> None:
    identity, other = RANDOM.integers(200, size=(2, 600))
    number = RANDOM.normal(size=600)
    for kinds in ({"kinds": "category"}, {"kinds": "category", "code_kinds": "category"}):
        codes = (other if "code_kinds" in kinds else number)[:, None]
        assert correlation_matrix(codes, identity[:, None], **kinds)[0, 0] < 0.2  # type: ignore[arg-type]
    # scipy's association corrects nothing, and a plain correlation ratio would be 0.58
    assert association(crosstab(identity, other).count, method="cramer") > 0.5
    same = correlation_matrix(identity[:, None], identity[:, None], kinds="category", code_kinds="category")
    assert same[0, 0] == pytest.approx(1)
    alone = np.arange(600)[:, None]
    assert correlation_matrix(number[:, None], alone, kinds="category")[0, 0] == 0


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_code_that_is_a_category_has_no_order(method: Any) -> None:
    code = np.array([2.0, 2, 0, 0, 1, 1])  # the numbers of the categories say nothing
    number = np.array([0.0, 2, 1, 3, 5, 7])
    name = np.array(["x", "x", "x", "y", "y", "y"])
    angle = np.array([0.0, 90, 90, 180, 180, 270])
    factors = np.column_stack([number.astype(object), name.astype(object), angle.astype(object)])
    kinds = ["continuous", "category", "circular:360"]
    found = correlation_matrix(code[:, None], factors, kinds=kinds, code_kinds="category", method=method)
    # pearson: means 1, 2, 6 around 3, as above; spearman: ranks 1 3 2 4 5 6, means 2, 3, 5.5 around 3.5
    between = 28 / 34 if method == "pearson" else 2 * (1.5**2 + 0.5**2 + 2**2) / 17.5
    assert found[0, 0] == pytest.approx(less_chance(between, 6, 3))
    # Bergsma's correction of scipy's phi^2 = V^2 (n = 6, 3 x 2 cells): less 2 / 5, over 1 - 1 / 5
    phi_squared = association(np.array([[2, 0], [1, 1], [0, 2]]), method="cramer") ** 2
    assert found[0, 1] == pytest.approx(math.sqrt((phi_squared - 2 / 5) / (1 - 1 / 5)))
    if method == "pearson":  # points (1, 0), (0, 1) | (0, 1), (-1, 0) | (-1, 0), (0, -1) around (-1/6, 1/6)
        assert found[0, 2] == pytest.approx(less_chance(2 * (5 / 9 + 2 / 9 + 5 / 9) / (6 - 6 * 2 / 36), 6, 3))
    constant = correlation_matrix(
        code[:, None] * 0, factors, kinds=kinds, code_kinds="category", method=method
    )
    assert constant.tolist() == [[0, 0, 0]]
    shuffled = correlation_matrix(
        (code[:, None] + 1) % 3, factors, kinds=kinds, code_kinds=["category"], method=method
    )
    np.testing.assert_allclose(shuffled, found)


def test_codes_of_both_kinds_are_matched() -> None:
    turn = RANDOM.integers(8, size=800)
    codes = np.column_stack([RANDOM.permutation(8)[turn], FACTORS[RANDOM.integers(400, size=800), 0]])
    factors = np.column_stack([codes[:, 1] ** 3, 45.0 * turn])
    kinds = {"kinds": ["continuous", "circular:360"], "code_kinds": ["category", None], "method": "spearman"}
    found = mcc(codes, factors, **kinds)  # type: ignore[arg-type]
    assert found.code.tolist() == [1, 0]
    assert found.per_factor == pytest.approx([1, 1])
    assert best_codes(codes, factors, n_resamples=5, **kinds).share.tolist() == [1, 1]  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match="`code_kinds` must name one kind for each of the 2 columns of `codes`"
    ):
        mcc(codes, factors, code_kinds=["category"])


def test_an_angle_that_a_code_cuts_open() -> None:
    angle = 360 * (np.arange(5000) + 0.5) / 5000
    code = np.mod(angle + 100, 360)[:, None]  # jumps once in a turn
    ranked = correlation_matrix(np.c_[code, -code, code**3], angle[:, None], kinds="circular:360")
    assert ranked[:, 0].tolist() == pytest.approx([1, 1, 1])
    # A code U(-pi, pi) on sine: cov^2 / (var x var) = 1 / (1/2 x pi^2 / 3) = 6 / pi^2
    linear = correlation_matrix(code, angle[:, None], kinds="circular:360", method="pearson")
    assert linear[0, 0] == pytest.approx(math.sqrt(6) / math.pi, abs=1e-3)


def test_an_angle_with_noise_has_the_resultant_length_of_the_noise() -> None:
    angle = math.tau * RANDOM.random(20_000)
    noisy = np.mod(angle + 0.8 * RANDOM.normal(size=20_000), math.tau)
    found = correlation_matrix(noisy[:, None], angle[:, None], kinds="circular")[0, 0]
    assert found == pytest.approx(math.exp(-(0.8**2) / 2), abs=0.01)  # of a wrapped normal


def test_by_chance_a_correlation_is_worth_what_the_docstring_says() -> None:
    codes, factors = RANDOM.normal(size=(2, 500, 40))
    for method in ("pearson", "spearman"):
        found = correlation_matrix(codes, factors, method=method).mean()  # type: ignore[arg-type]
        assert found == pytest.approx(math.sqrt(2 / (math.pi * 500)), rel=0.05)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_scale_offset_sign_and_order_of_codes_do_not_matter(method: Any) -> None:
    changed = CODES[:, ::-1] * [4, -0.25, 1, 100] + [1, 2, 3, 4]
    assert mcc(changed, FACTORS, method=method).value == pytest.approx(
        mcc(CODES, FACTORS, method=method).value
    )
    angles = {"kinds": "circular"}
    np.testing.assert_allclose(
        correlation_matrix(changed, FACTORS, method=method, **angles),  # type: ignore[arg-type]
        correlation_matrix(CODES[:, ::-1], FACTORS, method=method, **angles),  # type: ignore[arg-type]
        atol=1e-2 if method == "spearman" else 1e-9,  # ranks laid on a circle turn by one step under a sign
    )


def test_each_factor_gets_its_best_code_and_how_sure_that_is() -> None:
    codes = np.c_[FACTORS[:, 1], FACTORS[:, 0] + 0.1 * FACTORS[:, 2], RANDOM.normal(size=400)]
    found = best_codes(codes, FACTORS[:, :2])
    assert found.code.tolist() == [1, 0]
    assert found.share.tolist() == [1.0, 1.0]
    assert found.correlation == pytest.approx(correlation_matrix(codes, FACTORS[:, :2])[[1, 0], [0, 1]])
    assert found.sentences(["azimuth", "width"], ["c0", "c1", "c2"])[0].startswith(
        "azimuth: c1 (correlation 0.99, "
    )
    twins = best_codes(FACTORS[:, [0, 0]] + 0.5 * RANDOM.normal(size=(400, 2)), FACTORS[:, [0]])
    assert 0 < twins.share[0] < 1
    assert twins.second_correlation[0] == pytest.approx(twins.correlation[0], abs=0.05)
    alone = best_codes(FACTORS[:, [0]], FACTORS, n_resamples=0)
    assert alone.second_code.tolist() == [-1, -1, -1]
    assert np.isnan(alone.share).all()


def test_degenerate_and_wrong_input() -> None:
    with pytest.raises(NotDefinedError, match="MCC is not defined: factor 1 is constant"):
        mcc(CODES, FACTORS * [1, 0, 1])
    with pytest.raises(NotDefinedError, match="all codes are constant"):
        best_codes(CODES * 0, FACTORS)
    with pytest.raises(ValueError, match="`method` must be `pearson` or `spearman`, but is 'kendall'"):
        mcc(CODES, FACTORS, method="kendall")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`n_resamples` must be at least 0"):
        best_codes(CODES, FACTORS, n_resamples=-1)
    with pytest.raises(ValueError, match="must name every factor and every code"):
        best_codes(CODES, FACTORS, n_resamples=0).sentences(["one"])
