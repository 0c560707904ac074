"""The records that a trial sends to its listeners: the sweep folder, MLflow, the progress table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from infogan_bench.records.decoding import decode, encode
from infogan_bench.records.files import parse_json
from infogan_bench.records.seeds import mean_over_seeds


class Status(StrEnum):
    """The state of a trial, or of one of its seeds."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"  # all its steps were done
    STOPPED = "stopped"  # ended early by the scheduler or the time limit
    DIVERGED = "diverged"  # a loss or a weight was not finite
    FAILED = "failed"  # it raised, or its process died
    INTERRUPTED = "interrupted"  # the sweep was stopped; `resume` goes on from the last checkpoint

    @property
    def ended(self) -> bool:
        """Say whether a resumed sweep leaves the trial as it is."""
        return self not in (Status.PENDING, Status.RUNNING, Status.INTERRUPTED)

    @property
    def bad(self) -> bool:
        """Say whether the trial has no score that may be ranked."""
        return self in (Status.DIVERGED, Status.FAILED)


class EndedBy(StrEnum):
    """The reason why a trial ended."""

    DONE = "done"  # the trial itself: its steps were done, or it diverged or failed
    SCHEDULER = "scheduler"
    TIME_LIMIT = "time limit"  # of the sweep
    INTERRUPT = "interrupt"  # a signal, or a full disk; `resume` goes on


@dataclass(frozen=True)
class SeedResult:
    """The last report of one seed of a trial."""

    seed: int
    status: Status
    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # of training and evaluation so far
    images_per_second: float = 0.0  # of training, over the last interval
    error: str | None = None


@dataclass(frozen=True)
class Mutation:
    """A change of a trial while it ran, by population based training.

    At `step` the trial took over networks and optimisers of `from_trial`; since then it trains with `params`.
    """

    step: int
    from_trial: str
    params: Mapping[str, Any]  # {dotted key of the base run: value}, all that is swept


@dataclass(frozen=True)
class TrialUpdate:
    """A trial after a report, or at its end.

    `params` are the values with which it began and do not change; `mutations` has their changes.
    """

    trial_id: str = field(metadata={"key": "trial"})  # "0003": its place in the plan
    params: Mapping[str, Any]  # {dotted key of the base run: value}
    status: Status
    step: int = 0
    seeds: tuple[SeedResult, ...] = ()
    error: str | None = None
    node: str = ""
    device: str = ""  # its name; for the CPU `cpu` and the processor's
    peak_memory: int | None = None  # bytes there since it began or went on, see training.memory.PeakMemory
    mutations: tuple[Mutation, ...] = ()
    ended_by: str | None = (
        None  # one of `EndedBy` once no process trains it; None before, and in older records
    )

    def mean(self, metric: str) -> float | None:
        """Return the mean of `metric` over the seeds, or None where a seed has no such value."""
        return mean_over_seeds([seed.metrics.get(metric) for seed in self.seeds])

    def line(self) -> str:
        """Return the update in one line: step and scores of each seed."""
        return "; ".join(f"step {seed.step} seed {seed.seed}: {_scores(seed.metrics)}" for seed in self.seeds)

    def to_json(self) -> str:
        """Return the update as one line of JSON (NaN and infinity included), which is how it crosses Ray."""
        return json.dumps(encode(self))

    @classmethod
    def from_json(cls, text: str, source: Path | str = "a trial's update") -> TrialUpdate:
        """Read an update that `to_json` wrote.

        Raises:
            RecordError: if it is none.
        """
        return decode(cls, parse_json(text, source), source)


class SweepListener(Protocol):
    """A listener of a sweep, in the driver's process. It must not raise an exception because of a trial."""

    def started(self, total: int | None) -> None:
        """Note that the sweep begins (or goes on), with `total` planned trials if that is known."""

    def updated(self, update: TrialUpdate) -> None:
        """Take in that a trial started, reported or ended. The files of an ended trial (pictures, checkpoint) are in
        its folder already."""

    def tick(self) -> None:
        """Do regular work. It is called several times a second while the sweep runs."""

    def ended(self, status: Status) -> None:
        """Take in that no trial runs any more: FINISHED, FAILED (every trial failed) or INTERRUPTED."""


def _scores(metrics: Mapping[str, float]) -> str:
    """Return the losses and scores of a report, without those of single codes and factors, and without floors."""
    return ", ".join(
        f"{name} {value:.3f}"
        for name, value in metrics.items()
        if "/" not in name or name.startswith("loss/")
    )
