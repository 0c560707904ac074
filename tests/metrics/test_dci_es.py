from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, dci_es, explicitness_of_curve
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

RANDOM = np.random.default_rng(0)
CODES = RANDOM.random((800, 2))
FACTORS = np.floor(CODES * [4, 2])  # four quarters and two halves


def split(codes: Any, factors: Any, **options: Any) -> Any:
    half = len(codes) // 2
    return dci_es(codes[:half], factors[:half], codes[half:], factors[half:], **options)


def test_curves_by_hand() -> None:
    assert explicitness_of_curve([1, 2, 3], [0.2, 0.2, 0.2], 0.8) == pytest.approx(1.0)
    assert explicitness_of_curve([0, 5, 10], [0.8, 0.4, 0.0], 0.8) == pytest.approx(0.0)
    # All loss to the last step: area 0.8 x (9 + 1/2) of 10, over half of 0.8 x 10
    assert explicitness_of_curve([0, 9, 10], [0.8, 0.8, 0.0], 0.8) == pytest.approx(1 - 2 * 9.5 / 10)
    # As the authors' code has it: 0.6, 0.4, 0.4, 0.1 above 0.1 have the area 0.4 + 2 x 0.3 + 4 x 0.15 = 1.6
    assert explicitness_of_curve([1, 2, 4, 8], [0.6, 0.4, 0.5, 0.1], 0.8) == pytest.approx(
        1 - 3.2 / (7 * 0.8)
    )


@pytest.mark.parametrize(
    ("capacities", "losses", "baseline", "fault"),
    [
        ([1], [0.5], 1, "one length of at least 2, the first increasing"),
        ([2, 1], [0.5, 0.1], 1, "one length of at least 2, the first increasing"),
        ([1, 2], [0.5], 1, r"have shapes \(2,\) and \(1,\)"),
        ([1, 2], [0.5, 0.1], 0, "`baseline_loss` must be above 0, but is 0"),
    ],
)
def test_wrong_curves_are_refused(capacities: Any, losses: Any, baseline: float, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        explicitness_of_curve(capacities, losses, baseline)


def test_quarters_need_two_thresholds_and_halves_need_one() -> None:
    score = split(CODES, FACTORS, depths=(1, 2, 3), n_trees=20)
    np.testing.assert_allclose(score.losses, [[0.5, 0], [0, 0], [0, 0]], atol=0.04)
    np.testing.assert_allclose(score.baseline_losses, [0.75, 0.5], atol=0.04)
    # Quarters: area 0.5 / 2, over half of 2 x 0.75
    assert score.explicitness_per_factor == pytest.approx([1 - 0.25 / 0.75, 1.0], abs=0.05)
    assert score.value == pytest.approx(score.explicitness_per_factor.mean())
    assert score.disentanglement.value == pytest.approx(1.0, abs=0.05)
    assert score.informativeness == pytest.approx(1.0, abs=0.03)
    assert score.size == 1.0
    assert split(np.c_[CODES, RANDOM.random(800)], FACTORS, depths=(1, 2), n_trees=5).size == pytest.approx(
        2 / 3
    )


def test_the_largest_depth_is_the_forest_of_scikit_learn() -> None:
    factors = np.c_[FACTORS[:, 0], CODES.sum(axis=1)]
    score = split(CODES, factors, depths=(2, 5), n_trees=10, seed=3)
    options: Any = {"max_depth": 5, "max_features": None, "max_samples": 0.5, "random_state": 3}
    z = (CODES - CODES[:400].mean(axis=0)) / CODES[:400].std(axis=0)
    classifier = RandomForestClassifier(10, **options).fit(z[:400], factors[:400, 0])
    regressor = RandomForestRegressor(10, **options).fit(z[:400], factors[:400, 1])
    assert score.losses[1] == pytest.approx(
        [1 - classifier.score(z[400:], factors[400:, 0]), 1 - regressor.score(z[400:], factors[400:, 1])]
    )
    assert score.losses[0, 1] > score.losses[1, 1]


def test_rotated_codes_are_less_explicit() -> None:
    turned = (CODES - 0.5) @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    options: Any = {"depths": (1, 2, 4, 8), "n_trees": 10}
    straight, rotated = split(CODES, CODES, **options), split(turned, CODES, **options)
    assert rotated.value < straight.value - 0.05
    assert rotated.disentanglement.value < straight.disentanglement.value - 0.3


def test_scale_and_offset_do_not_matter() -> None:
    options: Any = {"depths": (1, 2, 4), "n_trees": 5}
    expected = split(CODES, FACTORS, **options).value
    assert split(CODES, FACTORS, **options).value == expected
    assert split(CODES * [8, 0.5] + [1, 2], FACTORS, **options).value == pytest.approx(expected, abs=0.02)
    assert split(CODES * [1e-3, 1e9] + [1e3, 1e10], FACTORS, **options).value == pytest.approx(
        expected, abs=0.02
    )


def test_noise_has_an_explicitness_that_means_nothing() -> None:
    with pytest.warns(UserWarning, match="no probe reads factor 0 better than a guess"):
        noise = split(RANDOM.random((800, 2)), FACTORS, depths=(1, 4, 8), n_trees=5)
    assert noise.value > 0.9  # capacity gains nothing
    assert noise.informativeness < 0.45
    assert noise.disentanglement.value < 0.05


def test_what_is_not_defined_and_what_is_refused() -> None:
    with pytest.raises(NotDefinedError, match="single code or a single factor"):
        split(CODES[:, :1], FACTORS)
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        split(CODES, FACTORS * [1, 0])
    with pytest.raises(NotDefinedError, match="all codes are constant"):
        split(CODES * 0, FACTORS)
    for depths in ((1,), (0, 1), (2, 2)):
        with pytest.raises(ValueError, match="`depths` must hold two numbers or more, increasing from 1 on"):
            split(CODES, FACTORS, depths=depths)
