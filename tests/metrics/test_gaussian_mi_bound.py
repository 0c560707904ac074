from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, gaussian_mi_bound, mi_bound

RANDOM = np.random.default_rng(0)
NORMAL = 0.5 * math.log(2 * math.pi * math.e)  # H of a standard normal code


def test_the_bound_of_a_gaussian_channel_is_its_information() -> None:
    code, noise = RANDOM.normal(size=(2, 100_000))
    variance = 0.25
    reading = (code + 0.5 * noise) / (1 + variance)  # E[c | x]
    score = gaussian_mi_bound(code, reading, NORMAL)
    assert score.value == pytest.approx(0.5 * math.log(1 + 1 / variance), abs=0.01)
    assert score.r2 == pytest.approx(1 / (1 + variance), abs=0.005)
    assert score.mean_squared_error == pytest.approx(variance / (1 + variance), abs=0.005)


def test_a_uniform_code() -> None:
    code = (np.arange(20_000) + 0.5) / 10_000 - 1
    nothing = gaussian_mi_bound(code, np.zeros_like(code), math.log(2))
    assert nothing.value == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e / 3), abs=1e-6)
    assert nothing.value == pytest.approx(-0.176, abs=1e-3)
    assert nothing.r2 == pytest.approx(0.0)
    exact = gaussian_mi_bound(code, code, math.log(2))
    assert (exact.value, exact.r2, exact.mean_squared_error) == (math.inf, 1.0, 0.0)


def test_a_smallest_deviation_keeps_it_finite() -> None:
    code = (np.arange(20_000) + 0.5) / 10_000 - 1
    exact = gaussian_mi_bound(code, code, math.log(2), min_std=0.1)
    assert exact.value == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi) - math.log(0.1))
    # an error of 0.05 under a deviation of 0.1: half of (0.05 / 0.1)^2 is lost
    near = gaussian_mi_bound(code, code + 0.05, math.log(2), min_std=0.1)
    assert near.value == pytest.approx(exact.value - 0.125)
    # a larger error has its own deviation
    assert (
        gaussian_mi_bound(code, code + 0.2, math.log(2), min_std=0.1).value
        == gaussian_mi_bound(code, code + 0.2, math.log(2)).value
    )
    with pytest.raises(ValueError, match="`min_std` must be at least 0"):
        gaussian_mi_bound(code, code, 0.7, min_std=-1.0)


def test_it_is_the_best_of_all_fixed_deviations() -> None:
    code = RANDOM.uniform(-1, 1, size=1000)
    reading = 0.9 * code + 0.1 * RANDOM.normal(size=1000)
    bound = gaussian_mi_bound(code, reading, math.log(2))

    def with_deviation(deviation: float) -> float:
        log_q = -0.5 * ((code - reading) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
        return mi_bound(log_q, math.log(2)).value

    assert bound.value == pytest.approx(with_deviation(math.sqrt(bound.mean_squared_error)))
    assert bound.value > max(with_deviation(s) for s in (0.05, 0.1, 0.2, 1.0))
    # Read without error, the deviation of 1 alone keeps the information below 0
    assert mi_bound(np.full(9, -0.5 * math.log(math.tau)), math.log(2)).value == pytest.approx(
        -0.226, abs=1e-3
    )


@pytest.mark.parametrize(
    ("codes", "readings", "entropy", "fault"),
    [
        ([0.0, 1], [0.0], 0.7, r"must be 1-D and of one length, but have shapes \(2,\) and \(1,\)"),
        ([], [], 0.7, "must be 1-D and of one length"),
        ([0.0, math.nan], [0.0, 1], 0.7, "must be finite"),
        ([0.0, 1], [0.0, 1], math.inf, "must be finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(codes: Any, readings: Any, entropy: float, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gaussian_mi_bound(codes, readings, entropy)


def test_a_constant_code_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="the code is constant"):
        gaussian_mi_bound([1.0, 1.0], [0.0, 1.0], 0.7)
