"""`journal.jsonl`: the updates of a sweep that its two tables have not taken in yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from infogan_bench.records.errors import RecordError
from infogan_bench.records.files import read_text
from infogan_bench.records.results import TrialUpdate

log = logging.getLogger(__name__)


def append_update(path: Path, update: TrialUpdate) -> None:
    """Append an update as a line.

    Raises:
        OSError: if it cannot be written.
    """
    with path.open("a", encoding="utf-8") as file:
        file.write(update.to_json() + "\n")


def read_journal(path: Path) -> Iterator[TrialUpdate]:
    """Yield the updates; none where there is no file.

    A damaged line is left out and logged, since a killed driver or a full disk cuts a line short.

    Raises:
        RecordError: if the file cannot be read.
    """
    lines = read_text(path).splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            yield TrialUpdate.from_json(line, f"{path}:{number}")
        except RecordError as error:
            log.warning("left out: %s", error)
