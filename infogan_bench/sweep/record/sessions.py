"""The record of a sweep's time, `sessions.jsonl`: the begin and the length of each session."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from infogan_bench.records import SessionRecord, Status, SweepPaths, TrialUpdate, append_session

# A session that was killed may have lasted longer than its record says, by at most this
_LEAST = 2.0  # seconds
_SHARE = 0.01  # share of the session's length


class SessionRecorder:
    """A `SweepListener` that appends lines while a session runs. The last line of a session counts.

    Each holds `began` (UTC), the `seconds` since then, the `status` (null until the session ends, and for ever if it
    is killed) and the `request`, {resource: amount} of one trial. The lines come at growing
    distances, so the file stays small, and the length of a session that was killed is known to 1%.
    """

    def __init__(self, folder: Path) -> None:
        self._path = SweepPaths(folder).sessions
        self._began = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._clock = time.monotonic()
        self._noted = -math.inf
        self.request: Mapping[str, float] = {}

    def started(self, total: int | None) -> None:
        """Put the session on record."""
        self.note()

    def updated(self, update: TrialUpdate) -> None:
        """Nothing to record: a trial's time stands in trials.parquet."""

    def tick(self) -> None:
        """Append a line if it is time to."""
        if self._seconds - self._noted > max(_LEAST, _SHARE * self._seconds):
            self.note()

    def ended(self, status: Status) -> None:
        """Append the last line."""
        self.note(status)

    def note(self, status: Status | None = None) -> None:
        """Append how long the session has lasted so far, and how it ended, if it has."""
        self._noted = self._seconds
        session = SessionRecord(self._began, round(self._noted, 1), status, dict(self.request))
        with suppress(OSError):  # if the disk is full, the sweep folder reports it
            append_session(self._path, session)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._clock
