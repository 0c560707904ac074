"""No file of a sweep folder and no MLflow store holds a login, wherever a user wrote it."""

from __future__ import annotations

import logging
import shutil

import infogan_reports
import pytest

from infogan_bench import cli
from infogan_bench.config import ConfigError, load_resolved, parse_sweep, plan
from infogan_bench.errors import InputError, reason
from infogan_bench.sweep.logs import logging_to
from infogan_bench.sweep.record.edits import accepted_edits
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.sweep.track import track
from infogan_bench.tracking import served_store

LOGIN = "https://me:s3cr'et@tracking.example/x"
QUERY = "postgresql://db/x?password=s3cr'et"


def holders(folder):
    """The files below a folder that hold the secret."""
    return [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and any(word in file.read_bytes() for word in (b"s3cr", b"s3cr'et"))
    ]


@pytest.fixture
def leaky(finished):
    """A finished sweep whose user wrote logins into whatever takes free text."""
    tree = {
        "name": "tiny",
        "tracking": {"uri": LOGIN, "note": f"see {QUERY}", "tags": {"from": LOGIN}},
        "output": str(finished.parent),
        "space": {"optimiser.lr_d": [0.02, 0.002]},
    }
    sweep = parse_sweep(tree)
    made = SweepFolder.create(sweep, {"sweep_id": "tiny-1", "command": f"infogan-bench sweep {LOGIN}"})
    for name in ("trials", "trials.parquet", "history.parquet"):
        old, new = finished / name, made.path / name
        if new.is_dir():
            shutil.rmtree(new)
        else:
            new.unlink()
        shutil.move(old, new)
    return made.path, sweep


def test_the_files_of_a_sweep_hold_no_login(leaky):
    folder, sweep = leaky
    with logging_to(folder / "sweep.log"):
        logging.getLogger("infogan_bench").warning("cannot reach %s", LOGIN)
        print("cannot reach", QUERY)
    infogan_reports.build_report(folder)
    assert holders(folder) == []
    assert "https://***@tracking.example/x" in (folder / "report.html").read_text()
    assert load_resolved(folder / "as-run.yaml").tracking.uri == "https://***@tracking.example/x"
    # the user's own sweep is not a changed one
    assert (
        accepted_edits(load_resolved(folder / "as-run.yaml"), sweep, plan(sweep), folder / "sweep.yaml") == []
    )


def test_a_store_gets_no_login_and_neither_does_a_report_of_a_sweep_file_that_has_one(leaky, place):
    folder, _ = leaky
    file = folder / "sweep.yaml"
    file.write_text(file.read_text().replace("***@tracking", "me:s3cr'et@tracking"))  # put back by hand
    infogan_reports.build_report(folder)
    assert holders(folder) == ["sweep.yaml"]
    assert track(folder, f"sqlite:///{place}/mlflow.db").warning is None
    assert holders(place) == [f"{folder.name}/sweep.yaml"]
    [sent] = [found for found in place.rglob("sweep.yaml") if "mlartifacts" in found.parts]
    assert "uri: https://***@tracking.example/x" in sent.read_text()


def test_the_screen_shows_no_login(leaky, monkeypatch, capsys):
    folder, _ = leaky
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    for command in (["track", str(folder)], ["track", str(folder), "--uri", "ftp://me:s3cr'et@host"]):
        monkeypatch.setattr("sys.argv", ["infogan-bench", *command])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 2
    shown = capsys.readouterr().err
    assert "s3cr" not in shown
    assert (
        "the secret in `https://***@tracking.example/x` is not kept in files: set MLFLOW_TRACKING_URI"
        in shown
    )
    with pytest.raises(
        InputError, match=r"`https://\*\*\*@tracking.example/x` is a server with its own pages"
    ):
        served_store(load_resolved(folder / "sweep.yaml").tracking.uri)  # asks for no login
    assert reason(OSError(f"no answer from {QUERY}")).endswith("postgresql://db/x?password=***")


@pytest.mark.parametrize("key", ["output", "data_dir"])
def test_a_folder_of_this_machine_is_no_uri(key):
    place = "s3://id:s3cret@bucket/x"
    tree = {"output": place} if key == "output" else {"dataset": {"name": "mnist", "data_dir": place}}
    with pytest.raises(
        ConfigError, match=rf"{key}: expected a folder, got the URI 's3://id:\*\*\*@bucket/x'"
    ):
        parse_sweep({"name": "leaky", **tree})
