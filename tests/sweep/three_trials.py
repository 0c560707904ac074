"""A sweep of three trials that tests disturb, and what they compare afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from infogan_bench.records.results import Status, TrialUpdate

UNRULY = str(Path(__file__).with_name("unruly.py"))
SCORES = ["trial", "seed", "status", "step", "params", "scores"]


def tiny(output: Path, **changes: object) -> dict[str, object]:
    """A sweep of three trials, each of two intervals of 20 steps of a small MLP."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32},
        "space": {"objective.lambda_cat": [0.1, 1, 3]},
        "evaluation": {"every": 20},
        "resources": {"cpus": 2, "gpus": 0},  # one trial at a time
        "tracking": "none",
        "output": str(output),
        **changes,
    }


class Once:
    """A listener that calls `act` once: when a trial has ended or, given `step`, when a later one has come there."""

    def __init__(self, act: Callable[[], object], step: int = 0) -> None:
        self.act: Callable[[], object] | None = act
        self.step = step
        self.ended_trials: set[str] = set()

    def started(self, total: int | None) -> None: ...

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...

    def updated(self, update: TrialUpdate) -> None:
        if update.status.ended:
            self.ended_trials.add(update.trial_id)
        others = self.ended_trials - {update.trial_id}
        due = update.step >= self.step and others if self.step else self.ended_trials
        if due and self.act is not None:
            act, self.act = self.act, None
            act()


def scores(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "trials.parquet")[SCORES]


def digests(folder: Path) -> dict[str, tuple[str, float]]:
    """{relative path: (digest, time of the last change)} of all files below."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        str(file.relative_to(folder)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime)
        for file in files
    }
