"""Figures in a notebook need nbformat, which is an extra."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import pytest

from infogan_bench import Sweep


def test_without_nbformat_one_line_says_what_to_install(
    trained_sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep.load(trained_sweep)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "nbformat" else find_spec(name)
    )
    with pytest.warns(
        UserWarning, match=r"nbformat, which is not installed: pip install 'infogan-bench\[notebook\]'"
    ):
        sweep.curves()
