"""How a sweep grows: the real engine with a stand-in for training, which takes no time and reports plausible curves.

Ray, the search, the scheduler, the sweep folder, the progress display, MLflow and the report are those of any sweep.
All times are CPU times, so that what else the machine does hardly counts, but for "seconds". Of the driver's time per
result, ours is what its main thread spends in the sweep folder, the listeners and the search; Ray's is the rest of
that thread; and its other threads are Ray's that talk to the cluster, and the one that writes MLflow.

    python benchmarks/scale.py TRIALS [--mlflow] [--reports 4] [--algorithm random] [--scheduler none]
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep import session, start
from infogan_bench.sweep.engine import own_trial, trainable
from infogan_bench.sweep.engine.callback import Events
from infogan_bench.sweep.engine.searcher import TrialSearcher
from infogan_bench.sweep.progress import ProgressDisplay
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.trial import TrialSpec

SCORES = ("cluster_accuracy", "purity", "nmi", "ari", "L_I", "L_I/cat_0", "L_I/uniform_0", "L_I/uniform_1",
          "H", "H/cat_0", "loss/d", "loss/g")  # fmt: skip
BLOCKS = 10  # lines of the table

say = functools.partial(print, file=sys.stderr, flush=True)  # stdout is the sweep's log while it runs


class StandIn(trainable.InfoGANTrainable):
    """A trial without training: its curve follows from its parameters."""

    def _begin(self, config: Mapping[str, Any]) -> None:
        own_trial.Trial = Curve  # type: ignore[attr-defined, assignment]  # in the worker's process
        super()._begin(config)


class Curve:
    """What `InfoGANTrainable` asks of a `Trial`."""

    def __init__(self, spec: TrialSpec, device: str, dataset: object) -> None:
        self.spec, self.step = spec, 0
        self.noise = random.Random(spec.trial_id)
        self.history: list[dict[str, Any]] = []

    @property
    def update(self) -> TrialUpdate:
        steps = self.spec.run.steps
        status = Status.RUNNING if self.step < steps else Status.FINISHED
        level = math.exp(-abs(math.log(self.spec.params["objective.lambda_cat"])))
        value = level * (1 - math.exp(-3 * self.step / steps))
        scores = {name: value + self.noise.gauss(0, 0.01) for name in SCORES}
        seed = SeedResult(0, status, self.step, scores, float(self.step), 1000.0)
        return TrialUpdate(self.spec.trial_id, self.spec.params, status, self.step, (seed,))

    def advance(self) -> TrialUpdate:
        self.step += self.spec.evaluation.every
        update = self.update
        self.history += [asdict(seed) for seed in update.seeds]
        return update

    def save(self, folder: Path) -> None:
        (folder / "trial.json").write_text(json.dumps({"trial": self.spec.trial_id, "history": self.history}))


class Stopwatch:
    """CPU time of the calling thread in functions, an inner one's within an outer one's counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def watch(self, owner: type, *names: str) -> None:
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.thread_time() - began

        return timed


class Mark(NamedTuple):
    """Where a sweep stands: trials that have ended, results, and seconds since the start."""

    trials: int
    results: int
    wall: float
    ours: float
    main_thread: float
    process: float
    gib: float

    def line(self, before: Mark) -> str:
        """What a result took since `before`, ms."""
        ms = 1000 / (self.results - before.results)
        ours = self.ours - before.ours
        rays = self.main_thread - before.main_thread - ours
        others = self.process - before.process - ours - rays
        cells = f"{ours * ms:10.2f} {rays * ms:10.2f} {others * ms:10.2f}"
        return f"{self.trials:8d} {self.wall:8.0f} {cells} {self.gib:10.2f}"


