from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, mig
from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore:a factor has .* values, but codes are cut into")


def grid(*sizes: int) -> NDArray[np.int64]:
    """Every combination of factors of these sizes once."""
    return np.array(list(itertools.product(*map(range, sizes))))


def test_reference_values(golden: Any, case: str) -> None:
    score = mig(golden.codes(case), golden.factors())
    assert score.value == pytest.approx(golden.values[case]["mig"]["discrete_mig"], abs=1e-12)
    np.testing.assert_allclose(score.per_factor, golden.expected(case)["mig_per_factor"], atol=1e-12)
    np.testing.assert_allclose(score.factor_entropy, golden.expected(case)["entropy"], atol=1e-12)
    assert (score.n, score.n_bins) == (10_000, 20)


def test_half_where_a_second_code_holds_half_the_factor() -> None:
    factor = np.repeat([0, 1, 2, 3], 25)  # H = ln 4
    codes = np.stack([factor, factor // 2], axis=1)  # I = ln 4 and ln 2
    assert float(mig(codes, factor[:, None], n_bins=4)) == pytest.approx(0.5)  # (ln 4 - ln 2) / ln 4


def test_one_where_each_factor_is_copied_once() -> None:
    factors = grid(3, 5, 20)
    assert mig(factors, factors).value == pytest.approx(1.0)
    assert mig(-2.5 * factors[:, ::-1] + 1, factors).value == pytest.approx(1.0)  # order, sign and scale


def test_fewer_bins_than_values_cap_the_score_and_warn() -> None:
    factor = np.arange(32)[:, None]
    # 32 values in 20 bins of width 31/20: twelve bins hold two values, eight hold one
    bins_entropy = 12 * (2 / 32) * math.log(16) + 8 * (1 / 32) * math.log(32)
    with pytest.warns(UserWarning, match="a factor has 32 values, but codes are cut into 20 bins"):
        score = mig(factor, factor)
    assert score.mutual_information[0, 0] == pytest.approx(bins_entropy) == pytest.approx(2.945876, abs=1e-6)
    assert score.value == pytest.approx(0.85)


def test_zero_where_every_code_comes_twice() -> None:
    factors = grid(4, 6)
    assert mig(np.concatenate([factors, factors], axis=1), factors).value == 0


def test_zero_where_all_codes_are_constant() -> None:
    assert mig(np.full((24, 3), 0.7), grid(4, 6)).value == 0


def test_further_constant_codes_change_nothing() -> None:
    codes = np.random.default_rng(0).normal(size=(24, 2))
    with_constants = np.column_stack([np.full(24, 0.7), codes, np.zeros(24)])
    assert mig(with_constants, grid(4, 6)).value == mig(codes, grid(4, 6)).value


def test_a_single_code_has_a_second_best_of_zero() -> None:
    factor = np.arange(10)[:, None]
    assert mig(factor, factor).value == pytest.approx(1.0)
    assert mig(factor[:, [0]], np.column_stack([factor, factor // 5])).per_factor.tolist() == pytest.approx(
        [1.0, 1.0]
    )


def test_a_constant_factor_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        mig(grid(4, 6), np.column_stack([np.arange(24), np.ones(24)]))
