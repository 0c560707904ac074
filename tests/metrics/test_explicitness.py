from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, explicitness


@pytest.mark.parametrize("case", ["noisy_1.0", "noise", pytest.param("noisy_0.1", marks=pytest.mark.slow)])
def test_reference_values(golden: Any, case: str) -> None:
    score = explicitness(
        golden.codes(case), golden.factors(), golden.codes(case, "test"), golden.factors("test")
    )
    expected = golden.values[case]["modularity_explicitness"]
    assert score.value == pytest.approx(expected["explicitness_score_test"], abs=1e-4)
    assert score.train_value == pytest.approx(expected["explicitness_score_train"], abs=1e-4)


def test_constant_codes_are_left_out() -> None:
    random = np.random.default_rng(0)
    factors = random.integers(0, (2, 3), (200, 2))
    codes = factors + random.normal(size=(200, 2))
    with_constants = np.column_stack([np.full(200, np.float32(0.7)), codes])
    halves = slice(0, 100), slice(100, 200)

    def score(x: Any) -> float:
        return float(explicitness(x[halves[0]], factors[halves[0]], x[halves[1]], factors[halves[1]]))

    assert score(with_constants) == pytest.approx(score(codes), abs=1e-9)
    assert score(np.zeros((200, 2))) == 0.5


def test_separable_factors_score_one() -> None:
    factors = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (10, 1))
    score = explicitness(factors, factors, factors, factors)
    assert score.per_factor.tolist() == [1.0, 1.0]
    assert score.value == score.train_value == 1.0


def test_values_that_are_missing_from_the_test_split_are_left_out() -> None:
    factor = np.tile([[0], [1], [2]], (10, 1))
    codes = np.hstack([factor == 0, factor == 1])
    kept = factor[:, 0] < 2
    assert explicitness(codes, factor, codes[kept], factor[kept]).value == 1.0


def test_constant_factors_are_not_defined() -> None:
    factor = np.array([[0], [1], [0], [1]])
    with pytest.raises(NotDefinedError, match="factor 0 is constant"):
        explicitness(factor, factor, factor[::2], factor[::2])
