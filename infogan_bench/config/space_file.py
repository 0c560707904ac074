"""The reader of a sweep file's `space`: nested or dotted keys with domains, whose values are checked on the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infogan_bench.config.errors import ConfigError, Fault, show
from infogan_bench.config.params import apply, get_value, is_run_key, run_keys, unknown_param
from infogan_bench.config.run import RunConfig
from infogan_bench.config.space import Choice, Domain, Range, canonical, is_domain, parse_domain
from infogan_bench.config.yaml_file import KeyPath


def read_space(tree: Any, lines: Mapping[KeyPath, int]) -> tuple[dict[str, Domain], list[Fault]]:
    """Read the domains in the value of the key `space`, by dotted key, and the faults of the others.

    Values are stored as the run will have them (`steps: [1e3]` becomes 1000), so that two spellings of one
    value are one trial.
    """
    if not isinstance(tree, Mapping):
        wanted = f"expected keys of the base run and what to try for each, got {show(tree)}"
        return {}, [Fault(wanted, "space", lines.get(("space",)))]
    entries = list(_entries(tree, ("space",), lines))
    faults = _repeated(entries)
    space: dict[str, Domain] = {}
    for entry in entries:
        try:
            domain = _domain(entry)
        except ValueError as error:
            faults.append(Fault(str(error), f"space.{entry.key}", entry.line))
            continue
        refused = _refused_values(entry, domain)
        faults += refused
        if not refused:
            space[entry.key] = _as_the_run_has_it(entry.key, domain)
    return space, faults


@dataclass(frozen=True)
class _Entry:
    """An entry of the space, under a key that may be written dotted or nested."""

    path: KeyPath
    value: Any
    lines: Mapping[KeyPath, int]

    @property
    def key(self) -> str:
        return ".".join(str(part) for part in self.path[1:])

    @property
    def line(self) -> int | None:
        return self.lines.get(self.path)

    def line_of(self, value: Any) -> int | None:
        """The line of one value of a choice: a file may give one a line."""
        kind, items = ((), self.value) if isinstance(self.value, list) else next(iter(self.value.items()))
        index = [canonical(item) for item in items].index(canonical(value))
        return self.lines.get((*self.path, *([kind] if kind else []), index), self.line)


def _entries(tree: Mapping[str, Any], path: KeyPath, lines: Mapping[KeyPath, int]) -> Iterator[_Entry]:
    """Each entry that is a domain, or stands where one should."""
    for key, value in tree.items():
        entry = _Entry((*path, key), value, lines)
        if is_run_key(entry.key) or is_domain(value) or not value:
            yield entry
        else:
            yield from _entries(value, entry.path, lines)


def _repeated(entries: list[_Entry]) -> list[Fault]:
    first: dict[str, _Entry] = {}
    faults = []
    for entry in entries:
        before = first.setdefault(entry.key, entry)
        if before is not entry:
            lines = f"in line {before.line} and in line {entry.line}" if entry.line else "dotted and nested"
            faults.append(Fault(f"is given twice, {lines}", f"space.{entry.key}", entry.line))
    return faults


def _domain(entry: _Entry) -> Domain:
    if any(f"{key}.".startswith(f"{entry.key}.") for key in run_keys() if not is_run_key(entry.key)):
        raise ValueError(f"is a section; name one of its keys, got {show(entry.value)}")
    if not is_run_key(entry.key):
        raise ValueError(unknown_param(entry.key))
    return parse_domain(entry.value)


def _refused_values(entry: _Entry, domain: Domain) -> list[Fault]:
    """A fault for each value that the run refuses with any other values."""
    refused: dict[str, Fault] = {}
    for value in domain.probes():
        line = entry.line_of(value) if isinstance(domain, Choice) else entry.line
        for message in _messages(entry.key, value):
            text = message + _hint(message, domain)
            refused.setdefault(text, Fault(text, f"space.{entry.key}", line))
    return list(refused.values())


def _messages(key: str, value: Any) -> list[str]:
    """Return the run's messages on the value itself. The plan finds faults of several values together."""
    try:
        apply(RunConfig(), {key: value})
    except ConfigError as error:
        return [fault.message for fault in error.faults if fault.key and fault.key.startswith(key)]
    return []


def _hint(message: str, domain: Domain) -> str:
    draws_fractions = isinstance(domain, Range) and not domain.integer
    if draws_fractions and message.startswith("expected a whole number"):
        return "; draw whole numbers by `int`, `logint` or `qint`"
    return ""


def _as_the_run_has_it(key: str, domain: Domain) -> Domain:
    values = [_run_value(key, value) for value in domain.probes()]
    if isinstance(domain, Choice):
        return replace(domain, values=tuple(values))
    low, high = math.ceil(domain.low), math.floor(domain.high)
    multiples_are_whole = domain.step is not None and all(isinstance(value, int) for value in values)
    if multiples_are_whole and low < high:
        return replace(domain, low=low, high=high, integer=True)
    return domain


def _run_value(key: str, value: Any) -> Any:
    try:
        result = get_value(apply(RunConfig(), {key: value}), key)
    except ConfigError:  # refused only beside some other value
        real = isinstance(get_value(RunConfig(), key), float) and isinstance(value, int)
        return float(value) if real else value
    return list(result) if isinstance(result, tuple) else result
