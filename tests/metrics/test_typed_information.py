"""Mutual information of factors of any kind against closed forms and scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, mutual_information_matrix, typed_information_matrix
from numpy.typing import NDArray
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression


def information(x: Any, y: Any, **options: Any) -> float:
    return float(typed_information_matrix(np.c_[x], np.c_[y], **options)[0, 0])


def gaussians(n: int, correlation: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.6, 0.9, 0.99])
def test_jointly_gaussian_variables(correlation: float) -> None:
    expected = -0.5 * math.log(1 - correlation**2)
    found = np.mean([information(*gaussians(2000, correlation, seed)) for seed in range(3)])
    assert found == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("width", [0.2, 1.0])
def test_a_uniform_variable_with_uniform_noise(width: float) -> None:
    random = np.random.default_rng(0)
    x = random.random(5000)
    # x ~ U(0, 1) plus U(0, w), w <= 1: h(x + noise) = w / 2 and h(noise) = ln w
    assert information(x, x + width * random.random(5000)) == pytest.approx(
        width / 2 - math.log(width), abs=0.05
    )


def test_an_angle_with_uniform_noise_around_the_whole_circle() -> None:
    random = np.random.default_rng(0)
    angle, width = 360 * random.random(5000), 30.0
    turned = np.mod(angle + width * (random.random(5000) - 0.5), 360)
    expected = math.log(360 / width)
    circular = {"kinds": "circular:360", "code_kinds": "circular:360"}
    assert information(angle, turned, **circular) == pytest.approx(expected, abs=0.05)
    # Where both angles start does not matter
    assert information(angle + 77, turned - 131, **circular) == pytest.approx(expected, abs=0.05)


def test_a_discrete_factor_under_a_continuous_code() -> None:
    random = np.random.default_rng(0)
    label = random.integers(3, size=4000)
    code = label + 2 * random.random(4000)  # density 1/6, 1/3, 1/3, 1/6 on [0, 4], and 1/2 within a label
    expected = math.log(6) / 3 + 2 * math.log(3) / 3 - math.log(2)
    assert information(code, label) == pytest.approx(expected, abs=0.03)
    assert information(label, code) == pytest.approx(expected, abs=0.03)  # the other way round as well


def test_scikit_learn_agrees() -> None:
    x, y = gaussians(500, 0.7)
    label = np.digitize(y, [-1, 0, 0.5])
    for k in (1, 3, 10):
        theirs = mutual_info_regression(x[:, None], y, n_neighbors=k)[0]
        assert information(x, y, n_neighbors=k) == pytest.approx(theirs, abs=1e-6)
        theirs = mutual_info_classif(x[:, None], label, n_neighbors=k)[0]
        assert information(x, label, n_neighbors=k) == pytest.approx(theirs, abs=1e-6)


def test_bins_count_as_discrete_scores_do() -> None:
    random = np.random.default_rng(0)
    codes, factors = random.normal(size=(400, 3)), random.integers(0, 4, size=(400, 2))
    np.testing.assert_allclose(
        typed_information_matrix(codes, factors, estimator="bins", n_bins=7),
        mutual_information_matrix(codes, factors, n_bins=7),
        atol=1e-12,
    )


def test_bins_of_a_uniform_variable_hold_their_entropy() -> None:
    x = (np.arange(1000) + 0.5) / 1000
    assert information(x, -x, estimator="bins", n_bins=10) == pytest.approx(math.log(10))
    assert information(x, 360 * x, kinds="circular:360", estimator="bins", n_bins=10) == pytest.approx(
        math.log(10)
    )


def test_a_code_of_few_values_is_counted() -> None:
    factor = np.tile(np.arange(5), 40)
    assert information(factor / 10, factor) == pytest.approx(math.log(5))  # by counting: exact
    assert information(factor / 10, factor, code_kinds="continuous") == pytest.approx(
        digamma(200) - digamma(40)  # each sample has its three neighbours among its ties
    )


def test_scale_offset_and_sign_do_not_matter_and_neither_does_the_seed_without_ties() -> None:
    x, y = gaussians(300, 0.8)
    expected = information(x, y)
    assert information(-1000 * x + 5, y) == pytest.approx(expected, abs=1e-6)
    assert information(x, 1e-3 * y - 5, seed=7) == pytest.approx(expected, abs=1e-6)
    assert information(x, y, seed=0) == expected


def test_a_constant_code_knows_nothing() -> None:
    x, y = gaussians(50, 0.9)
    assert typed_information_matrix(np.c_[0 * x + 0.7, x], y[:, None])[0, 0] == 0


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"estimator": "kde"}, "`estimator` must be `neighbours` or `bins`, but is 'kde'"),
        ({"n_bins": 1}, "`n_bins` must be at least 2, but is 1"),
        ({"n_neighbors": 0}, "`n_neighbors` must be at least 1, but is 0"),
        ({"n_neighbors": 50}, "50 nearest neighbours need more than 50 samples, but there are 50"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], fault: str) -> None:
    x, y = gaussians(50, 0.9)
    with pytest.raises(ValueError, match=fault):
        information(x, y, **options)


def test_a_constant_factor_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="factor 0 is constant"):
        information(np.arange(9.0), np.full(9, 0.3))
