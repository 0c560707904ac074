"""Plotly figures of the content that `summarise` computed.

Plotly reads a subset of HTML in titles, ticks and hover texts, so every text of the user is escaped before it
gets there. Backgrounds are transparent and the page's script sets ink and grid, in light and in dark; the
colours of the data are from Okabe and Ito and keep a contrast of 3 against both.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from infogan_reports.axis import Axis, number_axis
from infogan_reports.curves import Curve, Panel
from infogan_reports.effects import ParameterEffect, TrialPoint
from infogan_reports.text import number, value_text

BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A7F87"
TRIAL_COLOURS = (VERMILLION, BLUE, GREEN, PURPLE, GREY)
TRIAL_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
MOST_POINTS = 500  # drawn of a figure's trials; an even share of the ranking stands for more
MOST_SPREADS = 200  # error bars are drawn up to this many trials, beyond which they hide the points
LONGEST_TICK = 24
HEIGHT = 300


PlotlyJSON = dict[str, Any]  # `data` and `layout`, as Plotly takes them
Marker = dict[str, object]  # Plotly's description of a mark


@dataclass(frozen=True)
class Figure:
    """A drawn figure: its id on the page, its content in words, and Plotly's `data` and `layout`.

    `supervision` is labels or factors where a score that is drawn uses them, else empty. `group` is the part of the
    section that the figure belongs to, where a template places figures in several parts.
    """

    id: str
    title: str
    caption: str
    alt: str
    plot: PlotlyJSON
    supervision: str = ""
    group: str = ""


def effect_figure(effect: ParameterEffect, metric: str, index: int, supervision: str = "") -> Figure:
    """Draw the goal of every ranked trial against one swept parameter."""
    place = _placing(effect)
    figure = go.Figure()
    drawn = [effect.points[i] for i in drawn_rows([point.best for point in effect.points])]
    for name, style, chosen in _kinds(drawn):
        figure.add_trace(_points(name, style, chosen, place, with_spread=len(drawn) <= MOST_SPREADS))
    if effect.groups:
        figure.add_trace(_group_means(effect, place))
    figure.update_xaxes(title_text=escaped(effect.key), **_axis(effect))
    figure.update_yaxes(title_text=escaped(metric))
    note = " (log axis)" if effect.scale == "log" else ""
    title = f"{metric} against {effect.key}{note}"
    left_out = f" {effect.left_out}" if effect.left_out else ""
    return Figure(
        id=f"effect-{index}",
        title=title,
        caption=effect.statement + thinning_note(len(drawn), len(effect.points)) + left_out,
        alt=f"Scatter of {len(effect.points)} trials, {title}. {effect.statement}",
        plot=plot_json(figure),
        supervision=supervision,
        group="effects",
    )


def panel_frame(panel: Panel, index: int, supervision: str = "") -> Figure:
    """Draw the frame of a panel, into which the page's script draws the curves of the trials that a reader chooses."""
    figure = go.Figure()
    figure.update_xaxes(title_text="step")
    return Figure(
        id=f"curve-{index}",
        title=panel.title,
        caption=panel.left_out,
        alt=f"{panel.title} over training",
        plot=plot_json(figure),
        supervision=supervision,
    )


def panel_figure(panel: Panel, index: int, supervision: str = "") -> Figure:
    """Draw curves of a few trials over training, with the range over seeds and the ceiling H(c)."""
    figure = go.Figure()
    for curve in panel.curves:
        figure.add_traces(curve_band(curve, TRIAL_COLOURS[curve.row % len(TRIAL_COLOURS)]))
    for curve in panel.curves:
        place = curve.row % len(TRIAL_COLOURS)
        name = f"trial {escaped(curve.trial_id)}"
        figure.add_trace(curve_line(curve, name, TRIAL_COLOURS[place], TRIAL_DASHES[place]))
    for ceiling in panel.ceilings:
        figure.add_hline(
            y=ceiling, line={"color": GREY, "dash": "dot", "width": 1.5},
            annotation={"text": f"H(c) = {ceiling:.3f}", "xanchor": "right", "yanchor": "bottom"},
        )  # fmt: skip
    figure.update_xaxes(title_text="step")
    ends = "; ".join(
        f"trial {curve.trial_id} ends at {number(float(curve.mean[-1]))}" for curve in panel.curves
    )
    return Figure(
        id=f"curve-{index}",
        title=panel.title,
        caption=panel.left_out,
        alt=f"{panel.title} over the steps of training: {ends}.",
        plot=plot_json(figure),
        supervision=supervision,
    )


def drawn_rows(best: Sequence[bool]) -> list[int]:
    """Return the trials that a figure draws: all, or some at even distances in their order, and the best ones."""
    n = len(best)
    if n <= MOST_POINTS:
        return list(range(n))
    spread_out = {round(k * (n - 1) / (MOST_POINTS - 1)) for k in range(MOST_POINTS)}
    return sorted(spread_out | {row for row, is_best in enumerate(best) if is_best})


def thinning_note(n_drawn: int, n_trials: int) -> str:
    """Return a sentence for a figure that does not draw all trials."""
    if n_drawn == n_trials:
        return ""
    return f" Drawn: {n_drawn:,} of {n_trials:,} trials, spread evenly; whatever is computed is of all."


# Scatter --------------------------------------------------------------------------------------------------

