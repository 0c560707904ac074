"""The time that a sweep took: when each of its sessions began, and how long it lasted, in `sessions.jsonl`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from infogan_bench.records import SessionRecord, Status, SweepPaths, TrialUpdate, append_session

# A session that was killed may have lasted so much longer than is on record
_LEAST = 2.0  # seconds
_SHARE = 0.01  # of the session


class SessionRecorder:
    """A `SweepListener` that appends a line whenever a session has got further; the last one of a session counts.

    Each holds `began` (UTC), the `seconds` since then, the `status` (null until the session ends, and for ever if it
    is killed) and the `request`, {resource: amount} of one trial. They come at growing distances, so that the file
    stays small and a session which is killed is known to one part in a hundred.
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
        with suppress(OSError):  # a full disk is told of by what matters more
            append_session(self._path, session)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._clock
