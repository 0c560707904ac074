from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, med

pytestmark = pytest.mark.filterwarnings("ignore:a factor has")
GRID = np.array(list(itertools.product(range(2), range(2), range(2))))


@pytest.mark.parametrize(
    ("case", "disentanglement", "completeness"),
    [  # the formulas of the authors' code, on the stored mutual information of disentanglement_lib
        ("rotated", 0.226794, 0.228712),
        ("noisy_1.0", 0.601260, 0.607363),
        ("noise", 0.004175, 0.004713),
        ("missing", 0.532291, 0.582686),
    ],
)
def test_values_of_the_authors_code(
    golden: Any, case: str, disentanglement: float, completeness: float
) -> None:
    score = med(golden.codes(case), golden.factors())
    np.testing.assert_allclose(score.mutual_information, golden.expected(case)["mi"], atol=1e-9)
    assert score.value == pytest.approx(disentanglement, abs=1e-6)
    assert score.completeness.value == pytest.approx(completeness, abs=1e-6)


def test_copies_and_shares_by_hand() -> None:
    assert med(GRID[:, ::-1], GRID).value == pytest.approx(1.0)
    both = np.c_[GRID, 2 * GRID[:, 0] + GRID[:, 1]]  # knows two factors, each as well as their own codes do
    score = med(both, GRID)
    # Importances: 1/2, 1/2, 1 on the diagonal, and (1/2, 1/2, 0) of the last code, which weighs 1 of 3
    assert score.disentanglement.per_code.tolist() == pytest.approx([1, 1, 1, 1 - math.log(2) / math.log(3)])
    assert score.value == pytest.approx(2 / 3 + (1 - math.log(2) / math.log(3)) / 3)


def test_top_k_keeps_the_most_disentangled_codes_of_each_factor() -> None:
    both = np.c_[2 * GRID[:, 0] + GRID[:, 1], GRID]
    score = med(both, GRID, top_k=1)
    assert score.picked.tolist() == [1, 2, 3]
    assert score.value == pytest.approx(1.0)
    assert med(both, GRID, top_k=2).picked.tolist() == [0, 1, 2, 3]


def test_scale_offset_sign_and_order_of_codes_do_not_matter() -> None:
    codes = np.random.default_rng(0).normal(size=(200, 3)) + np.tile(GRID, (25, 1))
    expected = med(codes, np.tile(GRID, (25, 1))).value
    changed = codes[:, ::-1] * [4, -0.25, 1]
    assert med(changed, np.tile(GRID, (25, 1))).value == pytest.approx(expected)


def test_degenerate_and_wrong_input() -> None:
    assert med(GRID * 0, GRID).value == 0
    for codes, factors in ((GRID[:, :1], GRID), (GRID, GRID[:, :1])):
        with pytest.raises(NotDefinedError, match="single code or a single factor"):
            med(codes, factors)
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        med(GRID, GRID * [1, 0, 1])
    with pytest.raises(NotDefinedError, match="`top_k` 1 keeps one"):
        med(GRID * [1, 0, 0], GRID[:, [0, 0]], top_k=1)
    with pytest.raises(ValueError, match="`top_k` must be at least 1"):
        med(GRID, GRID, top_k=0)
