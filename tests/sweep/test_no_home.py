"""A sweep of a user that is not root and has no home folder, as in a container that was started with `--user`; a sweep
folder that is read-only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sweep.nobody import as_nobody, folder_of_nobody, needs_open_folders, needs_root

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


@pytest.fixture
def archived(theirs, trained_sweep):
    """A sweep folder of root, so not theirs to write."""
    return Path(shutil.copytree(trained_sweep, theirs / "archive" / "tiny"))


@pytest.mark.slow
@needs_root
def test_a_read_only_sweep_folder_is_reported_elsewhere(theirs, archived):
    def run(*arguments):
        return as_nobody(["-m", "infogan_bench", *arguments], theirs, "/")

    refused = run("report", str(archived))
    assert refused.returncode == 2
    *_, fault = refused.stderr.splitlines()
    assert (
        fault
        == f"error: {archived}/report.html cannot be written (Permission denied); --output names another place"
    )
    assert "Traceback" not in refused.stderr
    assert run("report", str(archived), "--output", "report.html").returncode == 0
    assert "<html" in (theirs / "report.html").read_text()


@pytest.mark.slow
@needs_root
@needs_open_folders
def test_a_read_only_sweep_folder_is_tracked(theirs, archived):
    arguments = ["-m", "infogan_bench", "track", str(archived), "--uri", "sqlite:///mlflow.db"]
    tracked = as_nobody(arguments, theirs, "/")
    assert (tracked.returncode, tracked.stderr) == (0, "")
    assert tracked.stdout == f"sqlite:///{theirs}/mlflow.db: has all of 2 trial(s)\n"
    assert not (archived / "sweep.log").exists()
