"""Training curves of the best trials, averaged over seeds and thinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from infogan_reports.folder import SweepData
from infogan_reports.ranking import RankedTrial

BEST_TRIALS = 5
MAX_POINTS = 200  # of a drawn curve

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One metric of one trial: arrays (n_points,) of steps, of the mean over the seeds, and of the lowest
    and highest seed (None for a single seed).
    """

    trial: str
    rank: int
    steps: Floats
    mean: Floats
    low: Floats | None
    high: Floats | None


@dataclass(frozen=True)
class Panel:
    """One figure of curves; `ceilings` are the distinct H(c) in nats that a curve cannot pass."""

    title: str
    metric: str
    curves: tuple[Curve, ...]
    ceilings: tuple[float, ...] = ()


def training_panels(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[Panel, ...]:
    """The objective, L_I, and the losses of D and G; a metric that no best trial reported has no panel."""
    best = [trial for trial in trials[:BEST_TRIALS] if trial.rank is not None]
    if not best or data.history.empty:
        return ()
    history = data.history[data.history["trial"].isin([trial.trial for trial in best])]
    history = history.astype({"trial": str, "metric": str})
    panels = [
        Panel(f"{data.metric} (objective)", data.metric, _curves(history, best, [data.metric])),
        _information_panel(history, best),
        Panel("Loss of D", "loss/d", _curves(history, best, ["loss/d"])),
        Panel("Loss of G", "loss/g", _curves(history, best, ["loss/g"])),
    ]
    return tuple(panel for panel in panels if panel.curves)


def _information_panel(history: pd.DataFrame, best: Sequence[RankedTrial]) -> Panel:
    """L_I of the categorical codes under its ceiling H(c); without such codes all of L_I, which has none."""
    categorical = _names(history, "L_I/cat_")
    if not categorical:
        return Panel("L_I, all codes (nats)", "L_I", _curves(history, best, ["L_I"]))
    ceilings = {
        round(total, 4) for trial in best if (total := _last_sum(history, trial, _names(history, "H/cat_")))
    }
    curves = _curves(history, best, categorical)
    return Panel("L_I of the categorical codes (nats)", "L_I", curves, tuple(sorted(ceilings)))


def _names(history: pd.DataFrame, prefix: str) -> list[str]:
    return sorted(name for name in history["metric"].unique() if name.startswith(prefix))


def _last_sum(history: pd.DataFrame, trial: RankedTrial, metrics: Sequence[str]) -> float:
    rows = history[(history["trial"] == trial.trial) & history["metric"].isin(metrics)]
    return float(rows.groupby("metric")["value"].last().sum())


def _curves(history: pd.DataFrame, best: Sequence[RankedTrial], metrics: Sequence[str]) -> tuple[Curve, ...]:
    curves = (_curve(history, trial, metrics) for trial in best)
    return tuple(curve for curve in curves if curve is not None)


def _curve(history: pd.DataFrame, trial: RankedTrial, metrics: Sequence[str]) -> Curve | None:
    """The sum of `metrics` by step, over the steps at which every seed reported all of them."""
    rows = history[(history["trial"] == trial.trial) & history["metric"].isin(metrics)]
    rows = rows.drop_duplicates(["seed", "step", "metric"], keep="last")  # a resumed trial repeats a step
    table = rows.pivot(index="step", columns=["seed", "metric"], values="value").sort_index().dropna()
    if table.empty:
        return None
    by_seed = table.T.groupby(level="seed").sum().T.to_numpy(dtype=np.float64)  # (n_steps, n_seeds)
    mean = by_seed.mean(axis=1)
    kept = thinned(mean, MAX_POINTS)
    several = by_seed.shape[1] > 1
    return Curve(
        trial=trial.trial,
        rank=trial.rank or 0,
        steps=table.index.to_numpy(dtype=np.float64)[kept],
        mean=mean[kept],
        low=by_seed.min(axis=1)[kept] if several else None,
        high=by_seed.max(axis=1)[kept] if several else None,
    )


def thinned(values: Floats, limit: int) -> NDArray[np.intp]:
    """Increasing indices of at most `limit` (at least 4) of `values` that keep its ends and its extremes.

    The inner values are cut into equal runs, and each run keeps its smallest and its largest value.
    """
    n = len(values)
    if n <= limit:
        return np.arange(n)
    runs = np.array_split(np.arange(1, n - 1), (limit - 2) // 2)
    extremes = [run[pick(values[run])] for run in runs for pick in (np.argmin, np.argmax)]
    return np.unique([0, *extremes, n - 1])
