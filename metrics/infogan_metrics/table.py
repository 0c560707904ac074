"""The table that `evaluate` returns: a row for each score, and the forms it is written in."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from infogan_metrics.score import Plain, Score, plain

if TYPE_CHECKING:
    import pandas as pd

_LATEX = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}"}


@dataclass(frozen=True)
class Row:
    """A score with its interval, its chance level, and all that one needs to compute it again."""

    name: str
    value: float | None  # None where the score is not defined; `reason` says why
    low: float | None  # of the bootstrap interval
    high: float | None
    chance: float | None  # mean of the score with the factors (or labels) shuffled against the codes
    n: int  # samples
    n_test: int | None  # samples of the test split, for scores that have one
    n_bins: int | None  # that the score cuts codes into
    factor_bins: int | None  # that factors were cut into, as they are not discrete
    seed: int
    direction: str  # `max` or `min`: which way is better
    options: Mapping[str, object]  # that the protocol sets, and the kinds of factors
    warnings: tuple[str, ...]
    reason: str  # why there is no value, no interval or no chance level; empty if there are all
    score: Score | None = field(repr=False, compare=False)  # the result itself, with its matrix

    def to_dict(self) -> dict[str, Plain]:
        """Return the row in json's types, without the result's matrices."""
        return {name: plain(getattr(self, name)) for name in COLUMNS}

    @property
    def interval(self) -> str:
        """The interval as text, `0.120 to 0.150`; a dash where there is none."""
        if self.low is None or self.high is None:
            return "-"
        return f"{_number(self.low)} to {_number(self.high)}"


COLUMNS: tuple[str, ...] = tuple(each.name for each in fields(Row) if each.name != "score")


@dataclass(frozen=True)
class Table:
    """Scores of one pair of arrays. `table["mig"]` is a row; iteration goes over rows."""

    rows: tuple[Row, ...]
    protocol: str
    n_bootstrap: int
    n_chance: int
    level: float  # of the intervals
    version: str  # of this package
    kinds: tuple[str | None, ...] | None = None  # of the factors, where they are given
    factor_bins: int | None = None  # that factors are cut into where a score needs it; None: they are not
    left_out: Mapping[str, str] = field(
        default_factory=dict
    )  # factors, and scores of the protocol's source; and why

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        """Return the row of a score.

        Raises:
            KeyError: if the score is not in the table.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no score `{name}` in the table; it has {', '.join(row.name for row in self.rows)}")

    def __str__(self) -> str:
        cells = [
            ("score", "value", f"{self.level:.0%} interval", "chance", "n", "bins"),
            *map(_cells, self.rows),
        ]
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = ["  ".join(_aligned(row, widths)).rstrip() for row in cells]
        return "\n".join([*lines, "", *self._notes()])

    def to_dict(self) -> dict[str, Plain]:
        """Return the table in json's types: what holds for all rows, and `scores`, a list of rows."""
        return {
            "protocol": self.protocol,
            "version": self.version,
            "level": self.level,
            "n_bootstrap": self.n_bootstrap,
            "n_chance": self.n_chance,
            "kinds": plain(self.kinds),
            "factor_bins": self.factor_bins,
            "left_out": plain(self.left_out),
            "scores": [row.to_dict() for row in self.rows],
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_csv(self) -> str:
        """Return a line for each score as comma-separated text, with options and warnings as JSON."""
        file = io.StringIO()
        writer = csv.DictWriter(file, (*COLUMNS, "protocol", "version"), lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            nested = {key: json.dumps(value) for key, value in row.to_dict().items() if _is_nested(value)}
            writer.writerow({**row.to_dict(), **nested, "protocol": self.protocol, "version": self.version})
        return file.getvalue()

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas DataFrame with a row for each score, indexed by its name.

        Raises:
            ModuleNotFoundError: if pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "a DataFrame needs pandas, which is not installed: pip install pandas"
            ) from None
        frame = pd.DataFrame([row.to_dict() for row in self.rows], columns=list(COLUMNS)).set_index("name")
        numbers = ["value", "low", "high", "chance"]
        frame[numbers] = frame[numbers].astype(float)  # a missing value becomes NaN
        return frame.assign(protocol=self.protocol, version=self.version)

    def to_markdown(self) -> str:
        """Return a Markdown table, with the notes below it."""
        head = ("score", "value", f"{self.level:.0%} interval", "chance", "n", "bins")
        lines = [_line(head), _line(["---"] * len(head))]
        lines += [_line([f"`{name}`", *rest]) for name, *rest in map(_cells, self.rows)]
        return "\n".join([*lines, "", *self._notes()])

    def to_latex(self) -> str:
        """Return a LaTeX tabular for the package booktabs, with the notes as comments."""
        head = ("score", "value", rf"{self.level * 100:.0f}\% interval", "chance", "$n$", "bins")
        lines = [r"\begin{tabular}{lrrrrr}", r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
        for row in self.rows:
            cells = [_latex(cell) for cell in _cells(row)]
            lines.append(" & ".join(cells) + r" \\")
        comments = [f"% {note}" for note in self._notes()]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *comments])

    def plot(self) -> Any:
        """Draw each value with its interval and its chance level.

        Raises:
            ModuleNotFoundError: if plotly is not installed (the extra `plots`).
        """
        from infogan_metrics.plots import plot_tables

        return plot_tables({"": self})

    def _notes(self) -> list[str]:
        notes = [
            f"Protocol {self.protocol}; infogan_metrics {self.version}; "
            f"{self.n_bootstrap} resamples, {self.n_chance} shuffles."
        ]
        for text, names in _by_text(self.rows).items():
            notes.append(f"{', '.join(names)}: {text}")
        notes += [f"{name} is left out: {why}" for name, why in self.left_out.items()]
        return notes


def _by_text(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return {reason or warning: names of the scores that have it}."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        for text in (*row.warnings, row.reason):
            if text:
                texts.setdefault(text, []).append(row.name)
    return texts


def _cells(row: Row) -> tuple[str, ...]:
    value = "not defined" if row.value is None else _number(row.value)
    samples = f"{row.n} + {row.n_test}" if row.n_test else str(row.n)
    chance = "-" if row.chance is None else _number(row.chance)
    return row.name, value, row.interval, chance, samples, str(row.n_bins or "-")


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) and abs(value) < 1e6 else f"{value:.4g}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *rest = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _is_nested(value: Plain) -> bool:
    return isinstance(value, (list, dict))
