"""Figures of a comparison: a colour, a mark and a dash for each sweep, the same in all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from infogan_reports.axis import number_axis
from infogan_reports.compare import BestCurves, BestSoFar, CommonScore, Comparison
from infogan_reports.compared import Compared, uses_in
from infogan_reports.figures import (
    TRIAL_COLOURS,
    TRIAL_DASHES,
    Figure,
    Marker,
    curve_band,
    curve_line,
    drawn_rows,
    escaped,
    plot_json,
    thinning_note,
)
from infogan_reports.matched import CommonParameter
from infogan_reports.noise import Floats
from infogan_reports.text import axis_value, counted, number, value_texts

MARKS = ("circle", "diamond", "square", "triangle-up", "x")
_SPREAD = 0.3  # spread of the points of a strip to either side


@dataclass(frozen=True)
class Look:
    """The colour, dash and mark of a sweep; beyond five sweeps colours return with another dash and mark."""

    colour: str
    dash: str
    mark: str


def look(place: int) -> Look:
    """Return the look of the sweep at a place."""
    n = len(TRIAL_COLOURS)
    turn = place + place // n
    return Look(TRIAL_COLOURS[place % n], TRIAL_DASHES[turn % n], MARKS[turn % n])


def score_figures(comparison: Comparison) -> list[Figure]:
    """Draw a figure for each common score: the trials of each sweep, their quartiles, and the best trial."""
    return [_strips(comparison.sweeps, score, i) for i, score in enumerate(comparison.scores)]


def progress_figures(comparison: Comparison) -> list[Figure]:
    """Draw the best so far against trials and against time."""
    if not comparison.scores or not any(comparison.progress):
        return []
    against = (("trials", "trials begun"), ("hours", "hours of training and evaluation, over all trials"))
    return [_progress(comparison, comparison.scores[0], *each) for each in against]


def parameter_figures(comparison: Comparison) -> list[Figure]:
    """Draw the main score against each parameter that all sweeps swept."""
    return [
        _parameter(comparison, comparison.scores[0].name, each, i)
        for i, each in enumerate(comparison.parameters)
    ]


def curve_figures(comparison: Comparison) -> list[Figure]:
    """Draw the training of the best trials."""
    return [_curves(comparison.sweeps, each, i) for i, each in enumerate(comparison.curves)]


# Strips ---------------------------------------------------------------------------------------------------


def _strips(sweeps: Sequence[Compared], score: CommonScore, index: int) -> Figure:
    figure = go.Figure()
    n_drawn = 0
    words = []
    for place, (sweep, points) in enumerate(zip(sweeps, score.all_trials, strict=True)):
        if not points:
            continue
        values = np.array([value for _, value in points])
        figure.add_trace(_box(place, values))
        best = sweep.best.trial_id if sweep.best else None
        rows = drawn_rows([trial == best for trial, _ in points])
        n_drawn += len(rows)
        jitter = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(points))
        for is_best in (False, True):
            chosen = [row for row in rows if (points[row][0] == best) == is_best]
            figure.add_trace(
                go.Scatter(
                    x=np.array([place if is_best else place + jitter[row] for row in chosen]),
                    y=values[chosen],
                    text=[escaped(points[row][0]) for row in chosen],
                    mode="markers",
                    marker=_star(place) if is_best else _dot(place),
                    hovertemplate=f"{sweep.letter}, trial %{{text}}<br>%{{y:.4f}}<extra></extra>",
                )
            )
        low, middle, high = np.quantile(values, [0, 0.5, 1])
        words.append(
            f"{sweep.letter}: {counted(len(points), 'trial')} from {number(low)} to {number(high)}, "
            f"median {number(middle)}"
        )
    figure.update_xaxes(tickvals=list(range(len(sweeps))), ticktext=[sweep.letter for sweep in sweeps])
    figure.update_xaxes(title_text="sweep", range=[-0.6, len(sweeps) - 0.4])
    figure.update_yaxes(title_text=escaped(score.name))
    n_trials = sum(map(len, score.all_trials))
    caption = "; ".join(words) + "."
    return Figure(
        id=f"score-{index}",
        title=score.name,
        caption=caption + thinning_note(n_drawn, n_trials),
        alt=f"{score.name} of the ranked trials of each sweep, with quartiles. {caption}",
        plot=plot_json(figure),
        supervision=score.supervision,
    )


def _box(place: int, values: Floats) -> go.Box:
    """Draw the quartiles of all trials, since Plotly would use only the drawn ones. Whiskers reach 1.5 times as far."""
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    reach = 1.5 * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    return go.Box(
        x=[place],
        q1=[q1],
        median=[median],
        q3=[q3],
        lowerfence=[inside.min()],
        upperfence=[inside.max()],
        line={"color": look(place).colour, "width": 1.5},
        fillcolor="rgba(0, 0, 0, 0)",
        width=2 * _SPREAD + 0.1,
        hoverinfo="skip",
    )


def _dot(place: int) -> Marker:
    return {"symbol": look(place).mark, "color": look(place).colour, "size": 6, "opacity": 0.55}


def _star(place: int) -> Marker:
    return {"symbol": "star", "color": look(place).colour, "size": 15}


# Best so far and parameters -------------------------------------------------------------------------------


def _progress(comparison: Comparison, score: CommonScore, unit: str, axis: str) -> Figure:
    figure = go.Figure()
    ends = []
    for place, progress in enumerate(comparison.progress):
        if progress is None:
            continue
        xs = _along(progress, unit)
        drawn, letter = look(place), comparison.sweeps[place].letter
        figure.add_trace(
            go.Scatter(
                x=np.array(xs, dtype=float),
                y=np.array(progress.best),
                mode="lines+markers",
                line={"shape": "hv", "color": drawn.colour, "dash": drawn.dash, "width": 2},
                marker={"symbol": drawn.mark, "size": 6},
                hovertemplate=f"{letter}<br>%{{x:.4g}} {unit}<br>%{{y:.4f}}<extra></extra>",
            )
        )
        ends.append(f"{letter} ends at {number(progress.best[-1])} after {xs[-1]:.4g} {unit}")
    figure.update_xaxes(title_text=axis, rangemode="tozero")
    figure.update_yaxes(title_text=f"best {escaped(score.name)} so far")
    title = f"Best {score.name} so far against {'the number of trials' if unit == 'trials' else 'time'}"
    return Figure(
        id=f"progress-{unit}",
        title=title,
        caption="",
        alt=f"{title}: {'; '.join(ends)}.",
        plot=plot_json(figure),
        supervision=score.supervision,
    )


def _along(progress: BestSoFar, unit: str) -> Sequence[float]:
    return progress.trials if unit == "trials" else progress.hours


def _parameter(comparison: Comparison, metric: str, parameter: CommonParameter, index: int) -> Figure:
    figure = go.Figure()
    labels = value_texts(value for points in parameter.points for _, value, _ in points)
    n_drawn, n_trials = 0, sum(map(len, parameter.points))
    for place, points in enumerate(parameter.points):
        sweep = comparison.sweeps[place]
        best = sweep.best.trial_id if sweep.best else None
        rows = drawn_rows([trial == best for trial, _, _ in points])
        n_drawn += len(rows)
        for is_best in (False, True):
            chosen = [points[row] for row in rows if (points[row][0] == best) == is_best]
            figure.add_trace(
                go.Scatter(
                    x=[
                        escaped(labels[json.dumps(value)])
                        if parameter.scale == "category"
                        else axis_value(value)
                        for _, value, _ in chosen
                    ],
                    y=[mean for _, _, mean in chosen],
                    text=[escaped(trial) for trial, _, _ in chosen],
                    mode="markers",
                    marker=_star(place) if is_best else _dot(place),
                    hovertemplate=f"{sweep.letter}, trial %{{text}}<br>%{{x}}<br>%{{y:.4f}}<extra></extra>",
                )
            )
    places = [axis_value(value) for points in parameter.points for _, value, _ in points]
    finite = [place for place in places if place is not None]
    axis = {"type": "category"} if parameter.scale == "category" else number_axis(parameter.scale, finite)
    figure.update_xaxes(title_text=escaped(parameter.key), **axis)
    figure.update_yaxes(title_text=escaped(metric))
    title = f"{metric} against {parameter.key}{' (log axis)' if parameter.scale == 'log' else ''}"
    return Figure(
        id=f"parameter-{index}",
        title=title,
        caption=thinning_note(n_drawn, n_trials).strip(),
        alt=f"Scatter of {counted(n_trials, 'trial')} of all sweeps, {title}.",
        plot=plot_json(figure),
        supervision=uses_in(comparison.sweeps, metric),
    )


# Training -------------------------------------------------------------------------------------------------


def _curves(sweeps: Sequence[Compared], best: BestCurves, index: int) -> Figure:
    figure = go.Figure()
    drawn = [(place, curve) for place, curve in enumerate(best.curves) if curve is not None]
    for place, curve in drawn:
        figure.add_traces(curve_band(curve, look(place).colour))
    for place, curve in drawn:
        name = f"{sweeps[place].letter}, trial {escaped(curve.trial_id)}"
        figure.add_trace(curve_line(curve, name, look(place).colour, look(place).dash))
    figure.update_xaxes(title_text="step")
    ends = "; ".join(
        f"{sweeps[place].letter}, trial {curve.trial_id}, ends at {number(float(curve.mean[-1]))}"
        for place, curve in drawn
    )
    return Figure(
        id=f"curve-{index}",
        title=best.title,
        caption="",
        alt=f"{best.title} over the steps of training: {ends}.",
        plot=plot_json(figure),
        supervision=uses_in(sweeps, best.metric),
    )
