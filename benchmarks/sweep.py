"""What a trial costs beyond its training: Ray's time and ours, per trial after the first.

A sweep of many trials of one step each, with MLflow on SQLite and without: the wall time between the end of the first
trial and the end of the last, over the trials in between. It still holds the trials' own work, shown beside it.

    python benchmarks/sweep.py [TRIALS]
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from infogan_bench.config import parse_sweep
from infogan_bench.results import Status, TrialUpdate
from infogan_bench.sweep import start


class Clock:
    """A listener that notes when each trial ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def started(self, total: int | None) -> None:
        self.began = time.perf_counter()

    def updated(self, update: TrialUpdate) -> None:
        if update.status.ended:
            self.ends.append(time.perf_counter())

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...


def measure(trials: int, tracking: Any, folder: Path) -> tuple[float, float, float]:
    """Seconds to the first trial's end, seconds for each further one, and its own share (training and scoring)."""
    clock = Clock()
    sweep = parse_sweep(
        {
            "name": "overhead",
            "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
            "base": {"architecture": {"name": "mlp", "width": 0.02}, "steps": 1, "batch": 32},
            "space": {"objective.lambda_cat": [float(value) for value in range(1, trials + 1)]},
            "resources": {"cpus": 1},
            "tracking": tracking,
            "output": str(folder),
        }
    )
    outcome = start(sweep, listeners=[clock])
    work = sum(seed.seconds for trial in outcome.trials for seed in trial.seeds)
    further = (clock.ends[-1] - clock.ends[0]) / (len(clock.ends) - 1)
    return clock.ends[0] - clock.began, further, work / len(clock.ends) / (os.cpu_count() or 1)


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {trials} trials"
    )
    for name in ("none", "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            tracking = "none" if name == "none" else {"uri": f"sqlite:///{folder}/mlflow.db"}
            first, further, own = measure(trials, tracking, Path(folder))
        times = (
            f"first trial {first:.1f} s, each further one {further:.3f} s, of which its own work {own:.3f} s"
        )
        print(f"MLflow {name:<7} {times}")


if __name__ == "__main__":
    main()
