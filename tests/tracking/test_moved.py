"""A sweep is followed by one MLflow database, wherever a command is called from and wherever its project goes."""

from __future__ import annotations

import shutil

import pytest

from infogan_bench.config import load_resolved, load_sweep, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.sweep.track import track
from infogan_bench.tracking import served_store
from tests.tracking.support import artifacts, runs


@pytest.fixture
def project(tmp_path, schema, trained_sweep, monkeypatch):
    """A folder with a database, data, an extension and `runs/tiny`, a sweep that was begun in it."""
    place = tmp_path / "project"
    place.mkdir()
    shutil.copy(schema, place / "mlflow.db")
    (place / "data").mkdir()
    (place / "mine.py").write_text("")
    monkeypatch.chdir(place)
    tree = {
        "name": "tiny",
        "tracking": {"uri": "sqlite:///mlflow.db"},
        "dataset": {"name": "mnist", "data_dir": "data"},
        "storage": "checkpoints",
        "extensions": ["mine.py"],
        "space": {"optimiser.lr_d": [0.02, 0.002]},
    }
    folder = SweepFolder.create(parse_sweep(tree), {"sweep_id": "tiny-1"}).path
    for name in ("trials.parquet", "history.parquet"):
        shutil.copy(trained_sweep / name, folder / name)
    shutil.copytree(trained_sweep / "trials", folder / "trials", dirs_exist_ok=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return place


def paths(folder):
    """The paths of a sweep folder's two sweep files, which are the same."""
    record = SweepFolder.open(folder)
    sweep, as_run = record.sweep, record.as_run
    assert sweep == as_run
    return sweep.tracking.uri, sweep.dataset.data_dir, sweep.storage, sweep.extensions


def expected(place):
    return f"sqlite:///{place}/mlflow.db", f"{place}/data", f"{place}/checkpoints", (f"{place}/mine.py",)


def test_paths_start_from_where_the_sweep_was_begun_and_move_with_the_project(project):
    text = (project / "runs" / "tiny" / "sweep.yaml").read_text()
    assert text.count(str(project)) == 1  # `base` itself
    assert f"base: {project}" in text
    assert "base_from_here: ../.." in text
    assert paths(project / "runs" / "tiny") == expected(project)
    moved = project.rename(project.parent / "moved")
    assert paths(moved / "runs" / "tiny") == expected(moved)


def test_a_sweep_folder_that_leaves_its_project_finds_what_stayed_there(project, tmp_path):
    (project / "checkpoints").mkdir()
    folder = tmp_path / "archive" / "2026" / "tiny"
    shutil.move(project / "runs" / "tiny", folder)
    assert paths(folder) == expected(project)
    assert load_sweep(folder / "sweep.yaml").dataset.data_dir == f"{project}/data"  # as a sweep file too


def test_commands_from_another_folder_use_the_database_of_the_sweep(project, tmp_path):
    folder = project / "runs" / "tiny"
    assert track(folder).uri == f"sqlite:///{project}/mlflow.db"
    assert len(runs(project)) == 3
    assert served_store(load_resolved(folder / "sweep.yaml").tracking.uri) == f"sqlite:///{project}/mlflow.db"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_an_experiment_of_a_moved_database_is_refused_and_nothing_is_written_to_the_old_place(project, how):
    assert track(project / "runs" / "tiny").warning is None
    new = project.parent / "new"
    (project.rename if how == "moved" else lambda to: shutil.copytree(project, to))(new)
    shutil.rmtree(new / "mlartifacts")
    before = sorted(project.rglob("*"))
    with pytest.raises(
        InputError, match=rf"keeps its files in {project}/mlartifacts, where its database was"
    ):
        track(new / "runs" / "tiny")
    assert sorted(project.rglob("*")) == before
    file = new / "runs" / "tiny" / "sweep.yaml"
    file.write_text(file.read_text().replace("experiment: null", "experiment: again"))  # one way out
    assert track(new / "runs" / "tiny").warning is None
    assert sorted(project.rglob("*")) == before
    if how == "moved":
        file.write_text(file.read_text().replace("experiment: again", "experiment: null"))
        project.mkdir()
        (project / "mlartifacts").symlink_to(new / "mlartifacts")  # the other
        assert track(new / "runs" / "tiny").warning is None


def test_track_sends_files_that_the_store_has_lost(project):
    folder = project / "runs" / "tiny"
    assert track(folder).warning is None
    had = {trial: artifacts(project, trial) for trial in (None, "0000", "0001")}
    assert {"trial.json", "seed-0/samples.png", "seed-0/evaluation.json"} <= had["0000"]
    models = sorted(project.glob("mlartifacts/models/*/artifacts/MLmodel"))
    assert len(models) == 1
    shutil.rmtree(project / "mlartifacts")
    assert track(folder).warning is None
    assert {trial: artifacts(project, trial) for trial in had} == had
    assert len(sorted(project.glob("mlartifacts/models/*/artifacts/MLmodel"))) == 1
