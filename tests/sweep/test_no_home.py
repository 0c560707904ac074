"""A sweep of a user that is not root and has no home folder, as in a container that was started with `--user`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NOBODY = 54321  # no such user has a name
SWEEP = """
name: homeless
dataset: {name: mnist, train_size: 256, test_size: 100}
base: {architecture: {name: mlp, width: 0.1}, steps: 2, batch: 32}
evaluation: {every: 2}
tracking: none
"""


@pytest.fixture
def theirs():
    """A folder of that user; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="homeless-"))
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def as_nobody(arguments, folder, home):
    """Run Python as that user, who may read all files, since the interpreter may lie in root's home, but write only
    their own."""
    kept = {key: value for key, value in os.environ.items() if key not in ("HOME", "USER", "LOGNAME")}
    environment = kept | {"TMPDIR": str(folder)} | ({} if home is None else {"HOME": home})
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return subprocess.run(
        ["setpriv", *user, *reading, sys.executable, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("setpriv"), reason="to become another user takes root"
)
@pytest.mark.parametrize("home", ["/", None])
def test_a_sweep_needs_no_home(theirs, home):
    (theirs / "sweep.yaml").write_text(SWEEP)
    before = set(Path("/").iterdir())
    done = as_nobody(["-m", "infogan_bench", "sweep", "sweep.yaml"], theirs, home)
    assert (done.returncode, "1 trials: 1 finished" in done.stdout) == (0, True), done.stderr
    assert (theirs / "runs" / "homeless" / "report.html").is_file()
    assert set(Path("/").iterdir()) == before
