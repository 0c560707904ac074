from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, jemmig, jemmig_continuous, mig, mig_continuous

RANDOM = np.random.default_rng(0)
UNIFORM = RANDOM.random((3000, 2))  # entropy ln 20 of twenty bins


@pytest.mark.parametrize("estimator", ["neighbours", "bins"])
def test_perfect_codes_of_continuous_factors_score_one(estimator: Any) -> None:
    codes = 3 - 2 * UNIFORM[:, ::-1]
    assert mig_continuous(codes, UNIFORM, estimator=estimator).value == pytest.approx(1.0, abs=0.03)
    assert jemmig_continuous(codes, UNIFORM, estimator=estimator).value == pytest.approx(1.0, abs=0.03)
    assert mig_continuous(codes, UNIFORM, estimator=estimator).code.tolist() == [1, 0]


def test_the_gap_of_gaussian_codes() -> None:
    factor = RANDOM.normal(size=5000)
    best = 0.9 * factor + math.sqrt(1 - 0.81) * RANDOM.normal(size=5000)
    second = 0.5 * factor + math.sqrt(0.75) * RANDOM.normal(size=5000)
    score = mig_continuous(np.c_[second, best], factor[:, None])
    # I = -1/2 ln(1 - rho^2) each
    gap = 0.5 * math.log((1 - 0.25) / (1 - 0.81))
    assert score.per_factor[0] * score.informations.factor_entropy[0] == pytest.approx(gap, abs=0.05)
    counts = np.histogram(factor, 20)[0] / 5000
    entropy = -np.sum(counts[counts > 0] * np.log(counts[counts > 0]))
    assert score.informations.factor_entropy[0] == pytest.approx(entropy)


def test_bins_of_discrete_factors_give_the_published_scores(golden: Any) -> None:
    codes, factors = golden.codes("noisy_1.0"), golden.factors()[:, :2]
    ours = mig_continuous(codes, factors, code_kinds="continuous", estimator="bins")
    assert ours.value == pytest.approx(mig(codes, factors).value, abs=1e-12)
    ours_joint = jemmig_continuous(codes, factors, code_kinds="continuous", estimator="bins")
    assert ours_joint.value == pytest.approx(jemmig(codes, factors).value, abs=1e-12)


def test_noise_has_no_gap_and_pairs_of_codes_have_none() -> None:
    noise = RANDOM.random((3000, 3))
    assert mig_continuous(noise, UNIFORM).value == pytest.approx(0.0, abs=0.02)
    assert mig_continuous(np.c_[UNIFORM, -UNIFORM], UNIFORM).value == pytest.approx(0.0, abs=0.02)


def test_jemmig_minds_a_code_of_two_factors() -> None:
    both = UNIFORM.sum(axis=1)
    alone, mixed = jemmig_continuous(UNIFORM, UNIFORM), jemmig_continuous(np.c_[both, UNIFORM[:, 1]], UNIFORM)
    assert mixed.per_factor[0] < 0.6 < 0.95 < alone.per_factor[0]
    # Noise: H(z) and H(v) of ln 20 each, over a ceiling of their sum
    assert jemmig_continuous(RANDOM.random((3000, 2)), UNIFORM).value == pytest.approx(0.0, abs=0.02)


def test_an_angle_is_known_around_the_whole_circle() -> None:
    angle = 360 * UNIFORM[:, :1]
    code = np.mod(angle + 200, 360)
    score = mig_continuous(code, angle, kinds="circular:360", code_kinds="circular:360")
    assert score.value == pytest.approx(1.0, abs=0.01)


def test_dead_codes() -> None:
    dead = np.full((3000, 2), 0.7)
    assert mig_continuous(dead, UNIFORM).value == 0
    assert mig_continuous(dead, UNIFORM).code.tolist() == [-1, -1]
    with pytest.raises(NotDefinedError, match="JEMMIG is not defined: all codes are constant"):
        jemmig_continuous(dead, UNIFORM)
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        mig_continuous(UNIFORM, UNIFORM * [1, 0])


@pytest.mark.parametrize("score", [mig_continuous, jemmig_continuous])
def test_scale_offset_sign_and_order_of_codes_do_not_matter(score: Any) -> None:
    codes = UNIFORM[:500] @ RANDOM.normal(size=(2, 3)) + 0.1 * RANDOM.normal(size=(500, 3))
    expected = score(codes, UNIFORM[:500]).value
    changed = codes[:, ::-1] * [4, -0.25, 1] + [1, 2, 3]
    assert score(changed, UNIFORM[:500]).value == pytest.approx(expected, abs=1e-6)
