"""Mean and spread over the seeds."""

from __future__ import annotations

import math

import pytest

from infogan_bench.records import mean_over_seeds, std_over_seeds


def test_mean_and_sample_deviation() -> None:
    """Values 1, 2, 6: mean 3, squared distances 4 + 1 + 9 = 14, so the deviation is sqrt(14 / 2)."""
    assert mean_over_seeds([1.0, 2.0, 6.0]) == 3.0
    assert std_over_seeds([1.0, 2.0, 6.0]) == pytest.approx(math.sqrt(7))


def test_a_seed_without_a_value_leaves_no_mean() -> None:
    assert mean_over_seeds([1.0, None]) is None
    assert std_over_seeds([1.0, 2.0, None]) is None
    assert mean_over_seeds([]) is None


def test_one_seed_has_no_spread() -> None:
    assert mean_over_seeds([0.5]) == 0.5
    assert std_over_seeds([0.5]) is None


def test_values_that_are_not_finite_or_large() -> None:
    assert mean_over_seeds([math.inf, 1.0]) == math.inf
    nan = mean_over_seeds([math.inf, -math.inf])
    assert nan is not None
    assert math.isnan(nan)
    assert std_over_seeds([math.inf, 1.0]) is None
    assert mean_over_seeds([1e308, 1e308]) == pytest.approx(1e308)
