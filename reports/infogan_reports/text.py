"""Texts for numbers and values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

NOTHING = "–"
LONGEST_FRACTION = 8
LONGEST_WHOLE = 10**8  # the page's script rounds a larger number, as it rounds a fraction
LARGEST_EXACT = 2**53  # a float64, and so JavaScript, holds every whole number up to it
STATUS_WORDS = {
    "finished": "finished",
    "stopped": "stopped early",
    "diverged": "diverged",
    "failed": "failed",
    "interrupted": "interrupted",
    "running": "running",
    "pending": "pending",
}


def not_finite_text(value: float) -> str:
    """Return `NaN`, `∞` or `−∞`."""
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"


def axis_value(value: object) -> float | None:
    """Return a swept value as its place on an axis of numbers, None where it has none: text, NaN, infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond 1e308
        return None


def number(value: float | None) -> str:
    """Return four decimals of a value near 1, fewer of a larger one, and a dash for a missing one."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return not_finite_text(value)
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e4):
        return f"{value:.2e}"
    return f"{value:.4f}" if size < 10 else f"{value:.2f}"


def value_text(value: Any) -> str:
    """Return a swept value on one line; a long fraction, as a random search draws, is cut to four digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return not_finite_text(value)
    if isinstance(value, float):
        exact = f"{value:.12g}"
        return exact if len(exact) <= LONGEST_FRACTION else f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False)


def value_texts(values: Iterable[Any]) -> dict[str, str]:
    """Return each value (as JSON) with its text; where two would read alike, as 1 and "1" do, their JSON."""
    texts = {json.dumps(value): value_text(value) for value in values}
    return texts if len(set(texts.values())) == len(texts) else {category: category for category in texts}


def duration(seconds: float) -> str:
    """`42 s`, `3.5 min` or `2.1 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def amount_hours(hours: float | None, unit: str) -> str:
    """`12.3 core hours`, `1,234 GPU hours`."""
    if hours is None:
        return "not known"
    if 0 < hours < 1e-3:
        return f"under 0.001 {unit} hours"
    return f"{hours:,.0f} {unit} hours" if hours >= 100 else f"{hours:.3g} {unit} hours"


def counted(count: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
