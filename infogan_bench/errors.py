"""The error for wrong input, which the user can correct; the text of an exception in one line; a fault of a trial that
another process trained."""

from __future__ import annotations

from infogan_bench.secrets import hide_secrets

_LONGEST = 2000  # characters of a message; it goes into tables, into MLflow and onto the screen


class InputError(ValueError):
    """Something the user gave (a file, a key, an argument) is wrong; the message says what was expected.

    The CLI prints it on one line and exits with code 2.
    """


class TrialFault(RuntimeError):  # noqa: N818  a trial's, and told to the user as its reason
    """An exception with which a trial ended, as text, so that any process can read it.

    Args:
        reason: `RuntimeError: its message`.
        details: its traceback.
        out_of_memory: whether a card had no memory left.
        of_others: whether other trials that trained in the same stack may have caused it.
    """

    def __init__(
        self, reason: str, details: str, out_of_memory: bool = False, of_others: bool = False
    ) -> None:
        super().__init__(reason, details, out_of_memory, of_others)
        self.reason = reason
        self.details = details
        self.out_of_memory = out_of_memory
        self.of_others = of_others

    def __str__(self) -> str:
        return self.reason


def reason(error: BaseException) -> str:
    """`RuntimeError: its message`, as text that any file can hold, for any exception. Secrets of URIs in it are
    hidden."""
    if isinstance(error, TrialFault):
        return error.reason
    try:
        message = str(error) or "no message"
    except Exception:
        message = "its message cannot be read"
    text = hide_secrets(f"{type(error).__name__}: {message}".encode("utf-8", "replace").decode())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut; it has {len(text):,} characters)"
