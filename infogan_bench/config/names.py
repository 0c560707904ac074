"""The nearest right name for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from infogan_bench.config.errors import code_list


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name` (in letters, whatever their case), or None where none is alike."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, else all of them."""
    known = tuple(known)
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else f"known: {code_list(known, last='and')}"
