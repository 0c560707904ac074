"""Figures of a score's matrix and of many models' scores, by plotly (the extra `plots`)."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.score import NotDefinedError, Score

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
