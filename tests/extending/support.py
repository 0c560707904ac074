"""A whole sweep with a part from outside, on Ray and MLflow, and what it left."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep import start


class Followed(NamedTuple):
    """What a sweep left."""

    folder: Path
    history: pd.DataFrame
    page: str
    logged: dict[str, set[str]]  # MLflow's metrics and params: key -> values


def follow(place: Path, example: str, tree: Mapping[str, Any]) -> Followed:
    """Run a sweep of 6 steps with `tests/extending/EXAMPLE.py` as its extension; all its trials finish."""
    store = place / "mlflow.db"
    sweep = parse_sweep(
        {
            "name": example,
            "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
            "evaluation": {"every": 3, "scores": []},
            "resources": {"cpus": 1},
            "extensions": [str(Path(__file__).with_name(f"{example}.py"))],
            "tracking": {"uri": f"sqlite:///{store}"},
            "output": str(place / "runs"),
            **tree,
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        outcome = start(sweep)
    assert [trial.status for trial in outcome.trials] == [Status.FINISHED] * 2, outcome.trials
    (folder,) = (place / "runs").iterdir()
    logged: dict[str, set[str]] = {}
    with sqlite3.connect(store) as database:
        for table in ("metrics", "params"):
            for key, value in database.execute(f"SELECT key, value FROM {table}"):
                logged.setdefault(key, set()).add(str(value))
    history = pd.read_parquet(folder / "history.parquet")
    return Followed(folder, history, (folder / "report.html").read_text(), logged)
