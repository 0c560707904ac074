"""The command line in this process: what a command prints, and its exit code."""

from __future__ import annotations

import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from infogan_bench.cli import main


class Done(NamedTuple):
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


def infogan_bench(*arguments: str, cwd: Path | None = None) -> Done:
    """Run `infogan-bench ARGUMENTS` in the folder `cwd`.

    A process of its own would import torch and Ray anew, which takes longer than most commands.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        chdir(cwd or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["infogan-bench", *arguments])
        try:
            main()
        except SystemExit as left:
            code = left.code
        else:
            code = 0
    assert isinstance(code, int) or code is None
    return Done(code or 0, out.getvalue(), err.getvalue())