class Marks:
    """A listener that notes, at every tenth of the trials, what was spent."""

    def __init__(self, trials: int, ours: Stopwatch) -> None:
        self.every, self.ours = max(1, trials // BLOCKS), ours
        self.results = self.ended_trials = 0

    def started(self, total: int | None) -> None:
        self.began = time.perf_counter()
        self.marks = [self._mark()]
        say(f"{'trials':>8} {'seconds':>8} {'ours, ms':>10} {'Ray, ms':>10} {'others, ms':>10} {'GiB':>10}")

    def updated(self, update: TrialUpdate) -> None:
        self.results += update.status is Status.RUNNING and update.step > 0
        self.ended_trials += update.status.ended
        if update.status.ended and self.ended_trials % self.every == 0:
            self.marks.append(self._mark())
            say(self.marks[-1].line(self.marks[-2]))

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...

    def _mark(self) -> Mark:
        return Mark(
            self.ended_trials,
            self.results,
            time.perf_counter() - self.began,
            self.ours.seconds,
            time.thread_time(),
            time.process_time(),
            memory(),
        )


def memory() -> float:
    """This process's resident memory, GiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def size(place: Path) -> float:
    """What a file, or the files of a folder, take, MiB."""
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 2**20


MEASURED = """
import runpy, time
try:
    runpy.run_module("infogan_bench", run_name="__main__", alter_sys=True)
finally:  # its own peak; that of `wait4` counts what this process had before
    print(time.process_time(), open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""


def measure_report(folder: Path) -> str:
    """`infogan-bench report` in a process of its own."""
    command = [sys.executable, "-c", MEASURED, "report", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, kib = map(float, done.stdout.splitlines()[-1].split())
    page = size(folder / "report.html")
    return f"report: {seconds:.0f} s, {kib / 2**20:.2f} GiB, a page of {page:.1f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("trials", type=int)
    parser.add_argument("--mlflow", action="store_true")
    parser.add_argument("--reports", type=int, default=4)
    parser.add_argument("--algorithm", default="random")
    parser.add_argument("--scheduler", default="none")
    asked = parser.parse_args()
    ours = Stopwatch()
    ours.watch(
        Events, "on_trial_start", "on_trial_result", "on_trial_complete", "on_trial_error", "on_step_end"
    )
    ours.watch(TrialSearcher, "suggest", "on_trial_result", "on_trial_complete")
    session.InfoGANTrainable = StandIn  # type: ignore[attr-defined]
    session._report = lambda folder: None  # measured apart, below
    marks = Marks(asked.trials, ours)
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {sys.argv[1:]}")
    with tempfile.TemporaryDirectory() as scratch, Path(scratch, "progress").open("w") as progress:
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
                "search": {"algorithm": asked.algorithm, "trials": asked.trials},
                "scheduler": {"name": asked.scheduler},
                "evaluation": {"every": 1, "scores": ["cluster_accuracy"]},
                "resources": {"cpus": 1},
                "tracking": {"uri": f"sqlite:///{scratch}/mlflow.db"} if asked.mlflow else "none",
            }
        )
        shown = ProgressDisplay("cluster_accuracy", "max", asked.reports, stream=progress)
        outcome = start(sweep, listeners=[shown, marks])
        after_last = time.perf_counter() - marks.began - marks.marks[-1].wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        if len(outcome.trials) != asked.trials or outcome.failed or outcome.warnings:
            say(f"{len(outcome.trials)} trials, {outcome.failed} of them failed; {outcome.warnings}")
        say(marks.marks[-1]._replace(gib=peak).line(marks.marks[0]), "in all, and at most")
        say(
            f"{marks.results} results of {len(SCORES)} values; {after_last:.1f} s from the last one to the end"
        )
        say(f"folder {size(outcome.folder):.1f} MiB, of which trials/ {size(outcome.folder / 'trials'):.1f}, "
              f"history.parquet {size(outcome.folder / 'history.parquet'):.1f}")  # fmt: skip
        if asked.mlflow:
            say(f"mlflow.db {size(Path(scratch, 'mlflow.db')):.0f} MiB")
        opened = time.process_time()
        SweepFolder.open(outcome.folder)
        say(f"opened for a resume in {time.process_time() - opened:.1f} s")
        say(measure_report(outcome.folder))


if __name__ == "__main__":
    main()
