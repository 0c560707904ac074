"""How the trials stand at the end of a sweep, and its best model."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from infogan_reports import RankedTrial

import infogan_bench
from infogan_bench import Sweep, TrainedModel
from infogan_bench.config import DatasetConfig, apply, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.networks import registry
from infogan_bench.records.results import Status
from infogan_bench.tracking import (
    _tracker,
    pyfunc,
)
from infogan_bench.tracking._standing import Standing, standing_text
from infogan_bench.training import Trainer, load_checkpoint, save_checkpoint
from tests.tracking.support import (
    a_tracker,
    metrics,
    query,
    report,
    run_id,
    runs,
    standing,
    tags,
)


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
    assert "trials.parquet: cannot be read as Parquet" in tracker.warning
    assert metrics(place, "0000")["final/cluster_accuracy", 10] == 0.3
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 2


def test_only_the_first_trials_of_a_large_sweep_carry_a_rank(place, finished, monkeypatch):
    standing(finished)
    monkeypatch.setattr(_tracker, "MAX_RANKED", 1)
    standing(finished)
    assert tags(place, "0001")["infogan.rank"] == "1"
    assert "infogan.rank" not in tags(place, "0000")


def test_equal_trials_share_their_rank_in_mlflow_and_in_the_api(place, finished):
    table = pd.read_parquet(finished / "trials.parquet")
    table["scores"] = [table["scores"].iloc[0]] * len(table)
    table.to_parquet(finished / "trials.parquet")
    standing(finished)
    assert [tags(place, trial)["infogan.rank"] for trial in ("0000", "0001")] == ["1", "1"]
    assert Sweep.load(finished).ranking()["rank"].tolist() == [1, 1]


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
