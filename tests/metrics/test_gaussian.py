from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from infogan_metrics import (
    NotDefinedError,
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
)


def test_reference_values(golden: Any, case: str) -> None:
    expected = golden.values[case]["unsupervised"]
    total = gaussian_total_correlation(golden.codes(case))
    np.testing.assert_allclose(total.covariance, golden.expected(case)["cov"], rtol=1e-9, atol=1e-12)
    # The reference has NaN for constant codes; standardised codes without them are those of `perfect`.
    value = (golden.values["perfect"] if case == "dead" else golden.values[case])["unsupervised"]
    assert total.value == pytest.approx(float(value["gaussian_total_correlation"]), abs=1e-7)
    distance = gaussian_wasserstein_correlation(golden.codes(case))
    for found, name in (
        (distance.value, "gaussian_wasserstein_correlation"),
        (distance.normalised, "gaussian_wasserstein_correlation_norm"),
    ):
        real = expected[name]["re"] if isinstance(expected[name], dict) else expected[name]
        assert found == pytest.approx(real, abs=1e-7)


def with_covariance(covariance: Any) -> Any:
    """Samples whose covariance is exactly this one."""
    normal = np.random.default_rng(0).normal(size=(50, len(covariance)))
    normal -= normal.mean(axis=0)
    white = normal @ np.linalg.inv(np.linalg.cholesky(np.cov(normal, rowvar=False))).T
    return white @ np.linalg.cholesky(np.asarray(covariance)).T


def test_closed_forms_of_two_codes() -> None:
    codes = with_covariance([[1.0, 0.6], [0.6, 1.0]])
    # det = 1 - 0.36; the roots of the eigenvalues 1.6 and 0.4 sum up to 3 sqrt(0.4)
    assert gaussian_total_correlation(codes).value == pytest.approx(-0.5 * math.log(0.64))
    distance = gaussian_wasserstein_correlation(codes)
    assert distance.value == pytest.approx(4 - 6 * math.sqrt(0.4))
    assert distance.normalised == pytest.approx(2 - 3 * math.sqrt(0.4))
    # Total correlation does not ask for units
    assert gaussian_total_correlation(codes * [1e-6, 1e6]).value == pytest.approx(-0.5 * math.log(0.64))


def test_distance_agrees_with_a_general_matrix_root() -> None:
    covariance = np.cov(np.random.default_rng(1).normal(size=(6, 9)))
    codes = with_covariance(covariance)
    root = scipy.linalg.sqrtm(np.diag(np.diag(covariance)) @ covariance)
    expected = 2 * np.trace(covariance) - 2 * np.trace(root).real
    assert gaussian_wasserstein_correlation(codes).value == pytest.approx(expected)


def test_independent_codes_score_zero() -> None:
    codes = with_covariance(np.diag([1.0, 4.0, 9.0]))
    assert gaussian_total_correlation(codes).value == pytest.approx(0.0, abs=1e-12)
    assert gaussian_wasserstein_correlation(codes).value == pytest.approx(0.0, abs=1e-6)


def test_codes_that_determine_each_other_have_infinite_total_correlation() -> None:
    codes = np.random.default_rng(0).normal(size=(20, 2))
    assert gaussian_total_correlation(np.column_stack([codes, -3 * codes[:, 0]])).value == math.inf
    assert gaussian_total_correlation(np.random.default_rng(0).normal(size=(3, 5))).value == math.inf


def test_single_codes_are_independent() -> None:
    codes = np.arange(5.0)[:, None]
    assert gaussian_total_correlation(codes).value == pytest.approx(0.0, abs=1e-12)
    assert gaussian_wasserstein_correlation(codes).value == pytest.approx(0.0)


@pytest.mark.parametrize("score", [gaussian_total_correlation, gaussian_wasserstein_correlation])
def test_what_is_not_defined_or_refused(score: Any) -> None:
    with pytest.raises(NotDefinedError, match="all codes are constant"):
        score(np.full((4, 2), 0.7))
    with pytest.raises(ValueError, match="at least two rows"):
        score(np.eye(1))
