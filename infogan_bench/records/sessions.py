"""`sessions.jsonl`: when each session of a sweep, the first and every resume, began, and how long it lasted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records.decoding import decode, encode
from infogan_bench.records.errors import RecordError
from infogan_bench.records.files import parse_json, read_text
from infogan_bench.records.results import Status


@dataclass(frozen=True)
class SessionRecord:
    """A session of a sweep, as recorded so far. A session has many lines, of which the last one counts."""

    began: str  # UTC, ISO 8601
    seconds: float  # since it began
    status: Status | None  # None until it ends, and for ever if it is killed
    request: Mapping[
        str, float
    ]  # {resource: amount} that a trial asks Ray for; empty where no trial was left


def append_session(path: Path, session: SessionRecord) -> None:
    """Append a line.

    Raises:
        OSError: if it cannot be written.
    """
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(encode(session)) + "\n")


def read_sessions(path: Path) -> tuple[SessionRecord, ...]:
    """Read the sessions in their order; none where there is no file. A line that a crash cut short is left out.

    Raises:
        RecordError: if the file cannot be read, or a line is no session.
    """
    if not path.is_file():
        return ()
    found: dict[str, SessionRecord] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            document = parse_json(line, f"{path}:{number}")
        except RecordError:
            continue
        session = decode(SessionRecord, document, f"{path}:{number}")
        found[session.began] = session
    return tuple(found.values())
