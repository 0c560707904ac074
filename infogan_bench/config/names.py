"""Suggestions for a name that does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from infogan_bench.config.errors import code_list, show


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most similar to `name`, in upper or lower case; None if none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, else all of them."""
    known = tuple(known)
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else f"known: {code_list(known, last='and')}"


def not_among(value: object, known: Collection[str]) -> str:
    """The message for a value that is none of the known names: all of them, and the nearest."""
    hint = nearest(value, known) if isinstance(value, str) else None
    meant = f"; did you mean `{hint}`?" if hint else ""
    return f"expected {code_list(known)}, got {show(value)}{meant}"
