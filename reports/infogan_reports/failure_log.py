"""The entries of a sweep's log on trials that failed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from infogan_bench.secrets import hide_secrets
from infogan_reports.folder import ReportError

LONGEST_LOG = 16_000_000  # bytes, at the end of the file, that are searched
MOST_LINES = 25  # the last lines of an entry, with the frames of a traceback nearest to the fault
LONGEST_LINE = 400
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \w+ \S+: ", flags=re.MULTILINE)
_FAILED = re.compile(r"trial (.*?) failed[\n:]")


def failure_logs(path: Path, trials: Collection[str]) -> Mapping[str, str]:
    """Return, for each failed trial in the log, the end of its last entry.

    Args:
        path: sweep.log; there may be none.
        trials: ids of failed trials.

    Raises:
        ReportError: if the log cannot be read.
    """
    if not trials or not path.is_file():
        return {}
    text = _end_of(path)
    starts = [match.start() for match in _ENTRY.finditer(text)]
    found: dict[str, str] = {}
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        entry = text[start:end]
        failed = _FAILED.search(entry.partition("\n")[0] + "\n")
        if failed and failed[1] in trials:
            found[failed[1]] = _last_lines(hide_secrets(entry))  # older logs may hold secrets
    return found


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LONGEST_LOG))
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or error}") from None


def _last_lines(entry: str) -> str:
    lines = entry.rstrip().split("\n")
    shown = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in lines[-MOST_LINES:]]
    left_out = [f"[{len(lines) - MOST_LINES} lines left out]"] if len(lines) > MOST_LINES else []
    return "\n".join([*left_out, *shown])
