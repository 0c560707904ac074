"""Figures of a score's matrix and of many models' scores, by plotly (the extra `plots`)."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.score import NotDefinedError, Score

if TYPE_CHECKING:
    from infogan_metrics.table import Table

_AXES = {  # (rows, columns) of the matrix behind a score, where they are not code and factor
    "MutualInfoScore": ("code", "code"),
    "FactorVAE": ("factor", "code"),
    "ZMaxVariance": ("factor", "code"),
    "UDR": ("model", "model"),
    "ModelCentrality": ("model", "model"),
}


def plotly_objects() -> Any:
    """Return plotly.graph_objects.

    Raises:
        ModuleNotFoundError: if plotly is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module("plotly.graph_objects")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "figures need plotly, which is not installed: pip install 'infogan-metrics[plots]'"
        ) from None


def plot_matrix(score: Score) -> Any:
    """Draw the first matrix among a score's fields as a heat map; see `Score.plot`."""
    name, matrix, (rows, columns) = _matrix(score)
    row_names, column_names = _names(score, rows, matrix.shape[0]), _names(score, columns, matrix.shape[1])
    objects = plotly_objects()
    heat = objects.Heatmap(
        z=matrix,
        x=column_names,
        y=row_names,
        colorscale="Viridis",
        colorbar={"title": name.replace("_", " ")},
        hovertemplate="%{y}, %{x}: %{z:.4g}<extra></extra>",
    )
    layout = {
        "title": f"{type(score).__name__} {float(score):.4f}, n = {score.n:,}",
        "xaxis": {"title": columns, "type": "category"},
        "yaxis": {"title": rows, "type": "category", "autorange": "reversed"},
    }
    return objects.Figure(heat, layout)


def _matrix(score: Score) -> tuple[str, NDArray[Any], tuple[str, str]]:
    """Return the name and the values of the matrix behind a score, and the names of its axes."""
    confusion = getattr(score, "confusion", None)
    if confusion is not None:
        return "samples", confusion.counts, ("cluster", "class")
    for field in dataclasses.fields(score):
        value = getattr(score, field.name)
        if isinstance(value, np.ndarray) and value.ndim == 2:
            return field.name, value, _AXES.get(type(score).__name__, ("code", "factor"))
    raise NotDefinedError(f"{type(score).__name__} has no matrix to draw")


def _names(score: Score, axis: str, length: int) -> list[str]:
    if axis in ("cluster", "class"):
        confusion = getattr(score, "confusion", None)
        return [
            str(identity) for identity in getattr(confusion, "clusters" if axis == "cluster" else "classes")
        ]
    return [f"{axis} {i}" for i in range(length)]


def plot_tables(tables: Mapping[str, Table]) -> Any:
    """Draw the scores of many models side by side: values, intervals, and a cross at each chance level.

    Args:
        tables: {name of a model: what `evaluate` returned for it}.
    Raises:
        ModuleNotFoundError: if plotly is not installed (the extra `plots`).
    """
    objects = plotly_objects()
    figure = objects.Figure()
    for name, table in tables.items():
        rows = [row for row in table if row.value is not None]
        figure.add_scatter(
            x=[row.name for row in rows],
            y=[row.value for row in rows],
            error_y={
                "array": [_distance(row.high, row.value) for row in rows],
                "arrayminus": [_distance(row.value, row.low) for row in rows],
            },
            mode="markers",
            name=name or "value",
            marker={"size": 9},
        )
        known = [row for row in rows if row.chance is not None]
        figure.add_scatter(
            x=[row.name for row in known],
            y=[row.chance for row in known],
            mode="markers",
            name=f"{name}, chance" if name else "chance",
            marker={"size": 9, "symbol": "x-thin-open"},
        )
    return figure.update_layout(xaxis={"type": "category"}, yaxis={"title": "value"}, scattermode="group")


def _distance(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else max(high - low, 0.0)
