"""`quantities.json`: the named numbers that the runs of a sweep can report, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records.files import read_record, write_record

DIRECTIONS = ("max", "min", None)
USES = ("labels", "factors", None)


@dataclass(frozen=True)
class Quantity:
    """A named number that a run reports: a score, a loss, a bound or an entropy."""

    name: str  # as it stands in the tables: `mig`, `loss/d`, `L_I`
    title: str  # a few words
    explanation: str  # a sentence or two
    unit: str  # nats, pixels; empty for none
    direction: str | None  # max or min is better; None where neither is
    uses: str | None  # labels or factors that it compares with; None for none
    source: str  # the paper or the equation
    range: tuple[float | None, float | None] | None = (
        None  # lowest, highest; an open end is None; None: not known
    )

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction of {self.name}: expected max, min or None, got {self.direction!r}")
        if self.uses not in USES:
            raise ValueError(f"uses of {self.name}: expected labels, factors or None, got {self.uses!r}")
        low, high = self.range or (None, None)
        if low is not None and high is not None and low >= high:
            raise ValueError(
                f"range of {self.name}: expected the lowest value, then the highest, got {self.range}"
            )


@dataclass(frozen=True)
class _Quantities:
    quantities: tuple[Quantity, ...]


def read_quantities(path: Path) -> tuple[Quantity, ...]:
    """Read the quantities of a sweep; none where there is no file, as in folders written before there was one.

    Raises:
        RecordError: if the file is damaged.
    """
    return read_record(path, _Quantities).quantities if path.is_file() else ()


def write_quantities(path: Path, quantities: Iterable[Quantity]) -> None:
    """Write the quantities of a sweep."""
    write_record(path, _Quantities(tuple(quantities)))


def quantity_of(name: str, quantities: Mapping[str, Quantity]) -> Quantity | None:
    """Find the quantity that a reported name belongs to.

    `floor/shuffled/mig` and `floor/untrained/mig` belong to `mig`, and `L_I/cat_0`, of a single code, to `L_I`.
    """
    if name in quantities:
        return quantities[name]
    if name.startswith("floor/"):
        return quantities.get(name.split("/", 2)[-1])
    return quantities.get(name.partition("/")[0])
