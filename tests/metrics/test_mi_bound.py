from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import mi_bound

LN_10 = math.log(10)


def normal_log_density(x: Any, mean: Any, std: float) -> Any:
    return -0.5 * math.log(2 * math.pi) - math.log(std) - 0.5 * ((np.asarray(x) - mean) / std) ** 2


def test_one_categorical_code_of_ten() -> None:
    assert mi_bound(np.zeros(7), LN_10).value == pytest.approx(2.302585, abs=1e-6)  # a perfect Q
    assert mi_bound(np.full(7, -LN_10), LN_10).value == pytest.approx(0.0, abs=1e-12)  # a uniform Q
    wrong = mi_bound(np.full(7, math.log(0.001)), LN_10)
    assert wrong.cross_entropy == pytest.approx(6.907755, abs=1e-6)
    assert wrong.value == pytest.approx(-4.605170, abs=1e-6)


def test_one_uniform_code() -> None:
    c = np.linspace(-1, 1, 200_001)
    assert mi_bound(normal_log_density(c, c, 1.0), math.log(2)).value == pytest.approx(-0.225791, abs=1e-6)
    assert mi_bound(normal_log_density(c, c, 0.1), math.log(2)).value == pytest.approx(2.076794, abs=1e-6)
    assert mi_bound(normal_log_density(c, 0, 1.0), math.log(2)).value == pytest.approx(-0.392458, abs=1e-5)
    best = mi_bound(normal_log_density(c, 0, math.sqrt(1 / 3)), math.log(2))
    assert best.value == pytest.approx(-0.176485, abs=1e-5)


def test_a_posterior_that_is_not_the_true_one_lies_below_the_information_by_its_divergence() -> None:
    # c is 0 or 1, x = c in three of four cases: I = ln 2 - H(1/4); Q says 0.9 instead of 0.75
    log_q = np.log([0.9, 0.9, 0.9, 0.1])
    information = math.log(2) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)
    divergence = 0.75 * math.log(0.75 / 0.9) + 0.25 * math.log(0.25 / 0.1)
    assert mi_bound(log_q, math.log(2)).value == pytest.approx(information - divergence)


def test_standard_error() -> None:
    score = mi_bound([-1.0, -3.0], 2.0)
    assert score.value == 0.0
    assert score.standard_error == pytest.approx(1.0)  # spread sqrt 2, over sqrt 2
    assert math.isnan(mi_bound([-1.0], 2.0).standard_error)


@pytest.mark.parametrize(
    ("log_q", "entropy", "fault"),
    [
        ([], 1.0, "`log_q` must be 1-D"),
        ([[0.0]], 1.0, "`log_q` must be 1-D"),
        ([0.0, math.nan], 1.0, "`log_q` must be finite, but row 1 is not"),
        ([0.0], math.inf, "`entropy` must be finite, but is inf"),
    ],
)
def test_wrong_input_is_refused(log_q: Any, entropy: float, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        mi_bound(log_q, entropy)
