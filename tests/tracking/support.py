"""A sweep to track, and what an MLflow store on SQLite then holds, read with plain SQL."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from urllib.error import URLError

from PIL import Image

from infogan_bench.config.models import TrackingConfig
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.tracking import MlflowTracker, TrackedSweep, ui_command
from infogan_bench.tracking._ui import server_environment

LAMBDA = "objective.lambda_cat"
RUN = {LAMBDA: 1.0, "architecture.width": 1.0, "codes.categorical": [10], "optimiser.lr_g": 1e-3}


def a_tracker(place, *, config=None, **options):
    folder = place / "runs" / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.yaml").write_text("name: mnist\ngoal: {metric: cluster_accuracy, mode: max}\n")
    config = TrackingConfig(**({"uri": f"sqlite:///{place}/mlflow.db"} | (config or {})))
    given = {
        "name": "mnist",
        "sweep_id": "sweep-1",
        "folder": folder,
        "run_params": RUN,
        "swept": [LAMBDA],
        "metric": "cluster_accuracy",
        "mode": "max",
    } | options
    replay = given.pop("replay", lambda trial: iter(()))
    rest = {key: given.pop(key) for key in ("flush_seconds",) if key in given}
    return MlflowTracker(config, TrackedSweep(**given), replay, **rest)


def report(trial, step, *scores, status=Status.RUNNING, params=None, error=None, name="cluster_accuracy"):
    seeds = tuple(SeedResult(n, status, step, {name: score}) for n, score in enumerate(scores))
    return TrialUpdate(trial, params or {LAMBDA: 0.5}, status, step, seeds, error)


def track(tracker, *updates, end=Status.FINISHED):
    tracker.started(len(updates))
    for update in updates:
        tracker.updated(update)
    tracker.ended(end)
    assert tracker.warning is None


def query(place, sql, *values):
    with closing(sqlite3.connect(place / "mlflow.db")) as db:
        return db.execute(sql, values).fetchall()


def runs(place):
    return query(
        place,
        """SELECT r.run_uuid, t.value, r.name, r.status FROM runs r JOIN tags s USING (run_uuid)
        LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'infogan.trial'
        WHERE s.key = 'infogan.sweep_id' ORDER BY t.value""",
    )


def run_id(place, trial=None):
    (found,) = [run for run, own, _, _ in runs(place) if own == trial]
    return found


def tags(place, trial=None):
    return dict(query(place, "SELECT key, value FROM tags WHERE run_uuid = ?", run_id(place, trial)))


def params(place, trial=None):
    return dict(query(place, "SELECT key, value FROM params WHERE run_uuid = ?", run_id(place, trial)))


def metrics(place, trial=None):
    rows = query(
        place,
        "SELECT key, step, value FROM metrics WHERE run_uuid = ? ORDER BY key, step",
        run_id(place, trial),
    )
    return {(key, step): value for key, step, value in rows}


def artifacts(place, trial=None):
    own = run_id(place, trial)  # a server puts a folder for the experiment above it
    folders = [
        *(place / "mlartifacts").glob(f"{own}/artifacts"),
        *(place / "mlartifacts").glob(f"*/{own}/artifacts"),
    ]
    return {
        str(file.relative_to(folder)) for folder in folders for file in folder.rglob("*") if file.is_file()
    }


def write_trial(folder):
    seed = folder / "seed-0"
    seed.mkdir(parents=True)
    (folder / "trial.json").write_text("{}")
    (seed / "checkpoint.safetensors").write_bytes(b"large")
    for name in ("samples", "traversal-cat_0"):
        Image.new("L", (28, 28)).save(seed / f"{name}.png")
    confusion = {"code": "cat_0", "classes": ["0", "1"], "counts": [[9, 0], [1, 8]], "match": [0, None]}
    (seed / "evaluation.json").write_text(json.dumps({"step": 10, "scores": {}, "confusion": confusion}))


def standing(folder, *, end=Status.FINISHED, **options):
    """Track a sweep from its folder, as a resume that has nothing to do."""
    record = SweepFolder.open(folder)
    options = {"name": "tiny", "sweep_id": "tiny-1", "swept": ["optimiser.lr_d"]} | options
    tracker = a_tracker(folder.parent, folder=folder, **options)
    tracker.started(2)
    for trial in record.updates:
        for update in record.replay(trial):
            tracker.updated(update)
    tracker.ended(end)
    return tracker


def python(code, *arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=True,
    )


def wait_for(condition, seconds=200.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()
    except (URLError, OSError):
        return b""


@contextmanager
def serving(place, port):
    """`mlflow server` at http://127.0.0.1:`port` on the store of `place`, killed in the end."""
    server = subprocess.Popen(
        [*ui_command(port), "--artifacts-destination", str(place / "mlartifacts")],
        env=server_environment(f"sqlite:///{place}/mlflow.db"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: fetch(f"http://127.0.0.1:{port}/health") == b"OK")
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
