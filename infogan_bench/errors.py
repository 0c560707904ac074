"""The error for wrong input, which the user can correct, and the text of an exception in one line."""

from __future__ import annotations

from infogan_bench.secrets import hide_secrets

_LONGEST = 2000  # characters of a message; it goes into tables, into MLflow and onto the screen


class InputError(ValueError):
    """Something the user gave (a file, a key, an argument) is wrong; the message says what was expected.

    The CLI prints it on one line and exits with code 2.
    """


def reason(error: BaseException) -> str:
    """`RuntimeError: its message`, as text that any file can hold, for any exception. Secrets of URIs in it are
    hidden."""
    try:
        message = str(error) or "no message"
    except Exception:
        message = "its message cannot be read"
    text = hide_secrets(f"{type(error).__name__}: {message}".encode("utf-8", "replace").decode())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut; it has {len(text):,} characters)"
