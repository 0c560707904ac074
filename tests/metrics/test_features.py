from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from infogan_metrics import density_coverage, fid, kid, prdc, precision_recall
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

few = pytest.mark.filterwarnings("ignore:.* FID is far too high")


def normal(n: int, d: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(n, d))


# FID ------------------------------------------------------------------------------------------------------


@few
@pytest.mark.parametrize(("n", "d"), [(1000, 8), (10, 64), (2, 64), (50, 2048)])
def test_equal_sets_have_no_distance_and_a_shift_has_its_square(n: int, d: int) -> None:
    x = normal(n, d)
    assert 0 <= fid(x, x).value < 1e-9
    shifted = fid(x, x + 0.5)  # whatever the covariance, the distance is that of the means
    assert shifted.value == pytest.approx(0.25 * d, rel=1e-9)
    assert shifted.covariance_part == pytest.approx(0.0, abs=1e-9)


@few
@pytest.mark.parametrize(("n", "d"), [(500, 8), (10, 64)])
def test_twice_a_centred_set_is_away_by_the_trace_of_its_covariance(n: int, d: int) -> None:
    x = normal(n, d)
    x -= x.mean(axis=0)
    trace = float(np.trace(np.cov(x, rowvar=False)))  # tr (C + 4 C - 2 * 2 C)
    assert fid(x, 2 * x).value == pytest.approx(trace)


@few
def test_a_collapsed_set_is_away_by_the_means_and_the_trace() -> None:
    x = normal(300, 6)
    collapsed = np.tile([[1.0, 0, 0, 2, 0, 0]], (20, 1))
    gap = x.mean(axis=0) - collapsed[0]
    expected = gap @ gap + np.trace(np.cov(x, rowvar=False))
    assert fid(x, collapsed).value == pytest.approx(expected)


def test_the_formula_as_published() -> None:
    x, y = normal(400, 5) @ normal(5, 5, seed=1), 1 + normal(300, 5, seed=2) @ normal(5, 5, seed=3)
    c1, c2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    gap = x.mean(axis=0) - y.mean(axis=0)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    score = fid(x, y)
    assert score.value == pytest.approx(gap @ gap + np.trace(c1 + c2 - 2 * root), rel=1e-9)
    assert fid(y, x).value == pytest.approx(score.value, rel=1e-12)
    assert (score.n, score.n_fake, score.dimensions, score.clamped) == (400, 300, 5, 0.0)


@few
@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_never_negative_symmetric_and_unmoved_by_rotations(m: int, n: int, d: int, seed: int) -> None:
    x, y = normal(m, d, seed), normal(n, d, seed + 1) ** 3
    score = fid(x, y)
    assert score.value >= 0
    assert score.clamped < 1e-9
    assert fid(y, x).value == pytest.approx(score.value, rel=1e-9, abs=1e-9)
    rotation = np.linalg.qr(normal(d, d, seed + 2))[0]
    assert fid(x @ rotation, y @ rotation).value == pytest.approx(score.value, rel=1e-9, abs=1e-9)


def test_a_distance_below_zero_is_set_to_zero_and_said_so() -> None:
    scores = [fid(x, x) for x in (1e3 * normal(200, 16, seed) for seed in range(20))]
    clamped = [score for score in scores if score.clamped]
    assert clamped  # rounding falls on either side
    assert all(score.value == 0 and score.clamped < 1e-6 for score in clamped)


def test_few_samples_raise_it_and_are_warned_of() -> None:
    small = fid(normal(100, 32), normal(100, 32, seed=1)).value
    large = fid(normal(5000, 32), normal(5000, 32, seed=1)).value
    assert small > 10 * large > 0  # both are 0 in the limit
    with pytest.warns(UserWarning, match="`fake` has 10 samples of 32 features"):
        fid(normal(100, 32), normal(10, 32))


# KID ------------------------------------------------------------------------------------------------------


