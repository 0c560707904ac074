"""The leaderboard: every trial with all its values, in columns that the page sorts, filters and saves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from infogan_reports.absent import AbsentScores, absent_scores
from infogan_reports.effects import Scale, ordered_categories, scale_of
from infogan_reports.folder import SweepData
from infogan_reports.noise import Floats, least_leads
from infogan_reports.ranking import UNRANKED, RankedTrial
from infogan_reports.text import (
    LONGEST_WHOLE,
    axis_value,
    value_text,
    value_texts,
)

Kind = Literal["number", "text", "category", "score"]


@dataclass(frozen=True)
class LeaderboardColumn:
    """A column; a list in it has an entry for each trial, in the order of the ranking.

    `values` are numbers or texts, None where a trial has none; of a category, places in `categories`. A score has
    its sample standard deviation over the seeds in `spreads`. `words` are shown in the place of a value that is not
    finite or not defined, or that loses digits as a float64. `leader` is the row of the trial that is better than
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
    objective: bool = False  # the metric of the goal that ranks
    words: Mapping[int, str] = field(default_factory=dict)  # row -> text
    leader: int | None = None
    level: Sequence[int] = ()


@dataclass(frozen=True)
class Leaderboard:
    """All columns of all trials, a sentence on the meaning of bold numbers, and sentences on scores without a value."""

    columns: tuple[LeaderboardColumn, ...]
    n_trials: int
    noise: str
    absent: tuple[str, ...]

    @property
    def objective(self) -> LeaderboardColumn:
        """The column that ranks."""
        return next(column for column in self.columns if column.objective)


def leaderboard(
    data: SweepData, trials: Sequence[RankedTrial], parameters: Sequence[str], shown_scores: Sequence[str]
) -> Leaderboard:
    """Return every trial in the order of `trials`; scores beyond `shown_scores` appear when a reader chooses them."""
    absent = absent_scores(data, trials)
    table = _ScoreTable(data, trials, absent)
    reported = {name for trial in trials for name in trial.scores}
    names = sorted((reported | absent.words.keys()) - {data.metric})
    hidden = [name for name in names if name not in shown_scores]
    objective = table.column(data.metric, shown=True)
    columns = (
        LeaderboardColumn("rank", "number", [trial.rank for trial in trials]),
        LeaderboardColumn("trial", "text", [trial.trial_id for trial in trials]),
        objective,
        LeaderboardColumn("seeds", "number", [trial.n_seeds for trial in trials]),
        *(parameter_column(data, trials, key) for key in parameters),
        _categorical("status", [trial.status for trial in trials]),
        *_ended_by(trials),
        LeaderboardColumn("step", "number", [trial.step for trial in trials]),
        *(table.column(name, shown=True) for name in shown_scores),
        *(table.column(name, shown=False) for name in hidden),
        LeaderboardColumn("seconds", "number", [round(trial.seconds, 1) for trial in trials]),
    )
    return Leaderboard(columns, len(trials), _noise(trials, objective), absent.sentences)


def direction_of(data: SweepData, name: str) -> str | None:
    """Return which way a score is better, `max` or `min`, or None where that is not known."""
    modes = dict(data.goals)
    return modes[name] if name in modes else data.quantities.direction(name)


def parameter_column(data: SweepData, trials: Sequence[RankedTrial], key: str) -> LeaderboardColumn:
    """Return the column of a swept key: numbers as they are, anything else as text in the order of the sweep file."""
    values = [trial.params[key] for trial in trials if key in trial.params]
    scale = scale_of(data, key, values)
    if scale != "category":
        of_trials = [trial.params.get(key) for trial in trials]
        words = {row: value_text(value) for row, value in enumerate(of_trials) if _loses_digits(value)}
        places = [axis_value(value) if _loses_digits(value) else value for value in of_trials]
        return LeaderboardColumn(key, "number", places, parameter=True, scale=scale, words=words)
    categories = ordered_categories(data, key, values)
    place = {category: index for index, category in enumerate(categories)}
    return LeaderboardColumn(
        key,
        "category",
        [place[json.dumps(trial.params[key])] if key in trial.params else None for trial in trials],
        parameter=True,
        scale=scale,
        categories=list(value_texts(map(json.loads, categories)).values()),
    )


