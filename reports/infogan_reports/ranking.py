"""The order of the trials: by the mean of the goal over their seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infogan_bench.records import mean_over_seeds, std_over_seeds, trial_order
from infogan_reports.folder import SweepData

UNRANKED = frozenset({"diverged", "failed"})
_MOST_TELLING_FIRST = ("failed", "diverged", "interrupted", "running", "pending", "stopped", "finished")


@dataclass(frozen=True)
class RankedTrial:
    """A trial over its seeds.

    `mean` is the mean of the goal at the last report. It is None if a seed has no value, or the trial diverged or
    failed. Only a trial with a `mean` has a `rank`: 1 is best, equal trials share a rank, and the next rank is left
    out. `std` is the sample standard deviation over the seeds (ddof 1), None for a single seed. `scores` are the means
    of the metrics that every seed has, and `spreads` their standard deviations.
    """

    rank: int | None
    trial_id: str
    status: str
    step: int  # updates that every seed has done
    n_seeds: int
    mean: float | None
    std: float | None
    params: Mapping[str, Any]
    scores: Mapping[str, float]
    seconds: float  # of training and evaluation, summed over the seeds
    ended_by: str | None = None  # scheduler, time limit, interrupt or done; None: not recorded
    spreads: Mapping[str, float | None] = field(default_factory=dict)


def ranking(data: SweepData) -> tuple[RankedTrial, ...]:
    """Order all trials: first the ranked ones, best first and ties by trial id, then the others by trial id."""
    seeds_of: dict[str, list[Mapping[str, Any]]] = {}
    for row in data.trials.to_dict("records"):
        seeds_of.setdefault(row["trial"], []).append({str(key): value for key, value in row.items()})
    trials = [_over_seeds(trial, rows, data.metric) for trial, rows in seeds_of.items()]
    sign = -1.0 if data.mode == "max" else 1.0
    scored = sorted(
        ((sign * trial.mean, trial) for trial in trials if trial.mean is not None),
        key=lambda entry: (entry[0], trial_order(entry[1].trial_id)),
    )
    ranked: list[RankedTrial] = []
    for place, (_, trial) in enumerate(scored, start=1):
        tied = ranked and ranked[-1].mean == trial.mean
        ranked.append(replace(trial, rank=ranked[-1].rank if tied else place))
    others = sorted(
        (trial for trial in trials if trial.mean is None), key=lambda trial: trial_order(trial.trial_id)
    )
    return (*ranked, *others)


def pareto_front(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[RankedTrial, ...]:
    """Return the ranked trials that no other trial beats, best first by the first goal.

    A trial beats another if it is no worse in any goal of the sweep and better in one. A trial without a value of
    each is not compared.
    """
    signs = {metric: 1.0 if mode == "max" else -1.0 for metric, mode in data.goals}
    points = [
        (tuple(sign * trial.scores[metric] for metric, sign in signs.items()), trial)
        for trial in trials
        if trial.rank is not None and signs.keys() <= trial.scores.keys()
    ]
    front: list[tuple[tuple[float, ...], RankedTrial]] = []
    for point, trial in sorted(
        points, key=lambda entry: entry[0], reverse=True
    ):  # no trial is beaten by a later one
        beaten = (
            kept != point and all(k >= p for k, p in zip(kept, point, strict=True)) for kept, _ in front
        )
        if not any(beaten):
            front.append((point, trial))
    return tuple(trial for _, trial in front)


def _over_seeds(trial_id: str, rows: Sequence[Mapping[str, Any]], metric: str) -> RankedTrial:
    status = _status(row["status"] for row in rows)
    seeds = [row["scores"] for row in rows]
    values = {name: [scores.get(name) for scores in seeds] for name in sorted(set().union(*seeds))}
    means = {name: mean for name, each in values.items() if (mean := mean_over_seeds(each)) is not None}
    spreads = {name: std_over_seeds(values[name]) for name in means}
    ranked = status not in UNRANKED
    return RankedTrial(
        rank=None,
        trial_id=trial_id,
        status=status,
        step=min(int(row["step"]) for row in rows),
        n_seeds=len(rows),
        mean=means.get(metric) if ranked else None,
        std=spreads.get(metric) if ranked else None,
        params=rows[0]["params"],
        scores=means,
        seconds=sum(float(row["seconds"]) for row in rows),
        ended_by=rows[0].get("ended_by"),
        spreads=spreads,
    )


def _status(of_seeds: Iterable[str]) -> str:
    """Return the trial's status: the most telling one among its seeds."""
    statuses = set(of_seeds)
    status = min(statuses, key=_MOST_TELLING_FIRST.index)
    return "running" if status == "pending" and len(statuses) > 1 else status
