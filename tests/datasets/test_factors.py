"""Factors and their kinds: what is stored as it is, what scores are given, and what is refused."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import Kind, mcc

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, FactorRange, Factors, load_dataset

WHOLE = torch.tensor([[0, 2], [1, 0]])
MIXED = Factors(
    ("pose", "chair", "turn"),
    (None, 3, None),
    torch.tensor([[-30.5, 2, 359.0], [12.0, 0, 0.5]], dtype=torch.float64),
    kinds=("continuous", "category", "circular:360"),
    ranges=(FactorRange(-90, 90, "degrees"), None, FactorRange(0, 360, "degrees")),
)


def test_names_sizes_and_whole_numbers_are_enough() -> None:
    factors = Factors(("a", "b"), (2, 3), WHOLE)
    assert factors.test is WHOLE
    assert factors.kinds == (Kind("category"), Kind("category"))
    assert factors.ranges == (None, None)
    assert factors.whole == (0, 1)


def test_kinds_are_those_of_infogan_metrics() -> None:
    assert MIXED.kinds == (Kind("continuous"), Kind("category"), Kind("circular", 360))
    assert MIXED.whole == (1,)
    assert Factors(("a",), (None,), torch.tensor([[0.5]], dtype=torch.float64)).kinds == (Kind("continuous"),)


def test_scores_take_factors_with_their_kinds() -> None:
    """A code that is the cosine of a turn and one that is the pose: both are found."""
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.uniform(-90, 90, 500), rng.uniform(0, 360, 500)])
    truth = Factors(
        ("pose", "turn"), (None, None), torch.from_numpy(values), kinds=("continuous", "circular:360")
    )
    turn = np.deg2rad(values[:, 1])
    codes = np.column_stack([values[:, 0], np.cos(turn)])
    found = mcc(codes, truth.test.numpy(), kinds=truth.kinds)
    assert found.kinds == truth.kinds
    assert found.per_factor == pytest.approx([1, 1], abs=1e-6)


def test_the_first_rows_keep_kinds_and_ranges() -> None:
    first = MIXED.head(1)
    assert first.test.tolist() == [[-30.5, 2, 359.0]]
    assert (first.kinds, first.ranges) == (MIXED.kinds, MIXED.ranges)


def test_factors_of_any_kind_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(MIXED))
    assert torch.equal(copy.test, MIXED.test)
    assert (copy.names, copy.sizes, copy.kinds, copy.ranges) == (
        MIXED.names,
        MIXED.sizes,
        MIXED.kinds,
        MIXED.ranges,
    )


def test_sprites_know_which_factors_have_an_order() -> None:
    factors = load_dataset(DatasetConfig(name="sprites", train_size=4, test_size=4)).factors
    assert factors is not None
    assert factors.test.dtype == torch.int64
    assert [kind.name for kind in factors.kinds] == ["category", *["ordered"] * 4]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"test": WHOLE.float()}, "factors must be an int64 tensor (N, n_factors), found torch.float32 (2, 2)"),
        ({"sizes": (2, None)}, "factors must be a float64 tensor (N, n_factors), found torch.int64 (2, 2)"),
        ({"sizes": (2,)}, "found 2 names, 1 sizes and 2 columns"),
        ({"sizes": (2, 2)}, "factor `b` must be 0 to 1, found 2"),
        ({"kinds": ("category",)}, "factors need one kind each, found 2 names and 1 kinds"),
        ({"kinds": ("category", "continuous")}, "factor `b` is continuous and takes no size (None), found 3"),
        ({"kinds": ("category", "round")}, "a kind must be one of category, ordered, continuous, circular"),
        ({"sizes": (2, None), "test": WHOLE.double(), "kinds": ("ordered", "ordered")}, "takes a size, found None"),
        ({"sizes": (2, None), "test": WHOLE.double() / 4}, "factor `a` must be 0 to 1, found 0.25"),
        ({"sizes": (2, None), "test": WHOLE.double() / 0}, "must be 0 to 1, found nan"),
        ({"sizes": (None, None), "test": WHOLE.double() / 0}, "factor `a` must be finite, found nan"),
        (
            {"sizes": (2, None), "test": WHOLE.double(), "ranges": (None, FactorRange(0, 1.5))},
            "factor `b` must be 0 to 1.5, found 2",
        ),
    ],
)  # fmt: skip
def test_factors_that_break_their_promise_are_refused(change: dict[str, Any], fault: str) -> None:
    given = {"names": ("a", "b"), "sizes": (2, 3), "test": WHOLE} | change
    with pytest.raises(DatasetError, match=re.escape(fault)):
        Factors(**given)
