from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, infomec

GRID = np.tile(list(itertools.product(range(3), range(4))), (20, 1))
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("case", "modularity", "compactness", "explicitness"),
    [  # the authors' code (kylehkhsu/latent_quantization, 4ba4c9d) on 2,000 samples and three factors
        ("rotated", 0.431108, 0.492165, 0.999845),
        ("noisy_1.0", 0.907903, 0.962558, 0.198766),
        ("noise", 0.726107, 0.568810, 0.007272),
    ],
)
def test_values_of_the_authors_code(
    golden: Any, case: str, modularity: float, compactness: float, explicitness: float
) -> None:
    codes, factors = golden.codes(case)[:2000], golden.factors()[:2000, :3]
    score = infomec(codes, factors, code_kinds="continuous")
    assert score.modularity == pytest.approx(modularity, abs=5e-4)  # ties are broken by another noise
    assert score.compactness == pytest.approx(compactness, abs=5e-4)
    assert score.explicitness == pytest.approx(explicitness, abs=1e-4)
    assert score.value == pytest.approx((score.modularity + score.compactness + score.explicitness) / 3)


def test_copies_of_the_factors_are_modular_and_compact() -> None:
    score = infomec(-2.5 * GRID[:, ::-1], GRID)
    assert (score.modularity, score.compactness) == (pytest.approx(1.0), pytest.approx(1.0))
    np.testing.assert_allclose(score.normalised_information, [[0, 1], [1, 0]], atol=1e-12)


def test_shares_by_hand() -> None:
    factor = np.arange(12) // 3  # a product of two bits
    factors = np.tile(np.c_[factor // 2, factor % 2], (10, 1))
    codes = np.c_[factors, factors[:, 0]]
    score = infomec(codes, factors)
    assert score.modularity == pytest.approx(1.0)
    # Factor 0 has shares 1/2 and 1/2, factor 1 has 1: their mean 3/4, stretched from 1/3 to 1
    assert score.compactness == pytest.approx((0.75 - 1 / 3) / (2 / 3))


def test_explicitness_of_continuous_factors_is_r2() -> None:
    factors = RANDOM.normal(size=(5000, 2))
    codes = factors + [0.5, 1.0] * RANDOM.normal(size=(5000, 2))
    score = infomec(codes, factors)
    assert score.explicitness_per_factor == pytest.approx([1 / 1.25, 1 / 2], abs=0.03)


def test_codes_of_a_small_range_are_inactive() -> None:
    codes = np.c_[GRID, RANDOM.normal(size=len(GRID)) * 1e-3, np.full(len(GRID), 0.7)]
    assert infomec(codes, GRID).active.tolist() == [True, True, False, False]
    assert infomec(codes, GRID, min_range=0).active.tolist() == [True, True, True, False]
    assert infomec(codes, GRID).compactness == pytest.approx(1.0)


def test_scale_offset_sign_and_order_of_all_codes_do_not_matter() -> None:
    codes = GRID @ RANDOM.normal(size=(2, 3)) + RANDOM.normal(size=(len(GRID), 3))
    expected = infomec(codes, GRID).value
    assert infomec(codes, GRID).value == expected
    assert infomec(-8 * codes[:, ::-1] + 3, GRID).value == pytest.approx(expected, abs=1e-5)
    alone = codes * [1, 0.25, 4]  # of a code alone as well, where ranges do not count
    assert infomec(alone, GRID, min_range=0).value == pytest.approx(expected, abs=1e-5)


def test_a_code_that_cannot_be_told_from_noise_is_warned_of() -> None:
    random = np.random.default_rng(0)
    factors = random.integers(0, 4, (400, 2))
    codes = factors + random.normal(scale=0.3, size=factors.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        infomec(codes, factors)
    with pytest.warns(UserWarning, match=r"code 1 knows less than 0\.05 nats .* cannot tell from noise"):
        infomec(np.stack([codes[:, 0], random.normal(size=400)], axis=1), factors)


def test_what_is_not_defined_and_what_is_refused() -> None:
    with pytest.raises(NotDefinedError, match="single factor"):
        infomec(GRID, GRID[:, :1])
    with pytest.raises(NotDefinedError, match="single code: 1 of the codes are active"):
        infomec(GRID[:, :1], GRID)
    with pytest.raises(NotDefinedError, match="single code: 0 of the codes are active"):
        infomec(GRID * 0, GRID)
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        infomec(GRID, GRID * [1, 0])
    with pytest.raises(ValueError, match="`min_range` must be at least 0 and below 1, but is 1"):
        infomec(GRID, GRID, min_range=1)
