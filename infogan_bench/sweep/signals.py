"""The signals that stop a sweep: SIGINT, SIGTERM and SIGHUP. The first one stops it cleanly, the second one at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INSIST_SECONDS = 0.005


class StopSignals:
    """A context in which the first signal ends Ray Tune's loop (which listens to SIGUSR1), or raises KeyboardInterrupt
    outside of the loop. The second signal ends the process. `received` is the number of the first signal.

    Set TUNE_DISABLE_SIGINT_HANDLER=1 beside it, since Tune's own handler hears SIGINT alone. In a thread that is
    not the main one nothing is installed: Python delivers signals to the main thread only.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._held_back = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.getsignal(number) for number in (*_SIGNALS, signal.SIGUSR1)}
        self.listen()
        return self

    def listen(self) -> None:
        """(Re)install the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._stop)

    @contextmanager
    def insisting(self) -> Iterator[None]:
        """For `ray.init`, which replaces SIGTERM's handler by one that aborts and must not be cut in the middle:
        reinstall ours every few milliseconds, and hold a first signal back till its end.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, lambda number, frame: self.listen())
        timer = signal.setitimer(signal.ITIMER_REAL, _INSIST_SECONDS, _INSIST_SECONDS)
        with self.held_back():
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, *timer)
                signal.signal(signal.SIGALRM, before)
                self.listen()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """A context for work that must not be cut short: a first signal takes effect at its end."""
        self._held_back = True
        try:
            yield
        finally:
            self._held_back = False
        if self.received is not None:
            raise KeyboardInterrupt

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            os._exit(128 + number)  # Ray's processes end with this one
        self.received = number
        if self._held_back:
            return
        if callable(signal.getsignal(signal.SIGUSR1)):
            signal.raise_signal(signal.SIGUSR1)
        else:
            raise KeyboardInterrupt