Placing = Callable[[Any], Any]


def _placing(effect: ParameterEffect) -> Placing:
    """Return the function from a value to its place on the axis: a number as it is, a category at its label."""
    if effect.scale != "category":
        return float
    labels = _category_labels(effect)
    return lambda value: labels[json.dumps(value)]


def _category_labels(effect: ParameterEffect) -> dict[str, str]:
    """Return each category (as JSON) with its escaped label: short where short labels differ, and else in full."""
    texts = {json.dumps(point.value): value_text(point.value) for point in effect.points}
    cut = [text if len(text) <= LONGEST_TICK else f"{text[: LONGEST_TICK - 1]}…" for text in texts.values()]
    candidates = (cut, texts.values(), texts)  # 1 and "1" differ only as JSON
    labels = next(labels for labels in candidates if len(set(labels)) == len(texts))
    return {category: escaped(label) for category, label in zip(texts, labels, strict=True)}


def _axis(effect: ParameterEffect) -> Axis:
    if effect.scale == "category":
        labels = list(_category_labels(effect).values())
        return {"type": "category", "categoryorder": "array", "categoryarray": labels}
    return number_axis(effect.scale, (point.value for point in effect.points))


def _kinds(points: Sequence[TrialPoint]) -> list[tuple[str, Marker, list[TrialPoint]]]:
    """Sort the points by symbol, the best trial last so that it lies on top."""
    rest = [point for point in points if not point.best]
    kinds = [
        ("finished", {"symbol": "circle", "color": BLUE, "size": 8, "opacity": 0.75},
         [point for point in rest if point.status == "finished"]),
        ("stopped early", {"symbol": "diamond-open", "color": PURPLE, "size": 9, "line": {"width": 2}},
         [point for point in rest if point.status == "stopped"]),
        ("not ended", {"symbol": "x-thin-open", "color": GREY, "size": 8, "line": {"width": 2}},
         [point for point in rest if point.status not in ("finished", "stopped")]),
        ("best", {"symbol": "star", "color": VERMILLION, "size": 14},
         [point for point in points if point.best]),
    ]  # fmt: skip
    return [kind for kind in kinds if kind[2]]


def _points(
    name: str, marker: Marker, points: Sequence[TrialPoint], place: Placing, *, with_spread: bool
) -> go.Scatter:
    spread = np.array([point.std or 0.0 for point in points]) if with_spread else None
    return go.Scatter(
        x=_column([place(point.value) for point in points]),
        y=np.array([point.mean for point in points]),
        error_y={"type": "data", "array": spread, "thickness": 1, "width": 0, "visible": with_spread},
        text=[escaped(point.trial_id) for point in points],
        name=name,
        mode="markers",
        marker=marker,
        hovertemplate=f"trial %{{text}}, {name}<br>%{{x}}<br>%{{y:.4f}}<extra></extra>",
    )


def _group_means(effect: ParameterEffect, place: Placing) -> go.Scatter:
    return go.Scatter(
        x=_column([place(group.value) for group in effect.groups]),
        y=np.array([group.mean for group in effect.groups]),
        mode="markers",
        marker={"symbol": "line-ew-open", "size": 26, "color": GREY, "line": {"width": 2.5}},
        hovertemplate="mean of finished trials<br>%{x}<br>%{y:.4f}<extra></extra>",
    )


def _column(values: list[Any]) -> Any:
    return values if values and isinstance(values[0], str) else np.array(values)


# Curves ---------------------------------------------------------------------------------------------------


def curve_line(curve: Curve, name: str, colour: str, dash: str) -> go.Scatter:
    """Draw the mean over seeds; `name` (escaped) is its name in the hover text."""
    return go.Scatter(
        x=curve.steps,
        y=curve.mean,
        mode="lines+markers" if len(curve.steps) == 1 else "lines",
        line={"color": colour, "dash": dash, "width": 2},
        name=name,
        hovertemplate=f"{name}, step %{{x}}<br>%{{y:.4f}}<extra></extra>",
    )


def curve_band(curve: Curve, colour: str) -> list[go.Scatter]:
    """Draw the range from the lowest to the highest seed, or nothing for one seed; `colour` is #rrggbb."""
    if curve.low is None or curve.high is None:
        return []
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return [
        go.Scatter(
            x=np.concatenate([curve.steps, curve.steps[::-1]]),
            y=np.concatenate([curve.high, curve.low[::-1]]),
            fill="toself",
            fillcolor=f"rgba({red}, {green}, {blue}, 0.16)",
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    ]


# Both -----------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Return a text that Plotly shows as it is."""
    return html.escape(text, quote=False)


def plot_json(figure: go.Figure) -> PlotlyJSON:
    """Return `data` and `layout` in Plotly's own encoding (arrays as base64), under the page's style."""
    figure.update_layout(
        template="none",
        height=HEIGHT,
        margin={"l": 8, "r": 20, "t": 12, "b": 8},
        showlegend=False,
        hovermode="closest",
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        dragmode=False,
    )
    figure.update_xaxes(automargin=True, zeroline=False, title_standoff=8, fixedrange=True)
    figure.update_yaxes(automargin=True, zeroline=False, title_standoff=8, fixedrange=True)
    plot: PlotlyJSON = json.loads(pio.to_json(figure, validate=False))
    return plot
