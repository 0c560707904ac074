"""The leaderboard: every trial and everything known of it, in columns that the page sorts, filters and saves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from infogan_reports.effects import Scale, ordered_categories, scale_of
from infogan_reports.folder import SweepData
from infogan_reports.noise import Floats, least_leads
from infogan_reports.ranking import UNRANKED, USES_FACTORS, USES_LABELS, RankedTrial, supervision
from infogan_reports.text import value_texts

Kind = Literal["number", "text", "category", "score"]


@dataclass(frozen=True)
class Column:
    """One column; a list in it has an entry for each trial, in the order of the ranking.

    `values` are numbers or texts, None where a trial has none; of a category, places in `categories`. A score has
    its sample standard deviation over the seeds in `spreads`. `leader` is the row of the trial that is better than
    every other beyond the noise, if one is; `level` are the rows that cannot be told apart from the best.
    """

    label: str
    kind: Kind
    values: Sequence[Any]
    shown: bool = True
    parameter: bool = False
    scale: Scale = "linear"
    categories: Sequence[str] = ()
    spreads: Sequence[float | None] = ()
    direction: str | None = None  # max or min; None where neither end is known to be better
    supervision: str = ""  # labels or factors, where the score uses them
    objective: bool = False
    leader: int | None = None
    level: Sequence[int] = ()


@dataclass(frozen=True)
class Leaderboard:
    """All columns of all trials, and what the bold numbers rest on."""

    columns: tuple[Column, ...]
    n_trials: int
    noise: str

    @property
    def objective(self) -> Column:
        """The column that ranks."""
        return next(column for column in self.columns if column.objective)


def leaderboard(
    data: SweepData, trials: Sequence[RankedTrial], parameters: Sequence[str], shown_scores: Sequence[str]
) -> Leaderboard:
    """Every trial in the order of `trials`; the scores beyond `shown_scores` wait until a reader chooses them."""
    table = _ScoreTable(data, trials)
    names = sorted({name for trial in trials for name in trial.scores} - {data.metric})
    hidden = [name for name in names if name not in shown_scores]
    objective = table.column(data.metric, shown=True)
    columns = (
        Column("rank", "number", [trial.rank for trial in trials]),
        Column("trial", "text", [trial.trial for trial in trials]),
        objective,
        Column("seeds", "number", [trial.n_seeds for trial in trials]),
        *(parameter_column(data, trials, key) for key in parameters),
        _categorical("status", [trial.status for trial in trials]),
        Column("step", "number", [trial.step for trial in trials]),
        *(table.column(name, shown=True) for name in shown_scores),
        *(table.column(name, shown=False) for name in hidden),
        Column("seconds", "number", [round(trial.seconds, 1) for trial in trials]),
    )
    return Leaderboard(columns, len(trials), _noise(trials, objective))


def direction_of(data: SweepData, name: str) -> str | None:
    """Which way a score is better, `max` or `min`, or None where that is not known."""
    if name in (modes := dict(data.goals)):
        return modes[name]
    if name in USES_LABELS | USES_FACTORS or name.partition("/")[0] == "L_I":
        return "max"
    return "min" if is_image_distance(name) else None


def is_image_distance(name: str) -> bool:
    """Whether a score says how far generated images are from real ones: FID or KID, on whatever features."""
    return name.partition("_")[0].lower() in ("fid", "kid")


def parameter_column(data: SweepData, trials: Sequence[RankedTrial], key: str) -> Column:
    """A swept key: numbers as they are, anything else as text in the order of the sweep file."""
    values = [trial.params[key] for trial in trials if key in trial.params]
    scale = scale_of(data, key, values)
    if scale != "category":
        return Column(key, "number", [trial.params.get(key) for trial in trials], parameter=True, scale=scale)
    categories = ordered_categories(data, key, values)
    place = {category: index for index, category in enumerate(categories)}
    return Column(
        key,
        "category",
        [place[json.dumps(trial.params[key])] if key in trial.params else None for trial in trials],
        parameter=True,
        scale=scale,
        categories=list(value_texts(map(json.loads, categories)).values()),
    )


def _categorical(label: str, texts: Sequence[str]) -> Column:
    categories = list(dict.fromkeys(texts))
    places = {text: index for index, text in enumerate(categories)}
    return Column(label, "category", [places[text] for text in texts], categories=categories)


class _ScoreTable:
    """The scores of every trial and seed."""

    def __init__(self, data: SweepData, trials: Sequence[RankedTrial]) -> None:
        self._data = data
        self._trials = trials
        rows: dict[str, dict[int, Mapping[str, float]]] = {trial.trial: {} for trial in trials}
        for trial, seed, scores in data.trials[["trial", "seed", "scores"]].itertuples(index=False):
            rows[trial][int(seed)] = scores
        self._seeds = sorted({seed for of_trial in rows.values() for seed in of_trial})
        self._rows = [rows[trial.trial] for trial in trials]

    def column(self, name: str, *, shown: bool) -> Column:
        """The mean and spread of what every seed of a trial has."""
        values = self._values(name)
        is_objective = name == self._data.metric
        whole = [trial.mean is not None if is_objective else name in trial.scores for trial in self._trials]
        values[~np.array(whole, dtype=bool)] = np.nan
        means, spreads = _over_seeds(values)
        direction = direction_of(self._data, name)
        competing = np.array([trial.status not in UNRANKED for trial in self._trials], dtype=bool)
        leader, level = _standing(np.where(competing[:, None], values, np.nan), direction)
        return Column(
            name,
            "score",
            means,
            shown=shown,
            spreads=spreads,
            direction=direction,
            supervision=supervision(name),
            objective=is_objective,
            leader=leader,
            level=level,
        )

    def _values(self, name: str) -> Floats:
        """(n_trials, n_seeds), NaN where a trial has no such seed or the seed no such score."""
        values = np.full((len(self._rows), len(self._seeds)), np.nan)
        for row, of_trial in zip(values, self._rows, strict=True):
            for place, seed in enumerate(self._seeds):
                row[place] = of_trial.get(seed, {}).get(name, np.nan)
        return values


def _standing(values: Floats, direction: str | None) -> tuple[int | None, list[int]]:
    """The row that beats all others beyond the noise, if one does, and the rows level with the best."""
    competing = np.flatnonzero(~np.isnan(values).all(axis=1))
    if direction is None or len(competing) < 2:
        return None, []
    means = np.nanmean(values[competing], axis=1)
    best = int(competing[np.argmax(means) if direction == "max" else np.argmin(means)])
    rivals = [int(row) for row in competing if row != best]
    least = least_leads(values, best, higher_is_better=direction == "max")
    level = [row for row in rivals if not least[row] > 0]
    return (best, []) if not level else (None, level)


def _over_seeds(values: Floats) -> tuple[list[float | None], list[float | None]]:
    """Mean and sample standard deviation of each row over the seeds it has, None over none and over one."""
    n = np.count_nonzero(~np.isnan(values), axis=1)
    means, spreads = np.full(len(values), np.nan), np.full(len(values), np.nan)
    means[n > 0] = np.nanmean(values[n > 0], axis=1)
    spreads[n > 1] = np.nanstd(values[n > 1], axis=1, ddof=1)
    return _none_for_nan(means), _none_for_nan(spreads)


def _none_for_nan(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def _noise(trials: Sequence[RankedTrial], objective: Column) -> str:
    """What can be told apart, in a sentence or two."""
    ranked = [trial for trial in trials if trial.mean is not None]
    if len(ranked) < 2:
        return ""
    if all(trial.n_seeds < 2 for trial in ranked):
        return "Each trial has one seed, so no two trials can be told apart: nothing is bold."
    if objective.leader is not None:
        best = trials[objective.leader].trial
        return f"In {objective.label}, trial {best} is better than every other trial beyond the noise."
    return (
        f"In {objective.label}, {len(objective.level)} of the other {len(ranked) - 1} ranked trials cannot be told "
        f"apart from trial {ranked[0].trial} (marked ≈), so none is bold."
    )
