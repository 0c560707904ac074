"""What holds for any codes, and the exceptions that the literature knows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infogan_metrics import METRICS, NotDefinedError

pytestmark = pytest.mark.filterwarnings("ignore:a factor has")

GAPS = ["mig", "mig_sup", "jemmig", "dcimig", "modularity", "sap_continuous", "irs"]
BINNED = ["mig", "mig_sup", "jemmig", "dcimig", "modularity"]
GRID = np.tile(list(itertools.product(range(3), range(4))), (15, 1))


def score(name: str, codes: Any, factors: Any) -> float:
    return float(METRICS[name].function(codes, factors))


codes_of = st.integers(0, 2**32 - 1).map(
    lambda seed: (
        GRID @ np.random.default_rng(seed).normal(size=(2, 3))
        + np.random.default_rng(seed + 1).normal(size=(len(GRID), 3))
    )
)


@pytest.mark.parametrize("name", GAPS)
@given(codes=codes_of, order=st.permutations(range(3)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_codes_does_not_matter(name: str, codes: Any, order: list[int]) -> None:
    assert score(name, codes[:, order], GRID) == pytest.approx(score(name, codes, GRID), abs=1e-9)


@pytest.mark.parametrize("name", [*BINNED, "sap_continuous"])
@given(
    codes=codes_of,
    powers=st.tuples(*[st.integers(-8, 8)] * 3),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
)
@settings(max_examples=15, deadline=None)
def test_sign_and_scale_of_single_codes_do_not_matter(
    name: str, codes: Any, powers: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    scales = np.array(signs) * 2.0 ** np.array(powers)  # powers of two, so that no value moves across an edge
    assert score(name, codes * scales, GRID) == pytest.approx(score(name, codes, GRID), abs=1e-9)


@pytest.mark.parametrize("name", GAPS)
@given(codes=codes_of, values=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_names_of_factor_values_matter_where_distances_do(name: str, codes: Any, values: list[int]) -> None:
    renamed = np.column_stack([GRID[:, 0], np.array(values)[GRID[:, 1]]])
    if name != "sap_continuous":  # a squared correlation knows the distances of values
        assert score(name, codes, renamed) == pytest.approx(score(name, codes, GRID), abs=1e-9)


@pytest.mark.parametrize("name", GAPS)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), sign=st.sampled_from([-1, 1]))
@settings(max_examples=10, deadline=None)
def test_a_perfect_code_scores_one(name: str, scale: float, shift: float, sign: int) -> None:
    assert score(name, sign * scale * GRID[:, ::-1] + shift, GRID) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "worth"),
    [
        *[("mig", 0.0), ("mig_sup", 0.0), ("dcimig", 0.0), ("sap_continuous", 0.0)],
        ("jemmig", 0.12),  # its ceiling takes codes that fill all bins evenly
        ("modularity", 0.65),  # how little a code knows does not matter
        ("irs", 0.38),  # a code that nothing moves stays put
        ("factor_vae", 0.2),  # chance of five factors
        ("beta_vae", 0.2),
    ],
)
def test_what_noise_is_worth(golden: Any, name: str, worth: float) -> None:
    assert score(name, golden.codes("noise"), golden.factors()) == pytest.approx(worth, abs=0.02)


@pytest.mark.parametrize(
    ("name", "case", "least"),
    [
        ("factor_vae", "rotated", 0.98),  # neither score minds codes that are rotated
        ("beta_vae", "rotated", 0.98),
        ("factor_vae", "noisy_1.0", 0.98),  # or as much noise as signal
        ("modularity", "noisy_1.0", 0.98),
        ("mig_sup", "redundant", 0.89),  # a second code of the same factor costs these nothing
        ("dcimig", "redundant", 0.86),
    ],
)
def test_scores_that_stay_high(golden: Any, name: str, case: str, least: float) -> None:
    assert score(name, golden.codes(case), golden.factors()) > least


@pytest.mark.parametrize("name", ["mig", "sap_continuous"])
def test_scores_that_a_second_code_of_the_same_factor_takes_to_zero(golden: Any, name: str) -> None:
    assert score(name, golden.codes("redundant"), golden.factors()) == pytest.approx(0.0, abs=1e-12)


def test_perfect_codes_stay_below_one_where_a_factor_has_more_values_than_bins(golden: Any) -> None:
    assert score("mig", golden.codes("perfect"), golden.factors()) == pytest.approx(0.8957, abs=1e-4)


# Degenerate input -----------------------------------------------------------------------------------------

OF_FACTORS = [name for name, metric in METRICS.items() if metric.uses_factors]


def call(name: str, codes: Any, factors: Any) -> float:
    arrays = {"codes": codes, "factors": factors, "test_codes": codes, "test_factors": factors}
    return float(METRICS[name].function(*(arrays[argument] for argument in METRICS[name].inputs)))


@pytest.mark.parametrize("name", OF_FACTORS)
@pytest.mark.parametrize(
    ("codes", "factors", "fault"),
    [
        (GRID * np.nan, GRID, "`codes` must be finite, but row 0, column 0 is nan"),
        (GRID[:0], GRID[:0], "`codes` must hold at least one row and one column"),
        (GRID[:, :0], GRID, "`codes` must hold at least one row and one column"),
        (GRID[:-1], GRID, "must have one row per sample, but have 179 and 180 rows"),
        (GRID[:, 0], GRID, "`codes` must be 2-D"),
        (GRID, GRID[:, 0], "`factors` must be 2-D"),
    ],
)
def test_malformed_arrays_are_refused(name: str, codes: Any, factors: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        call(name, codes, factors)


@pytest.mark.parametrize("name", sorted(set(OF_FACTORS) - {"irs"}))
def test_a_constant_factor_is_not_defined(name: str) -> None:
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        call(name, GRID, GRID * [1, 0])


DEAD = np.full((len(GRID), 2), 0.7)
NOT_DEFINED = {
    "modularity": "no code knows",
    "mig_sup": "no code knows",
    "jemmig": "no code knows",  # its formula would give 0.7, more than codes that work have
    "irs": "all codes are constant",
    "best_codes": "all codes are constant",
    "jemmig_continuous": "all codes are constant",
    "dci_es": "all codes are constant",
    "infomec": "0 of the codes are active",
}
WORTH = {
    "explicitness": 0.5,  # the area under the curve of a guess
    "beta_vae": 0.5,  # chance of two factors
    "linear_probe": 7 / 24,  # chance of three and of four values
    "neighbour_probe": 7 / 24,
}


@pytest.mark.parametrize("name", sorted(set(OF_FACTORS) - set(NOT_DEFINED)))
def test_what_dead_codes_are_worth(name: str) -> None:
    assert call(name, DEAD, GRID) == pytest.approx(
        WORTH.get(name, 0.0), abs=0.02 if name == "beta_vae" else 1e-9
    )


@pytest.mark.parametrize(("name", "reason"), NOT_DEFINED.items())
def test_where_dead_codes_have_no_value(name: str, reason: str) -> None:
    with pytest.raises(NotDefinedError, match=reason):
        call(name, DEAD, GRID)


@pytest.mark.parametrize("name", BINNED)
def test_fewer_samples_than_bins_are_scored(name: str) -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert score(name, factors, factors) == pytest.approx(1.0)
    assert 0 <= score(name, np.random.default_rng(0).normal(size=(4, 3)), factors) <= 1
