"""The list of the data sets: the facts of each, and whether its images are here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from infogan_bench.config.datasets import DATASETS, DatasetRow
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.registry import dataset_names, reader

State = Literal["ships", "found", "missing", "drawn here", "drawn and cached", "yours"]


@dataclass(frozen=True)
class Listed:
    """A data set in the list.

    Attributes:
        name: as in `dataset.name`.
        row: its facts; None for one that a module of the user's registered.
        state: whether its images are here.
        missing: the files that are missing, and where they can be had; None where none are.
    """

    name: str
    row: DatasetRow | None
    state: State
    missing: str | None = None


def list_datasets(data_dir: Path) -> list[Listed]:
    """Return all data sets that are known: those that ship, then those that the user's modules registered.

    Args:
        data_dir: the folder in which files are looked for.
    """
    own = [name for name in dataset_names() if name not in DATASETS]
    return [_listed(row, data_dir) for row in DATASETS.values()] + [
        Listed(name, None, "yours") for name in own
    ]


def _listed(row: DatasetRow, data_dir: Path) -> Listed:
    find = reader(row.name).find
    if row.origin == "package":
        return Listed(row.name, row, "ships")
    if find is None:
        return Listed(row.name, row, "yours" if row.origin == "yours" else _drawn_state(row.name))
    try:
        find(data_dir.absolute())
    except DatasetError as error:
        return Listed(row.name, row, "missing", str(error))
    return Listed(row.name, row, "found")


def _drawn_state(name: str) -> State:
    drawn = reader(name).drawn
    kept = drawn is not None and all(path.is_file() for path in drawn().files())
    return "drawn and cached" if kept else "drawn here"


def listing_table(listed: Sequence[Listed]) -> str:
    """Return the list as a table in plain text, then what is missing."""
    head = ("name", "what", "image", "training", "test", "memory", "first use", "labels or factors", "state")
    rows = [head, *map(_cells, listed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    missing = [
        f"{each.name}: {each.missing.removeprefix(f'{each.name}: ')}" for each in listed if each.missing
    ]
    return "\n".join([*lines, *(["", "Missing:", *missing] if missing else [])])


def _cells(listed: Listed) -> tuple[str, ...]:
    row = listed.row
    if row is None:
        return (listed.name, "of your own", "", "", "", "", "", "", listed.state)
    return (
        listed.name,
        row.title,
        "x".join(map(str, row.shape)) if row.shape else "any",
        *((f"{n:,}" for n in row.images) if row.images else ("any", "any")),
        f"{row.megabytes:,.0f} MB" if row.megabytes else "any",
        _time(row.seconds),
        row.truth,
        listed.state,
    )


def _time(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def listing_json(listed: Sequence[Listed]) -> str:
    """Return the list as JSON: a list of objects, with sizes in 10^6 bytes and times in seconds."""
    return json.dumps([_entry(each) for each in listed], indent=1)


def _entry(listed: Listed) -> dict[str, object]:
    facts: dict[str, object] = {"name": listed.name, "state": listed.state, "missing": listed.missing}
    if listed.row:
        row = asdict(listed.row) | {"megabytes": listed.row.megabytes}
        facts |= {key: value for key, value in row.items() if key not in ("name", "options")}
    return facts
