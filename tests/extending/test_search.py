"""A search from outside, in one file, followed through a whole sweep."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import optuna
import pandas as pd
import pytest

from infogan_bench.config import load_sweep
from infogan_bench.config.searches import SEARCHES
from infogan_bench.records import Status
from infogan_bench.sweep import start

EXAMPLE = Path(__file__).with_name("search_example.py")
FILE = f"""
name: near
dataset: {{name: mnist, train_size: 512, test_size: 200}}
base: {{architecture: {{name: mlp, width: 0.1}}, steps: 4, batch: 32}}
space: {{objective.lambda_cat: {{uniform: [0, 1]}}}}
search: {{algorithm: near-the-best, trials: 5}}
goal: {{metric: L_I}}
evaluation: {{every: 4, scores: []}}
resources: {{cpus: 1, gpus: 0}}
extensions: [{EXAMPLE}]
"""


@pytest.mark.slow
def test_a_search_of_ones_own_goes_through_a_whole_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "near.yaml").write_text(
        f"{FILE}output: {tmp_path}\ntracking: sqlite:///{tmp_path / 'mlflow.db'}\n"
    )
    try:
        outcome = start(load_sweep(tmp_path / "near.yaml"))
    finally:
        SEARCHES.pop("near-the-best", None)
    assert [trial.status for trial in outcome.trials] == [Status.FINISHED] * 5
    table = pd.read_parquet(outcome.folder / "trials.parquet")
    tried = [json.loads(params)["objective.lambda_cat"] for params in table.params]
    goals = [json.loads(scores)["L_I"] for scores in table.scores]
    # the last proposal was made when three trials at least had ended, and lies within 0.1 of the best of some of them
    assert min(abs(tried[4] - tried[place]) for place in range(4)) <= 0.1
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{outcome.folder / 'optuna.db'}")
    assert [trial.value for trial in study.trials] == goals
    assert "near-the-best" in (outcome.folder / "report.html").read_text()
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        found = database.execute("select value from params where key = 'objective.lambda_cat'").fetchall()
    assert {float(value) for (value,) in found} >= set(tried)
