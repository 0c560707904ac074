"""The importance of each swept parameter, the two most important ones together, and scores against lambda."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from infogan_reports.effects import ParameterEffect, Scale, TrialPoint
from infogan_reports.folder import SweepData
from infogan_reports.leaderboard import Leaderboard, LeaderboardColumn
from infogan_reports.quantities import is_image_distance
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import axis_value, counted, number, value_text, value_texts

FEWEST_FOR_IMPORTANCE = 5  # finished trials
TREES = 64
DEPTH = 6  # depth of a tree, with at most 64 regions of the space; 10,000 trials take a second
MOST_VALUES = 8  # values of a parameter up to which each has a row or column of its own in the map
BINS = 6  # rows or columns of a parameter with more values
SHADES = 5  # shades of the map


@dataclass(frozen=True)
class Importance:
    """Shares of the goal's variance over the space, largest first; `rest` is the share of interactions.

    `shares` is empty where there is none, and `reason` says why; else it is None.
    """

    shares: tuple[tuple[str, float], ...]
    n_trials: int
    reason: str | None

    @property
    def rest(self) -> float:
        """The share that no parameter explains alone."""
        return max(0.0, 1.0 - sum(share for _, share in self.shares))


@dataclass(frozen=True)
class PairCell:
    """The finished trials at a pair of values: the mean of their goal, None if there are none; `shade` in 1..SHADES
    is 1 for the worst cell and SHADES for the best, 0 for an empty one.
    """

    mean: float | None
    n_trials: int
    shade: int
    best: bool


@dataclass(frozen=True)
class Interaction:
    """The goal over two parameters: columns are values of `x_key`, rows of `y_key`."""

    x_key: str
    y_key: str
    x_labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[PairCell, ...]], ...]  # label, and a cell for each column
    statement: str


@dataclass(frozen=True)
class Lambda:
    """A swept weight of L_I and the scores that are drawn against it."""

    key: str
    scale: Scale
    trials: tuple[RankedTrial, ...]
    values: tuple[float, ...]  # of lambda, one a trial
    scores: tuple[tuple[str, tuple[float | None, ...], tuple[float | None, ...]], ...]  # name, means, spreads
    missing: str  # a sentence on a score that nobody computed, or empty
    has_best: bool  # whether the first trial is the best of the sweep


@dataclass(frozen=True)
class Mattered:
    """The parameters taken together."""

    importance: Importance
    interaction: Interaction | None
    lambdas: tuple[Lambda, ...]
    pareto: tuple[str, str] | None  # the scores first drawn, across and up; None where there are no two


def what_mattered(
    data: SweepData, trials: Sequence[RankedTrial], effects: Sequence[ParameterEffect], table: Leaderboard
) -> Mattered:
    """Compute importance, the map of two parameters, lambda's figures and the two scores of the Pareto front."""
    varied = [effect for effect in effects if len({json.dumps(p.value) for p in _finished(effect)}) > 1]
    importance = _importance(varied)
    pair = [key for key, _ in importance.shares] or [effect.key for effect in varied]
    return Mattered(
        importance=importance,
        interaction=_interaction(data, varied, pair) if importance.shares or len(varied) == 2 else None,
        lambdas=tuple(_lambda(trials, effect, table) for effect in effects if _is_lambda(effect)),
        pareto=_pareto(data, table),
    )


def _finished(effect: ParameterEffect) -> list[TrialPoint]:
    """Return the finished trials, since trials that were stopped early did fewer steps."""
    return [point for point in effect.points if point.status == "finished"]


# Importance -----------------------------------------------------------------------------------------------


def _importance(effects: Sequence[ParameterEffect]) -> Importance:
    """Compute fANOVA (Hutter, Hoos and Leyton-Brown 2014) as Optuna does, over the trials that have all parameters."""
    values = [{point.trial_id: point.value for point in _finished(effect)} for effect in effects]
    shared = set.intersection(*map(set, values)) if values else set()
    means = {point.trial_id: point.mean for effect in effects for point in _finished(effect)}
    rows = sorted(trial for trial in means if trial in shared)
    if len(effects) == 0:
        return Importance((), 0, "No parameter varies among the finished trials.")
    if len(rows) < FEWEST_FOR_IMPORTANCE:
        return Importance(
            (),
            len(rows),
            f"It takes at least {FEWEST_FOR_IMPORTANCE} finished trials with all swept parameters, "
            f"and there are {len(rows)}.",
        )
    if len({means[trial] for trial in rows}) == 1:
        return Importance((), len(rows), "All finished trials have the same objective.")
    columns = [
        _unit_steps([of_trial[trial] for trial in rows], e.scale)
        for e, of_trial in zip(effects, values, strict=True)
    ]
    try:
        shares = _fanova([effect.key for effect in effects], columns, [means[trial] for trial in rows])
    except ImportError:
        return Importance((), len(rows), "Not computed: Optuna is not installed.")
    in_order = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return Importance(tuple(in_order), len(rows), None)


def _unit_steps(values: Sequence[Any], scale: Scale) -> list[Any]:
    """Return values on the axis on which they were drawn, where equal lengths are equal shares of the space."""
    if scale == "category":
        return [json.dumps(value) for value in values]
    return [math.log10(value) if scale == "log" else float(value) for value in values]


