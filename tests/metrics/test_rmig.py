from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, mig, rmig
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

RANDOM = np.random.default_rng(0)
FACTORS = RANDOM.integers(0, 4, size=(500, 2))
CODES = FACTORS + 0.5 * RANDOM.normal(size=(500, 2))


def by_density(
    means: NDArray[Any],
    deviations: NDArray[Any],
    factor: NDArray[Any],
    n_bins: int,
    limits: tuple[float, float],
) -> float:
    """I(z, v) with the density at a bin's centre for its probability, plainly: the rule of the authors' code."""
    edges = np.linspace(*limits, n_bins + 1)
    shares = norm.pdf((edges[1:] + edges[:-1])[None] / 2, means[:, None], deviations[:, None])
    shares /= shares.sum(axis=1, keepdims=True)
    total, marginal = 0.0, shares.mean(axis=0)
    for value in np.unique(factor):
        joint = shares[factor == value].sum(axis=0) / len(factor)
        total += np.sum(
            joint * np.log(joint / (marginal * np.mean(factor == value)), where=joint > 0, out=0 * joint)
        )
    return float(total)


def test_without_deviations_it_is_mig() -> None:
    for n_bins in (20, 100):
        assert rmig(CODES, FACTORS, n_bins=n_bins).value == pytest.approx(
            mig(CODES, FACTORS, n_bins=n_bins).value
        )
        small = rmig(CODES, FACTORS, n_bins=n_bins, deviations=np.full_like(CODES, 1e-12))
        assert small.value == pytest.approx(
            mig(CODES, FACTORS, n_bins=n_bins).value, abs=0.01
        )  # means on an edge


def test_the_rule_of_the_authors_code() -> None:
    codes = RANDOM.normal(size=(500, 2)) * 0.3 + FACTORS / 2 - 0.75
    deviations = RANDOM.uniform(0.1, 0.6, size=codes.shape)
    score = rmig(codes, FACTORS, deviations=deviations, limits=(-4, 4))
    expected = [
        [by_density(codes[:, i], deviations[:, i], FACTORS[:, k], 100, (-4, 4)) for k in range(2)]
        for i in range(2)
    ]
    np.testing.assert_allclose(
        score.mutual_information, expected, atol=1e-3
    )  # what lies outside the limits is dropped there
    assert score.n_bins == 100
    assert score.limits.tolist() == [[-4, 4], [-4, 4]]


def test_two_gaussians() -> None:
    factor = np.tile([0, 1], 100)[:, None]
    means, deviations = 2.0 * factor - 1, np.full((200, 1), 0.8)

    def mixture(z: float) -> float:
        return float((norm.pdf(z, 1, 0.8) + norm.pdf(z, -1, 0.8)) / 2)

    entropy = quad(lambda z: -mixture(z) * math.log(mixture(z)), -8, 8)[0]
    expected = entropy - 0.5 * math.log(2 * math.pi * math.e * 0.8**2)  # h(z) - h(z | v)
    score = rmig(means, factor, deviations=deviations, n_bins=1000)
    assert score.mutual_information[0, 0] == pytest.approx(expected, abs=1e-4)
    assert score.value == pytest.approx(expected / math.log(2), abs=1e-3)


def test_wide_posteriors_hide_what_their_means_know() -> None:
    sharp, blurred = (rmig(CODES, FACTORS, deviations=np.full_like(CODES, s)).value for s in (0.05, 3.0))
    assert blurred < 0.1 < 0.4 < sharp


def test_scale_offset_sign_and_order_of_codes_do_not_matter() -> None:
    deviations = RANDOM.uniform(0.1, 0.6, size=CODES.shape)
    expected = rmig(CODES, FACTORS, deviations=deviations).value
    changed = rmig(CODES[:, ::-1] * [4, -0.25] + [1, 2], FACTORS, deviations=deviations[:, ::-1] * [4, 0.25])
    assert changed.value == pytest.approx(expected, abs=1e-9)


def test_degenerate_and_wrong_input() -> None:
    assert rmig(CODES * 0, FACTORS).value == 0
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        rmig(CODES, FACTORS * [1, 0])
    for deviations in (-np.ones_like(CODES), np.ones((500, 1))):
        with pytest.raises(ValueError, match="`deviations` must be at least 0 and have the shape"):
            rmig(CODES, FACTORS, deviations=deviations)
    with pytest.raises(ValueError, match="`limits` must increase"):
        rmig(CODES, FACTORS, limits=(1, 1))
    with pytest.raises(ValueError, match="`n_bins` must be at least 2"):
        rmig(CODES, FACTORS, n_bins=1)
