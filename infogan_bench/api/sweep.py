"""A sweep folder in Python: tables, figures, and the models that it trained.

>>> from infogan_bench import Sweep                                          # doctest: +SKIP
>>> sweep = Sweep.load("runs/mnist")                                         # doctest: +SKIP
>>> sweep.best().sample(category=3).shape                                    # doctest: +SKIP
torch.Size([16, 1, 28, 28])
"""

from __future__ import annotations

import base64
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import torch
from infogan_reports import RankedTrial, ReportError, SweepData, load, ranking
from infogan_reports.curves import BEST_TRIALS, training_panels
from infogan_reports.effects import parameter_effects
from infogan_reports.figures import Figure, effect_figure, panel_figure

from infogan_bench.api.trained import TrainedModel
from infogan_bench.config.base import recorded_extensions
from infogan_bench.config.metrics import is_better_low
from infogan_bench.config.quantities import run_quantities
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.records import SweepPaths
from infogan_bench.scoring.sweep import SWEEP_SCORES, score_sweep

Mode = Literal["max", "min"]
_NO_NBFORMAT = (
    "a notebook shows figures with nbformat, which is not installed: pip install 'infogan-bench[notebook]'"
)


@dataclass(frozen=True)
class Place:
    """A seed of a trial."""

    trial: str
    seed: int


