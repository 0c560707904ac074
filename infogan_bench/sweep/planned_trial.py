"""A planned trial, which the plan or the search gives to Ray, and Ray to the process that trains it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infogan_bench.records import Mutation


@dataclass(frozen=True)
class PlannedTrial:
    """A trial that is to run.

    Attributes:
        trial_id: "0003".
        params: the swept values that it began with, or is to begin with, {dotted key: value}.
        checkpoint: the path on the checkpoint store to go on from; None for a trial that begins.
        mutations: what the values became since it began.
        waits: the trial reports once more where its checkpoint stands before it trains on, since its population has
            not been compared there yet.
        packed: the trial trains in one stack with others (`infogan_bench.pack`).
    """

    trial_id: str
    params: Mapping[str, Any]
    checkpoint: str | None = None
    mutations: tuple[Mutation, ...] = ()
    waits: bool = False
    packed: bool = False

    @property
    def values(self) -> Mapping[str, Any]:
        """The swept values as they are now."""
        return self.mutations[-1].params if self.mutations else self.params

    def to_json(self) -> str:
        """The text that travels in a Ray configuration."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PlannedTrial:
        """The trial that `to_json` wrote."""
        document = json.loads(text)
        mutations = tuple(Mutation(**mutation) for mutation in document["mutations"])
        return cls(**{**document, "mutations": mutations})
