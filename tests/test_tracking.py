"""MLflow, with real SQLite stores; what was written is read back with plain SQL."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import torch
from infogan_reports import RankedTrial
from PIL import Image

import infogan_bench
from infogan_bench import Sweep, TrainedModel
from infogan_bench.config import DatasetConfig, apply, parse_sweep
from infogan_bench.config.models import TrackingConfig
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.networks import registry
from infogan_bench.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep.folder import SweepFolder
from infogan_bench.sweep.track import track as send_folder
from infogan_bench.tracking import (
    MlflowTracker,
    _outbox,
    _tracker,
    free_port,
    legal_key,
    pyfunc,
    resolve_uri,
    ui_command,
    without_passwords,
)
from infogan_bench.tracking._record import Measurement, Record
from infogan_bench.tracking._runs import SWEEP as SWEEPS_OWN
from infogan_bench.tracking._standing import Standing, standing_text
from infogan_bench.training import Trainer, load_checkpoint, save_checkpoint

LAMBDA = "objective.lambda_cat"
RUN = {LAMBDA: 1.0, "architecture.width": 1.0, "codes.categorical": [10], "optimiser.lr_g": 1e-3}


@pytest.fixture(scope="session")
def schema(tmp_path_factory):
    """A database with MLflow's tables: making them takes a second."""
    file = tmp_path_factory.mktemp("schema") / "mlflow.db"
    a_tracker(file.parent, config={"uri": f"sqlite:///{file}", "experiment": "other"}).preflight()
    return file


@pytest.fixture
def place(tmp_path, schema):
    shutil.copy(schema, tmp_path / "mlflow.db")
    return tmp_path


def a_tracker(place, *, config=None, **options):
    folder = place / "runs" / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.yaml").write_text("name: mnist\nobjective: {metric: cluster_accuracy, mode: max}\n")
    config = TrackingConfig(**({"uri": f"sqlite:///{place}/mlflow.db"} | (config or {})))
    given = {
        "sweep": "mnist",
        "sweep_id": "sweep-1",
        "folder": folder,
        "run_params": RUN,
        "swept": [LAMBDA],
        "metric": "cluster_accuracy",
        "mode": "max",
        "replay": lambda trial: iter(()),
    }
    return MlflowTracker(config, **(given | options))


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
    folder = place / "mlartifacts" / run_id(place, trial) / "artifacts"
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


# What is logged -------------------------------------------------------------------------------------------


def test_a_sweep_is_a_parent_run_and_each_trial_a_child(place):
    track(
        a_tracker(place),
        report("0000", 0),
        report("0000", 10, 0.3),
        report("0000", 20, 0.5, status=Status.FINISHED),
        report("0001", 10, 0.4, params={LAMBDA: 1.0}, status=Status.STOPPED),
    )
    assert [(trial, name, status) for _, trial, name, status in runs(place)] == [
        (None, "mnist", "FINISHED"),
        ("0000", "trial 0000 lambda_cat=0.5", "FINISHED"),
        ("0001", "trial 0001 lambda_cat=1.0", "FINISHED"),
    ]
    assert tags(place, "0001")["mlflow.parentRunId"] == run_id(place)
    assert tags(place, "0001")["infogan.status"] == "stopped"
    assert metrics(place, "0000") == {
        ("best/cluster_accuracy", 20): 0.5,
        ("cluster_accuracy", 10): 0.3,
        ("cluster_accuracy", 20): 0.5,
        ("final/cluster_accuracy", 20): 0.5,
        ("objective", 10): 0.3,
        ("objective", 20): 0.5,
    }
    # The sweep's own run counts the trials that have ended: step 1, then 2.
    assert metrics(place) == {
        ("best_trial/cluster_accuracy", 1): 0.5,
        ("best_trial/cluster_accuracy", 2): 0.5,
    }
    assert {key: value for key, value in tags(place).items() if "trial" in key} == {
        "infogan.trials.planned": "4",
        "infogan.trials.finished": "1",
        "infogan.trials.stopped": "1",
        "infogan.best_trial": "0000",
    }
    assert params(place, "0001") == {
        LAMBDA: "1.0", "architecture.width": "1.0", "codes.categorical": "[10]", "optimiser.lr_g": "0.001"
    }  # fmt: skip
    assert LAMBDA not in params(place)  # it has no one value there


def test_several_seeds_give_their_mean_their_spread_and_each_value(place):
    track(a_tracker(place), report("0000", 10, 0.2, 0.4, status=Status.FINISHED))
    logged = metrics(place, "0000")
    assert logged["cluster_accuracy", 10] == pytest.approx(0.3)
    assert logged["cluster_accuracy/std", 10] == pytest.approx(0.2 / math.sqrt(2))  # of a sample: n - 1
    assert logged["seed-0/cluster_accuracy", 10] == 0.2
    assert logged["seed-1/cluster_accuracy", 10] == 0.4
    assert tags(place, "0000")["infogan.seeds"] == "0, 1"


def test_best_is_over_a_trials_reports_and_in_the_objectives_direction(place):
    updates = [report("0000", step, value) for step, value in ((1, 3.0), (2, 1.0), (3, 2.0))]
    end = report("0000", 3, 2.0, status=Status.FINISHED)
    worse = report("0001", 3, 2.5, status=Status.FINISHED)
    track(a_tracker(place, mode="min"), *updates, end, worse)
    logged = metrics(place, "0000")
    assert (logged["best/cluster_accuracy", 3], logged["final/cluster_accuracy", 3]) == (1.0, 2.0)
    assert (tags(place)["infogan.best_trial"], tags(place)["infogan.best_score"]) == ("0000", "2.0")


