"""The ticks of a figure's axis of numbers, so that no two labels overlap in a window of 360 pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from infogan_reports.effects import Scale
from infogan_reports.text import value_text

MOST_VALUES = 8  # values of a parameter up to which each may have a tick of its own
ROOM = 28  # characters of tick labels along the axis of a figure on a phone

Axis = dict[str, object]  # Plotly's description of an axis


def number_axis(scale: Scale, values: Iterable[float]) -> Axis:
    """Describe an axis to Plotly: with a tick at each value if the values are few and far enough apart, as in a grid,
    else at round numbers."""
    distinct = sorted(set(map(float, values)))
    if len(distinct) <= MOST_VALUES and _fit(distinct, distinct, scale):
        ticks = distinct
    elif scale == "log":
        ticks = _round_numbers(distinct)
    else:
        return {"type": scale}  # Plotly finds round numbers on a linear axis by itself
    return {"type": scale, "tickvals": ticks, "ticktext": [value_text(tick) for tick in ticks]}


def _round_numbers(values: Sequence[float]) -> list[float]:
    """Return the round numbers on a log axis within the range of `values`, as many as fit, and at least two."""
    low, high = values[0], values[-1]
    inside = ([tick for tick in ticks if low <= tick <= high] for ticks in _candidates(low, high))
    return next((ticks for ticks in inside if len(ticks) > 1 and _fit(ticks, values, "log")), [low, high])


def _candidates(low: float, high: float) -> Iterator[list[float]]:
    """Yield round numbers around a range, the densest first: steps below a decade, else decades and their parts."""
    if high < 10 * low:
        finest = math.floor(math.log10(high - low)) - 1
        for power, digit in ((power, digit) for power in range(finest, finest + 3) for digit in (1, 2, 5)):
            step = float(f"{digit}e{power}")
            yield [
                float(f"{count * digit}e{power}")
                for count in range(math.floor(low / step), math.ceil(high / step) + 1)
            ]
        return
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3)):
        yield [float(f"{digit}e{power}") for power in decades for digit in digits]
    for every in range(1, len(decades)):
        yield [float(f"1e{power}") for power in decades if power % every == 0]


def _fit(ticks: Sequence[float], values: Sequence[float], scale: Scale) -> bool:
    """Say whether the labels of neighbouring ticks leave a blank between them on an axis over the range of `values`."""
    if len(ticks) < 2:
        return True
    place = math.log10 if scale == "log" else float
    span = place(values[-1]) - place(values[0])
    return all(
        ROOM * (place(right) - place(left)) / span >= (len(value_text(left)) + len(value_text(right))) / 2 + 1
        for left, right in pairwise(ticks)
    )
