"""Sweep files written for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from infogan_bench.config import ConfigError, SweepConfig, load_sweep

Write = Callable[[str], Path]
Faults = Callable[[str], list[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the dedented text to `sweep.yaml`."""

    def write_text(text: str) -> Path:
        path = tmp_path / "sweep.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write_text


@pytest.fixture
def load(write: Write) -> Callable[[str], SweepConfig]:
    return lambda text: load_sweep(write(text))


@pytest.fixture
def faults(write: Write) -> Faults:
    """The lines of the error that loading the text gives, without the folder."""

    def messages(text: str) -> list[str]:
        path = write(text)
        with pytest.raises(ConfigError) as caught:
            load_sweep(path)
        return str(caught.value).replace(f"{path.parent}/", "").splitlines()

    return messages
