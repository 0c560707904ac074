"""How a sweep grows: the real engine with a stand-in for training, which takes no time and reports plausible curves.

Ray, the search, the scheduler, the sweep folder, MLflow and the report are those of any sweep. Of the driver's time per
result, ours is what is spent in the sweep folder, the listeners and the search; the rest is Ray's, its waiting
included.

    python benchmarks/scale.py TRIALS [--mlflow] [--reports 4]
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import infogan_reports
import ray

from infogan_bench.config import SweepConfig, parse_sweep
from infogan_bench.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep import session, start
from infogan_bench.sweep.callback import Events
from infogan_bench.sweep.search import Planner
from infogan_bench.sweep.trainable import InfoGANTrainable, assignment_of

SCORES = ("cluster_accuracy", "purity", "nmi", "ari", "L_I", "L_I/cat_0", "L_I/uniform_0", "L_I/uniform_1",
          "H", "H/cat_0", "loss/d", "loss/g")  # fmt: skip


class StandIn(InfoGANTrainable):
    """A trial without training: its curve follows from its parameters."""

    def _begin(self, config: Mapping[str, Any]) -> None:
        self._failure = None
        self._assignment = assignment_of(config)
        self._start, self._waits = None, False
        sweep: SweepConfig = ray.get(config["shared"]).sweep
        self._metric, self._seeds = sweep.objective.metric, sweep.seeds
        self._trial = _Curve(self._assignment, sweep.base.steps, sweep.evaluation.every)  # type: ignore[assignment]


class _Curve:
    """What `InfoGANTrainable` asks of a trial."""

    def __init__(self, assignment: Any, steps: int, every: int) -> None:
        self.assignment, self.steps, self.every, self.step = assignment, steps, every, 0
        self.noise = random.Random(assignment.trial)
        self.history: list[dict[str, Any]] = []

    @property
    def update(self) -> TrialUpdate:
        status = Status.RUNNING if self.step < self.steps else Status.FINISHED
        level = math.exp(-abs(math.log(self.assignment.params["objective.lambda_cat"])))
        value = level * (1 - math.exp(-3 * self.step / self.steps))
        scores = {name: value + self.noise.gauss(0, 0.01) for name in SCORES}
        seed = SeedResult(0, status, self.step, scores, float(self.step), 1000.0)
        return TrialUpdate(self.assignment.trial, self.assignment.params, status, self.step, (seed,))

    def advance(self) -> TrialUpdate:
        self.step += self.every
        update = self.update
        self.history += [asdict(seed) for seed in update.seeds]
        return update

    def save(self, folder: Path) -> None:
        (folder / "trial.json").write_text(
            json.dumps({"trial": self.assignment.trial, "history": self.history})
        )


class Stopwatch:
    """Time spent in functions, an inner one's within an outer one's counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self._depth = 0

    def watch(self, owner: type, *names: str) -> None:
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                self.calls += 1
                if not self._depth:
                    self.seconds += time.perf_counter() - began

        return timed


class Marks:
    """A listener that notes, at every tenth of the trials, the time, our part of it and the driver's memory."""

    def __init__(self, trials: int, ours: Stopwatch) -> None:
        self.every, self.ours = max(1, trials // 10), ours
        self.results = self.ended_trials = 0
        self.rows: list[tuple[int, float, float, float]] = []

    def started(self, total: int | None) -> None:
        self.began = time.perf_counter()

    def updated(self, update: TrialUpdate) -> None:
        self.results += 1
        self.ended_trials += update.status.ended
        if update.status.ended and self.ended_trials % self.every == 0:
            row = (self.ended_trials, time.perf_counter() - self.began, self.ours.seconds, memory())
            self.rows.append(row)

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...


def memory() -> float:
    """This process's resident memory, GiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def size(folder: Path) -> float:
    """What the files of a folder take, MiB."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", type=int)
    parser.add_argument("--mlflow", action="store_true")
    parser.add_argument("--reports", type=int, default=4)
    asked = parser.parse_args()
    ours = Stopwatch()
    ours.watch(
        Events, "on_trial_start", "on_trial_result", "on_trial_complete", "on_trial_save", "on_step_end"
    )
    ours.watch(Planner, "suggest", "on_trial_complete")
    session.InfoGANTrainable = StandIn  # type: ignore[misc]
    session._report = lambda folder: None  # timed apart, below
    marks = Marks(asked.trials, ours)
    with tempfile.TemporaryDirectory() as scratch:
        sweep = parse_sweep(
            {
                "name": "scale",
                "output": scratch,
                "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
                "base": {"architecture": {"name": "mlp", "width": 0.02}, "steps": asked.reports, "batch": 32},
                "space": {
                    "objective.lambda_cat": {"loguniform": [0.01, 100]},
                    "optimiser.lr_d": {"loguniform": [1e-5, 1e-2]},
                },
                "search": {"algorithm": "random", "trials": asked.trials},
                "evaluation": {"every": 1, "scores": ["cluster_accuracy"]},
                "resources": {"cpus": 1},
                "tracking": {"uri": f"sqlite:///{scratch}/mlflow.db"} if asked.mlflow else "none",
            }
        )
        began = time.perf_counter()
        outcome = start(sweep, listeners=[marks])
        whole = time.perf_counter() - began
        assert len(outcome.trials) == asked.trials
        megabytes = size(outcome.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        began = time.perf_counter()
        page = infogan_reports.build_report(outcome.folder)
        building = time.perf_counter() - began
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(
            f"{asked.trials} trials of {asked.reports} reports with {len(SCORES)} values: {whole:.0f} s in all"
        )
        print(f"{'trials':>8} {'seconds':>8} {'ours':>8} {'driver GiB':>10}")
        for trials, seconds, own, gib in marks.rows:
            print(f"{trials:8d} {seconds:8.1f} {own:8.1f} {gib:10.2f}")
        own = 1000 * ours.seconds / (asked.trials * asked.reports)
        all_of_it = 1000 * marks.rows[-1][1] / (asked.trials * asked.reports)
        print(f"a result: {own:.2f} ms ours, {all_of_it - own:.1f} ms Ray's")
        print(f"driver at most {peak:.2f} GiB; folder {megabytes:.0f} MiB")
        print(f"report {building:.0f} s, {page.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
