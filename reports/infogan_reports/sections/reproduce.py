"""The cost of the sweep, its file, and the environment that it ran in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infogan_reports.cost import Cost
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section
from infogan_reports.text import value_text

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Reproduce:
    """The command, the resolved sweep file and (name, value) of each fact of the environment."""

    cost: Cost
    command: str
    sweep_yaml: str
    environment: tuple[tuple[str, str], ...]


def reproduce(sweep: RankedSweep) -> Reproduce:
    """Compute the section."""
    return Reproduce(
        cost=sweep.cost,
        command=f"infogan-bench sweep {shlex.quote(f'{sweep.data.folder.resolve().name}/sweep.yaml')}",
        sweep_yaml=sweep.data.text,
        environment=tuple(_flat(sweep.data.environment)),
    )


def _flat(mapping: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested mappings as dotted names and their values."""
    pairs: list[tuple[str, str]] = []
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        pairs += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value_text(value))]
    return pairs


SECTION = Section(
    id="reproduce",
    title="Reproduce",
    template=_HERE / "reproduce.html.j2",
    compute=reproduce,
)
