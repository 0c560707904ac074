from __future__ import annotations

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, rank_correlation
from scipy.stats import spearmanr

RANDOM = np.random.default_rng(0)
CODES, MEASURES = RANDOM.normal(size=(60, 2)), RANDOM.normal(size=(60, 3)).round(1)  # with ties


def test_one_group_is_the_absolute_spearman_correlation() -> None:
    expected = np.abs(spearmanr(CODES, MEASURES).statistic[:2, 2:])
    assert rank_correlation(CODES, MEASURES) == pytest.approx(expected)


def test_groups_weigh_by_their_samples() -> None:
    groups = np.repeat([4, 7, 9], [10, 20, 30])
    each = [
        np.abs(spearmanr(CODES[groups == group], MEASURES[groups == group]).statistic[:2, 2:])
        for group in (4, 7, 9)
    ]
    expected = (10 * each[0] + 20 * each[1] + 30 * each[2]) / 60
    assert rank_correlation(CODES, MEASURES, groups) == pytest.approx(expected)


def test_what_differs_between_groups_and_which_way_a_code_turns_in_one_do_not_count() -> None:
    code = np.tile(np.arange(10.0), 2)
    groups = np.repeat([0, 1], 10)
    measure = np.where(
        groups == 0, np.exp(code), 1e6 - code**3
    )  # up in one group, down and far away in the other
    assert rank_correlation(code[:, None], measure[:, None], groups) == pytest.approx(np.ones((1, 1)))
    # Over both, the ranks of the first group, in which the code explains all, are below those of the second
    assert rank_correlation(code[:, None], measure[:, None])[0, 0] < 0.1


def test_by_chance_it_is_worth_what_the_docstring_says() -> None:
    codes, measures = RANDOM.normal(size=(20_000, 1)), RANDOM.normal(size=(20_000, 1))
    found = rank_correlation(codes, measures, np.arange(20_000) % 200)
    assert found[0, 0] == pytest.approx(np.sqrt(2 / (100 * np.pi)), abs=0.012)


def test_where_a_code_or_a_measure_is_constant_there_is_no_correlation() -> None:
    code = np.arange(20.0)
    groups = np.repeat([0, 1], 10)
    half = np.where(groups == 0, 0.3, code)  # constant in one of two groups of one size
    assert rank_correlation(np.column_stack([code, half, code * 0]), code[:, None], groups)[
        :, 0
    ] == pytest.approx([1, 0.5, 0])


def test_a_group_of_one_sample_is_left_out() -> None:
    code = np.arange(4.0)[:, None]
    assert rank_correlation(code, code, [0, 0, 0, 1]) == pytest.approx(np.ones((1, 1)))
    with pytest.raises(NotDefinedError, match="no group has two samples"):
        rank_correlation(code, code, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("codes", "measures", "groups", "fault"),
    [
        (CODES[:9], MEASURES, None, "one row per sample, but have 9 and 60 rows"),
        (CODES, MEASURES * np.nan, None, "`measures` must be finite"),
        (CODES, MEASURES, np.zeros(3), r"`groups` must have shape \(60,\), but has \(3,\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    codes: object, measures: object, groups: object, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        rank_correlation(codes, measures, groups)  # type: ignore[arg-type]