def test_a_diverged_trial_failed_and_has_no_score(place):
    bad = report("0000", 20, math.nan, status=Status.DIVERGED, error="the loss of D is nan at step 20")
    track(a_tracker(place), report("0000", 10, 0.3), bad, end=Status.FAILED)
    assert [status for *_, status in runs(place)] == ["FAILED", "FAILED"]
    assert metrics(place, "0000") == {("cluster_accuracy", 10): 0.3, ("objective", 10): 0.3}
    found = tags(place, "0000")
    assert found["infogan.error"] == "the loss of D is nan at step 20"
    assert found["infogan.not_finite"] == "cluster_accuracy, objective"
    assert found["infogan.status"] == "diverged"


def test_an_interrupted_sweep_leaves_nothing_running(place):
    done = report("0000", 10, 0.3, status=Status.FINISHED)
    track(a_tracker(place), done, report("0001", 5, 0.1), end=Status.INTERRUPTED)
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "KILLED"), ("0000", "FINISHED"), ("0001", "KILLED")
    ]  # fmt: skip
    assert tags(place, "0001")["infogan.status"] == "interrupted"


def write_trial(folder):
    seed = folder / "seed-0"
    seed.mkdir(parents=True)
    (folder / "trial.json").write_text("{}")
    (seed / "checkpoint.safetensors").write_bytes(b"large")
    for name in ("samples", "traversal-cat_0"):
        Image.new("L", (28, 28)).save(seed / f"{name}.png")
    confusion = {"code": "cat_0", "classes": ["0", "1"], "counts": [[9, 0], [1, 8]], "match": [0, None]}
    (seed / "evaluation.json").write_text(json.dumps({"step": 10, "confusion": confusion}))


def test_an_ended_trial_has_its_pictures_but_not_its_checkpoint(place):
    tracker = a_tracker(place)
    write_trial(place / "runs" / "mnist" / "trials" / "0000")
    (place / "runs" / "mnist" / "report.html").write_text("<p>report</p>")
    track(tracker, report("0000", 10, 0.3, status=Status.FINISHED))
    seed = ("samples.png", "traversal-cat_0.png", "evaluation.json", "confusion.png")
    assert artifacts(place, "0000") == {"trial.json", *(f"seed-0/{name}" for name in seed)}
    assert artifacts(place) == {"sweep.yaml", "report.html"}
    picture = Image.open(
        place / "mlartifacts" / run_id(place, "0000") / "artifacts" / "seed-0" / "confusion.png"
    ).convert("RGB")
    cell = [[picture.getpixel((76 + 44 * x + 6, 76 + 44 * y + 6)) for x in (0, 1)] for y in (0, 1)]
    assert cell[0] == [(8, 69, 148), (255, 255, 255)]  # 9 of 9, 0 of 9
    assert cell[1][1] == tuple(round(255 + 8 / 9 * (full - 255)) for full in (8, 69, 148))


def test_a_users_note_and_tags_are_kept_and_cannot_take_our_places(place):
    config = {
        "note": "a *b* <script> [x](y)",
        "tags": {"team": "vision", "infogan.sweep_id": "mine", "mlflow.runName": "mine", "odd@key": "1"},
    }
    track(a_tracker(place, config=config), report("0000", 1, 0.1, status=Status.FINISHED))
    found = tags(place)
    assert found["infogan.sweep_id"] == "sweep-1"
    assert found["mlflow.runName"] == "mnist"
    assert found["team"] == tags(place, "0000")["team"] == "vision"
    assert found[legal_key("odd@key")] == "1"
    link = "[**Trials, best first**](#/experiments/2/runs?viewStateShareKey=sweep-1)\n\n"
    assert found["mlflow.note.content"].startswith(f"{link}a \\*b\\* &lt;script\\> \\[x\\]\\(y\\)\n\n- Sweep")


def test_the_linked_view_shows_the_swept_parameters_and_the_objective(place):
    track(a_tracker(place), report("0000", 1, 0.1, status=Status.FINISHED))
    ((view,),) = query(
        place, "SELECT value FROM experiment_tags WHERE key = 'mlflow.sharedViewState.sweep-1'"
    )
    state = json.loads(view)
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`final/cluster_accuracy`", False)
    assert f"params.`{LAMBDA}`" in state["selectedColumns"]


# How the trials stand, and the best model ---------------------------------------------------------------------


def standing(folder, *, end=Status.FINISHED, **options):
    """Track a sweep from its folder, as a resume that has nothing to do."""
    record = SweepFolder.open(folder)
    options = {"sweep": "tiny", "sweep_id": "tiny-1", "swept": ["optimiser.lr_d"]} | options
    tracker = a_tracker(folder.parent, folder=folder, **options)
    tracker.started(2)
    for trial in record.updates:
        for update in record.replay(trial):
            tracker.updated(update)
    tracker.ended(end)
    return tracker


@pytest.fixture
def finished(place, trained_sweep):
    """A sweep that has ended, beside an empty store."""
    return Path(shutil.copytree(trained_sweep, place / "tiny"))


