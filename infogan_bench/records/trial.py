"""`trial.json`: the configuration of a trial and all its reports, beside its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infogan_bench.records.files import read_record, write_record
from infogan_bench.records.paths import TrialPaths
from infogan_bench.records.results import Mutation, SeedResult


@dataclass(frozen=True)
class TrialRecord:
    """A trial as its folder holds it.

    `history` has every report so far, so the curves stay whole if the driver is killed.
    """

    trial_id: str = field(metadata={"key": "trial"})
    params: Mapping[str, Any]  # {dotted key of the base run: value}, as the trial began
    run: Mapping[str, Any]  # the resolved base run: `RunConfig`
    dataset: Mapping[str, Any]  # `DatasetConfig`
    seeds: tuple[int, ...]
    progress: tuple[SeedResult, ...]  # the last report of each seed
    history: tuple[SeedResult, ...]
    mutations: tuple[Mutation, ...] = ()
    device: str | None = None  # cpu or cuda
    threads: int | None = None  # of torch on the CPU, which the bits depend on
    packed: bool = False  # whether it trained in one stack with other trials, on which the last bits depend

    @property
    def step(self) -> int:
        """The number of updates of the most advanced seed."""
        return max((result.step for result in self.progress), default=0)


def read_trial(folder: Path) -> TrialRecord:
    """Read the record in a trial's folder.

    Raises:
        RecordError: if there is none, or it is damaged.
    """
    return read_record(TrialPaths(folder).record, TrialRecord)


def write_trial(folder: Path, record: TrialRecord) -> None:
    """Write the record into a trial's folder."""
    write_record(TrialPaths(folder).record, record)