class Sweep:
    """A sweep that has ended or still runs, as its folder held it when it was loaded."""

    def __init__(self, data: SweepData) -> None:
        self.data = data

    @classmethod
    def load(cls, folder: str | Path) -> Sweep:
        """Read a sweep folder.

        Raises:
            InputError: if it is none, or one of its files cannot be read.
        """
        try:
            return cls(load(Path(folder), run_quantities()))
        except ReportError as error:
            raise InputError(str(error)) from None

    def __repr__(self) -> str:
        n_trials = self.data.trials["trial"].nunique()
        return f"Sweep({str(self.data.folder)!r}: {n_trials} trials, {self.metric})"

    @property
    def metric(self) -> str:
        """The score that ranks: the metric of the sweep's goal."""
        return self.data.metric

    @property
    def mode(self) -> str:
        """The direction of the goal: max or min."""
        return self.data.mode

    # Tables -----------------------------------------------------------------------------------------------

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each trial and seed, with the columns of trials.parquet. `params` and `scores` are replaced by a
        column for each swept parameter and for each score at the last report; NaN stands for a missing value."""
        rows = self.data.trials
        tables = [_columns(rows["params"]), _columns(rows["scores"])]
        before, after = rows.loc[:, :"step"], rows.loc[:, "seconds":]
        return pd.concat([before, *tables, after], axis="columns")

    @cached_property
    def history(self) -> pd.DataFrame:
        """A row for every reported value that is a number, with the columns trial, seed, step, metric and value."""
        return self.data.history.astype({"trial": str, "metric": str}).reset_index(drop=True)

    def ranking(self, by: str | None = None, mode: Mode | None = None) -> pd.DataFrame:
        """Return a row for each trial, the best first.

        Its columns are rank, trial, status, step, n_seeds, `mean` and `std` of the score over the seeds (n - 1; NaN for
        one seed), the swept parameters and the means of all scores.

        Args:
            by: another score than that of the sweep's goal; `mode` says whether it should be high or low, as in `best`.
        """
        trials = self._ranked(by, mode)
        fixed = pd.DataFrame(
            {
                "rank": pd.array([trial.rank for trial in trials], dtype="Int64"),
                "trial": [trial.trial_id for trial in trials],
                "status": [trial.status for trial in trials],
                "step": [trial.step for trial in trials],
                "n_seeds": [trial.n_seeds for trial in trials],
                "mean": pd.Series([trial.mean for trial in trials], dtype="float64"),
                "std": pd.Series([trial.std for trial in trials], dtype="float64"),
            }
        )
        tables = [_columns([trial.params for trial in trials]), _columns([trial.scores for trial in trials])]
        return pd.concat([fixed, *tables], axis="columns")

    # Figures ----------------------------------------------------------------------------------------------

    def effect(self, parameter: str) -> go.Figure:
        """Draw the goal of every ranked trial against a swept parameter.

        Raises:
            InputError: if no ranked trial has such a parameter.
        """
        found = parameter_effects(self.data, ranking(self.data), [parameter])
        if not found:
            swept = dict.fromkeys(key for params in self.data.trials["params"] for key in params)
            raise InputError(f"{parameter}: no ranked trial sweeps it; swept are {_listed(list(swept))}")
        return _plotly(effect_figure(found[0], self.metric, 0))

    def curves(self, metric: str | None = None) -> go.Figure:
        """Draw training curves of the best five trials, with the range over their seeds.

        Args:
            metric: that of the goal if None, or another one that the report draws: `loss/d`, `L_I/cat_0`, `nmi`.

        Raises:
            InputError: if there is no such figure.
        """
        trials = ranking(self.data)
        best = [place for place, trial in enumerate(trials[:BEST_TRIALS]) if trial.rank]
        panels = {panel.metric: panel for panel in training_panels(self.data, trials, best)}
        asked = metric or self.metric
        if asked not in panels:
            raise InputError(f"{asked}: has no curves; there are those of {_listed(list(panels))}")
        return _plotly(panel_figure(panels[asked], 0))

    # Models -----------------------------------------------------------------------------------------------

    def best_place(self, by: str | None = None, mode: Mode | None = None) -> Place:
        """Return the trial and seed that `best` takes."""
        if by in SWEEP_SCORES:
            load_extensions(recorded_extensions(self.data.config, self.data.environment, self.data.folder))
            best = score_sweep(self.data.folder, [by]).models[0]
            return Place(best.trial, best.seed)
        data = self._judged(by, mode)
        trials = ranking(data)
        if not trials or trials[0].rank is None:
            raise InputError(f"{data.folder}: no trial has a {data.metric} for each of its seeds")
        trial = trials[0].trial_id
        rows = data.trials[data.trials["trial"] == trial]
        values = {
            int(seed): scores[data.metric] for seed, scores in zip(rows["seed"], rows["scores"], strict=True)
        }
        choose = max if data.mode == "max" else min
        return Place(trial, choose(values, key=lambda seed: values[seed]))

    def best(
        self, by: str | None = None, mode: Mode | None = None, *, device: torch.device | str = "cpu"
    ) -> TrainedModel:
        """Return the model of the best trial: the trial with the best mean over its seeds, and in it the best seed.

        Args:
            by: the score to choose by; None: the sweep's goal, which may use labels. `L_I` uses none. `udr`, `udr_all`
            and
                `model_centrality` score models by each other without labels. These three choose among all models of all
                trials, and take minutes in a large sweep.
            mode: max or min; None: the sweep's mode for its goal, else min for losses and distances, and max for other
                scores.
            device: where its networks are put.

        Raises:
            InputError: if no trial has such a score for each of its seeds, or there is no checkpoint.
        """
        place = self.best_place(by, mode)
        return self.model(place.trial, place.seed, device=device)

    def model(self, trial: str, seed: int = 0, *, device: torch.device | str = "cpu") -> TrainedModel:
        """Return the model of one seed of a trial, as of its last checkpoint.

        Raises:
            InputError: if there is no such checkpoint, or its architecture is not known.
        """
        load_extensions(recorded_extensions(self.data.config, self.data.environment, self.data.folder))
        return TrainedModel.load(self.checkpoint(trial, seed), device)

    def checkpoint(self, trial: str, seed: int) -> Path:
        """Return the place of the checkpoint of an ended trial."""
        return SweepPaths(self.data.folder).trial(trial).seed(seed).checkpoint

    def _judged(self, by: str | None, mode: Mode | None) -> SweepData:
        """Return the sweep as if `by` were its goal."""
        if by is None or by == self.metric:
            return replace(self.data, mode=mode or self.mode)
        return replace(self.data, metric=by, mode=mode or ("min" if is_better_low(by) else "max"))

    def _ranked(self, by: str | None, mode: Mode | None) -> Sequence[RankedTrial]:
        return ranking(self._judged(by, mode))


def _columns(dictionaries: Any) -> pd.DataFrame:
    """Return a column for each key, in the order in which the keys occur; lists stay whole."""
    rows = list(dictionaries)
    keys = dict.fromkeys(key for row in rows for key in row)
    return pd.DataFrame({key: [row.get(key) for row in rows] for key in keys}, index=range(len(rows)))


def _plotly(figure: Figure) -> go.Figure:
    """Return a figure of the report for a notebook, with a title and zoom."""
    if "ipykernel" in sys.modules and importlib.util.find_spec("nbformat") is None:
        warnings.warn(_NO_NBFORMAT, stacklevel=3)
    drawn = go.Figure(_with_arrays(figure.plot))
    drawn.update_layout(title=figure.title, template="plotly_white", dragmode="zoom", height=400)
    drawn.update_layout(margin={"t": 60, "l": 60, "r": 20, "b": 50})
    drawn.update_xaxes(fixedrange=False)
    drawn.update_yaxes(fixedrange=False)
    return drawn


def _with_arrays(plot: Any) -> Any:
    """Return Plotly's JSON with its packed arrays as numpy's, so that they can be read off the figure."""
    if isinstance(plot, list):
        return [_with_arrays(part) for part in plot]
    if not isinstance(plot, dict):
        return plot
    if "bdata" in plot:
        return np.frombuffer(base64.b64decode(plot["bdata"]), dtype=plot["dtype"])
    return {key: _with_arrays(part) for key, part in plot.items()}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
