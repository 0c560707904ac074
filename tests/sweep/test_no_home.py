"""A sweep of a user that is not root and has no home folder, as in a container that was started with `--user`; a sweep
folder that is read-only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sweep.nobody import as_nobody, folder_of_nobody, needs_root

SWEEP = """
name: homeless
dataset: {name: mnist, train_size: 256, test_size: 100}
base: {architecture: {name: mlp, width: 0.1}, steps: 2, batch: 32}
evaluation: {every: 2}
tracking: none
"""


@pytest.fixture
def theirs():
    with folder_of_nobody() as folder:
        yield folder


@pytest.mark.slow
@needs_root
@pytest.mark.parametrize("home", ["/", None])
def test_a_sweep_needs_no_home(theirs, home):
    (theirs / "sweep.yaml").write_text(SWEEP)
    before = set(Path("/").iterdir())
    done = as_nobody(["-m", "infogan_bench", "sweep", "sweep.yaml"], theirs, home)
    assert (done.returncode, "1 trials: 1 finished" in done.stdout) == (0, True), done.stderr
    assert (theirs / "runs" / "homeless" / "report.html").is_file()
    assert set(Path("/").iterdir()) == before


@pytest.mark.slow
@needs_root
def test_a_read_only_sweep_folder_is_reported_elsewhere_and_tracked(theirs, trained_sweep):
    folder = theirs / "archive" / "tiny"
    shutil.copytree(trained_sweep, folder)  # by root, so not theirs to write

    def run(*arguments):
        return as_nobody(["-m", "infogan_bench", *arguments], theirs, "/")

    refused = run("report", str(folder))
    assert refused.returncode == 2
    *_, fault = refused.stderr.splitlines()
    assert (
        fault
        == f"error: {folder}/report.html cannot be written (Permission denied); --output names another place"
    )
    assert "Traceback" not in refused.stderr
    assert run("report", str(folder), "--output", "report.html").returncode == 0
    assert "<html" in (theirs / "report.html").read_text()
    tracked = run("track", str(folder), "--uri", "sqlite:///mlflow.db")
    assert (tracked.returncode, tracked.stderr) == (0, "")
    assert tracked.stdout == f"sqlite:///{theirs}/mlflow.db: has all of 2 trial(s)\n"
    assert not (folder / "sweep.log").exists()
