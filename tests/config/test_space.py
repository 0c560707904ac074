from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infogan_bench.config.space import KINDS, Choice, Range, canonical, parse_domain

FORMS = [
    {"choice": [1, "a", True, [10, 10]]},
    {"grid": [0.1, 1.0]},
    {"uniform": [-1.0, 1.0]},
    {"loguniform": [1e-05, 0.01]},
    {"quniform": [0.0, 1.0, 0.1]},
    {"qloguniform": [0.1, 10.0, 0.1]},
    {"int": [1, 5]},
    {"logint": [1, 1000]},
    {"qint": [16, 100, 16]},
    {"qlogint": [16, 1000, 16]},
]


def test_every_kind_is_read_and_written_as_the_same_form() -> None:
    assert [next(iter(form)) for form in FORMS] == list(KINDS)
    for form in FORMS:
        domain = parse_domain(form)
        assert domain.dump() == form
        assert domain.kind == next(iter(form))


def test_a_bare_list_is_a_choice() -> None:
    assert parse_domain([1, 2]) == Choice((1, 2))


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        ([1, 10, 1e2, 100.0, 1e15, 1000000000000000], 4),
        ([[64], [64, 128]], 2),
        ([True, 1], 2),
        ([1, 1.0], 1),
        (["1", 1], 2),
        ([[1], [1.0], 1], 2),
        ([0.1, 1e-1], 1),
    ],
)
def test_equal_values_count_once(values, distinct) -> None:
    assert Choice(tuple(values)).size == distinct


def test_the_first_spelling_and_the_order_are_kept() -> None:
    assert repr(Choice((100, 1, 1e2)).values) == "(100, 1)"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ([], "the list is empty"),
        ({"choice": []}, "the list is empty"),
        ({"choice": 3}, "`choice` needs a list, got 3"),
        ({"choice": [math.nan]}, "expected a finite number, got nan"),
        ({"choice": [{"a": 1}]}, "a value cannot be a mapping"),
        ({"choise": [1]}, "unknown kind of domain `choise`; did you mean `choice`?"),
        ({"log_uniform": [1, 2]}, "unknown kind of domain `log_uniform`; did you mean `loguniform`?"),
        ({"uniform": [1]}, r"`uniform` needs \[low, high\], got 1 values"),
        ({"quniform": [1, 2]}, r"`quniform` needs \[low, high, step\], got 2 values"),
        ({"uniform": [2, 1]}, "the lower bound must be below the upper one, got 2.0 and 1.0"),
        ({"uniform": [1, 1]}, "the lower bound must be below the upper one"),
        ({"loguniform": [0, 1]}, "a logarithmic range must start above 0, got 0.0"),
        ({"logint": [0, 1]}, "a logarithmic range must start above 0, got 0"),
        ({"uniform": [0, math.inf]}, "expected a finite number, got inf"),
        ({"int": [0, 10**400]}, "expected a finite number, got 1000"),
        ({"uniform": ["1e-3", 1]}, "expected a number, got '1e-3'; remove the quotes"),
        ({"uniform": [True, 2]}, "expected a number, got true"),
        ({"int": [1.5, 3]}, "expected a whole number, got 1.5"),
        ({"quniform": [0, 1, 0]}, "the step must be greater than 0, got 0.0"),
        ({"qint": [65, 70, 64]}, "no multiple of 64 is between 65 and 70"),
        ({"qloguniform": [1, 1e15, 1e-320]}, r"holds more than 10\^30 values"),
        ({"int": [1, 2], "choice": [1]}, "expected one of .*, got 2 keys"),
        (3, "expected what to try, .* got 3; a fixed value belongs in `base`"),
    ],
)
def test_what_is_no_domain_is_refused(form, message) -> None:
    with pytest.raises(ValueError, match=message):
        parse_domain(form)


def test_whole_floats_are_bounds_of_integers() -> None:
    assert parse_domain({"int": [1, 1e3]}).dump() == {"int": [1, 1000]}


def test_quantised_values_are_the_multiples_inside_the_bounds_without_artefacts() -> None:
    assert list(parse_domain({"quniform": [0.05, 0.75, 0.1]}).all_values()) == [
        0.1,
        0.2,
        0.3,  # 3 * 0.1 is 0.30000000000000004 in binary
        0.4,
        0.5,
        0.6,
        0.7,
    ]
    assert list(parse_domain({"qint": [-40, 40, 32]}).all_values()) == [-32, 0, 32]


def test_sizes_count_both_ends_without_listing() -> None:
    assert parse_domain({"int": [1, 10**30]}).size == 10**30
    assert parse_domain({"quniform": [0, 1, 0.1]}).size == 11
    assert parse_domain({"uniform": [0, 1]}).size is None


@given(
    st.sampled_from([form for form in FORMS if "choice" not in form and "grid" not in form]), st.integers(0)
)
def test_samples_are_in_the_domain(form, seed) -> None:
    domain = parse_domain(form)
    assert isinstance(domain, Range)
    value = domain.sample(random.Random(seed))
    assert domain.low <= value <= domain.high
    assert value == float(f"{value:.6g}")
    if domain.integer:
        assert isinstance(value, int)
    if domain.size is not None:
        assert value in list(domain.all_values())


def test_a_logarithmic_range_gives_each_decade_the_same_share() -> None:
    domain = parse_domain({"loguniform": [1e-4, 1e-1]})
    rng = random.Random(0)
    decades = Counter(math.floor(math.log10(domain.sample(rng))) for _ in range(6000))
    # Three decades, 2000 each; the standard deviation of a count is sqrt(6000 * 1/3 * 2/3) = 36.5.
    assert all(abs(decades[decade] - 2000) < 5 * 36.5 for decade in (-4, -3, -2))


def test_a_logarithmic_integer_range_gives_k_the_share_of_its_half_open_neighbourhood() -> None:
    domain = parse_domain({"logint": [1, 4]})
    rng = random.Random(0)
    counts = Counter(domain.sample(rng) for _ in range(9000))
    # P(k) = ln((k + 1/2) / (k - 1/2)) / ln 9: 1/2 for k = 1, since 1.5 / 0.5 = 3 = sqrt 9.
    assert counts[1] / 9000 == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(9000))
    assert counts[4] / 9000 == pytest.approx(math.log(9 / 7) / math.log(9), abs=0.02)


def test_an_integer_range_reaches_both_ends_evenly() -> None:
    rng = random.Random(0)
    counts = Counter(Range(1, 3, integer=True).sample(rng) for _ in range(3000))
    assert sorted(counts) == [1, 2, 3]
    assert all(abs(count - 1000) < 5 * math.sqrt(3000 * 2 / 9) for count in counts.values())


def test_canonical_tells_flags_from_numbers_inside_lists() -> None:
    assert canonical([1, 2.0]) == canonical((1.0, 2))
    assert canonical([True]) != canonical([1])
