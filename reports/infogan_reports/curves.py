"""Training curves: every metric of a trial by step, averaged over its seeds and thinned."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from infogan_reports.folder import SweepData, read_history
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import not_finite_text

BEST_TRIALS = 5
MAX_TRIALS = 200  # trials whose curves a page holds; half of them are the best ones
MAX_POINTS = 200  # points of a curve of one of the best trials
LEAST_POINTS = 20  # points of any other curve, if there are many
POINTS = 24_000  # points of all other curves together, about 0.5 MB

_TITLES = {
    "L_I": "L_I, all codes",
    "gaussian_mi_bound": "Information about the continuous codes",
    "code_r2": "R² of the continuous codes",
    "loss/d": "Loss of D",
    "loss/g": "Loss of G",
}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A metric of one trial: arrays (n_points,) of steps, of the mean over the seeds, and of the lowest
    and highest seed (None for a single seed). `ceiling` is H(c) in nats, which L_I of a categorical code cannot
    pass; None for anything else.
    """

    row: int  # the trial's place in the ranking, from 0
    trial_id: str
    steps: Floats
    mean: Floats
    low: Floats | None
    high: Floats | None
    ceiling: float | None = None


@dataclass(frozen=True)
class Panel:
    """A metric: a curve for each trial that reported it."""

    title: str
    metric: str
    curves: tuple[Curve, ...]
    left_out: str = ""  # a sentence on the reports that are no points, since they are NaN or infinite

    @property
    def ceilings(self) -> tuple[float, ...]:
        """The distinct H(c) of its curves."""
        return tuple(sorted({round(curve.ceiling, 4) for curve in self.curves if curve.ceiling is not None}))


def rows_with_curves(n_trials: int) -> list[int]:
    """Return the places in the ranking whose curves a page holds: all, or the best and an even share of the others."""
    if n_trials <= MAX_TRIALS:
        return list(range(n_trials))
    half = MAX_TRIALS // 2
    spread_out = np.linspace(half, n_trials - 1, MAX_TRIALS - half).round().astype(int)
    return [*range(half), *spread_out.tolist()]


def training_panels(data: SweepData, trials: Sequence[RankedTrial], rows: Iterable[int]) -> tuple[Panel, ...]:
    """Return panels of the goal, L_I of each code, the losses and the other scores of the trials at `rows`.

    A metric that none of them reported has no panel, and neither has a score that is computed only at the end of a run.
    """
    place = {trials[row].trial_id: row for row in rows}
    history = data.read_or_leave_out(lambda: read_history(data.folder, place.keys()), pd.DataFrame())
    if history.empty:
        return ()
    history = history.astype({"trial": str, "metric": str})
    infinite = np.isinf(history["value"].to_numpy(np.float64))
    curves = _curves(history[~infinite], place)
    left_out = _left_out(data, place.keys())
    panels = (
        Panel(title, metric, _with_ceilings(curves, metric), left_out.get(metric, ""))
        for metric, title in _titles(data, curves).items()
    )
    return tuple(_thinned_panels([panel for panel in panels if panel.curves]))


def _left_out(data: SweepData, trials: Collection[str]) -> Mapping[str, str]:
    """Return for each metric a sentence on the reports of these trials that are NaN or infinite, if any are."""
    rows = data.reports_not_finite
    counts: dict[str, Counter[str]] = {}
    of_trials = rows[rows["trial"].isin(list(trials))] if len(rows) else rows
    pairs = zip(of_trials["metric"], of_trials["value"], strict=True) if len(rows) else ()
    for metric, value in pairs:
        counts.setdefault(str(metric), Counter())[not_finite_text(float(value))] += 1
    return {
        metric: f"Left out: {', '.join(f'{n} of value {text}' for text, n in values.most_common())}."
        for metric, values in counts.items()
    }


class PanelData(TypedDict):
    """A panel for the page's script: row -> base64 of float32: steps and means, lowest and highest."""

    title: str
    lines: Mapping[int, str]
    bands: Mapping[int, str]
    ceilings: Mapping[int, float]


class CurveData(TypedDict):
    """The curves for the page's script: the rows that have some, the number drawn at first, and the panels."""

    rows: list[int]
    best: int
    panels: list[PanelData]


def curve_data(panels: Sequence[Panel]) -> CurveData:
    """Pack the curves for the page's script."""
    return {
        "rows": sorted({curve.row for panel in panels for curve in panel.curves}),
        "best": BEST_TRIALS,
        "panels": [
            {
                "title": panel.title,
                "lines": {curve.row: _packed(curve.steps, curve.mean) for curve in panel.curves},
                "bands": {
                    curve.row: _packed(curve.low, curve.high)
                    for curve in panel.curves
                    if curve.low is not None and curve.high is not None
                },
                "ceilings": {
                    curve.row: round(curve.ceiling, 4) for curve in panel.curves if curve.ceiling is not None
                },
            }
            for panel in panels
        ],
    }


