from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, linear_probe, neighbour_probe
from scipy.stats import norm
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

RANDOM = np.random.default_rng(0)
CLASSES, NUMBERS = RANDOM.integers(4, size=800), RANDOM.normal(size=800)
CODES = np.c_[CLASSES + RANDOM.normal(size=800), NUMBERS + RANDOM.normal(size=800), RANDOM.normal(size=800)]
FACTORS = np.c_[CLASSES, NUMBERS]


def split(probe: Any, codes: Any, factors: Any, **options: Any) -> Any:
    half = len(codes) // 2
    return probe(codes[:half], factors[:half], codes[half:], factors[half:], **options)


def test_scikit_learn_agrees() -> None:
    z = (CODES - CODES[:400].mean(axis=0)) / CODES[:400].std(axis=0)
    for probe, models in (
        (linear_probe, (LogisticRegression(max_iter=1000), LinearRegression())),
        (neighbour_probe, (KNeighborsClassifier(5), KNeighborsRegressor(5))),
    ):
        expected = [
            model.fit(z[:400], y[:400]).score(z[400:], y[400:])
            for model, y in zip(models, FACTORS.T, strict=True)
        ]
        score = split(probe, CODES, FACTORS)
        assert score.per_factor == pytest.approx(expected, abs=1e-9)
        assert score.value == pytest.approx(np.mean(expected))
        assert [kind.name for kind in score.kinds] == ["category", "continuous"]


def test_closed_forms() -> None:
    label = RANDOM.integers(2, size=20_000)
    factor = RANDOM.normal(size=20_000)
    codes = np.c_[2 * label - 1 + RANDOM.normal(size=20_000), factor + 0.5 * RANDOM.normal(size=20_000)]
    score = split(linear_probe, codes, np.c_[label, factor])
    assert score.per_factor == pytest.approx([norm.cdf(1), 1 / 1.25], abs=0.015)
    assert score.chance == pytest.approx([0.5, 0.0], abs=0.015)


def test_an_angle_is_read_as_cosine_and_sine() -> None:
    angle = 360 * RANDOM.random(1000)
    circle = np.c_[np.cos(np.radians(angle)), np.sin(np.radians(angle))]
    assert split(linear_probe, circle, angle[:, None], kinds="circular:360").value == pytest.approx(1.0)
    # A code that cuts the turn open is read by neighbours, not by a line
    cut = {"kinds": "circular:360"}
    line, near = (
        split(probe, angle[:, None], angle[:, None], **cut) for probe in (linear_probe, neighbour_probe)
    )
    assert line.value < 0.5 < 0.95 < near.value


def test_dead_codes_have_chance() -> None:
    for probe in (linear_probe, neighbour_probe):
        dead = split(probe, np.full((800, 2), 0.7), FACTORS)
        assert dead.per_factor.tolist() == dead.chance.tolist()
        with_dead = np.c_[CODES, np.full(800, 0.7)]
        assert split(probe, with_dead, FACTORS).value == split(probe, CODES, FACTORS).value


@pytest.mark.parametrize("probe", [linear_probe, neighbour_probe])
def test_scale_offset_sign_and_order_of_codes_do_not_matter(probe: Any) -> None:
    changed = CODES[:, ::-1] * [4, -0.25, 1] + [1, 2, 3]
    expected = split(probe, CODES, FACTORS).value
    assert split(probe, changed, FACTORS).value == pytest.approx(expected, abs=0.01)


def test_what_is_not_defined_and_what_is_refused() -> None:
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        split(linear_probe, CODES, FACTORS * [1, 0])
    for n_neighbors in (0, 401):
        with pytest.raises(ValueError, match="at least 1 and at most the 400 training samples, but is"):
            split(neighbour_probe, CODES, FACTORS, n_neighbors=n_neighbors)
