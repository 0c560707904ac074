from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, beta_vae
from infogan_metrics.beta_vae import guess_factor


@pytest.mark.parametrize("case", ["rotated", "missing", "noise"])
def test_reference_values_of_the_stored_points(golden: Any, case: str) -> None:
    stored = golden.internals(case)
    test, train = guess_factor(
        stored["bv_train_points"],
        stored["bv_train_labels"],
        stored["bv_eval_points"],
        stored["bv_eval_labels"],
    )
    expected = golden.values[case]["beta_vae"]["dumped_seed0"]
    assert test == pytest.approx(expected["eval_accuracy"], abs=0.005)
    assert train == pytest.approx(expected["train_accuracy"], abs=0.005)


@pytest.mark.parametrize("case", ["dead", "missing", "noise", "noisy_1.0"])
def test_reference_values(golden: Any, case: str) -> None:
    score = beta_vae(golden.codes(case), golden.factors())
    expected = golden.values[case]["beta_vae"]
    assert score.value == pytest.approx(expected["eval_accuracy_mean"], abs=0.015)
    assert score.train_value == pytest.approx(expected["train_accuracy_mean"], abs=0.015)


def test_a_perfect_code_differs_by_nothing_in_the_shared_factor() -> None:
    factors = np.random.default_rng(0).integers(0, (3, 4), (600, 2))
    assert beta_vae(factors, factors, n_train=300, n_test=200).value == 1.0


def test_a_single_factor_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="single factor"):
        beta_vae(np.eye(4), np.array([[0], [0], [1], [1]]))
