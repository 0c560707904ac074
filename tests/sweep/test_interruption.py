"""A sweep that is stopped from outside and resumed ends as one that was not."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.config import parse_sweep
from tests.without_ray import train

SWEEP = {
    "name": "stopped",
    "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
    "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 100, "batch": 32},
    "space": {"objective.lambda_cat": [0.1, 1, 3]},
    "evaluation": {"every": 20},
    "resources": {"cpus": 1, "gpus": 0},
}
SCORES = ["trial", "seed", "status", "step", "params", "scores"]


def infogan_bench(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "infogan_bench", *arguments]
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_a_trial_in_its_middle(folder: Path, process: subprocess.Popen[str]) -> None:
    """Return once one trial has a checkpoint and has not ended."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        saved = {place.parent.name for place in folder.glob("tune/*/*/checkpoint_*")}
        if any(not (folder / "trials" / trial).exists() for trial in saved):
            return
        time.sleep(0.02)
    raise AssertionError(f"no trial was seen running: {process.communicate()}")


def children_of(pid: int) -> set[int]:
    out = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in out.splitlines())}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> pd.DataFrame:
    folder = train(parse_sweep({**SWEEP, "output": str(tmp_path_factory.mktemp("runs"))}))
    return pd.read_parquet(folder / "trials.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_sweep_resumes_to_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: pd.DataFrame, number: signal.Signals
) -> None:
    (tmp_path / "stopped.yaml").write_text(yaml.safe_dump(SWEEP))
    folder = tmp_path / "runs" / "stopped"
    process = infogan_bench("sweep", "stopped.yaml", cwd=tmp_path)
    wait_for_a_trial_in_its_middle(folder, process)
    workers = children_of(process.pid)
    process.send_signal(number)
    _, messages = process.communicate(timeout=30)

    if number == signal.SIGTERM:
        assert process.returncode == 143
        assert "go on with: infogan-bench resume runs/stopped" in messages
        assert set(_mlflow_statuses(tmp_path).values()) <= {"KILLED", "FINISHED"}
        assert (folder / "report.html").is_file()
    if number == signal.SIGKILL:  # Ray's two agents outlive a killed driver; its workers must not
        workers = {pid for pid in workers if "Agent" not in _command(pid)}
    deadline = time.monotonic() + 20
    while alive(workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(workers)

    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    monkeypatch.chdir(tmp_path)
    resumed = CliRunner().invoke(app, ["resume", "elsewhere"])
    assert resumed.exit_code == 0, resumed.stderr
    assert "3 trials: 3 finished" in resumed.stdout
    pd.testing.assert_frame_equal(pd.read_parquet(moved / "trials.parquet")[SCORES], undisturbed[SCORES])
    assert not folder.exists()
    assert not (moved / "tune").exists()

    curves = pd.read_parquet(moved / "history.parquet").query("metric == 'cluster_accuracy'")
    assert list(curves.groupby("trial")["step"].apply(list)) == [list(range(20, 101, 20))] * 3
    assert sorted(_mlflow_statuses(tmp_path).values()) == ["FINISHED"] * 4
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        doubled = "select count(*) from metrics group by run_uuid, key, step having count(*) > 1"
        assert database.execute(doubled).fetchall() == []

    sessions = [json.loads(line) for line in (moved / "sessions.jsonl").read_text().splitlines()]
    ends = {session["began"]: session["status"] for session in sessions}
    assert list(ends.values()) == ["interrupted" if number == signal.SIGTERM else None, "finished"]
    assert {session["request"]["CPU"] for session in sessions} == {1.0}


def _mlflow_statuses(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "mlflow.db") as database:
        return dict(database.execute("select name, status from runs").fetchall())