def test_kid_is_the_mean_of_blocks_written_out() -> None:
    x, y = normal(12, 3), 1 + normal(8, 3, seed=1)
    score = kid(x, y, n_blocks=2)
    random = np.random.default_rng(0)
    xs, ys = x[random.permutation(12)], y[random.permutation(8)]
    blocks = [mmd_by_loops(xs[:6], ys[:4]), mmd_by_loops(xs[6:], ys[4:])]
    assert score.per_block.tolist() == pytest.approx(blocks)
    assert score.value == pytest.approx(np.mean(blocks))
    assert score.standard_error == pytest.approx(abs(blocks[0] - blocks[1]) / 2)


def mmd_by_loops(x: Any, y: Any) -> float:
    def kernel(a: Any, b: Any) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    within = [
        np.mean([kernel(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]) for s in (x, y)
    ]
    return float(within[0] + within[1] - 2 * np.mean([kernel(a, b) for a in x for b in y]))


def test_kid_of_two_normals_in_closed_form() -> None:
    # In one dimension (x y + 1)^3 compares moments: sum_p C(3, p) (E x^p - E y^p)^2.
    # N(0, 1): 0, 1, 0. N(1, 1): 1, 2, 4. So 3 * 1 + 3 * 1 + 1 * 16 = 22.
    score = kid(normal(10_000, 1), 1 + normal(10_000, 1, seed=1))
    assert score.value == pytest.approx(22, abs=4 * score.standard_error)
    assert score.standard_error < 1


def test_kid_is_not_biased_by_few_samples() -> None:
    values = [kid(normal(40, 4, 2 * i), normal(40, 4, 2 * i + 1), n_blocks=2).value for i in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(300)
    assert min(values) < 0 < max(values)


def test_kid_needs_two_samples_a_block() -> None:
    assert len(kid(normal(12, 3), normal(40, 3)).per_block) == 6  # as many as have two of the 12
    assert len(kid(normal(4, 3), normal(40, 3)).per_block) == 2
    assert len(kid(normal(41, 3), normal(40, 3)).per_block) == 10
    with pytest.raises(ValueError, match="2 blocks need 4 samples of each set, but one has 3"):
        kid(normal(3, 3), normal(40, 3))
    with pytest.raises(ValueError, match="10 blocks need 20 samples of each set, but one has 12"):
        kid(normal(12, 3), normal(40, 3), n_blocks=10)
    with pytest.raises(ValueError, match="`n_blocks` must be at least 2, but is 1"):
        kid(normal(12, 3), normal(40, 3), n_blocks=1)


# Precision, recall, density, coverage ---------------------------------------------------------------------

REAL = np.array([[0.0], [1.0], [2.0], [10.0]])  # first neighbours at 1, 1, 1, 8
FAKE = np.array([[0.5], [0.7], [5.0]])  # at 0.2, 0.2, 4.3


def test_precision_and_recall_by_hand() -> None:
    score = precision_recall(REAL, FAKE, k=1)
    assert score.precision == 1.0  # 5 lies in the ball of the outlier 10
    assert score.recall == 0.5  # 1 and 2 lie in the ball of 5; 0 and 10 in none
    assert score.value == pytest.approx(2 / 3)


def test_density_and_coverage_by_hand() -> None:
    score = density_coverage(REAL, FAKE, k=1)
    assert score.density == pytest.approx((2 + 2 + 1) / 3)
    assert score.value == score.coverage == 0.75  # the ball of 2 holds no fake


def test_equal_and_distant_sets() -> None:
    x = normal(300, 4)
    for k in (3, 5):
        assert precision_recall(x, x, k=k).value == density_coverage(x, x, k=k).value == 1.0
        assert precision_recall(x, x + 100, k=k).value == density_coverage(x, x + 100, k=k).value == 0.0


def test_coverage_of_equal_distributions_is_what_the_paper_expects() -> None:
    # A ball of k = 5 neighbours among n reals misses all n fakes with probability about 1 / 2^k.
    score = density_coverage(normal(1500, 4), normal(1500, 4, seed=1))
    assert score.coverage == pytest.approx(1 - 1 / 2**5, abs=0.02)
    assert score.density == pytest.approx(1.0, abs=0.05)


def test_dropped_modes_cost_recall_and_coverage_alone() -> None:
    x, y = normal(400, 2), normal(400, 2, seed=1)
    x[200:] += 50
    score = precision_recall(x, y)
    assert score.precision > 0.9
    assert score.recall == pytest.approx(0.5, abs=0.05)
    assert density_coverage(x, y).coverage == pytest.approx(0.5, abs=0.05)


def test_chunks_agree_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(100, 3), normal(70, 3, seed=1)
    whole = precision_recall(x, y), density_coverage(x, y)
    monkeypatch.setattr("infogan_metrics.neighbourhoods._TABLE", 700)
    assert precision_recall(x, y).value == whole[0].value
    assert density_coverage(x, y).density == whole[1].density


@pytest.mark.parametrize("score", [precision_recall, density_coverage])
def test_k_must_have_neighbours(score: Any) -> None:
    with pytest.raises(
        ValueError, match="`k` must be at least 1 and below the number of samples, 4, but is 4"
    ):
        score(REAL, FAKE.repeat(3, axis=0), k=4)


# Wrong input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [fid, kid, precision_recall, density_coverage])
@pytest.mark.parametrize(
    ("real", "fake", "fault"),
    [
        (normal(30, 3), normal(1, 3), "`fake` must hold two samples or more, but holds one"),
        (normal(1, 3), normal(30, 3), "`real` must hold two samples or more, but holds one"),
        (normal(30, 3), normal(30, 4), "must have the same features, but have 3 and 4"),
        (normal(30, 3) * np.nan, normal(30, 3), "`real` must be finite, but row 0, column 0 is nan"),
        (normal(30, 3), normal(30, 3) * np.inf, "`fake` must be finite"),
        (np.zeros((0, 3)), normal(30, 3), "`real` must hold at least one row"),
        (np.zeros(3), normal(30, 3), "`real` must be 2-D"),
    ],
)
def test_wrong_input_is_refused(score: Any, real: Any, fake: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        score(real, fake)


@pytest.mark.parametrize("kind", ["normal", "duplicates", "grid", "far apart"])
def test_matrix_products_decide_as_distances_do(kind: str) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 5)), random.normal(size=(50, 5))
    if kind == "duplicates":  # radii of 0, which only what equals a sample reaches
        x, y = np.repeat(x[:12], 5, axis=0), np.concatenate([x[:25], y[:25] * 1e-9])
    elif kind == "grid":  # many distances that are equal to a radius
        x, y = random.integers(0, 3, (60, 5)) * 0.1, random.integers(0, 3, (50, 5)) * 0.1
    elif kind == "far apart":  # squared norms of 1e16 round by more than the squared distances within a group
        x, y = x + 1e8 * (np.arange(60) % 2)[:, None], y + 1e8 * (np.arange(50) % 2)[:, None]
    centred, fakes = x - x.mean(axis=0), y - x.mean(axis=0)
    for k in (1, 3):
        score = prdc(x, y, k=k)
        radii, fake_radii = (np.sort(cdist(a, a, "sqeuclidean"), axis=1)[:, k] for a in (centred, fakes))
        between = cdist(centred, fakes, "sqeuclidean")
        slack = 1e-9 * radii.max() * (kind == "grid")  # ties of fractions: equal but for a last digit
        if kind == "grid":
            assert score.coverage <= (between <= radii[:, None] + slack).any(axis=1).mean()
            assert score.coverage >= (between <= radii[:, None] - slack).any(axis=1).mean()
            continue
        inside, in_fake = between <= radii[:, None], between <= fake_radii
        assert score.precision == inside.any(axis=0).mean()
        assert score.recall == in_fake.any(axis=1).mean()
        assert score.density == pytest.approx(inside.sum(axis=0).mean() / k)
        assert score.coverage == inside.any(axis=1).mean()
        assert score.precision == precision_recall(x, y, k=k).precision
        assert score.coverage == density_coverage(x, y, k=k).coverage
