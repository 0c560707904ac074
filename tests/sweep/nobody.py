"""Commands of a user that is not root: root may write anywhere, which hides what others meet."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 54321  # no such user has a name
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("setpriv"), reason="to become another user takes root"
)


def _others_may_enter(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


needs_open_folders = pytest.mark.skipif(
    not _others_may_enter(Path(sys.prefix)),
    reason="MLflow asks by `access`, which knows no capabilities, for its files in a folder that others may not enter",
)


@contextmanager
def folder_of_nobody() -> Iterator[Path]:
    """A folder of that user; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="nobody-"))
    os.chown(folder, NOBODY, NOBODY)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(arguments, folder, home):
    """Run Python as that user, who may read all files, since the interpreter may lie in root's home, but write only
    their own."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("HOME", "USER", "LOGNAME") and not key.startswith("RAY_")
    }
    environment = kept | {"TMPDIR": str(folder)} | ({} if home is None else {"HOME": home})
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return subprocess.run(
        ["setpriv", *user, *reading, sys.executable, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
