"""MIG-sup, JEMMIG and DCIMIG: three scores of gaps between mutual informations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, dcimig, jemmig, mig_sup

pytestmark = pytest.mark.filterwarnings("ignore:a factor has .* values, but codes are cut into")

GRID = np.array([[a, b] for a in range(4) for b in range(4)])
FIRST = GRID[:, 0]  # I = ln 4 and 0
BOTH = 4 * GRID[:, 0] + GRID[:, 1]  # I = ln 4 and ln 4
HALF = 8 * GRID[:, 0] + GRID[:, 1] // 2  # I = ln 4 and ln 2


def test_as_the_papers_write_them_on_the_reference_informations(golden: Any, case: str) -> None:
    """Plain loops over the reference's own matrix of mutual information and its entropies."""
    information, factor_entropy = golden.expected(case)["mi"], golden.expected(case)["entropy"]
    code_entropies = [
        _entropy(np.unique(bins, return_counts=True)[1]) for bins in golden.expected(case)["discretized"]
    ]
    gaps, best_factor = [], []
    for row in information:
        normalised = sorted(row / factor_entropy)
        gaps.append(normalised[-1] - normalised[-2])
        best_factor.append(int(np.argmax(row)))
    score = mig_sup(golden.codes(case), golden.factors(), dead_codes="zero")
    assert score.value == pytest.approx(np.mean(gaps), abs=1e-12)

    joints, held = [], []
    for k, (column, h) in enumerate(zip(information.T, factor_entropy, strict=True)):
        *_, second, best = sorted(column)
        joint = code_entropies[int(np.argmax(column))] + h - best
        joints.append(1 - (joint - best + second) / (h + math.log(20)))
        of_k = [
            sorted(row)[-1] - sorted(row)[-2]
            for row, own in zip(information, best_factor, strict=True)
            if own == k
        ]
        held.append(max(of_k, default=0.0))
    assert jemmig(golden.codes(case), golden.factors()).value == pytest.approx(np.mean(joints), abs=1e-12)
    expected = sum(held) / sum(factor_entropy)
    assert dcimig(golden.codes(case), golden.factors()).value == pytest.approx(expected, abs=1e-12)


def _entropy(counts: Any) -> float:
    return float(-sum(c / counts.sum() * math.log(c / counts.sum()) for c in counts))


def test_mig_sup_closed_form() -> None:
    score = mig_sup(np.stack([FIRST, BOTH, HALF], axis=1), GRID, n_bins=64)
    assert score.per_code.tolist() == pytest.approx([1.0, 0.0, 0.5])  # (ln 4 - ln 2) / ln 4
    assert score.value == pytest.approx(0.5)


def test_mig_sup_does_not_mind_two_codes_of_one_factor() -> None:
    assert mig_sup(np.concatenate([GRID, GRID], axis=1), GRID).value == pytest.approx(1.0)


def test_mig_sup_leaves_dead_codes_out_or_counts_them_as_zero() -> None:
    codes = np.column_stack([GRID, np.full((16, 2), 0.7)])
    assert mig_sup(codes, GRID).value == pytest.approx(1.0)
    assert mig_sup(codes, GRID).alive.tolist() == [True, True, False, False]
    assert mig_sup(codes, GRID, dead_codes="zero").value == pytest.approx(0.5)
    with pytest.raises(NotDefinedError, match="MIG-sup is not defined: no code knows anything"):
        mig_sup(codes[:, 2:], GRID)


def test_jemmig_closed_form() -> None:
    # One code, both factors: H(z, v) = ln 16, I = ln 4 and no second code: ln 4 nats of ln 4 + ln 16
    score = jemmig(BOTH[:, None], GRID, n_bins=16)
    assert score.nats.tolist() == pytest.approx([math.log(4), math.log(4)])
    assert score.value == pytest.approx(2 / 3)
    # A second code that knows the factor as well costs its I: ln 4 of ln 4 + ln 4
    assert jemmig(FIRST[:, None].repeat(2, axis=1), FIRST[:, None], n_bins=4).value == pytest.approx(0.5)


def test_dcimig_closed_form() -> None:
    score = dcimig(np.stack([HALF, FIRST], axis=1), GRID, n_bins=64)
    assert score.per_factor.tolist() == pytest.approx([math.log(4), 0.0])  # both codes know factor 0 best
    assert score.code.tolist() == [1, -1]
    assert score.value == pytest.approx(0.5)


def test_dcimig_is_one_for_a_code_each_and_zero_for_one_code_of_all() -> None:
    assert dcimig(-2.5 * GRID[:, ::-1] + 1, GRID).value == pytest.approx(1.0)
    assert dcimig(BOTH[:, None], GRID).value == pytest.approx(0.0, abs=1e-12)
    assert dcimig(np.full((16, 3), 0.7), GRID).value == 0


@pytest.mark.parametrize("score", [mig_sup, jemmig, dcimig])
def test_single_factors_have_a_second_best_of_zero(score: Any) -> None:
    assert score(FIRST[:, None], FIRST[:, None], n_bins=4).value == pytest.approx(1.0)


@pytest.mark.parametrize(("score", "name"), [(mig_sup, "MIG-sup"), (jemmig, "JEMMIG"), (dcimig, "DCIMIG")])
def test_constant_factors_are_not_defined(score: Any, name: str) -> None:
    with pytest.raises(NotDefinedError, match=f"{name} is not defined: factor 1 is constant"):
        score(GRID, GRID * [1, 0])


@pytest.mark.parametrize("score", [mig_sup, jemmig, dcimig])
def test_few_bins_warn(score: Any) -> None:
    with pytest.warns(UserWarning, match="a factor has 16 values, but codes are cut into 4 bins"):
        score(GRID, BOTH[:, None], n_bins=4)
