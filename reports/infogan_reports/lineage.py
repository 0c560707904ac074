"""Population based training: the trials that took over from others, and the values that trained each network.

After a takeover, a trial's networks descend from those of another trial. So the best trial owes its score to the
schedule of values along its line of descent, and not to the values with which it began or ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from infogan_reports.effects import Scale, scale_of
from infogan_reports.figures import BLUE, GREY, PURPLE, VERMILLION, Figure, escaped, plot_json
from infogan_reports.folder import SweepData
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import axis_value, counted, value_text

MOST_TRIALS = 60  # drawn, the best ones
SHADES = 13  # shades of a line
_ROW = 22  # pixels of a trial


@dataclass(frozen=True)
class Stretch:
    """Steps `start` to `end` of a trial, with the values of all swept keys in them."""

    trial_id: str
    start: int
    end: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Takeover:
    """At `step`, `trial` took over the networks of `from_trial`; its values became `after`."""

    step: int
    trial_id: str
    from_trial: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Lineage:
    """A population over its training.

    `trials` are all trials, the best first; `stretches` are theirs, in order, and `schedule` those that trained the
    best trial's networks, oldest first.
    """

    trials: tuple[str, ...]
    takeovers: tuple[Takeover, ...]
    stretches: tuple[Stretch, ...]
    schedule: tuple[Stretch, ...]
    scales: Mapping[str, Scale]  # of the swept keys


def lineage(data: SweepData, trials: Sequence[RankedTrial]) -> Lineage | None:
    """Trace the lineage of a sweep by population based training; None for any other sweep."""
    scheduler = data.config.get("scheduler")
    if (scheduler.get("name") if isinstance(scheduler, dict) else scheduler) != "pbt":
        return None
    stretches = {trial.trial_id: _stretches(data, trial) for trial in trials}
    takeovers = [
        Takeover(later.start, trial, mutation.from_trial, earlier.values, later.values)
        for trial, own in stretches.items()
        for (earlier, later), mutation in zip(pairwise(own), data.mutations.get(trial, ()), strict=True)
    ]
    donors = {(each.trial_id, each.step): each.from_trial for each in takeovers}
    best = trials[0] if trials and trials[0].rank is not None else None
    keys = dict.fromkeys(key for trial in trials for key in trial.params)
    every = tuple(stretch for own in stretches.values() for stretch in own)
    return Lineage(
        trials=tuple(trial.trial_id for trial in trials),
        takeovers=tuple(sorted(takeovers, key=lambda each: (each.step, each.trial_id))),
        stretches=every,
        schedule=_descent(stretches, donors, best.trial_id, best.step) if best else (),
        scales={key: scale_of(data, key, [each.values[key] for each in every]) for key in keys},
    )


def _stretches(data: SweepData, trial: RankedTrial) -> tuple[Stretch, ...]:
    mutations = data.mutations.get(trial.trial_id, ())
    starts = [0, *(mutation.step for mutation in mutations)]
    ends = [*starts[1:], max(trial.step, starts[-1])]
    values = [trial.params, *({**trial.params, **mutation.params} for mutation in mutations)]
    return tuple(
        Stretch(trial.trial_id, start, end, each)
        for start, end, each in zip(starts, ends, values, strict=True)
    )


def _descent(
    stretches: Mapping[str, Sequence[Stretch]], donors: Mapping[tuple[str, int], str], trial_id: str, end: int
) -> tuple[Stretch, ...]:
    """Return the stretches that trained the networks that `trial` had at step `end`, oldest first."""
    found: list[Stretch] = []
    while True:
        last = next((each for each in reversed(stretches.get(trial_id, ())) if each.start < end), None)
        if last is None:
            break
        found.append(Stretch(trial_id, last.start, end, last.values))
        if last.start == 0:
            break
        trial_id, end = donors[trial_id, last.start], last.start
    return tuple(reversed(found))


# Figures --------------------------------------------------------------------------------------------------


def lineage_figures(found: Lineage) -> list[Figure]:
    """Draw for each swept key: all trials over the steps, coloured by its value, and its schedule in the best trial."""
    figures = []
    for index, key in enumerate(found.scales):
        figures.append(_population_figure(found, key, index))
        if found.schedule:
            figures.append(_schedule_figure(found, key, index))
    return figures


def _population_figure(found: Lineage, key: str, index: int) -> Figure:
    """Draw a line for each trial, the best on top. A takeover is a mark that is joined to the line of the other
    trial."""
    drawn = found.trials[:MOST_TRIALS]
    rows = {trial: len(drawn) - place for place, trial in enumerate(drawn)}
    shade = _Shades(found, key)
    figure = go.Figure()
    by_shade: dict[int, list[Stretch]] = {}
    for stretch in found.stretches:
        if stretch.trial_id in rows:
            by_shade.setdefault(shade.of(stretch.values[key]), []).append(stretch)
    for number, members in sorted(by_shade.items()):
        figure.add_trace(_lines(members, key, rows, shade.colour(number)))
    joined = [each for each in found.takeovers if each.trial_id in rows]
    figure.add_trace(_joins([each for each in joined if each.from_trial in rows], rows))
    figure.add_trace(_arrivals(joined, key, rows))
    figure.add_trace(shade.bar())
    figure.update_xaxes(title_text="step", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[escaped(trial) for trial in rows],
        range=[0.4, len(rows) + 0.6],
    )
    plot = plot_json(figure)
    plot["layout"]["height"] = 120 + _ROW * len(rows)
    note = (
        f" Drawn: the best {len(drawn)} of {len(found.trials):,} trials."
        if len(drawn) < len(found.trials)
        else ""
    )
    return Figure(
        id=f"lineage-{index}",
        title=f"Lineage, coloured by {key}",
        caption=f"A line a trial, the best on top. A triangle marks where a trial took over the networks of another; "
        f"it points away from the trial that it took them from, and a line joins the two.{note}",
        alt=f"{counted(len(drawn), 'trial')} over the steps of training, coloured by {key}, with "
        f"{counted(len(joined), 'takeover')}; the table below lists them.",
        plot=plot,
        group="lineage",
    )


def _lines(members: Sequence[Stretch], key: str, rows: Mapping[str, int], colour: str) -> go.Scatter:
    texts = [
        f"trial {escaped(each.trial_id)}<br>{escaped(key)} = {_text(each.values[key])}" for each in members
    ]
    return go.Scatter(
        x=[x for each in members for x in (each.start, each.end, None)],
        y=[y for each in members for y in (rows[each.trial_id], rows[each.trial_id], None)],
        text=[text for text in texts for _ in range(3)],
        mode="lines",
        line={"color": colour, "width": 5},
        hovertemplate="%{text}, step %{x}<extra></extra>",
    )


def _joins(takeovers: Sequence[Takeover], rows: Mapping[str, int]) -> go.Scatter:
    return go.Scatter(
        x=[x for each in takeovers for x in (each.step, each.step, None)],
        y=[y for each in takeovers for y in (rows[each.from_trial], rows[each.trial_id], None)],
        mode="lines",
        line={"color": GREY, "width": 1.5},
        hoverinfo="skip",
    )


def _arrivals(takeovers: Sequence[Takeover], key: str, rows: Mapping[str, int]) -> go.Scatter:
    return go.Scatter(
        x=[each.step for each in takeovers],
        y=[rows[each.trial_id] for each in takeovers],
        text=[
            f"step {each.step}: trial {escaped(each.trial_id)} took over from {escaped(each.from_trial)}<br>"
            f"{escaped(key)}: {_text(each.before[key])} → {_text(each.after[key])}"
            for each in takeovers
        ],
        mode="markers",
        marker={
            "symbol": [
                "triangle-down" if rows.get(each.from_trial, 0) > rows[each.trial_id] else "triangle-up"
                for each in takeovers
            ],
            "color": GREY,
            "size": 14,
            "line": {"color": "white", "width": 1.5},
        },
        hovertemplate="%{text}<extra></extra>",
    )


class _Shades:
    """Colours of a key's values from blue (lowest) over purple to vermillion (highest), on a log scale where the key
    has one."""

    def __init__(self, found: Lineage, key: str) -> None:
        self._key = key
        self._log = found.scales[key] == "log"
        places = [self._place(each.values[key]) for each in found.stretches]
        self._low, self._high = min(places, default=0.0), max(places, default=0.0)

    def of(self, value: Any) -> int:
        """Return the number of the value's shade, in 0..SHADES - 1."""
        span = self._high - self._low
        return round((SHADES - 1) * (self._place(value) - self._low) / span) if span else 0

    def colour(self, number: int) -> str:
        """Return a shade as Plotly takes it."""
        position = number / (SHADES - 1)
        ramp = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (BLUE, PURPLE, VERMILLION)]
        red, green, blue = (
            round(float(np.interp(position, (0, 0.5, 1), each))) for each in zip(*ramp, strict=True)
        )
        return f"rgb({red}, {green}, {blue})"

    def bar(self) -> go.Scatter:
        """Draw a mark that is not seen, with the key to the colours."""
        ticks = sorted({self._low, (self._low + self._high) / 2, self._high})
        return go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={
                "color": [self._low],
                "cmin": self._low,
                "cmax": self._high if self._high > self._low else self._low + 1,
                "colorscale": [[number / (SHADES - 1), self.colour(number)] for number in range(SHADES)],
                "showscale": True,
                "colorbar": {
                    "title": {"text": escaped(self._key), "side": "right"},
                    "tickvals": ticks,
                    "ticktext": [f"{10**tick if self._log else tick:.3g}" for tick in ticks],
                    "thickness": 12,
                },
            },
            hoverinfo="skip",
        )

    def _place(self, value: Any) -> float:
        place = axis_value(value)
        if place is None:  # NaN or infinity
            return 0.0
        return math.log10(place) if self._log and place > 0 else place


