"""A whole sweep with parts from outside, on Ray and MLflow, and what it left."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep import start

EXAMPLES = Path(__file__).parent


class Followed(NamedTuple):
    """What a sweep left."""

    folder: Path
    history: pd.DataFrame
    page: str
    logged: dict[str, set[str]]  # MLflow's metrics and params: key -> values


def example(name: str) -> str:
    """The path of an example's file."""
    return str(EXAMPLES / f"{name}_example.py")


def follow(place: Path, names: list[str], tree: Mapping[str, Any]) -> Followed:
    """Run a sweep of 6 steps with the examples as its extensions; all its trials finish."""
    store = place / "mlflow.db"
    sweep = parse_sweep(
        {
            "name": "extended",
            "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
            "evaluation": {"every": 3, "scores": []},
            "resources": {
                "cpus": 2,
                "gpus": 0,
            },  # one trial at a time: a process more costs more than it saves
            "extensions": [example(name) for name in names],
            "tracking": {"uri": f"sqlite:///{store}"},
            "output": str(place / "runs"),
            **tree,
        }
    )
    outcome = start(sweep)
    assert {trial.status for trial in outcome.trials} == {Status.FINISHED}, outcome.trials
    (folder,) = (place / "runs").iterdir()
    logged: dict[str, set[str]] = {}
    with sqlite3.connect(store) as database:
        for table in ("metrics", "params"):
            for key, value in database.execute(f"SELECT key, value FROM {table}"):
                logged.setdefault(key, set()).add(str(value))
    history = pd.read_parquet(folder / "history.parquet")
    return Followed(folder, history, (folder / "report.html").read_text(), logged)
