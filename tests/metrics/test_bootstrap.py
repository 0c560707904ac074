from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from infogan_metrics import bootstrap, cluster_accuracy, fid, mig

LABELS = np.repeat(np.arange(4), 50)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    x = np.random.default_rng(0).normal(3.0, 2.0, 400)
    score = bootstrap(np.mean, x, n_resamples=4000)
    assert float(score) == x.mean()
    half_width = 1.96 * x.std() / math.sqrt(400)
    assert score.low == pytest.approx(x.mean() - half_width, abs=0.1 * half_width)
    assert score.high == pytest.approx(x.mean() + half_width, abs=0.1 * half_width)
    assert (score.n, score.level, len(score.resampled)) == (400, 0.95, 4000)


def test_about_as_many_intervals_as_promised_hold_the_truth() -> None:
    hits = 0
    for seed in range(200):
        accuracy_is_80 = np.random.default_rng(seed).random(100) < 0.8
        score = bootstrap(np.mean, accuracy_is_80, n_resamples=200, level=0.9, seed=seed)
        hits += score.low <= 0.8 <= score.high
    assert hits / 200 == pytest.approx(0.9, abs=0.07)


def test_rows_are_drawn_together() -> None:
    score = bootstrap(cluster_accuracy, LABELS + 3, LABELS, n_resamples=20)
    assert score.low == score.high == score.value == 1.0


def test_groups_are_drawn_apart() -> None:
    real, fake = np.random.default_rng(0).normal(size=(2, 60, 3))
    with pytest.raises(ValueError, match="one row per sample, but have 60 and 40 rows; name groups"):
        bootstrap(fid, real, fake[:40], n_resamples=20)
    together = bootstrap(fid, real, real, n_resamples=20)
    assert together.high < 1e-9  # the same rows of the same set
    apart = bootstrap(fid, real, real, n_resamples=20, groups=(0, 1))
    assert apart.low > 1e-3


def test_the_seed_decides_and_arguments_go_in_by_partial() -> None:
    codes = LABELS + np.random.default_rng(0).normal(size=200)
    args = (partial(mig, n_bins=4), codes[:, None], LABELS[:, None])
    first, again, other = (bootstrap(*args, n_resamples=50, seed=seed) for seed in (0, 0, 1))
    assert (first.low, first.high) == (again.low, again.high) != (other.low, other.high)
    assert first.low < first.high


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"n_resamples": 1}, "`n_resamples` must be at least 2"),
        ({"level": 1.0}, r"`level` in \(0, 1\)"),
        ({"groups": (0, 1)}, "`groups` must name a group for each array, 1, but has 2"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        bootstrap(np.mean, np.ones(3), **options)


def test_empty_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="must hold at least one row"):
        bootstrap(np.mean, np.ones(0))
    with pytest.raises(ValueError, match="`groups` must name"):
        bootstrap(np.mean, groups=(0,))
