"""What MLflow costs a sweep: seconds for each trial, and whether they grow with the number of trials.

The tracker alone is told of trials as a sweep tells it: reports, and at the end the files. A short trial is one of
sweeps/quick.yaml, some 20 s on a core: 4 reports of 2 seeds. A long one has 20 reports of 3 seeds, as many as one of
sweeps/mnist.yaml. What is measured until the store has everything is the wall time, the CPU time of the tracker and of
the server (by /proc: Linux alone), which a sweep loses whose trials leave no core free, and the time that the sweep
itself waits, inside the calls.

    python benchmarks/tracking.py [TRIALS]
"""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from infogan_bench.config.models import TrackingConfig
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.tracking import MlflowTracker, TrackedSweep, free_port, server_environment, ui_command

SCORES = 20
BLOCKS = 4


@dataclass(frozen=True)
class Kind:
    """A trial, by what it tells."""

    reports: int
    seeds: int
    steps: int  # with pictures
    core_seconds: tuple[int, ...]  # what such trials take


KINDS = {"short": Kind(4, 2, 4, (10, 20, 60)), "long": Kind(20, 3, 8, (60, 600))}


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {trials} trials"
    )
    for (label, kind), store in itertools.product(KINDS.items(), ("sqlite", "server")):
        with tempfile.TemporaryDirectory() as name, _store(store, Path(name)) as (uri, server):
            cost = measure(uri, server, Path(name), trials, kind)
        wall, cpu = (sum(part) / BLOCKS for part in (cost.wall, cost.cpu))
        print(f"{label} trials, {store}: {wall:.3f} s a trial, {cpu:.3f} s of a core")
        print(f"        the sweep waits {1000 * cost.inside:.1f} ms a trial")
        shares = ", ".join(f"{100 * cpu / seconds:.2g}% at {seconds} s" for seconds in kind.core_seconds)
        print(f"        of the time of a trial on one core: {shares}")
        print(
            f"        by quarter of the sweep: {', '.join(f'{block:.3f}' for block in cost.cpu)} s of a core"
        )


@dataclass
class Cost:
    """Seconds a trial: inside the tracker's calls, and in each quarter of the sweep by the wall and on a core."""

    inside: float
    wall: list[float]
    cpu: list[float]


def measure(uri: str, server: int | None, place: Path, trials: int, kind: Kind) -> Cost:
    """Track `trials` trials, each when the one before has arrived."""
    folder = place / "sweep"
    folder.mkdir()
    (folder / "sweep.yaml").write_text("name: cost\ngoal: {metric: score_0, mode: max}\n")
    tracker = MlflowTracker(
        TrackingConfig(uri=uri),
        TrackedSweep(
            name="cost",
            sweep_id="cost",
            folder=folder,
            run_params={f"base.key_{number}": number for number in range(30)},
            swept=["objective.lambda_cat"],
            metric="score_0",
            mode="max",
        ),
        replay=lambda trial: iter(()),
    )
    warning = tracker.preflight()
    if warning:
        raise SystemExit(warning)
    tracker.started(trials)
    cost = Cost(0.0, [], [])
    for block in range(BLOCKS):
        numbers = range(block * trials // BLOCKS, (block + 1) * trials // BLOCKS)
        for number in numbers:
            _write_files(folder / "trials" / f"{number:05}", kind)
        began, cpu = time.perf_counter(), _cpu_seconds(server)
        for number in numbers:
            for update in _updates(f"{number:05}", number, kind):
                before = time.perf_counter()
                tracker.updated(update)
                cost.inside += (time.perf_counter() - before) / trials
            while tracker.behind:  # a trial takes longer than its reports do here
                time.sleep(0.005)
        cost.wall.append((time.perf_counter() - began) / len(numbers))
        cost.cpu.append((_cpu_seconds(server) - cpu) / len(numbers))
        shutil.rmtree(folder / "trials")
    tracker.ended(Status.FINISHED)
    return cost


def _updates(trial_id: str, number: int, kind: Kind) -> Iterator[TrialUpdate]:
    for step in range(1, kind.reports + 1):
        status = Status.FINISHED if step == kind.reports else Status.RUNNING
        seeds = tuple(
            SeedResult(seed, status, step, {f"score_{n}": seed + step / (n + 1) for n in range(SCORES)})
            for seed in range(kind.seeds)
        )
        yield TrialUpdate(trial_id, {"objective.lambda_cat": float(number)}, status, step, seeds)


def _write_files(folder: Path, kind: Kind) -> None:
    sheet = Image.effect_noise((290, 290), 60)
    for seed in range(kind.seeds):
        place = folder / f"seed-{seed}"
        place.mkdir(parents=True)
        for number in range(5):
            sheet.save(place / f"picture_{number}.png", compress_level=1)
    for step in range(1, kind.steps + 1):
        place = folder / "seed-0" / "steps" / str(step)
        place.mkdir(parents=True)
        for number in range(4):
            sheet.save(place / f"picture_{number}.webp", quality=30, method=0)
    (folder / "trial.json").write_text("{}")


@contextmanager
def _store(kind: str, place: Path) -> Iterator[tuple[str, int | None]]:
    """A new SQLite database, as such or behind `mlflow server`: its URI and the server's session."""
    database = f"sqlite:///{place}/mlflow.db"
    if kind == "sqlite":
        yield database, None
        return
    (place / "mlflow.db").touch()
    port = free_port(0)
    server = subprocess.Popen(
        [*ui_command(port), "--artifacts-destination", str(place / "mlartifacts")],
        env=server_environment(database),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _cpu_seconds(session: int | None) -> float:
    """CPU time so far, of this process and of those in `session`."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat") if session else ():
        fields = file.read_text().rpartition(")")[2].split()
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _wait_for(address: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:
            time.sleep(0.2)


if __name__ == "__main__":
    main()
