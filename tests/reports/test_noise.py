"""Intervals of paired differences: Student's against SciPy's, the bootstrap where it is the wider one."""

import numpy as np
import pytest
from infogan_reports.noise import least_leads
from scipy import stats


@pytest.mark.parametrize("n_seeds", [2, 3, 5, 30])
def test_few_seeds_have_students_interval_of_the_paired_differences(n_seeds: int) -> None:
    rng = np.random.default_rng(n_seeds)
    best, other = rng.normal(size=(2, n_seeds))
    expected = stats.ttest_rel(best, other).confidence_interval(0.95).low
    found = least_leads(np.stack([best, other]), 0, higher_is_better=True)
    assert np.isnan(found[0])
    # the bootstrap can lie lower by its own noise at 30 seeds, never higher than Student's
    assert found[1] == pytest.approx(expected, abs=0.05 if n_seeds == 30 else 1e-4)
    assert found[1] <= expected + 1e-4


def test_pairing_cancels_what_seeds_share() -> None:
    seeds = np.array([0.1, 0.5, 0.9])  # far apart, but each trial loses 0.1 at each of them
    found = least_leads(np.stack([seeds, seeds - 0.1]), 0, higher_is_better=True)
    assert found[1] == pytest.approx(0.1)


def test_a_lead_is_a_shortfall_where_lower_is_better() -> None:
    values = np.array([[1.0, 2.0], [1.5, 2.5]])
    assert least_leads(values, 0, higher_is_better=False)[1] == pytest.approx(0.5)
    assert least_leads(values, 0, higher_is_better=True)[1] == pytest.approx(-0.5)


def test_only_shared_seeds_count_and_one_says_nothing() -> None:
    nan = np.nan
    values = np.array([[0.5, 0.6, 0.7], [0.4, 0.5, nan], [nan, nan, 0.1]])
    found = least_leads(values, 0, higher_is_better=True)
    assert found[1] == pytest.approx(0.1)
    assert np.isnan(found[2])


def test_two_seeds_that_agree_in_sign_are_not_enough() -> None:
    # differences 0.1 and 0.3: a bootstrap alone would say at least 0.1, Student 0.2 - 12.706 * 0.1
    found = least_leads(np.array([[0.6, 0.8], [0.5, 0.5]]), 0, higher_is_better=True)
    assert found[1] == pytest.approx(0.2 - 12.7062 * 0.1)
