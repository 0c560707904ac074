from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, modularity


def test_reference_values(golden: Any, case: str) -> None:
    score = modularity(golden.codes(case), golden.factors(), dead_codes="zero")
    expected = golden.values[case]["modularity"]["modularity_score"]
    assert score.value == pytest.approx(expected, abs=1e-12)


def test_dead_codes_are_left_out(golden: Any) -> None:
    score = modularity(golden.codes("dead"), golden.factors())
    assert score.value == pytest.approx(golden.values["perfect"]["modularity"]["modularity_score"], abs=1e-12)
    assert np.isnan(score.per_code).tolist() == [False] * 5 + [True] * 2


def test_closed_form() -> None:
    factors = np.array([[a, b] for a in range(4) for b in range(4)])
    both = 4 * factors[:, 0] + factors[:, 1]  # I = ln 4 with either factor: 1 - 1 / (2 - 1) = 0
    half = 8 * factors[:, 0] + factors[:, 1] // 2  # I = ln 4 and ln 2: 1 - (ln 2 / ln 4)^2 = 3 / 4
    score = modularity(np.stack([factors[:, 0], both, half], axis=1), factors, n_bins=64)
    assert score.per_code.tolist() == pytest.approx([1.0, 0.0, 0.75])
    assert score.value == pytest.approx(1.75 / 3)
    assert score.mutual_information[2].tolist() == pytest.approx([math.log(4), math.log(2)])


def test_a_single_factor_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="single factor"):
        modularity(np.eye(3), np.arange(3)[:, None])


def test_a_constant_factor_is_not_defined_as_noise_would_score_one() -> None:
    random = np.random.default_rng(0)
    factors = np.column_stack([random.integers(0, 3, 500), np.zeros(500, int)])
    with pytest.raises(NotDefinedError, match="modularity is not defined: factor 1 is constant"):
        modularity(random.normal(size=(500, 2)), factors)


def test_codes_that_know_nothing_are_not_defined() -> None:
    factors = np.array([[a, b] for a in range(3) for b in range(2)])
    with pytest.raises(NotDefinedError, match="no code knows anything"):
        modularity(np.full((6, 2), 0.7), factors)
    assert modularity(np.full((6, 2), 0.7), factors, dead_codes="zero").value == 0


def test_a_factor_that_numbers_the_samples_is_warned_of() -> None:
    random = np.random.default_rng(0)
    factors = np.column_stack([np.arange(300), random.integers(0, 3, 300)])
    noise = random.normal(size=(300, 2))
    with pytest.warns(
        UserWarning, match="a factor has 300 values in 300 samples, so that every code seems to know"
    ):
        assert modularity(noise, factors).value > 0.99