def _ended_by(trials: Sequence[RankedTrial]) -> list[LeaderboardColumn]:
    """Return the column of the ends of trials; shown if a trial ended otherwise than by its steps or the scheduler."""
    reasons = [trial.ended_by or "" for trial in trials]
    if not any(reasons):
        return []
    shown = any(reason not in ("", "done", "scheduler") for reason in reasons)
    return [replace(_categorical("ended by", reasons), shown=shown)]


def _loses_digits(value: object) -> bool:
    """Say whether a number would lose digits in the page's script: NaN, infinity, and long whole numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) >= LONGEST_WHOLE
    return isinstance(value, float) and axis_value(value) is None


def _categorical(label: str, texts: Sequence[str]) -> LeaderboardColumn:
    categories = list(dict.fromkeys(texts))
    places = {text: index for index, text in enumerate(categories)}
    return LeaderboardColumn(label, "category", [places[text] for text in texts], categories=categories)


class _ScoreTable:
    """The scores of every trial and seed."""

    def __init__(self, data: SweepData, trials: Sequence[RankedTrial], absent: AbsentScores) -> None:
        self._data = data
        self._trials = trials
        rows: dict[str, dict[int, Mapping[str, float]]] = {trial.trial_id: {} for trial in trials}
        for trial, seed, scores in data.trials[["trial", "seed", "scores"]].itertuples(index=False):
            rows[trial][int(seed)] = scores
        self._seeds = sorted({seed for of_trial in rows.values() for seed in of_trial})
        self._rows = [rows[trial.trial_id] for trial in trials]
        self._words = absent.words

    def column(self, name: str, *, shown: bool) -> LeaderboardColumn:
        """Return the means and spreads of a score, None where a seed of a trial lacks it."""
        is_objective = name == self._data.metric
        trials = self._trials
        direction = direction_of(self._data, name)
        leader, level = _standing(self._values(name), direction)
        means = [trial.mean if is_objective else trial.scores.get(name) for trial in trials]
        words = self._words.get(name, {})
        return LeaderboardColumn(
            name,
            "score",
            means,
            shown=shown,
            spreads=[trial.std if is_objective else trial.spreads.get(name) for trial in trials],
            direction=direction,
            supervision=self._data.uses(name),
            objective=is_objective,
            words={row: text for row, text in words.items() if means[row] is None},
            leader=leader,
            level=level,
        )

    def _values(self, name: str) -> Floats:
        """Return (n_trials, n_seeds): the values of trials that may be ranked and have one for each seed, else NaN."""
        values = np.full((len(self._rows), len(self._seeds)), np.nan)
        for row, trial, of_trial in zip(values, self._trials, self._rows, strict=True):
            if trial.status not in UNRANKED and name in trial.scores:
                row[:] = [of_trial[seed][name] if seed in of_trial else np.nan for seed in self._seeds]
        return values


def _standing(values: Floats, direction: str | None) -> tuple[int | None, list[int]]:
    """Return the row that beats all others beyond the noise, if there is one, and the rows level with the best."""
    competing = np.flatnonzero(~np.isnan(values).all(axis=1))
    if direction is None or len(competing) < 2:
        return None, []
    means = np.nanmean(values[competing], axis=1)
    best = int(competing[np.argmax(means) if direction == "max" else np.argmin(means)])
    rivals = [int(row) for row in competing if row != best]
    least = least_leads(values, best, higher_is_better=direction == "max")
    level = [row for row in rivals if not least[row] > 0]
    return (best, []) if not level else (None, level)


def _noise(trials: Sequence[RankedTrial], objective: LeaderboardColumn) -> str:
    """Say which trials can be told apart, in a sentence or two."""
    ranked = [trial for trial in trials if trial.mean is not None]
    if len(ranked) < 2:
        return ""
    if all(trial.n_seeds < 2 for trial in ranked):
        return "Each trial has one seed, so no two trials can be told apart: nothing is bold."
    if objective.leader is not None:
        best = trials[objective.leader].trial_id
        return f"In {objective.label}, trial {best} is better than every other trial beyond the noise."
    return (
        f"In {objective.label}, {len(objective.level)} of the other {len(ranked) - 1} ranked trials cannot be told "
        f"apart from trial {ranked[0].trial_id} (marked ≈), so none is bold."
    )
