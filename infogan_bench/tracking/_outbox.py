"""A buffer and the thread that empties it, so that the sweep hands over a record and continues at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._record import Record

_log = logging.getLogger(__name__)

MAX_WAITING = 100_000  # values and files kept in memory while a store does not answer: about 30 MB
_FIRST_WAIT = 0.5  # seconds before the next attempt; doubled up to
_LONGEST_WAIT = 30.0
_LAST_ATTEMPTS = 3  # in a row, when the sweep has ended


class Outbox:
    """Records by run, merged while they wait, sent one run at a time in the order of their arrival.

    Args:
        send: sends a record and takes out of it what has arrived; returns how many values the store refused
            for good. If it raises, the rest of the record waits for another attempt, behind the others.
        parent: the key that the others depend on, and that goes before them.
        limit: while this many values and files wait, further ones are left in the sweep folder until they can be
            sent.
    """

    def __init__(self, send: Callable[[str, Record], int], parent: str, limit: int = MAX_WAITING) -> None:
        self._send = send
        self._parent = parent
        self._failed: str | None = None  # the key of the last record, if the store did not take it
        self._limit = limit
        self._waiting: dict[str, Record] = {}
        self._in_flight: Record | None = None
        self._size = 0  # size of the waiting records
        self._refused = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._abandoned = False
        self._thread = threading.Thread(target=self._work, name="mlflow-writer", daemon=True)
        self.last_error: str | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, key: str, record: Record) -> None:
        """Add to the record of the run `key`. Returns at once."""
        with self._changed:
            earlier = self._waiting.get(key)
            self._hold(key, record if earlier is None else earlier.followed_by(record))
            self._changed.notify()

    def close(self, seconds: float | None) -> None:
        """Send the waiting records, for at most `seconds`, or as long as the store answers."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(seconds)
        self._abandoned = self._thread.is_alive()

    @property
    def refused(self) -> int:
        """Values and files that the store does not take."""
        with self._changed:
            return self._refused

    @property
    def unsent(self) -> int:
        """The runs with waiting records."""
        with self._changed:
            return len(self._waiting) + (self._in_flight is not None)

    def _work(self) -> None:
        failures = last_failures = 0  # in a row, and those of them since the end began
        while (taken := self._take()) is not None:
            try:
                self._sent(refused=self._send(*taken))
                failures = last_failures = 0
            except Exception as error:  # whatever a store or a network does must not reach the sweep
                failures += 1
                self.last_error = hide_secrets(str(error))
                _log.warning("MLflow, attempt %d: %s", failures, self.last_error)
                self._put_back(*taken)
                last_failures += self._closing.is_set()
                if last_failures >= _LAST_ATTEMPTS:
                    return
                self._pause(failures)

    def _take(self) -> tuple[str, Record] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            if self._abandoned or not self._waiting:
                return None
            key = self._next()
            self._in_flight = self._waiting.pop(key)
            self._size -= self._in_flight.size
            return key, self._in_flight

    def _next(self) -> str:
        """The key to send: not the one that failed last unless it is alone, `parent` before others, the oldest before
        newer ones. It takes no longer when thousands wait."""
        if self._parent in self._waiting and self._failed != self._parent:
            return self._parent
        return next((key for key in self._waiting if key != self._failed), self._failed or self._parent)

    def _sent(self, refused: int) -> None:
        with self._changed:
            self._refused += refused
            self._in_flight = None
            self._failed = None

    def _put_back(self, key: str, record: Record) -> None:
        with self._changed:
            self._in_flight = None
            self._failed = key
            later = self._waiting.get(key)
            self._hold(key, record if later is None else record.followed_by(later))

    def _hold(self, key: str, record: Record) -> None:
        """Let `record` wait for its run: whole, or in the sweep folder if too much waits already."""
        before = self._waiting.get(key)
        self._size += record.size - (before.size if before else 0)
        if self._size > self._limit and key != self._parent:
            self._size -= record.size
            record.leave_in_folder()
            self._size += record.size
        self._waiting[key] = record

    def _pause(self, failures: int) -> None:
        if self._closing.is_set():
            time.sleep(_FIRST_WAIT)
        else:
            self._closing.wait(min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT))
