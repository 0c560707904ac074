"""The outcome of a score, and how it is shown."""

from __future__ import annotations

import io
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infogan_metrics import METRICS, Metric
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infogan_bench.config.catalogue import metric_of

_PIPED = (160, 24)  # columns and lines where there is no terminal


@dataclass(frozen=True)
class ScoreOutcome:
    """The value of a score, or the reason why it has none."""

    name: str
    value: float | None
    n: int | None = None  # samples
    not_defined: str | None = None
    parts: Mapping[str, float] = field(default_factory=dict)  # the numbers of which the score consists
    interval: tuple[float, float] | None = None  # of a bootstrap
    notes: tuple[str, ...] = ()  # conventions, what it was measured with, and warnings
    protocol: Mapping[str, object] = field(default_factory=dict)  # options and numbers of samples
    result: object = None  # the value that the score's function returned
    fault: Exception | None = None  # the exception that it raised


def as_json(outcomes: Sequence[ScoreOutcome], about: Mapping[str, Any]) -> str:
    """The outcomes as JSON; a number that is not finite is null."""
    scores = {
        outcome.name: {
            "value": _finite(outcome.value),
            "n": outcome.n,
            "not_defined": outcome.not_defined,
            "interval": None if outcome.interval is None else [_finite(end) for end in outcome.interval],
            "parts": {name: _finite(value) for name, value in outcome.parts.items()},
            "protocol": dict(outcome.protocol),
            "notes": list(outcome.notes),
        }
        for outcome in outcomes
    }
    return json.dumps({**about, "scores": scores}, indent=1, allow_nan=False)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def as_table(outcomes: Sequence[ScoreOutcome]) -> str:
    """The outcomes as text, a line each; notes follow below."""
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("score", "value", "n", "range", "parts"):
        table.add_column(name, justify="right" if name in ("value", "n") else "left")
    for outcome in outcomes:
        metric = METRICS.get(outcome.name) or metric_of(outcome.name)
        value = "not defined" if outcome.value is None else number_text(outcome.value)
        if outcome.interval is not None:
            value += f" [{number_text(outcome.interval[0])}, {number_text(outcome.interval[1])}]"
        parts = ", ".join(f"{part} {number_text(number)}" for part, number in outcome.parts.items())
        table.add_row(
            Text(outcome.name),
            Text(value),
            "" if outcome.n is None else f"{outcome.n:,}",
            "" if metric is None else _range(metric),
            Text(outcome.not_defined or parts),
        )
    notes = dict.fromkeys(f"{outcome.name}: {note}" for outcome in outcomes for note in outcome.notes)
    return "\n".join([table_text(table), *notes])


def metrics_table(metrics: Sequence[Metric]) -> str:
    """The registry as text: the question, the inputs and the cost of each score."""
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("score", "asks", "range", "better", "needs", "cost", "source"):
        table.add_column(name, no_wrap=name == "score")
    for metric in metrics:
        table.add_row(
            metric.name,
            Text(metric.asks + "?"),
            _range(metric),
            "higher" if metric.direction == "max" else "lower",
            ", ".join(metric.inputs),
            metric.cost,
            metric.source,
        )
    return table_text(table)


def _range(metric: Metric) -> str:
    low, high = (
        "-inf" if end == -math.inf else "inf" if end == math.inf else f"{end:g}" for end in metric.range
    )
    return f"{low} to {high}"


def number_text(value: float) -> str:
    """A count in full, or any other number with four decimal places."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def table_text(table: Table) -> str:
    """`table` in plain text, as wide as the terminal."""
    stream = io.StringIO()
    Console(file=stream, width=shutil.get_terminal_size(_PIPED).columns).print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
