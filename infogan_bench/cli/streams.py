"""Standard output and standard error that a full disk or a closed terminal does not break a command by."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from infogan_bench.errors import reason


class LossyStream(io.TextIOBase):
    """A text stream that shows what it can: characters that its encoding lacks are replaced, and from the first write
    that fails, nothing is written any more. `fault` is what that write raised."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.fault: OSError | ValueError | None = None
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str, /) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        """Note the fault, and lead what Python still holds back, and writes when it exits, to nowhere."""
        if self.fault is not None:
            return
        self.fault = error
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            return


@contextmanager
def lossy_streams() -> Iterator[None]:
    """Put a `LossyStream` in the place of standard output and standard error, where there are any, for a while."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (None if stream is None else LossyStream(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def stream_faults() -> list[str]:
    """Return a sentence for each standard stream that was lost."""
    named = {"standard output": sys.stdout, "standard error": sys.stderr}
    return [
        f"{name} cannot be written: {reason(stream.fault)}"
        for name, stream in named.items()
        if isinstance(stream, LossyStream) and stream.fault is not None
    ]


def output_fault() -> OSError | ValueError | None:
    """Return what standard output was lost by; None if it was not."""
    return sys.stdout.fault if isinstance(sys.stdout, LossyStream) else None
