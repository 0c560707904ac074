"""The description of a sweep for MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class TrackedSweep:
    """A sweep that is tracked.

    `sweep_id` has letters, digits, `_` and `-`; nothing else ties the sweep to its runs. `run_params` are all values of
    the base run, {dotted key: value}; `swept` are the keys that differ between trials.
    """

    name: str
    sweep_id: str
    folder: Path
    run_params: Mapping[str, Any]
    swept: Sequence[str]
    metric: str  # that of the goal, by which trials are ranked
    mode: Literal["max", "min"]
