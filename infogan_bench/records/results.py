"""The records that travel from a trial to whoever listens: the sweep folder, MLflow, the progress table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

# Metrics that `TrialUpdate.line` leaves out
_DETAILS = ("L_I/", "H/", "floor/", "param/", "slant_correlation/", "width_correlation/")


class Status(StrEnum):
    """Where a trial (or one of its seeds) stands."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"  # all its steps were done
    STOPPED = "stopped"  # ended early by the scheduler or the time limit
    DIVERGED = "diverged"  # a loss or a weight was not finite
    FAILED = "failed"  # it raised, or its process died
    INTERRUPTED = "interrupted"  # the sweep was stopped; `resume` goes on from the last checkpoint

    @property
    def ended(self) -> bool:
        """Whether a resumed sweep leaves the trial as it is."""
        return self not in (Status.PENDING, Status.RUNNING, Status.INTERRUPTED)

    @property
    def bad(self) -> bool:
        """Whether the trial has no score that may be ranked."""
        return self in (Status.DIVERGED, Status.FAILED)


@dataclass(frozen=True)
class SeedResult:
    """One seed of a trial at one step."""

    seed: int
    status: Status
    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # of training and evaluation so far
    images_per_second: float = 0.0  # of training, over the last interval
    error: str | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> SeedResult:
        """What `dataclasses.asdict` gave."""
        return cls(**{**document, "status": Status(document["status"])})


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

    `params` are the values that it began with, and stay; what they became is in `mutations`.
    """

    trial: str  # "0003": its place in the plan
    params: Mapping[str, Any]  # {dotted key of the base run: value}
    status: Status
    step: int = 0
    seeds: tuple[SeedResult, ...] = ()
    error: str | None = None
    node: str = ""
    device: str = ""  # its name; for the CPU `cpu` and the processor's
    peak_memory: int | None = None  # bytes there since it began or went on, see training.device.PeakMemory
    mutations: tuple[Mutation, ...] = ()

    def mean(self, metric: str) -> float | None:
        """Mean of `metric` over the seeds, or None where a seed has no such value."""
        values = [seed.metrics[metric] for seed in self.seeds if metric in seed.metrics]
        return sum(values) / len(values) if values and len(values) == len(self.seeds) else None

    def line(self) -> str:
        """The update in one line: where each seed stands."""
        return "; ".join(f"step {seed.step} seed {seed.seed}: {_scores(seed.metrics)}" for seed in self.seeds)

    def to_json(self) -> str:
        """The update as text (NaN and infinity included), which is how it crosses Ray."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TrialUpdate:
        """What `to_json` wrote."""
        document = json.loads(text)
        seeds = tuple(SeedResult.from_dict(seed) for seed in document["seeds"])
        mutations = tuple(Mutation(**mutation) for mutation in document["mutations"])
        status = Status(document["status"])
        return cls(**{**document, "status": status, "seeds": seeds, "mutations": mutations})


class SweepListener(Protocol):
    """What follows a sweep from the driver. A listener must not raise for what a trial did."""

    def started(self, total: int | None) -> None:
        """The sweep begins (or goes on), with `total` planned trials if that is known."""

    def updated(self, update: TrialUpdate) -> None:
        """A trial started, reported or ended. What it wrote (pictures, checkpoint) is in its folder by then,
        if it has ended."""

    def tick(self) -> None:
        """Called several times a second while the sweep runs."""

    def ended(self, status: Status) -> None:
        """No trial runs any more: FINISHED, FAILED (every trial failed) or INTERRUPTED."""


def _scores(metrics: Mapping[str, float]) -> str:
    """The scores of a report, without what belongs to single codes and without the floors of scores."""
    return ", ".join(
        f"{name} {value:.3f}" for name, value in metrics.items() if not name.startswith(_DETAILS)
    )
