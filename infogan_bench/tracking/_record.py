"""The additions to a run of MLflow that have not been sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from infogan_bench.records.results import Status


def milliseconds() -> int:
    """Now, since the epoch, in MLflow's unit."""
    return round(time.time() * 1000)


class Measurement(NamedTuple):
    """A metric at a step. The time is fixed, so that MLflow takes a repeated attempt as the same row."""

    key: str
    value: float
    step: int
    milliseconds: int  # since the epoch


class Artifact(NamedTuple):
    """A file to copy into the run."""

    source: Path
    folder: str | None  # inside the run; None is its root


class End(NamedTuple):
    """The end of a run: its status and its time."""

    status: Status
    milliseconds: int


class BestModel(NamedTuple):
    """The model of a sweep that is to be logged."""

    trial_id: str
    seed: int
    step: int
    checkpoint: Path
    extensions: tuple[str, ...]  # modules and files that register its architecture


@dataclass
class Record:
    """Additions to one run; `end` is None while the run goes on. The sender removes the parts that have arrived."""

    name: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[Measurement] = field(default_factory=list)
    final: Measurement | None = None  # the value of the goal, of a trial that ended well
    artifacts: list[Artifact] = field(default_factory=list)
    model: BestModel | None = None
    end: End | None = None
    postscript: bool = False  # an addition to a run that may have ended, whose status does not change
    from_folder: bool = False  # the sender reads the trial's values and pictures from the sweep folder
    since: int = field(default_factory=milliseconds)

    @property
    def size(self) -> int:
        """The number of values and files that have not arrived yet."""
        return (
            len(self.params)
            + len(self.tags)
            + len(self.metrics)
            + len(self.artifacts)
            + (self.final is not None)
            + (self.model is not None)
            + (self.end is not None)
            + self.from_folder
        )

    def leave_in_folder(self) -> None:
        """Keep in memory only what the sweep folder does not hold."""
        self.from_folder = True
        self.params.clear()
        self.metrics.clear()
        self.artifacts.clear()
        self.final = None

    def followed_by(self, later: Record) -> Record:
        """Return both records as one. If they differ, `later` counts."""
        both = Record(
            name=later.name,
            params={**later.params, **self.params},  # MLflow keeps the first value of a parameter
            tags={**self.tags, **later.tags},
            metrics=self.metrics + later.metrics,
            final=later.final or self.final,
            artifacts=list(dict.fromkeys(self.artifacts + later.artifacts)),
            model=later.model or self.model,
            end=self.end if later.postscript else later.end,
            postscript=self.postscript and later.postscript,
            since=self.since,
        )
        if self.from_folder or later.from_folder:
            both.leave_in_folder()
        return both