def loaded(place, monkeypatch, uri):
    import mlflow

    monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/mlflow.db")
    return mlflow.pyfunc.load_model(uri)


def test_the_best_model_is_logged_registered_and_makes_the_images_of_its_codes(place, finished, monkeypatch):
    tracker = standing(finished, config={"register_as": "digits"})
    assert tracker.warning is None
    best = Sweep.load(finished).best()
    said = tags(place)
    assert said["infogan.best_model_of"] == f"trial 0001, seed {best.source.parent.name[-1]}, step 6"
    assert said["infogan.registered_model"] == f"models:/digits/1 of {said['infogan.best_model']}"
    codes = pd.DataFrame({"cat_0": [3, 1, 4], "uniform_0": [-1.0, 0.0, 0.5]})
    expected = best.sample(3, seed=7, cat_0=[3, 1, 4], uniform_0=[-1.0, 0.0, 0.5]).numpy()
    for uri in (said["infogan.best_model"], "models:/digits@best", f"runs:/{run_id(place)}/best"):
        model = loaded(place, monkeypatch, uri)
        images = model.predict(codes, params={"seed": 7})
        assert images.dtype == np.float32
        assert np.array_equal(images, expected)
    columns = {column.name: (column.type.name, column.required) for column in model.metadata.signature.inputs}
    assert columns == {
        "cat_0": ("long", False),
        "uniform_0": ("double", False),
        "gaussian_0": ("double", False),
    }
    assert model.metadata.signature.outputs.inputs[0].shape == (-1, 1, 28, 28)
    example = model.input_example
    assert example["cat_0"].tolist() == list(range(10))
    assert np.array_equal(
        model.predict(example), best.sample(cat_0=range(10), uniform_0=0, gaussian_0=0).numpy()
    )


def test_the_logged_model_is_a_checkpoint_without_optimisers_and_without_pickle(place, finished):
    standing(finished)
    (folder,) = (place / "mlartifacts" / "models").glob("*/artifacts")
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} == {
        "",
        ".json",
        ".txt",
        ".yaml",
        ".safetensors",
    }
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert [need for need in needs if "mlflow" not in need] == [f"infogan-bench=={infogan_bench.__version__}"]
    own, logged = (
        load_checkpoint(next(at.glob("**/checkpoint.safetensors"))).tensors
        for at in (Sweep.load(finished).best().source.parent, folder)
    )
    assert logged.keys() == {name for name in own if not name.startswith("adam/")}
    assert all(torch.equal(logged[name], own[name]) for name in logged)


def test_the_sweeps_run_describes_the_ranking_and_its_children_carry_their_rank(place, finished):
    (finished / "report.html").write_text("<p>report</p>")
    standing(finished)
    assert [tags(place, trial)["infogan.rank"] for trial in ("0000", "0001")] == ["2", "1"]
    assert tags(place, "0000")["infogan.n_seeds"] == "2"
    note = tags(place)["mlflow.note.content"]
    report = f"[**Report**](#/experiments/2/runs/{run_id(place)}/artifacts/report.html)"
    assert note.partition("\n")[0].endswith(f" · {report}")
    first, second = Sweep.load(finished).ranking().to_dict("records")
    score = f"{first['mean']:.4f} ± {first['std']:.4f}"
    assert f"**Best trial: 0001**, cluster\\_accuracy {score} over 2 seeds\n\n| rank |" in note
    assert f"\n| 1 | 0001 | {score} | 2 | finished | 0\\.02 |\n" in note
    assert note.partition("\n\n- Sweep **tiny** of")[0].endswith(
        f"| 2 | 0000 | {second['mean']:.4f} ± {second['std']:.4f} | 2 | finished | 0\\.002 |"
    )


def test_a_resume_that_changes_nothing_logs_no_second_model(place, finished):
    for _ in range(2):
        assert standing(finished, config={"register_as": "digits"}).warning is None
    assert query(place, "SELECT status FROM logged_models") == [(2,)]  # MLflow's number for READY
    assert query(place, "SELECT version FROM model_versions") == [(1,)]
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3


def test_an_interrupted_sweep_has_ranks_but_no_best_model_yet(place, finished):
    standing(finished, end=Status.INTERRUPTED)
    assert tags(place, "0001")["infogan.rank"] == "1"
    assert query(place, "SELECT count(*) FROM logged_models") == [(0,)]


def test_a_best_model_that_cannot_be_read_costs_a_warning(place, finished):
    source = Sweep.load(finished).best().source
    source.write_bytes(source.read_bytes()[:1000])
    warning = standing(finished).warning
    assert warning is not None
    assert "refused values or files, 1 in all: see sweep.log" in warning
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3
    assert "infogan.best_model" not in tags(place)


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "x" * 251])
def test_a_name_that_mlflow_registers_nothing_under_is_refused_in_the_sweep_file(name):
    with pytest.raises(InputError, match=r"tracking\.register_as: expected a name without `/` and `:`"):
        parse_sweep({"name": "s", "tracking": {"register_as": name}})


def test_a_folder_that_cannot_be_read_at_the_end_costs_a_warning(place):
    tracker = a_tracker(place)
    tracker.started(1)
    tracker.updated(report("0000", 10, 0.3, status=Status.FINISHED))
    (place / "runs" / "mnist" / "trials.parquet").write_text("no table")
    tracker.ended(Status.FINISHED)
    assert tracker.warning is not None
    assert tracker.warning.startswith("MLflow was told no ranking and no best model: ")
    assert "trials.parquet cannot be read as Parquet" in tracker.warning
    assert metrics(place, "0000")["final/cluster_accuracy", 10] == 0.3
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 2


