"""The order of the trials: by the mean of the objective over their seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infogan_reports.folder import SweepData

USES_LABELS = frozenset({"cluster_accuracy", "purity", "nmi", "ari"})
"""Scores that need labels: choosing a trial by one of them is supervision. L_I needs none."""

USES_FACTORS = frozenset(
    {
        "mig",
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
        "sap_discrete",
        "modularity",
        "explicitness",
        "factor_vae",
        "beta_vae",
        "irs",
        "mig_sup",
        "jemmig",
        "dcimig",
        "z_max_variance",
    }
)
"""Scores that need ground-truth factors, which is supervision as well."""


def supervision(metric: str) -> str:
    """`labels` or `factors` where a score needs them, else empty; a chance floor needs what its score needs."""
    score = metric.rpartition("/")[2] if metric.startswith("floor/") else metric
    return "labels" if score in USES_LABELS else "factors" if score in USES_FACTORS else ""


UNRANKED = frozenset({"diverged", "failed"})
_MOST_TELLING_FIRST = ("failed", "diverged", "interrupted", "running", "pending", "stopped", "finished")


@dataclass(frozen=True)
class RankedTrial:
    """One trial over its seeds.

    `mean` is the mean objective at the last report and is None where a seed has none, or where the trial
    diverged or failed; only a trial with a `mean` has a `rank` (1 is best). `std` is the sample standard
    deviation over the seeds (ddof 1), None for a single seed. `scores` are the means of what every seed has.
    """

    rank: int | None
    trial: str
    status: str
    step: int  # updates that every seed has done
    n_seeds: int
    mean: float | None
    std: float | None
    params: Mapping[str, Any]
    scores: Mapping[str, float]
    seconds: float  # of training and evaluation, summed over the seeds


def ranking(data: SweepData) -> tuple[RankedTrial, ...]:
    """All trials: first the ranked ones, best first and ties by trial id, then the others by trial id."""
    seeds_of: dict[str, list[Mapping[str, Any]]] = {}
    for row in data.trials.to_dict("records"):
        seeds_of.setdefault(row["trial"], []).append({str(key): value for key, value in row.items()})
    trials = [_over_seeds(trial, rows, data.metric) for trial, rows in seeds_of.items()]
    sign = -1.0 if data.mode == "max" else 1.0
    scored = sorted((sign * trial.mean, trial.trial, trial) for trial in trials if trial.mean is not None)
    ranked = [replace(trial, rank=place) for place, (_, _, trial) in enumerate(scored, start=1)]
    others = sorted((trial for trial in trials if trial.mean is None), key=lambda trial: trial.trial)
    return (*ranked, *others)


def pareto_front(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[RankedTrial, ...]:
    """The ranked trials that no other one beats, best first by the first objective.

    One beats another if it is no worse in any objective of the sweep and better in one. A trial without a value of
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
    ):  # none is beaten by a later one
        beaten = (
            kept != point and all(k >= p for k, p in zip(kept, point, strict=True)) for kept, _ in front
        )
        if not any(beaten):
            front.append((point, trial))
    return tuple(trial for _, trial in front)


def _over_seeds(trial: str, rows: Sequence[Mapping[str, Any]], metric: str) -> RankedTrial:
    status = _status(row["status"] for row in rows)
    values = [row["scores"][metric] for row in rows if metric in row["scores"]]
    scored = status not in UNRANKED and len(values) == len(rows)
    shared = set.intersection(*(set(row["scores"]) for row in rows))
    return RankedTrial(
        rank=None,
        trial=trial,
        status=status,
        step=min(int(row["step"]) for row in rows),
        n_seeds=len(rows),
        mean=statistics.fmean(values) if scored else None,
        std=statistics.stdev(values) if scored and len(values) > 1 else None,
        params=rows[0]["params"],
        scores={name: statistics.fmean(row["scores"][name] for row in rows) for name in sorted(shared)},
        seconds=sum(float(row["seconds"]) for row in rows),
    )


def _status(of_seeds: Iterable[str]) -> str:
    """The trial's status: the most telling one among its seeds."""
    statuses = set(of_seeds)
    status = min(statuses, key=_MOST_TELLING_FIRST.index)
    return "running" if status == "pending" and len(statuses) > 1 else status
