"""Parameters that several sweeps swept, and configurations that two of them have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from infogan_bench.records import trial_order
from infogan_reports.compared import Compared
from infogan_reports.effects import Scale, scale_of
from infogan_reports.noise import mean_interval
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import axis_value, counted, number

MOST_MATCHES = 50  # rows of a table


class CommonPoint(NamedTuple):
    """A ranked trial: its value of a parameter and its mean score."""

    trial_id: str
    value: object
    mean: float


@dataclass(frozen=True)
class CommonParameter:
    """A key that all compared sweeps swept: for each sweep the points of its ranked trials."""

    key: str
    scale: Scale
    points: tuple[tuple[CommonPoint, ...], ...]


@dataclass(frozen=True)
class Match:
    """A configuration that two sweeps have: its trial in each, and the difference of the scores."""

    params: Mapping[str, object]
    trials: tuple[str, str]
    means: tuple[float, float]
    n_seeds: int  # that both have and the means are over

    @property
    def difference(self) -> float:
        """The mean of the second trial minus that of the first."""
        return self.means[1] - self.means[0]


@dataclass(frozen=True)
class Matches:
    """Configurations that two sweeps have, the largest difference first; `interval` is of the mean difference."""

    letters: tuple[str, str]
    keys: tuple[str, ...]
    matches: tuple[Match, ...]
    interval: tuple[float, float] | None
    statement: str


def common_parameters(
    sweeps: Sequence[Compared], ranked: Sequence[int], metric: str
) -> tuple[CommonParameter, ...]:
    """Return the keys that every sweep with a ranked trial swept, in the order of the first one's plan."""
    swept = [dict.fromkeys(key for trial in sweeps[place].ranked for key in trial.params) for place in ranked]
    common = [key for key in swept[0] if all(key in keys for keys in swept)]
    return tuple(_common_parameter(sweeps, metric, key) for key in common)


def _common_parameter(sweeps: Sequence[Compared], metric: str, key: str) -> CommonParameter:
    points = tuple(
        tuple(
            CommonPoint(trial.trial_id, trial.params[key], trial.scores[metric])
            for trial in sweep.ranked
            if key in trial.params and metric in trial.scores
        )
        for sweep in sweeps
    )
    values = [point.value for of_sweep in points for point in of_sweep]
    scales = {scale_of(sweep.data, key, values) for sweep in sweeps}
    scale: Scale = "category" if "category" in scales else "log" if "log" in scales else "linear"
    if scale != "category":
        points = tuple(
            tuple(point for point in of_sweep if axis_value(point.value) is not None) for of_sweep in points
        )
    return CommonParameter(key, scale, points)


def matches(first: Compared, second: Compared, metric: str) -> Matches:
    """Match finished trials of two sweeps that have the same value of every key that either of them swept."""
    keys = tuple(
        dict.fromkeys(key for sweep in (first, second) for trial in sweep.trials for key in trial.params)
    )
    others: dict[str, RankedTrial] = {}
    for trial in _in_plan(second):
        others.setdefault(_configuration(second, trial, keys), trial)
    found: dict[str, Match] = {}
    for trial in _in_plan(first):
        same = _configuration(first, trial, keys)
        if same in others and same not in found:
            match = _match(first, second, (trial, others[same]), keys, metric)
            found |= {same: match} if match else {}
    matches = tuple(sorted(found.values(), key=lambda match: -abs(match.difference)))
    interval = mean_interval([match.difference for match in matches])
    letters = first.letter, second.letter
    return Matches(letters, keys, matches, interval, _match_statement(letters, matches, interval, metric))


def _in_plan(sweep: Compared) -> list[RankedTrial]:
    """Return finished trials in the order of the plan, of which the first of equal ones counts.

    A trial whose values changed during training has no single configuration, and is left out.
    """
    finished = (trial for trial in sweep.ranked if trial.status == "finished")
    steady = (trial for trial in finished if not sweep.data.mutations.get(trial.trial_id))
    return sorted(steady, key=lambda trial: trial_order(trial.trial_id))


def _configuration(sweep: Compared, trial: RankedTrial, keys: Sequence[str]) -> str:
    values = (sweep.value_of(trial, key) for key in keys)
    # 1 and 1.0 are the same value, and 2^53 + 1 is not 2^53
    plain = [int(each) if isinstance(each, float) and each.is_integer() else each for each in values]
    return json.dumps(plain)


def _match(
    first: Compared,
    second: Compared,
    trials: tuple[RankedTrial, RankedTrial],
    keys: Sequence[str],
    metric: str,
) -> Match | None:
    a, b = (
        sweep.by_seed(trial.trial_id, metric) for sweep, trial in zip((first, second), trials, strict=True)
    )
    shared = a.keys() & b.keys()
    if not shared:
        return None
    return Match(
        params={key: first.value_of(trials[0], key) for key in keys},
        trials=(trials[0].trial_id, trials[1].trial_id),
        means=(fmean(a[seed] for seed in shared), fmean(b[seed] for seed in shared)),
        n_seeds=len(shared),
    )


def _match_statement(
    letters: tuple[str, str], matches: Sequence[Match], interval: tuple[float, float] | None, metric: str
) -> str:
    a, b = letters
    if not matches:
        return f"{a} and {b} have no finished configuration in common that they trained with the same seed."
    n = len(matches)
    mean = sum(match.difference for match in matches) / n
    shared = f"{a} and {b} have {counted(n, 'configuration')} in common"
    words = f"{shared}: {metric} of {b} less that of {a} is {number(mean)}"
    if interval is None:
        return f"{words}."
    low, high = interval
    verdict = (
        "which is beyond the noise" if low > 0 or high < 0 else "so that neither is ahead beyond the noise"
    )
    return f"{words} on average, 95 % from {number(low)} to {number(high)}, {verdict}."