def test_only_the_first_trials_of_a_large_sweep_carry_a_rank(place, finished, monkeypatch):
    standing(finished)
    monkeypatch.setattr(_tracker, "MAX_RANKED", 1)
    standing(finished)
    assert tags(place, "0001")["infogan.rank"] == "1"
    assert "infogan.rank" not in tags(place, "0000")


def test_a_trial_that_never_started_gets_no_run(place, finished):
    shutil.copytree(finished / "trials" / "0000", finished / "trials" / "0002")
    assert standing(finished).warning is None
    assert [trial for _, trial, *_ in runs(place)] == [None, "0000", "0001"]


def test_the_ranking_has_ten_rows_and_shows_odd_names_as_they_are():
    params = {"a.<b>|c": "x|y\n<i>", **{f"p.k{n}": n for n in range(20)}}
    trials = [
        RankedTrial(n, f"{n:04}", "finished", 5, 1, 1 - n / 100, None, params, {}, 1.0) for n in range(1, 13)
    ]
    text = standing_text(Standing("m", trials, None))
    assert text.startswith(
        "**Best trial: 0001**, m 0.9900 over 1 seed\n\n| rank | trial | m | seeds | status | "
    )
    assert text.endswith("\n\nand 2 more trials")
    table = text.split("\n\n")[1].splitlines()
    assert len(table) == 2 + 10
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {1 + 5 + 12}  # 12 of 21 parameters
    assert "<" not in text
    assert standing_text(Standing("m", [replace(trials[0], rank=None, mean=None)], None)) == ""


def test_a_model_takes_its_architecture_along(tmp_path, monkeypatch, tiny_run, mnist):
    """The .py file that registers it is gone when the model is loaded, and its name is not known."""
    from mlflow.models import Model

    monkeypatch.setattr(registry, "_ARCHITECTURES", dict(registry._ARCHITECTURES))
    file = tmp_path / "own.py"
    file.write_text(
        "from infogan_bench.networks import register_architecture\n"
        "from infogan_bench.networks.architectures import mlp\n"
        "register_architecture('own')(lambda *arguments: mlp(*arguments))\n"
    )
    load_extensions([str(file)])
    run = apply(tiny_run, {"architecture.name": "own"})
    save_checkpoint(Trainer(run, mnist.train_images, 0), DatasetConfig(), tmp_path / "checkpoint.safetensors")
    expected = TrainedModel.load(tmp_path / "checkpoint.safetensors").sample(4).numpy()
    pyfunc.save(tmp_path / "model", tmp_path / "checkpoint.safetensors", [str(file)], Model())
    file.unlink()
    del registry._ARCHITECTURES["own"]
    model = pyfunc._load_pyfunc(str(tmp_path / "model" / "data" / "infogan"))
    assert np.array_equal(model.predict(pd.DataFrame(index=range(4))), expected)


# Counts, and a resume ---------------------------------------------------------------------------------------


def test_sixteen_trials_give_every_row_once_and_never_hold_the_sweep_up(place):
    names = [f"m{n}" for n in range(20)]
    tracker = a_tracker(place, metric="m0", flush_seconds=60)
    tracker.started(16)
    seconds = []
    for step in range(1, 51):
        for trial in range(16):
            seed = SeedResult(0, Status.RUNNING, step, dict.fromkeys(names, step + trial / 16))
            status = Status.FINISHED if step == 50 else Status.RUNNING
            before = time.perf_counter()
            tracker.updated(TrialUpdate(f"{trial:04d}", {LAMBDA: trial}, status, step, (seed,)))
            seconds.append(time.perf_counter() - before)
    tracker.ended(Status.FINISHED)
    assert tracker.warning is None
    assert query(place, "SELECT count(*) FROM metrics WHERE key LIKE 'm%'") == [(16_000,)]
    # And `objective` at each step, `best/` and `final/` of each trial, the best of the sweep at each end.
    assert query(place, "SELECT count(*) FROM metrics") == [(16_000 + 16 * 50 + 16 * 2 + 16,)]
    assert len(runs(place)) == 17
    assert sum(seconds) / len(seconds) < 0.005


def test_two_resumes_give_no_second_run_and_no_second_value(place):
    track(
        a_tracker(place),
        report("0000", 20, 0.5, status=Status.FINISHED),
        report("0001", 10, 0.1),
        end=Status.INTERRUPTED,
    )
    first = runs(place)
    done = query(place, "SELECT end_time FROM runs WHERE run_uuid = ?", run_id(place, "0000"))
    # The trial goes on from a checkpoint at step 5, so steps 5 and 10 come again.
    again = [report("0001", step, step / 100) for step in (5, 10, 15)]
    track(a_tracker(place), *again, end=Status.INTERRUPTED)
    end = [report("0001", 15, 0.15), report("0001", 20, 0.05, status=Status.FINISHED)]
    track(a_tracker(place), *end, report("0000", 20, 0.5, status=Status.FINISHED))
    assert [run[:3] for run in runs(place)] == [run[:3] for run in first]
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3
    assert (
        query(place, "SELECT key, step FROM metrics GROUP BY run_uuid, key, step HAVING count(*) > 1") == []
    )
    logged = metrics(place, "0001")
    assert [step for key, step in logged if key == "cluster_accuracy"] == [10, 15, 20]
    assert logged["best/cluster_accuracy", 20] == 0.15  # of the session before
    assert tags(place)["infogan.trials.finished"] == "2"
    assert tags(place)["infogan.best_trial"] == "0000"
    assert query(place, "SELECT end_time FROM runs WHERE run_uuid = ?", run_id(place, "0000")) == done


