"""Figures of what mattered: importance, lambda, and two scores against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import plotly.graph_objects as go

from infogan_reports.axis import number_axis
from infogan_reports.figures import (
    BLUE,
    GREY,
    MOST_SPREADS,
    VERMILLION,
    Figure,
    drawn_rows,
    escaped,
    plot_json,
    thinning_note,
)
from infogan_reports.mattered import Importance, Lambda, Mattered
from infogan_reports.text import counted

LONGEST_LABEL = 24
_ROW = 34  # pixels of a bar
_PANEL = 190  # height in pixels of one score in lambda's figure
ROUGH_BELOW = 10  # finished trials for each parameter
Uses = Callable[[str], str]  # a metric -> labels, factors or an empty text
_MARKS = {  # whether a trial is the best: its mark; the best one lies on top
    False: {"symbol": "circle", "color": BLUE, "size": 8, "opacity": 0.75},
    True: {"symbol": "star", "color": VERMILLION, "size": 14},
}


def mattered_figures(mattered: Mattered, metric: str, uses: Uses) -> list[Figure]:
    """Draw importance, then lambda's figures, as far as there are any."""
    found = [_importance_figure(mattered.importance, metric, uses)] if mattered.importance.shares else []
    found += [_lambda_figure(each, i, uses) for i, each in enumerate(mattered.lambdas)]
    return [replace(figure, group="together") for figure in found]


def pareto_figure(mattered: Mattered) -> list[Figure]:
    """Draw an empty plane of two scores: the page's script draws on it the scores that a reader chooses."""
    if mattered.pareto is None:
        return []
    across, up = mattered.pareto
    figure = go.Figure()
    figure.update_xaxes(title_text=escaped(across))
    figure.update_yaxes(title_text=escaped(up))
    alt = f"{up} against {across}."
    return [Figure("pareto", "Two scores at once", "", alt, plot_json(figure), group="pareto")]


def _importance_figure(importance: Importance, metric: str, uses: Uses) -> Figure:
    shares = [*importance.shares, ("together (interactions)", importance.rest)]
    bars = go.Bar(
        x=[share for _, share in reversed(shares)],
        y=[escaped(_cut(key)) for key, _ in reversed(shares)],
        text=[f"{100 * share:.1f} %" for _, share in reversed(shares)],
        textposition="outside",
        cliponaxis=False,
        orientation="h",
        marker={"color": [GREY, *[BLUE] * len(importance.shares)]},
        hoverinfo="skip",
    )
    figure = go.Figure(bars)
    most = max(share for _, share in shares)
    figure.update_xaxes(
        title_text=f"share of the variance of {escaped(metric)}", tickformat=".0%", range=[0, 1.25 * most]
    )
    figure.update_yaxes(type="category")
    plot = plot_json(figure)
    plot["layout"]["height"] = 90 + _ROW * len(shares)
    n, k = importance.n_trials, len(importance.shares)
    rough = (
        f" {counted(n, 'trial')} for {counted(k, 'parameter')} make this a rough guess."
        if n < ROUGH_BELOW * k
        else ""
    )
    words = ", ".join(f"{key} {100 * share:.1f} %" for key, share in shares)
    return Figure(
        id="importance",
        title="Importance (fANOVA)",
        caption=f"How much of the variance of {metric} over the space each parameter explains alone, in a random "
        f"forest fitted to {counted(n, 'finished trial')}.{rough}",
        alt=f"Importance by fANOVA: {words}.",
        plot=plot,
        supervision=uses(metric),
    )


def _lambda_figure(found: Lambda, index: int, uses: Uses) -> Figure:
    """Draw the panels of the scores above one another, on the same axis of lambda."""
    names = [name for name, _, _ in found.scores]
    best = (
        [place == 0 for place, _ in enumerate(found.trials)]
        if found.has_best
        else [False] * len(found.trials)
    )
    drawn = drawn_rows(best)
    figure = go.Figure()
    height = 1 / max(len(names), 1)
    for place, (name, means, spreads) in enumerate(found.scores):
        axis = "y" if place == 0 else f"y{place + 1}"
        for is_best, marker in _MARKS.items():
            rows = [row for row in drawn if means[row] is not None and best[row] == is_best]
            figure.add_trace(
                go.Scatter(
                    x=[found.values[row] for row in rows],
                    y=[means[row] for row in rows],
                    error_y={
                        "type": "data", "array": [spreads[row] or 0.0 for row in rows], "thickness": 1,
                        "width": 0, "visible": len(drawn) <= MOST_SPREADS,
                    },
                    yaxis=axis,
                    mode="markers",
                    marker=marker,
                    text=[escaped(found.trials[row].trial_id) for row in rows],
                    hovertemplate="trial %{text}<br>%{x}<br>%{y:.4f}<extra></extra>",
                )
            )  # fmt: skip
        top = 1 - place * height
        figure.update_layout(
            {
                f"yaxis{axis[1:]}": {
                    "domain": [top - 0.86 * height, top],
                    "title": {"text": escaped(_cut(name))},
                }
            }
        )
    figure.update_xaxes(
        title_text=escaped(found.key),
        anchor="y" if len(names) < 2 else f"y{len(names)}",
        **number_axis(found.scale, found.values),
    )
    plot = plot_json(figure)
    plot["layout"]["height"] = 80 + _PANEL * max(len(names), 1)
    log = " (log axis)" if found.scale == "log" else ""
    title = f"{found.key} against {_listed(names)}{log}"
    return Figure(
        id=f"lambda-{index}",
        title=title,
        caption=f"All ranked trials; the star is the best one. {found.missing}"
        + thinning_note(len(drawn), len(found.trials)),
        alt=f"{title}: one panel a score above one another, {counted(len(found.trials), 'trial')}. {found.missing}",
        plot=plot,
        supervision=next(filter(None, map(uses, names)), ""),
    )


def _listed(names: Sequence[str]) -> str:
    return (
        names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "no score"
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
