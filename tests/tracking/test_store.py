"""Stores that are refused, that are slow, and that go away."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from infogan_bench.config import load_sweep, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status
from infogan_bench.sweep import start
from infogan_bench.sweep.record.environment import describe_environment
from infogan_bench.tracking import (
    free_port,
    resolve_uri,
)
from tests.command_line import infogan_bench
from tests.tracking.support import a_tracker, metrics, report, run_id, runs, wait_for


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


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("http://", r"`http://` is no address of a server: expected `http://HOST:PORT`"),
        ("http://host:70000", "is no address of a server"),
        ("https://me:s3cret@:5000", r"`https://\*\*\*@:5000` is no address of a server"),
        (
            "postgresql+nosuch://me:s3cret@host/x",
            r"MLflow cannot use `postgresql\+nosuch://me:\*\*\*@host/x`: ",
        ),
        ("mysql://host:many/x", r"MLflow cannot use `mysql://host:many/x`: "),
        ("sqlite:///no/such/folder/mlflow.db", r"the folder `.*/no/such/folder` does not exist"),
    ],
)
def test_a_store_that_cannot_work_is_refused_before_anything_begins(tmp_path, monkeypatch, uri, fault):
    monkeypatch.chdir(tmp_path)
    config = parse_sweep({"name": "refused", "tracking": {"uri": uri}})
    with pytest.raises(InputError, match=fault):
        start(config)
    Path("refused.yaml").write_text(f"name: refused\ntracking: {{uri: '{uri}'}}\n")
    done = infogan_bench("validate", "refused.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(fault, done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["refused.yaml"]


@pytest.mark.parametrize("how", ["missing", "broken"])
def test_an_mlflow_that_cannot_be_imported_is_told_before_anything_begins(tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        monkeypatch.delitem(sys.modules, name)
    if how == "missing":
        monkeypatch.setitem(sys.modules, "mlflow", None)
    else:
        (tmp_path / "mlflow.py").write_text("raise AttributeError('half of it is gone')")
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"^tracking: MLflow cannot be imported \(.*`tracking: none`$"):
        start(parse_sweep({"name": "refused"}))
    assert not (tmp_path / "runs").exists()


def test_the_environment_is_recorded_where_mlflow_is_not_installed(monkeypatch):
    found = importlib.metadata.version

    def version(package):
        if package == "mlflow":
            raise importlib.metadata.PackageNotFoundError(package)
        return found(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    packages = describe_environment().packages
    assert "mlflow" not in packages
    assert packages["numpy"] == found("numpy")


@pytest.mark.parametrize("word", ["none", "off", "no", "''"])
def test_words_for_no_store_name_the_way_to_turn_mlflow_off(tmp_path, word):
    (tmp_path / "off.yaml").write_text(f"name: off\ntracking: {{uri: {word}}}\n")
    with pytest.raises(
        InputError, match=r"off.yaml:2: tracking.uri: .* MLflow is turned off by `tracking: none`"
    ):
        load_sweep(tmp_path / "off.yaml")


@pytest.mark.parametrize("word", ["off", "no", "false"])
def test_tracking_is_turned_off_by_none_alone(tmp_path, word):
    (tmp_path / "off.yaml").write_text(f"name: off\ntracking: {word}\n")
    with pytest.raises(InputError, match=r"off.yaml:2: tracking.* MLflow is turned off by `tracking: none`"):
        load_sweep(tmp_path / "off.yaml")