def test_a_resume_after_a_kill_closes_what_still_claims_to_run(place):
    killed = a_tracker(place)
    killed.started(2)
    killed.updated(report("0000", 10, 0.1))
    killed.updated(report("0001", 10, 0.1))
    wait_for(lambda: len(runs(place)) == 3)
    # SIGKILL: no end is told.
    assert [status for *_, status in runs(place)] == ["RUNNING"] * 3
    track(a_tracker(place), report("0001", 20, 0.2, status=Status.FINISHED), end=Status.INTERRUPTED)
    assert [status for *_, status in runs(place)] == ["KILLED", "KILLED", "FINISHED"]
    assert tags(place, "0000")["infogan.status"] == "interrupted"


def test_a_parameter_that_changed_keeps_its_first_value_and_leaves_a_tag(place):
    track(a_tracker(place), report("0000", 10, 0.1), end=Status.INTERRUPTED)
    changed = RUN | {"optimiser.lr_g": 2e-3, "optimiser.new": True}
    track(a_tracker(place, run_params=changed), report("0000", 20, 0.2, status=Status.FINISHED))
    found = params(place, "0000")
    assert (found["optimiser.lr_g"], found["optimiser.new"]) == ("0.001", "true")
    assert tags(place, "0000")["infogan.param_changed.optimiser.lr_g"] == "0.002"


def test_two_sweeps_of_one_name_share_an_experiment_but_no_run(place):
    for sweep_id in ("sweep-1", "sweep-2"):
        track(a_tracker(place, sweep_id=sweep_id), report("0000", 1, 0.1, status=Status.FINISHED))
    assert len(runs(place)) == 4
    assert query(place, "SELECT count(*) FROM experiments WHERE name = 'mnist'") == [(1,)]


# Names and values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a_b", "L_I/cat_0", "loss/d", "λ_cat", "a-b.c d:e", "x" * 250, "..a/b.."])
def test_a_legal_key_is_kept(key):
    assert legal_key(key) == key


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("gen.blocks[0].ch", "gen.blocks_0_.ch-"),
        ("acc@1", "acc_1-"),
        ("a@b", "a_b-"),
        ("../x", "_/x-"),
        ("a//b", "a/_/b-"),
        ("/a", "_/a-"),
        ("a/", "a/_-"),
        (".", "_-"),
        ("", "_-"),
        ("a\nb", "a_b-"),
        ("x" * 300, "x" * 243 + "-"),
    ],
)
def test_any_other_key_is_cleaned_and_marked(key, start):
    name = legal_key(key)
    assert name.startswith(start)
    assert len(name) == len(start) + 6


def test_the_mark_is_the_start_of_the_keys_sha256():
    # printf 'a@b' | sha256sum
    assert legal_key("a@b") == "a_b-7508d8"


def test_odd_names_and_values_all_arrive(place):
    odd = ["gen.blocks[0].ch", "λ_cat", "x" * 300, "a@b", "a_b", "../x", "a//b", "/a", ""]
    values = {"none": None, "flag": True, "nested": {"a": [1, None]}, "long": list(range(2000))}
    swept = {key: number for number, key in enumerate(odd)} | values
    scores = {key: float(number) for number, key in enumerate([*odd, "acc@1"])}
    seed = SeedResult(0, Status.FINISHED, 1, scores)
    tracker = a_tracker(place, sweep="line\nbreak 🎉", swept=list(swept), metric="acc@1")
    track(tracker, TrialUpdate("0000", swept, Status.FINISHED, 1, (seed,)))
    logged = params(place, "0000")
    assert [logged[legal_key(key)] for key in odd] == [str(number) for number in range(len(odd))]
    assert (logged["none"], logged["flag"], logged["nested"]) == ("null", "true", '{"a": [1, null]}')
    assert len(logged["long"]) == 6000
    assert logged["long"].endswith("…")
    assert {key: value for (key, _), value in metrics(place, "0000").items()} == {
        **{legal_key(key): value for key, value in scores.items()},
        **dict.fromkeys(("objective", legal_key("best/acc@1"), legal_key("final/acc@1")), 9.0),
    }
    assert runs(place)[0][2] == "line break 🎉"
    assert len(runs(place)[1][2]) <= 250
    assert query(place, "SELECT name FROM experiments ORDER BY experiment_id")[-1] == ("line break 🎉",)
    assert {path.name for path in place.iterdir()} == {"mlflow.db", "mlartifacts", "runs"}


def test_many_params_and_metrics_are_sent_in_batches(place):
    many = {f"p{number}": number for number in range(250)}
    seed = SeedResult(0, Status.FINISHED, 1, {f"m{number}": 1.0 for number in range(1500)})
    tracker = a_tracker(place, swept=list(many), metric="m0")
    track(tracker, TrialUpdate("0000", many, Status.FINISHED, 1, (seed,)))
    assert len(params(place, "0000")) == 250 + len(RUN)
    assert len(metrics(place, "0000")) == 1500 + 3