def _fanova(
    keys: Sequence[str], columns: Sequence[Sequence[Any]], means: Sequence[float]
) -> dict[str, float]:
    import optuna

    distributions = {
        key: optuna.distributions.CategoricalDistribution(sorted(set(column)))
        if isinstance(column[0], str)
        else optuna.distributions.FloatDistribution(min(column), max(column))
        for key, column in zip(keys, columns, strict=True)
    }
    trials = [
        optuna.trial.create_trial(
            params=dict(zip(keys, row, strict=True)), distributions=distributions, value=mean
        )
        for row, mean in zip(zip(*columns, strict=True), means, strict=True)
    ]
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study on stderr
    try:
        study = optuna.create_study()
        study.add_trials(trials)
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, max_depth=DEPTH, seed=0)
        return {key: float(share) for key, share in evaluator.evaluate(study).items()}
    finally:
        optuna.logging.set_verbosity(verbosity)


# Two parameters -------------------------------------------------------------------------------------------


def _interaction(
    data: SweepData, effects: Sequence[ParameterEffect], keys: Sequence[str]
) -> Interaction | None:
    """Compute the map of the first two of `keys`, the first one across."""
    if len(keys) < 2:
        return None
    x, y = (next(effect for effect in effects if effect.key == key) for key in keys[:2])
    x_labels, x_place = _cells(x)
    y_labels, y_place = _cells(y)
    y_values = {point.trial_id: point.value for point in _finished(y)}
    found: dict[tuple[int, int], list[float]] = {}
    for point in _finished(x):
        if point.trial_id in y_values:
            found.setdefault((y_place(y_values[point.trial_id]), x_place(point.value)), []).append(point.mean)
    if not found:
        return None
    means = {cell: sum(members) / len(members) for cell, members in found.items()}
    best = (max if data.mode == "max" else min)(means, key=lambda cell: means[cell])
    span = max(abs(mean - means[best]) for mean in means.values())

    def cell(at: tuple[int, int]) -> PairCell:
        if at not in means:
            return PairCell(None, 0, 0, best=False)
        closeness = 1 - abs(means[at] - means[best]) / span if span else 1.0
        return PairCell(means[at], len(found[at]), 1 + round((SHADES - 1) * closeness), best=at == best)

    return Interaction(
        x.key,
        y.key,
        x_labels,
        rows=tuple(
            (label, tuple(cell((row, column)) for column in range(len(x_labels))))
            for row, label in enumerate(y_labels)
        ),
        statement=f"Best on average at {x.key} = {x_labels[best[1]]} and {y.key} = {y_labels[best[0]]}: "
        f"{number(means[best])} ({counted(len(found[best]), 'trial')}).",
    )


def _cells(effect: ParameterEffect) -> tuple[tuple[str, ...], Callable[[Any], int]]:
    """Return labels of the rows or columns of a parameter, and the place of a value: its own cell, or one of `BINS`
    equal parts of the axis where there are many numbers.
    """
    values = [point.value for point in _finished(effect)]
    if effect.scale == "category":
        texts = value_texts(values)  # in the order of the sweep file, as the points are
        order = {category: index for index, category in enumerate(texts)}
        return tuple(texts.values()), lambda value: order[json.dumps(value)]
    distinct = sorted(set(map(float, values)))
    if len(distinct) <= MOST_VALUES:
        return tuple(map(value_text, distinct)), lambda value: distinct.index(float(value))
    low, high = _unit_steps([distinct[0], distinct[-1]], effect.scale)
    edges = [low + (high - low) * k / BINS for k in range(BINS + 1)]
    ends = [f"{10**edge if effect.scale == 'log' else edge:.3g}" for edge in edges]

    def place(value: Any) -> int:
        (at,) = _unit_steps([value], effect.scale)
        return min(int((at - low) / (high - low) * BINS), BINS - 1)

    return tuple(f"{left} to {right}" for left, right in pairwise(ends)), place


# Lambda, and two scores -----------------------------------------------------------------------------------


def _is_lambda(effect: ParameterEffect) -> bool:
    return effect.key.rpartition(".")[2].startswith("lambda") and effect.scale != "category"


def _lambda(trials: Sequence[RankedTrial], effect: ParameterEffect, table: Leaderboard) -> Lambda:
    """Collect accuracy (else the goal), L_I and image quality by lambda, as far as they were computed."""
    columns = {column.label: column for column in table.columns if column.kind == "score"}
    supervised = [name for name, column in columns.items() if column.supervision]
    objective = table.objective.label
    accuracy = (
        objective
        if objective in supervised
        else next(iter(supervised), objective if objective != "L_I" else None)
    )
    quality = next((name for name in columns if is_image_distance(name)), None)
    chosen = dict.fromkeys(name for name in (accuracy, "L_I", quality) if name in columns)
    rows = [
        row
        for row, trial in enumerate(trials)
        if trial.rank is not None and axis_value(trial.params.get(effect.key)) is not None
    ]
    return Lambda(
        key=effect.key,
        scale=effect.scale,
        trials=tuple(trials[row] for row in rows),
        values=tuple(float(trials[row].params[effect.key]) for row in rows),
        scores=tuple((str(name), *_of_rows(columns[str(name)], rows)) for name in chosen),
        missing="" if quality else "No image-quality score (FID or KID) was computed in this sweep.",
        has_best=bool(rows) and rows[0] == 0,
    )


def _of_rows(
    column: LeaderboardColumn, rows: Sequence[int]
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    return tuple(column.values[row] for row in rows), tuple(column.spreads[row] for row in rows)


def _pareto(data: SweepData, table: Leaderboard) -> tuple[str, str] | None:
    """Choose the goal upwards against the sweep's second one, else L_I, else the next score."""
    names = [column.label for column in table.columns if column.kind == "score" and _has_values(column)]
    objective = table.objective.label
    others = [name for name in names if name != objective]
    if objective not in names or not others:
        return None
    wanted = [*(metric for metric, _ in data.goals), "L_I"]
    return next((name for name in wanted if name in others), others[0]), objective


def _has_values(column: LeaderboardColumn) -> bool:
    return any(value is not None for value in column.values)