def _schedule_figure(found: Lineage, key: str, index: int) -> Figure:
    steps = [each.start for each in found.schedule] + [found.schedule[-1].end]
    values = [each.values[key] for each in found.schedule] + [found.schedule[-1].values[key]]
    trials = [each.trial_id for each in found.schedule] + [found.schedule[-1].trial_id]
    figure = go.Figure(
        go.Scatter(
            x=steps,
            y=values,
            text=[escaped(trial) for trial in trials],
            mode="lines+markers",
            line={"shape": "hv", "color": VERMILLION, "width": 2},
            marker={"size": 7},
            hovertemplate="from step %{x} in trial %{text}<br>%{y}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="step", rangemode="tozero")
    log = found.scales[key] == "log"
    figure.update_yaxes(title_text=escaped(key), type="log" if log else "linear")
    words = ", ".join(
        f"{value_text(each.values[key])} from step {each.start} (trial {each.trial_id})"
        for each in found.schedule
    )
    return Figure(
        id=f"schedule-{index}",
        title=f"{key} that trained the best networks{' (log axis)' if log else ''}",
        caption="Along the line of descent: before a takeover, the values of the trial that the networks came from.",
        alt=f"Schedule of {key}: {words}.",
        plot=plot_json(figure),
        group="lineage",
    )


def _text(value: Any) -> str:
    return escaped(value_text(value))
