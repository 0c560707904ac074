"""`warm-start.json`: the trials of an earlier sweep that a search learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infogan_bench.records.files import read_record, write_record


@dataclass(frozen=True)
class EarlierTrial:
    """A finished trial of an earlier sweep, in the space and by the goals of the new one."""

    source: str  # `runs/other trial 0003`
    params: Mapping[str, Any]
    values: tuple[float, ...]  # of each goal


@dataclass(frozen=True)
class WarmStartRecord:
    """The trials that a search learns from, and a sentence on those that were left out."""

    trials: tuple[EarlierTrial, ...] = field(metadata={"key": "lessons"})
    notice: str = ""


def read_warm_start_record(path: Path) -> WarmStartRecord:
    """Read the record.

    Raises:
        RecordError: if there is none, or it is damaged.
    """
    return read_record(path, WarmStartRecord)


def write_warm_start_record(path: Path, record: WarmStartRecord) -> None:
    """Write the record."""
    write_record(path, record)