@pytest.mark.parametrize(("wanted", "name"), [("", "mnist"), ("\n", "unnamed"), ("e" * 600, "e" * 499 + "…")])
def test_an_experiments_name_is_made_legal(tmp_path, wanted, name):
    assert a_tracker(tmp_path, config={"experiment": wanted}).experiment == name


def test_swept_keys_that_end_alike_are_told_apart_in_a_runs_name(place):
    swept = {"g.width": 1, "d.width": 2, "lr": "long" * 10}
    track(a_tracker(place, swept=list(swept)), report("0000", 1, 0.1, params=swept, status=Status.FINISHED))
    assert runs(place)[1][2] == "trial 0000 g.width=1 d.width=2 lr=longlonglonglonglon…"


# Stores -----------------------------------------------------------------------------------------------------


def test_the_uri_is_the_files_then_the_environments_then_a_file_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve_uri(None) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
    assert resolve_uri(None) == "http://elsewhere:5000"
    assert resolve_uri("sqlite:///x/y.db") == f"sqlite:///{tmp_path}/x/y.db"


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:///data/mlruns"])
def test_a_folder_is_refused_with_the_way_out(uri):
    with pytest.raises(InputError, match=r"sqlite:///mlflow\.db.*mlflow migrate-filestore"):
        resolve_uri(uri)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(uri):
    with pytest.raises(InputError, match="in memory only"):
        resolve_uri(uri)


def test_an_unknown_scheme_is_refused_without_showing_the_password():
    with pytest.raises(InputError, match=r"`ftp://me:\*\*\*@host` is no tracking store"):
        resolve_uri("ftp://me:secret@host")
    assert without_passwords("http://me:secret@host/x") == "http://me:***@host/x"


def test_preflight_names_a_folder_that_is_not_there(tmp_path):
    tracker = a_tracker(tmp_path, config={"uri": f"sqlite:///{tmp_path}/no/mlflow.db"})
    with pytest.raises(InputError, match=r"the folder `.*/no` does not exist"):
        tracker.preflight()


