"""Faults of a sweep file, each with its key and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan_bench.errors import InputError

_SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True)
class Fault:
    """A fault of a sweep file: a sentence, the dotted key it is about, the 1-based line it stands in."""

    message: str
    key: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        return printable(f"{self.key}: {self.message}" if self.key else self.message)


class ConfigError(InputError):
    """All faults of one file, or of one dict if `path` is None: a line each, sorted by line."""

    def __init__(self, path: Path | None, faults: Iterable[Fault]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        super().__init__("\n".join(self._place(fault) + str(fault) for fault in self.faults))

    def _place(self, fault: Fault) -> str:
        if self.path is None:
            return ""
        line = "" if fault.line is None else f":{fault.line}"
        return f"{printable(str(self.path))}{line}: "


def printable(text: str) -> str:
    """`text` in one line: line breaks and control characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def show(value: Any) -> str:
    """`value` as a message quotes it: flags and lists as YAML writes them, long values cut."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        value = list(value)
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def count(number: int, noun: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def code_list(names: Iterable[str], last: str = "or") -> str:
    """`a`, `b` or `c`."""
    *head, tail = (f"`{name}`" for name in names)
    return f"{', '.join(head)} {last} {tail}" if head else tail