def _packed(*parts: Floats) -> str:
    return base64.b64encode(np.concatenate(parts).astype("<f4").tobytes()).decode()


Curves = Mapping[str, Mapping[int, Curve]]  # metric -> place in the ranking -> curve


def _curves(history: pd.DataFrame, place: Mapping[str, int]) -> Curves:
    """Return every metric of every trial, over the steps at which all seeds of a trial reported it."""
    rows = history.drop_duplicates(
        ["metric", "trial", "seed", "step"], keep="last"
    )  # a resume repeats a step
    table = rows.pivot(index=["metric", "trial", "step"], columns="seed", values="value").sort_index()
    values, steps = (
        table.to_numpy(dtype=np.float64),
        table.index.get_level_values("step").to_numpy(np.float64),
    )
    curves: dict[str, dict[int, Curve]] = {}
    groups: Mapping[Any, Any] = table.groupby(level=["metric", "trial"], sort=False).indices
    for (metric, trial), at in groups.items():
        by_seed = values[at]
        by_seed = by_seed[:, ~np.isnan(by_seed).all(axis=0)]  # (n_steps, seeds of this trial)
        whole = ~np.isnan(by_seed).any(axis=1)
        if whole.any():
            row = place[trial]
            curves.setdefault(metric, {})[row] = _over_seeds(row, trial, steps[at][whole], by_seed[whole])
    return curves


def _over_seeds(row: int, trial_id: str, steps: Floats, by_seed: Floats) -> Curve:
    several = by_seed.shape[1] > 1
    return Curve(
        row=row,
        trial_id=trial_id,
        steps=steps,
        mean=by_seed.mean(axis=1),
        low=by_seed.min(axis=1) if several else None,
        high=by_seed.max(axis=1) if several else None,
    )


def _titles(data: SweepData, curves: Curves) -> dict[str, str]:
    """Return the metrics that are drawn, in their order, each with its title."""
    codes = sorted(name for name in curves if name.startswith("L_I/"))
    in_nats = ["L_I", *codes] if len(codes) != 1 else codes  # with a single code, its L_I is the whole L_I
    best = sorted(name for name in curves if name.startswith("gaussian_mi_bound/"))
    in_nats += [*(["gaussian_mi_bound"] if len(best) != 1 else []), *best, "code_r2"]
    losses = sorted(name for name in curves if name.startswith("loss/"))
    others = sorted(name for name in curves if "/" not in name and _is_score_in_training(name, curves[name]))
    goal = {data.metric: f"{data.metric} (objective)"}
    titles = {name: _TITLES.get(name, name) for name in (*in_nats, *losses, *others)}
    return {metric: title for metric, title in (goal | titles | goal).items() if metric in curves}


def _is_score_in_training(name: str, curves: Mapping[int, Curve]) -> bool:
    constant = name in ("H", "images_per_second", "L_I", "gaussian_mi_bound", "code_r2")
    return not constant and any(len(curve.steps) > 1 for curve in curves.values())


def _with_ceilings(curves: Curves, metric: str) -> tuple[Curve, ...]:
    """Return the curves of a metric in the order of the ranking; those of a code's L_I with its H."""
    prefix, _, code = metric.partition("/")
    ceilings = curves.get(f"H/{code}", {}) if prefix == "L_I" and code.startswith("cat_") else {}
    return tuple(
        replace(curve, ceiling=float(ceilings[row].mean[-1])) if row in ceilings else curve
        for row, curve in sorted(curves[metric].items())
    )


def _thinned_panels(panels: Sequence[Panel]) -> list[Panel]:
    n_others = sum(curve.row >= BEST_TRIALS for panel in panels for curve in panel.curves)
    limit = min(MAX_POINTS, max(LEAST_POINTS, POINTS // max(n_others, 1)))
    return [
        replace(
            panel,
            curves=tuple(
                _thinned(curve, MAX_POINTS if curve.row < BEST_TRIALS else limit) for curve in panel.curves
            ),
        )
        for panel in panels
    ]


def _thinned(curve: Curve, limit: int) -> Curve:
    kept = thinned(curve.mean, limit)
    return replace(
        curve,
        steps=curve.steps[kept],
        mean=curve.mean[kept],
        low=None if curve.low is None else curve.low[kept],
        high=None if curve.high is None else curve.high[kept],
    )


def thinned(values: Floats, limit: int) -> NDArray[np.intp]:
    """Return increasing indices of at most `limit` (at least 4) of `values` that keep its ends and its extremes.

    The inner values are cut into equal runs, and each run keeps its smallest and its largest value.
    """
    n = len(values)
    if n <= limit:
        return np.arange(n)
    runs = np.array_split(np.arange(1, n - 1), (limit - 2) // 2)
    extremes = [run[pick(values[run])] for run in runs for pick in (np.argmin, np.argmax)]
    return np.unique([0, *extremes, n - 1])
