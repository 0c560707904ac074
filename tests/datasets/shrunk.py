"""Sweeps that ship, small enough for a test: their codes and networks, but narrow and for a few steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infogan_bench.config import DatasetConfig, SweepConfig, apply


def shrunk(sweep: SweepConfig, dataset: dict[str, Any], output: Path) -> SweepConfig:
    """Return the sweep on `dataset` with one seed and four steps a trial, scored at the end."""
    small = {"architecture.width": 0.05, "steps": 4, "batch": 4}
    return sweep.model_copy(
        update={
            "dataset": DatasetConfig(**dataset),
            "base": apply(sweep.base, small),
            "seeds": (0,),
            "evaluation": sweep.evaluation.model_copy(update={"every": 4}),
            "output": str(output),
        }
    )