def test_preflight_leaves_another_programs_database_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as db:
        db.execute("CREATE TABLE recipes (name)")
    before = (tmp_path / "mlflow.db").read_bytes()
    with pytest.raises(InputError, match="something else than MLflow"):
        a_tracker(tmp_path).preflight()
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_preflight_finds_a_file_that_is_no_database(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to be read as a header" * 20)
    with pytest.raises(InputError, match="cannot be written: file is not a database"):
        a_tracker(tmp_path).preflight()


@pytest.fixture
def somebody():
    """A folder open to everyone, and no rights of root, for whom nothing is read-only."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_preflight_finds_a_read_only_database(somebody, schema, folder_mode):
    file = somebody / "mlflow.db"
    shutil.copy(schema, file)
    tracker = a_tracker(somebody)
    file.chmod(0o444 if folder_mode == 0o777 else 0o666)
    somebody.chmod(folder_mode)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(
            InputError, match=r"cannot be written: (attempt to write a readonly|unable to open)"
        ):
            tracker.preflight()
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        somebody.chmod(0o755)


def test_preflight_names_a_deleted_experiment(place):
    a_tracker(place).preflight()
    with closing(sqlite3.connect(place / "mlflow.db")) as db:
        db.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'mnist'")
        db.commit()
    with pytest.raises(InputError, match=r"was deleted; restore it .*tracking\.experiment"):
        a_tracker(place).preflight()


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_dead_server_costs_the_records_but_neither_time_nor_the_sweep(tmp_path, scheme):
    tracker = a_tracker(
        tmp_path, config={"uri": f"{scheme}://me:secret@127.0.0.1:{free_port(0)}"}, flush_seconds=10
    )
    warning = tracker.preflight()
    assert warning is not None
    assert "does not answer" in warning
    assert "secret" not in warning
    tracker.started(1)
    begin = time.perf_counter()
    for step in range(1, 201):
        tracker.updated(report("0000", step, 0.1))
    assert time.perf_counter() - begin < 200 * 0.005
    begin = time.perf_counter()
    tracker.ended(Status.FINISHED)
    assert time.perf_counter() - begin < 5  # refused at once, three times
    assert tracker.warning is not None
    assert "has not got everything of 2 runs" in tracker.warning
    assert f"`infogan-bench track {tmp_path}/runs/mnist` sends what is missing" in tracker.warning
    assert "secret" not in tracker.warning


def test_a_server_that_never_answers_does_not_hold_the_end_up(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        tracker = a_tracker(
            tmp_path, config={"uri": f"http://127.0.0.1:{silent.getsockname()[1]}"}, flush_seconds=0.5
        )
        begin = time.perf_counter()
        tracker.started(1)
        tracker.updated(report("0000", 1, 0.1))
        tracker.ended(Status.FINISHED)
        assert time.perf_counter() - begin < 2
        assert tracker.warning is not None


def test_a_locked_database_delays_the_records_but_not_the_sweep(place):
    tracker = a_tracker(place, flush_seconds=30)
    tracker.preflight()
    with closing(sqlite3.connect(place / "mlflow.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        begin = time.perf_counter()
        tracker.started(1)
        tracker.updated(report("0000", 1, 0.1, status=Status.FINISHED))
        assert time.perf_counter() - begin < 0.5
        end = threading.Thread(target=tracker.ended, args=(Status.FINISHED,))
        end.start()
        time.sleep(0.5)
        db.execute("ROLLBACK")
        end.join()
    assert tracker.warning is None
    assert metrics(place, "0000")["final/cluster_accuracy", 1] == 0.1


def test_a_run_deleted_in_between_loses_its_own_records_only(place):
    tracker = a_tracker(place)
    tracker.started(2)
    tracker.updated(report("0000", 1, 0.1))
    wait_for(lambda: len(runs(place)) == 2)
    with closing(sqlite3.connect(place / "mlflow.db", timeout=10)) as db:
        db.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (run_id(place, "0000"),))
        db.commit()
    tracker.updated(report("0000", 2, 0.2))
    tracker.updated(report("0001", 1, 0.3, status=Status.FINISHED))
    tracker.ended(Status.FINISHED)
    assert tracker.warning is not None
    assert "refused values or files" in tracker.warning
    assert metrics(place, "0001")["final/cluster_accuracy", 1] == 0.3


# Imports, noise, MLflow's own pages -------------------------------------------------------------------------


def python(code, *arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=True,
    )


def test_without_a_tracker_mlflow_is_not_imported():
    done = python("import sys, infogan_bench.tracking; print('mlflow' in sys.modules)")
    assert done.stdout == "False\n"


SWEEP = """
import sys, pathlib
from infogan_bench.config.models import TrackingConfig
from infogan_bench.results import SeedResult, Status, TrialUpdate
from infogan_bench.tracking import MlflowTracker
place = pathlib.Path(sys.argv[1])
folder = place / sys.argv[2]
folder.mkdir()
(folder / "sweep.yaml").write_text("name: s\\nobjective: {metric: m, mode: max}\\n")
tracker = MlflowTracker(TrackingConfig(), sweep="s", sweep_id=sys.argv[2], folder=folder, run_params={"a": "x" * 9000},
                        swept=["b"], metric="m", mode="max", replay=lambda trial: ())
assert tracker.preflight() is None
tracker.started(1)
seed = SeedResult(0, Status.FINISHED, 1, {"m": 1.0})
tracker.updated(TrialUpdate("0000", {"b": 1}, Status.FINISHED, 1, (seed,)))
tracker.ended(Status.FINISHED)
assert tracker.warning is None
"""


@pytest.mark.slow
def test_two_sweeps_that_start_together_on_a_new_database_both_arrive_in_silence(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = []
    threads = [
        threading.Thread(target=lambda n=n: done.append(python(SWEEP, tmp_path, f"s{n}", cwd=tmp_path)))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.stdout, one.stderr) for one in done] == [("", "")] * 2
    assert [status for *_, status in runs(tmp_path)] == ["FINISHED"] * 4
    assert query(tmp_path, "SELECT count(*) FROM experiments WHERE name = 's'") == [(1,)]


def test_the_ui_command_names_the_store_and_stays_on_this_machine(place):
    command = ui_command(f"sqlite:///{place}/mlflow.db", 5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert options["--backend-store-uri"] == f"sqlite:///{place}/mlflow.db"
    assert (options["--host"], options["--port"]) == ("127.0.0.1", "5001")


@pytest.mark.parametrize(
    ("uri", "message"),
    [("http://elsewhere:5000", "its own pages"), ("sqlite:////nowhere/mlflow.db", "no MLflow database")],
)
def test_the_ui_needs_a_database_that_is_there(uri, message):
    with pytest.raises(InputError, match=message):
        ui_command(uri)


def test_a_taken_port_is_passed_over():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def wait_for(condition, seconds=60.0):
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


@pytest.mark.slow
def test_the_ui_serves_a_page_and_an_artifact_and_ends_on_ctrl_c(place):
    tracker = a_tracker(place)
    write_trial(place / "runs" / "mnist" / "trials" / "0000")
    track(tracker, report("0000", 10, 0.3, status=Status.FINISHED))
    code = (
        "import signal, sys; from infogan_bench.tracking import open_ui\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it\n"
        "sys.exit(open_ui(sys.argv[1], int(sys.argv[2])))"
    )
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        wanted = taken.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-u", "-c", code, f"sqlite:///{place}/mlflow.db", str(wanted)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = server.stdout.readline()
    assert f"(port {wanted} is taken)" in said
    address = said.split()[1]
    try:
        wait_for(lambda: b"<title>MLflow</title>" in fetch(address))
        url = f"{address}/get-artifact?path=seed-0/samples.png&run_uuid={run_id(place, '0000')}"
        samples = place / "runs" / "mnist" / "trials" / "0000" / "seed-0" / "samples.png"
        assert fetch(url) == samples.read_bytes()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert fetch(address) == b""


@pytest.mark.slow
def test_what_waited_for_a_server_arrives_when_it_is_there(place):
    port = free_port(0)
    tracker = a_tracker(place, config={"uri": f"http://127.0.0.1:{port}"}, flush_seconds=60)
    write_trial(place / "runs" / "mnist" / "trials" / "0000")
    assert tracker.preflight() is not None
    tracker.started(1)
    tracker.updated(report("0000", 10, 0.3, status=Status.FINISHED))
    command = [
        *ui_command(f"sqlite:///{place}/mlflow.db", port),
        "--artifacts-destination",
        str(place / "mlartifacts"),
    ]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(lambda: fetch(f"http://127.0.0.1:{port}/health") == b"OK")
        tracker.ended(Status.FINISHED)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    assert tracker.warning is None
    assert metrics(place, "0000")["final/cluster_accuracy", 10] == 0.3
    assert [status for *_, status in runs(place)] == ["FINISHED", "FINISHED"]
    assert list((place / "mlartifacts").rglob("seed-0/confusion.png"))


def test_failures_before_the_end_do_not_count_against_the_last_attempts(monkeypatch):
    """Four failures, more than the last attempts that a dead store gets; then the store answers, but a trial's record
    can arrive only after the sweep's own."""
    monkeypatch.setattr(_outbox, "_FIRST_WAIT", 0.01)
    tried, arrived = [], set()

    def send(key, record):
        tried.append(key)
        if len(tried) <= 4 or (key != SWEEPS_OWN and SWEEPS_OWN not in arrived):
            raise ConnectionError("nobody answers")
        arrived.add(key)
        record.tags.clear()
        return 0

    outbox = _outbox.Outbox(send, first=SWEEPS_OWN)
    for number in range(5):
        outbox.put(f"{number:04d}", Record("trial", tags={"a": "1"}))
    outbox.put(SWEEPS_OWN, Record("sweep", tags={"b": "2"}))
    outbox.start()
    wait_for(lambda: len(tried) >= 4)
    outbox.close(20)
    assert tried[0] == SWEEPS_OWN  # though it was handed over last
    assert (outbox.unsent, outbox.refused) == (0, 0)
    assert arrived == {SWEEPS_OWN, *(f"{number:04d}" for number in range(5))}


def test_what_is_too_much_to_hold_in_memory_is_left_in_the_sweep_folder():
    sent, answers = [], threading.Event()

    def send(key, record):
        if not answers.is_set():
            raise ConnectionError("nobody answers")
        sent.append((key, len(record.metrics), record.from_folder, record.tags["step"]))
        for part in (record.metrics, record.tags):
            part.clear()
        record.from_folder = False
        return 0

    outbox = _outbox.Outbox(send, first=SWEEPS_OWN, limit=7)
    for trial, step in (("0000", 1), ("0001", 1), ("0001", 2), ("0000", 2)):
        values = [Measurement(f"m{n}", 1.0, step, 0) for n in range(2)]
        outbox.put(trial, Record(trial, tags={"step": str(step)}, metrics=values))
    assert outbox.unsent == 2
    answers.set()
    outbox.start()
    outbox.close(20)
    # with its second report 0001 is too large, and is read from the folder but for its newest tags
    assert sorted(sent) == [("0000", 2 * 2, False, "2"), ("0001", 0, True, "2")]
    assert outbox.unsent == 0


# `infogan-bench track` --------------------------------------------------------------------------------------


def store(place):
    """All that a store holds of the sweep."""
    tables = ("experiments", "runs", "params", "tags", "metrics", "latest_metrics")
    return {table: sorted(map(repr, query(place, f"SELECT * FROM {table}"))) for table in tables}


def means(folder, trial, metric):
    """Step -> the mean over the seeds, as the sweep folder has it."""
    history = pd.read_parquet(folder / "history.parquet")
    chosen = history[(history["trial"] == trial) & (history["metric"] == metric)]
    return chosen.groupby("step")["value"].mean().to_dict()


def test_track_sends_a_store_that_never_saw_the_sweep_all_of_it_and_a_second_time_nothing(place, finished):
    delivery = send_folder(finished, f"sqlite:///{place}/mlflow.db")
    assert (delivery.trials, delivery.warning) == (2, None)
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "FINISHED"),
        ("0000", "FINISHED"),
        ("0001", "FINISHED"),
    ]
    for trial in ("0000", "0001"):
        sent = {step: value for (key, step), value in metrics(place, trial).items() if key == "L_I"}
        assert sent == pytest.approx(means(finished, trial, "L_I"))
        assert len(sent) == 2
        assert {"seed-0/samples.png", "seed-1/confusion.png"} <= artifacts(place, trial)
    assert "infogan.best_model" in tags(place)
    before = store(place)
    assert send_folder(finished, f"sqlite:///{place}/mlflow.db").warning is None
    assert store(place) == before


@pytest.mark.slow
def test_what_a_server_missed_to_the_end_is_sent_by_the_command_that_the_warning_names(place, finished):
    port = free_port(0)
    uri = f"http://127.0.0.1:{port}"
    away = standing(finished, config={"uri": uri}, flush_seconds=1)
    assert f"`infogan-bench track {finished}`" in away.warning
    refused = cli("track", str(finished), "--uri", uri)
    assert refused.returncode == 2
    assert "does not answer" in refused.stderr
    command = [
        *ui_command(f"sqlite:///{place}/mlflow.db", port),
        "--artifacts-destination",
        str(place / "mlartifacts"),
    ]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(lambda: fetch(f"{uri}/health") == b"OK")
        done = cli("track", str(finished), "--uri", uri)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    assert (done.returncode, done.stdout) == (0, f"{uri}: has all of 2 trial(s)\n")
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3
    sent = {step: value for (key, step), value in metrics(place, "0001").items() if key == "L_I"}
    assert sent == pytest.approx(means(finished, "0001", "L_I"))


def cli(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "infogan_bench", *arguments], capture_output=True, text=True, check=False
    )
