from __future__ import annotations

import itertools

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, z_max_variance

FACTORS = np.array(list(itertools.product(range(3), range(4), range(5))))


def test_a_perfect_code_varies_alone() -> None:
    score = z_max_variance(-3.0 * FACTORS[:, [2, 0, 1]], FACTORS, n_train=300, n_test=200)
    assert score.value == score.train_value == 1.0
    assert score.votes.argmax(axis=0).tolist() == [2, 0, 1]
    assert score.votes.sum() == 300


def test_noise_scores_near_chance() -> None:
    noise = np.random.default_rng(0).normal(size=(len(FACTORS) * 20, 3))
    score = z_max_variance(noise, np.tile(FACTORS, (20, 1)))
    assert score.value == pytest.approx(1 / 3, abs=0.05)


def test_the_scale_of_a_code_does_not_matter() -> None:
    noisy = FACTORS + np.random.default_rng(0).normal(scale=0.5, size=FACTORS.shape)
    scores = [z_max_variance(noisy * scale, FACTORS).value for scale in ([1, 1, 1], [100, 1, 0.5])]
    assert scores[0] == scores[1]


def test_dead_codes_never_win_a_vote() -> None:
    codes = np.column_stack([np.full(60, 0.7), FACTORS, 1e-3 * np.random.default_rng(0).normal(size=60)])
    score = z_max_variance(codes, FACTORS, n_train=300, n_test=200)
    assert score.value == 1.0
    assert score.active.tolist() == [False, True, True, True, False]
    assert z_max_variance(codes[:, :1], FACTORS, n_train=30, n_test=20).value == 0


def test_only_rows_that_differ_in_one_factor_alone_are_drawn() -> None:
    # The last row has no company; were it drawn with others, its huge code would win their votes.
    factors = np.vstack([FACTORS, [[7, 8, 9]]])
    codes = np.column_stack([factors, [0.0] * len(FACTORS) + [1e6]])
    assert z_max_variance(codes, factors, n_train=300, n_test=200).votes[:, 3].sum() == 0


def test_what_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="single factor"):
        z_max_variance(FACTORS, FACTORS[:, :1])
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        z_max_variance(FACTORS, FACTORS * [1, 0, 1])
    diagonal = np.repeat(np.arange(5)[:, None], 2, axis=1)
    with pytest.raises(NotDefinedError, match="no two samples differ in factor 0 alone: a grid"):
        z_max_variance(diagonal, diagonal)
