"""The goal against each swept parameter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from infogan_reports.folder import SweepData
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import axis_value, counted, number, value_text

LOG_SPAN = 30  # positive values that span more than this are drawn on a log axis
FEWEST_FOR_CORRELATION = 5

Scale = Literal["linear", "log", "category"]


@dataclass(frozen=True)
class TrialPoint:
    """A ranked trial: its value of the parameter and its goal over the seeds."""

    trial_id: str
    value: Any
    mean: float
    std: float | None
    status: str
    best: bool


@dataclass(frozen=True)
class Group:
    """The finished trials that share one value."""

    value: Any
    n_trials: int
    mean: float


@dataclass(frozen=True)
class ParameterEffect:
    """A swept parameter against the goal.

    `groups` and `rank_correlation` (Spearman's, in [-1, 1]) are of finished trials, since most trials that were stopped
    early were stopped because of their score. `groups` is empty if no value occurs twice. The correlation is None for
    categories, for fewer than five trials, and if either side is constant.
    """

    key: str
    scale: Scale
    points: tuple[TrialPoint, ...]  # categories in the order of the sweep file, numbers by the trials' rank
    groups: tuple[Group, ...]
    rank_correlation: float | None
    statement: str
    left_out: str = ""  # a sentence on the trials that have no point


def parameter_effects(
    data: SweepData, trials: Sequence[RankedTrial], parameters: Sequence[str]
) -> tuple[ParameterEffect, ...]:
    """Compute the effect of each of `parameters` of which a ranked trial has a value.

    A parameter that the sweep file gives one value has no effect to show.
    """
    varied = (key for key in parameters if len(_listed(domain_of(data.config, key))) != 1)
    effects = (_effect(data, trials, key) for key in varied)
    return tuple(effect for effect in effects if effect.points or effect.left_out)


def domain_of(config: Mapping[str, Any], key: str) -> Any:
    """Return the entry of a dotted key in `space`, written as `a.b: ...` or nested; None if there is none."""
    space = config.get("space")
    rest = key
    while isinstance(space, dict):
        if rest in space:
            return space[rest]
        head, _, rest = rest.partition(".")
        space = space.get(head)
    return None


def _listed(domain: Any) -> list[Any]:
    """The values that a choice, a grid or a bare list names; none for a range."""
    values = domain.get("choice", domain.get("grid")) if isinstance(domain, dict) else domain
    return values if isinstance(values, list) else []


def _effect(data: SweepData, trials: Sequence[RankedTrial], key: str) -> ParameterEffect:
    ranked = [trial for trial in trials if trial.rank is not None and key in trial.params]
    scale = scale_of(data, key, [trial.params[key] for trial in ranked])
    points = tuple(
        TrialPoint(trial.trial_id, trial.params[key], trial.mean, trial.std, trial.status, trial is trials[0])
        for trial in ranked
        if trial.mean is not None and (scale == "category" or axis_value(trial.params[key]) is not None)
    )
    if scale == "category":
        order = ordered_categories(data, key, [point.value for point in points])
        place = {category: index for index, category in enumerate(order)}
        points = tuple(sorted(points, key=lambda point: place[json.dumps(point.value)]))
    finished = [point for point in points if point.status == "finished"]
    groups = _groups(finished)
    correlation = None if scale == "category" else _rank_correlation(finished)
    statement = _statement(data, finished, groups, correlation, scale)
    left_out = left_out_text(trials, points, key) if ranked else ""
    return ParameterEffect(key, scale, points, groups, correlation, statement, left_out)


def left_out_text(trials: Sequence[RankedTrial], points: Sequence[TrialPoint], key: str) -> str:
    """Say in a sentence how many trials have no point in a parameter's figure, and why; empty if all have one."""
    drawn = {point.trial_id for point in points}
    reasons = Counter(_reason(trial, key) for trial in trials if trial.trial_id not in drawn)
    if not reasons:
        return ""
    words = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    return f"Left out: {counted(reasons.total(), 'trial')} ({words})."


def _reason(trial: RankedTrial, key: str) -> str:
    if trial.rank is None:
        bad = trial.status in ("diverged", "failed")
        return trial.status if bad else "without a value of the goal for each seed"
    return f"without {key}" if key not in trial.params else f"whose {key} is not a finite number"


def domain_text(domain: Any) -> str:
    """Return `0.1, 1` for a choice, a grid or a bare list, and `loguniform [1e-05, 0.01]` for a range."""
    if isinstance(domain, dict):
        return "; ".join(
            domain_text(values) if kind in ("choice", "grid") else f"{kind} {value_text(values)}"
            for kind, values in domain.items()
        )
    if isinstance(domain, list):
        return ", ".join(map(value_text, domain))
    return "" if domain is None else value_text(domain)


def ordered_categories(data: SweepData, key: str, values: Iterable[Any]) -> list[str]:
    """Return the distinct values as JSON, in the order of the sweep file, those that it does not name last."""
    named = [json.dumps(each) for each in _listed(domain_of(data.config, key))]
    found = {json.dumps(value) for value in values}
    return [text for text in dict.fromkeys(named) if text in found] + sorted(found - set(named))


def scale_of(data: SweepData, key: str, values: Sequence[Any]) -> Scale:
    """Return the axis of a swept key: logarithmic where its range is, or where its values span orders of magnitude."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "category"
    places = [place for value in values if (place := axis_value(value)) is not None]
    if not places or min(places) <= 0:
        return "linear"
    log = _is_log(domain_of(data.config, key)) or max(places) > LOG_SPAN * min(places)
    return "log" if log else "linear"


def _is_log(domain: Any) -> bool:
    """Say whether a domain is sampled in the logarithm: `loguniform`, `logint`, `qloguniform`, `qlogint`."""
    return isinstance(domain, dict) and any("log" in str(kind) for kind in domain)


def _groups(points: Sequence[TrialPoint]) -> tuple[Group, ...]:
    members: dict[str, list[TrialPoint]] = {}  # by JSON, since a list has no hash
    for point in points:
        members.setdefault(json.dumps(point.value), []).append(point)
    if not 1 < len(members) < len(points):
        return ()
    return tuple(
        Group(same[0].value, len(same), sum(point.mean for point in same) / len(same))
        for same in members.values()
    )


def _rank_correlation(points: Sequence[TrialPoint]) -> float | None:
    values = pd.Series([float(point.value) for point in points])
    means = pd.Series([point.mean for point in points])
    if len(points) < FEWEST_FOR_CORRELATION or values.nunique() < 2 or means.nunique() < 2:
        return None
    return float(values.rank().corr(means.rank()))


def _statement(
    data: SweepData,
    finished: Sequence[TrialPoint],
    groups: Sequence[Group],
    correlation: float | None,
    scale: Scale,
) -> str:
    """Say how much the parameter mattered, or why that is not known."""
    if groups:
        in_order = sorted(groups, key=lambda group: group.mean, reverse=data.mode == "max")
        best, worst = in_order[0], in_order[-1]
        return (
            f"Best on average at {value_text(best.value)}: {number(best.mean)} "
            f"({counted(best.n_trials, 'trial')}); worst at {value_text(worst.value)}: {number(worst.mean)} "
            f"({counted(worst.n_trials, 'trial')})."
        )
    if correlation is not None:
        trend = f"Rank correlation {correlation:+.2f} over {len(finished)} finished trials"
        return f"{trend}: a steady rise or fall shows in it, a peak does not."
    n = counted(len(finished), "finished trial")
    if len(finished) > 1 and len({json.dumps(point.value) for point in finished}) == 1:
        return f"{n}, all at {value_text(finished[0].value)}: no other value to compare with."
    if len(finished) > 1 and len({point.mean for point in finished}) == 1:
        return f"{n}, all with a {data.metric} of {number(finished[0].mean)}: it made no difference."
    if scale == "category" and len(finished) > 1:
        return f"{n}, each at a value of its own: nothing to average over."
    return f"{n}: too few to say how much it mattered."
