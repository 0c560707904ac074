from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import Kind, NotDefinedError
from infogan_metrics.kinds import as_columns, as_split, check_factors_vary

MIXED = np.array([["red", 1, 0.5], ["blue", 2, 0.25], ["red", 2, 0.0]], dtype=object)


def test_kinds_are_read_from_text_and_written_back() -> None:
    assert Kind.parse("continuous") == Kind("continuous")
    assert Kind.parse("circular") == Kind("circular", math.tau)
    assert Kind.parse("circular:360") == Kind("circular", 360.0)
    assert [str(Kind.parse(text)) for text in ("category", "ordered", "circular:360")] == [
        *("category", "ordered", "circular:360")
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("angle", "must be one of category, ordered, continuous, circular, but is 'angle'"),
        ("circular:0", "period of a circular kind must be above 0"),
        ("circular:turn", "period of a circular kind must be above 0, but the kind is 'circular:turn'"),
        ("ordered:3", "a period belongs to a circular kind alone, but the kind is 'ordered:3'"),
    ],
)
def test_unknown_kinds_are_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Kind.parse(text)


def test_kinds_are_guessed_column_by_column() -> None:
    columns = as_columns(MIXED)
    assert [kind.name for kind in columns.kinds] == ["category", "category", "continuous"]
    assert columns.values.tolist() == [[1, 0, 0.5], [0, 1, 0.25], [1, 1, 0]]
    assert as_columns(MIXED, whole="ordered").kinds[1].name == "ordered"
    assert as_columns(MIXED, whole="ordered").values[:, 1].tolist() == [1, 2, 2]


def test_one_kind_serves_for_all_columns_or_each_has_its_own() -> None:
    numbers = np.arange(6.0).reshape(3, 2)
    assert [kind.name for kind in as_columns(numbers, "continuous").kinds] == ["continuous"] * 2
    given = as_columns(numbers, [Kind("ordered"), "circular:6"]).kinds
    assert given == (Kind("ordered"), Kind("circular", 6.0))


def test_what_a_regression_predicts_of_each_kind() -> None:
    columns = as_columns(np.array([[0, 0.0], [2, 90.0], [2, 450.0]]), ["category", "circular:360"])
    assert columns.targets(0).tolist() == [[1, 0], [0, 1], [0, 1]]
    np.testing.assert_allclose(columns.targets(1), [[1, 0], [0, 1], [0, 1]], atol=1e-15)
    assert as_columns([[3.5]], "continuous").targets(0).tolist() == [[3.5]]


@pytest.mark.parametrize(
    ("values", "kinds", "fault"),
    [
        ([[0.5]], "category", "must be discrete, but holds values that are not whole numbers"),
        ([["a"]], "ordered", r"`factors\[:, 0\]` holds text, so its kind must be category, but is ordered"),
        ([[1, 2]], ["category"], "one kind for each of the 2 columns of `factors`, but names 1"),
        ([1, 2], None, "`factors` must be 2-D"),
        (["a", "b"], None, "`factors` must be 2-D"),
        ([[math.nan]], "continuous", "`factors` must be finite"),
    ],
)
def test_arrays_that_do_not_fit_their_kinds_are_refused(values: Any, kinds: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        as_columns(values, kinds)


def test_constant_factors_of_any_kind_are_not_defined() -> None:
    for values, kind in (
        ([[2], [2]], "category"),
        ([[0.1], [0.1]], "continuous"),
        ([[1], [361]], "circular:360"),
    ):
        with pytest.raises(NotDefinedError, match="MIG is not defined: factor 0 is constant"):
            check_factors_vary(as_columns(values, kind), "MIG")


def test_splits_share_their_categories_and_kinds() -> None:
    codes = np.zeros((3, 1))
    _, train, _, test = as_split(codes, MIXED, codes[:1], MIXED[1:2])
    assert train.kinds == test.kinds
    assert test.values.tolist() == [[0, 1, 0.25]]
    with pytest.raises(ValueError, match="factor 0 has values in the test split that no training sample has"):
        as_split(codes[:1], MIXED[:1], codes, MIXED)
    with pytest.raises(ValueError, match="`factors` and `test_factors` must have the same columns"):
        as_split(codes, MIXED, codes, MIXED[:, :2])
    with pytest.raises(ValueError, match="one row per sample, but have 3 and 1 rows"):
        as_split(codes, MIXED[:1], codes, MIXED)
