"""What a sweep costs beyond its training: Ray's time and ours.

    python benchmarks/sweep.py [--trials 60] [--starts 3]

Per trial: a sweep of many trials of one step each, with MLflow on SQLite and without; the wall time between the end of
the first trial and the end of the last, over the trials in between. It still holds the trials' own work, shown beside
it. To begin: the wall time from the start of a process that runs a sweep of two trials of width 0.25, MLflow on SQLite,
to the report of its first training step, scored; and, without that scoring, to the step itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status, TrialUpdate
from infogan_bench.sweep import start

BATCH = 128


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


class FirstStep:
    """A listener that notes when the first step was reported, and how long its scoring took."""

    def __init__(self) -> None:
        self.reported: float | None = None

    def started(self, total: int | None) -> None: ...

    def updated(self, update: TrialUpdate) -> None:
        if update.step and self.reported is None:
            self.reported = time.time()
            first = update.seeds[0]
            self.scoring = first.seconds - BATCH / first.images_per_second

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...


def sweep_since(began: float) -> None:
    """What `first_step` runs in a process of its own, which began at that time."""
    clock = FirstStep()
    with tempfile.TemporaryDirectory() as folder:
        sweep = parse_sweep(
            {
                "name": "first",
                "base": {"architecture": {"width": 0.25}, "steps": 2, "batch": BATCH},
                "space": {"objective.lambda_cat": [0.1, 1]},
                "evaluation": {"every": 1},
                "resources": {"cpus": 1},
                "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"},
                "output": folder,
            }
        )
        start(sweep, listeners=[clock])
    if clock.reported is None:
        raise SystemExit("no step was reported")
    print(clock.reported - clock.scoring - began, clock.reported - began)


def first_step() -> tuple[float, float]:
    """Seconds from the start of a process to the end of its sweep's first step, and to that step's report."""
    done = subprocess.run(
        [sys.executable, __file__, "--since", str(time.time())], capture_output=True, text=True, check=True
    )
    ended, reported = map(float, done.stdout.split()[:2])
    return ended, reported


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=60, help="of the sweep of many")
    parser.add_argument("--starts", type=int, default=3, help="sweeps whose first step is waited for")
    parser.add_argument("--since", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.since is not None:
        sweep_since(arguments.since)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for _ in range(arguments.starts):
        ended, reported = first_step()
        print(f"first step done after {ended:.1f} s, scored and reported after {reported:.1f} s")
    trials = arguments.trials
    for name in ("none", "sqlite") if trials else ():
        with tempfile.TemporaryDirectory() as folder:
            tracking = "none" if name == "none" else {"uri": f"sqlite:///{folder}/mlflow.db"}
            first, further, own = measure(trials, tracking, Path(folder))
        times = (
            f"first trial {first:.1f} s, each further one {further:.3f} s, of which its own work {own:.3f} s"
        )
        print(f"{trials} trials, MLflow {name:<7} {times}")


if __name__ == "__main__":
    main()
