"""Records from JSON and back: types are checked, and a fault names file and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from infogan_bench.records import RecordError, Status, decode, encode


@dataclass(frozen=True)
class Inner:
    name: str
    share: float | None = None


@dataclass(frozen=True)
class Outer:
    trial_id: str = field(metadata={"key": "trial"})
    step: int
    status: Status
    tile: tuple[int, int]
    inners: tuple[Inner, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False


DOCUMENT = {
    "trial": "0003",
    "step": 5,
    "status": "finished",
    "tile": [28, 28],
    "inners": [{"name": "a"}, {"name": "b", "share": 1}],
    "scores": {"mig": 0.5},
    "params": {"codes.categorical": [10, 10]},
    "done": True,
}


def test_a_record_is_its_document_and_back() -> None:
    record = decode(Outer, DOCUMENT, "FILE")
    assert record == Outer(
        "0003", 5, Status.FINISHED, (28, 28), (Inner("a"), Inner("b", 1.0)), {"mig": 0.5},
        {"codes.categorical": [10, 10]}, True,
    )  # fmt: skip
    assert encode(record) == {
        **DOCUMENT,
        "inners": [{"name": "a", "share": None}, {"name": "b", "share": 1.0}],
    }


def test_keys_that_are_not_defined_are_left_out_and_those_with_a_default_may_be_missing() -> None:
    document = {"trial": "0", "step": 0, "status": "pending", "tile": [1, 1], "later": 7}
    assert decode(Outer, document, "FILE") == Outer("0", 0, Status.PENDING, (1, 1))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step": "5"}, "FILE: `step` must be a whole number, but is '5'"),
        ({"step": True}, "FILE: `step` must be a whole number, but is True"),
        ({"trial": 3}, "FILE: `trial` must be text, but is 3"),
        ({"done": 1}, "FILE: `done` must be true or false, but is 1"),
        ({"tile": [28]}, r"FILE: `tile` must be a list of 2, but is \[28\]"),
        ({"status": "well"}, "FILE: `status` must be one of pending, running, .*, but is 'well'"),
        ({"inners": [{"name": "a"}, {}]}, r"FILE: `inners\[1\].name` is missing"),
        ({"inners": {}}, "FILE: `inners` must be a list, but is {}"),
        ({"scores": {"mig": None}}, "FILE: `scores.mig` must be a number, but is None"),
        ({"scores": {"mig": 10**400}}, "FILE: `scores.mig` must be a number, but is 1000"),
        ({"params": []}, r"FILE: `params` must be an object, but is \[\]"),
    ],
)
def test_a_fault_names_file_and_key(changed: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=f"^{message}"):
        decode(Outer, DOCUMENT | changed, "FILE")


def test_a_document_that_is_no_object() -> None:
    with pytest.raises(RecordError, match=r"^FILE: must hold an object, but holds \[\]$"):
        decode(Outer, [], "FILE")
