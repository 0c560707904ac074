from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, irs


def test_reference_values(golden: Any, case: str) -> None:
    score = irs(golden.codes(case), golden.factors())
    alive = ~np.isnan(score.per_code)
    expected = golden.expected(case)
    # The reference works in float32, which moves the score by up to 6e-6.
    assert score.value == pytest.approx(golden.values[case]["irs"]["IRS"], abs=1e-5)
    np.testing.assert_allclose(score.robustness[alive], expected["irs_matrix"], atol=5e-5)
    np.testing.assert_allclose(score.per_code[alive], expected["irs_per_latent"], atol=5e-5)
    farthest = irs(golden.codes(case), golden.factors(), quantile=1.0)
    assert farthest.value == pytest.approx(golden.values[case]["irs_q1.0"]["IRS"], abs=1e-5)


def test_closed_form() -> None:
    # code = a + b for a, b in {0, 1}: strays from its mean 1 by 1 at most, and by 1/2 with either factor held
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    score = irs(np.column_stack([10 * factors[:, 0], factors.sum(axis=1)]), factors, quantile=1.0)
    assert score.robustness.tolist() == [[1.0, 0.0], [0.5, 0.5]]
    assert score.value == pytest.approx((5 * 1.0 + 1 * 0.5) / 6)  # weighted by largest deviations, 5 and 1
    equal = irs(10 * factors + [[0, 0]], factors, quantile=1.0, weights="equal")
    assert equal.value == 1.0


def test_equal_weights_make_it_independent_of_scale(golden: Any) -> None:
    scores = [
        irs(golden.codes(case), golden.factors(), weights="equal").value
        for case in ("perfect", "permuted", "dead")
    ]
    assert scores == pytest.approx([scores[0]] * 3, abs=1e-6)


def test_a_constant_that_is_no_round_number_is_left_out() -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    codes = np.column_stack([factors[:, 0].astype(np.float32), np.full(4, 0.7, np.float32)])
    score = irs(codes, factors)
    assert score.value == 1.0
    assert np.isnan(score.per_code).tolist() == [False, True]


def test_what_is_not_defined_or_refused() -> None:
    factors = np.array([[0], [1]])
    with pytest.raises(NotDefinedError, match="all codes are constant"):
        irs(np.ones((2, 3)), factors)
    with pytest.raises(ValueError, match=r"`quantile` must be in \(0, 1\], but is 99"):
        irs(factors, factors, quantile=99)
