from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, factor_vae
from infogan_metrics.factor_vae import count_votes, least_varying_code, majority_accuracy

FACTORS = np.random.default_rng(0).integers(0, (3, 4), (600, 2))


def test_reference_votes(golden: Any, case: str) -> None:
    """The votes, and the accuracy of their majority, for the reference's own fixed factors and codes."""
    stored = golden.internals(case)
    n_active = int(stored["fv_active_dims"].sum())
    votes = count_votes(
        stored["fv_train_factor_index"].astype(int), stored["fv_train_argmin"].astype(int), (5, n_active)
    )
    expected = golden.values[case]["factor_vae"]["dumped_seed0"]
    train = majority_accuracy(votes, stored["fv_train_factor_index"], stored["fv_train_argmin"])
    test = majority_accuracy(votes, stored["fv_eval_factor_index"], stored["fv_eval_argmin"])
    assert (train, test) == (expected["train_accuracy"], expected["eval_accuracy"])


@pytest.mark.parametrize("case", ["perfect", "rotated"])
def test_reference_codes_that_vary_least(golden: Any, case: str) -> None:
    stored = golden.internals(case)
    found = least_varying_code(
        stored["fv_local_variances_first2000"], stored["fv_global_variances"], stored["fv_active_dims"]
    )
    np.testing.assert_array_equal(found, stored["fv_train_argmin"][:2000])


def test_reference_values(golden: Any, case: str) -> None:
    score = factor_vae(golden.codes(case), golden.factors())
    expected = golden.values[case]["factor_vae"]
    assert score.value == pytest.approx(expected["eval_accuracy_mean"], abs=0.015)
    assert score.train_value == pytest.approx(expected["train_accuracy_mean"], abs=0.015)
    assert score.votes.sum() == 10_000
    assert score.active.sum() == (5 if case in ("dead", "collapsed") else golden.codes(case).shape[1])


def test_dead_codes_never_win_a_vote_even_without_a_threshold(golden: Any) -> None:
    score = factor_vae(golden.codes("dead"), golden.factors(), min_std=0.0)
    assert score.value == 1.0
    assert score.votes[:, 5:].sum() == 0


def test_all_codes_dead_scores_zero() -> None:
    assert factor_vae(np.full((600, 3), 0.7), FACTORS).value == 0


def test_votes_name_the_column_of_the_code() -> None:
    codes = np.column_stack([np.zeros(600), FACTORS[:, 1], FACTORS[:, 0]])
    score = factor_vae(codes, FACTORS, n_train=100, n_test=50)
    assert score.votes.argmax(axis=0)[1:].tolist() == [1, 0]
    assert score.value == score.train_value == 1.0


def test_the_seed_decides() -> None:
    codes = FACTORS + np.random.default_rng(1).normal(scale=3, size=(600, 2))
    votes = [factor_vae(codes, FACTORS, n_train=500, n_test=100, seed=seed).votes for seed in (0, 0, 1)]
    assert (votes[0] == votes[1]).all()
    assert (votes[0] != votes[2]).any()


def test_what_is_not_defined_or_cannot_be_compared() -> None:
    with pytest.raises(NotDefinedError, match="single factor"):
        factor_vae(FACTORS, FACTORS[:, :1])
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        factor_vae(FACTORS, FACTORS * [1, 0])
    lonely = FACTORS.copy()
    lonely[7, 1] = 99
    with pytest.raises(ValueError, match=r"factor 1 has value no\. 4 once"):
        factor_vae(FACTORS, lonely)
