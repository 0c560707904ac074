"""What every score of a sweep asks, what its value rests on, and how far it may be off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from infogan_metrics import METRICS, Metric, ari, bootstrap, nmi
from numpy.typing import NDArray

from infogan_reports.folder import SeedFiles, SweepData
from infogan_reports.leaderboard import direction_of, is_image_distance
from infogan_reports.noise import CONFIDENCE
from infogan_reports.ranking import RankedTrial, supervision
from infogan_reports.text import value_text

RESAMPLES = 200  # of the test images, for a score that is no share of them
FLOORS = {"shuffled": "factors of other images", "untrained": "the network before its first step"}

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """How to read a score: the question it answers, its range, and who defined it."""

    asks: str
    range: tuple[float, float]
    source: str


@dataclass(frozen=True)
class Interval:
    """Where the score of other test images would lie, with 95 % confidence."""

    value: float
    low: float
    high: float
    how: str


@dataclass(frozen=True)
class Explained:
    """One score of the sweep. `mean` and `spread` are of the best trial, over its seeds; None where it has none."""

    name: str
    objective: bool
    supervision: str  # labels, factors, or empty
    reading: Reading | None  # None: no score of this project
    direction: str | None  # max or min
    computed: str
    mean: float | None
    spread: float | None
    n_seeds: int
    interval: Interval | None
    floors: tuple[tuple[str, float], ...]  # what chance is, and the score's value by it
    not_defined: str | None

    @property
    def range(self) -> str:
        """`0 to 1`; an open end is said in words."""
        if self.reading is None:
            return "unknown"
        low, high = self.reading.range
        if math.isinf(low) and math.isinf(high):
            return "any number"
        if math.isinf(high):
            return f"{low:g} or more"
        return f"at most {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"


_OWN = {
    "dci_disentanglement": Reading("does each code matter to one factor", (0, 1), METRICS["dci"].source),
    "dci_completeness": Reading("does one code alone matter to each factor", (0, 1), METRICS["dci"].source),
    "dci_informativeness": Reading(
        "can the factors be predicted from the codes", (0, 1), METRICS["dci"].source
    ),
    "slant_correlation": Reading(
        "does a continuous code slant the images of a category", (0, 1), "absolute Spearman correlation"
    ),
    "width_correlation": Reading(
        "does a continuous code thicken the strokes of a category", (0, 1), "absolute Spearman correlation"
    ),
}
_PARTS = {
    "L_I/": "L_I of one code, in nats; L_I is the sum over the codes",
    "H": "entropy of the codes in nats: L_I of a categorical code cannot be above it",
    "loss/d": "adversarial loss of D, in nats: 2 ln 2 = 1.3863 where D cannot tell real from generated images",
    "loss/g": "adversarial loss of G, in nats: ln 2 = 0.6931 there",
    "loss/consistency": "how much Q's categories of an image and of its transformed copy differ, in nats",
    "loss/vat": "how much Q's categories of real images move under the worst small change of them, in nats",
    "loss/contrastive": "how hard it is to tell which continuous code two generated images share, in nats",
    "loss/balance": "how unevenly Q uses the categories over a batch, in nats",
}


def explain(
    data: SweepData,
    trials: Sequence[RankedTrial],
    names: Iterable[str],
    files: SeedFiles | None,
    seed: int | None,
) -> tuple[Explained, ...]:
    """The objective, then each of `names`, as far as any trial has it or says why it has none.

    Args:
        files: what the evaluation of `seed` of the best trial wrote; None where no trial can be ranked.
    """
    evaluation = files.evaluation if files else {}
    best = trials[0] if trials and trials[0].rank is not None else None
    not_defined: Mapping[str, str] = evaluation.get("not_defined") or {}
    return tuple(
        Explained(
            name=name,
            objective=name == data.metric,
            supervision=supervision(name),
            reading=reading_of(name),
            direction=direction_of(data, name),
            computed=_computed(name, evaluation),
            mean=best.scores.get(name) if best else None,
            spread=_spread(data, best, name) if best else None,
            n_seeds=best.n_seeds if best else 0,
            interval=_interval(name, evaluation, seed),
            floors=tuple(
                (words, best.scores[f"floor/{kind}/{name}"])
                for kind, words in FLOORS.items()
                if best and f"floor/{kind}/{name}" in best.scores
            ),
            not_defined=not_defined.get(name),
        )
        for name in dict.fromkeys((data.metric, *names, *not_defined))
    )


def other_quantities(trials: Sequence[RankedTrial]) -> tuple[tuple[str, str], ...]:
    """What else is reported, (name, meaning), as far as any trial reports it."""
    reported = {name for trial in trials for name in trial.scores}
    return tuple(
        (f"{name}CODE" if name.endswith("/") else name, meaning)
        for name, meaning in _PARTS.items()
        if any(found == name or (name.endswith("/") and found.startswith(name)) for found in reported)
    )


def reading_of(name: str) -> Reading | None:
    """How to read a score, by its name in a sweep; None for one that this project does not know."""
    if name in _OWN:
        return _OWN[name]
    metric = METRICS.get("mi_bound" if name == "L_I" else name)
    if metric is None and is_image_distance(name):
        metric = METRICS[name.partition("_")[0].lower()]
    return _reading(metric) if metric else None


def _reading(metric: Metric) -> Reading:
    return Reading(metric.asks, metric.range, metric.source)


def _spread(data: SweepData, trial: RankedTrial, name: str) -> float | None:
    """Sample standard deviation over the seeds of a trial, None for a single one."""
    rows = data.trials.loc[data.trials["trial"] == trial.trial, "scores"]
    values = [scores[name] for scores in rows if name in scores]
    return float(np.std(values, ddof=1)) if len(values) == trial.n_seeds > 1 else None


# What it was computed from --------------------------------------------------------------------------------


def _computed(name: str, evaluation: Mapping[str, Any]) -> str:
    protocol = (evaluation.get("protocols") or {}).get(name)
    if protocol:
        compared = (
            "Generated images and MNIST's test images"
            if is_image_distance(name)
            else "Q's codes and the factors of the test set"
        )
        return f"{compared}: {_assumed(protocol)}."
    if supervision(name) == "labels" and evaluation.get("confusion"):
        found = evaluation["confusion"]
        n = sum(map(sum, found["counts"]))
        return f"Q's most likely category of {found['code']} and the labels of {n:,} test images."
    shapes = evaluation.get("shape_correlation")
    if name in ("slant_correlation", "width_correlation") and shapes:
        within = f", within the categories of {shapes['within']}" if shapes["within"] else ""
        return f"{shapes['n']:,} generated images with ink{within}; the best of {', '.join(shapes['codes'])}."
    if name == "L_I":
        return (
            "Generated images and their codes, as the mean over the updates since the report before; in nats."
        )
    return "The folder does not say from what."


def _assumed(protocol: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value_text(value)}" for key, value in protocol.items())


# Intervals ------------------------------------------------------------------------------------------------


def _interval(name: str, evaluation: Mapping[str, Any], seed: int | None) -> Interval | None:
    """Of a score of categories against labels, from the counts of one seed; the folder holds no others."""
    found = evaluation.get("confusion")
    if not found or supervision(name) != "labels":
        return None
    counts = np.array(found["counts"], dtype=np.int64)
    total = int(counts.sum())
    if total == 0:
        return None
    if name == "cluster_accuracy":
        matched = sum(
            row[match]
            for row, match in zip(found["counts"], found["match"], strict=True)
            if match is not None
        )
        return _share(matched, total, seed)
    if name == "purity":
        return _share(int(counts.max(axis=1).sum()), total, seed)
    functions = {"nmi": nmi, "ari": ari}
    if name not in functions:
        return None
    categories, classes = (np.repeat(each.ravel(), counts.ravel()) for each in np.indices(counts.shape))
    drawn = bootstrap(functions[name], categories, classes, n_resamples=RESAMPLES)
    how = f"seed {seed}: bootstrap of its {total:,} test images, {RESAMPLES} times"
    return Interval(float(drawn), drawn.low, drawn.high, how)


def _share(hits: int, n: int, seed: int | None) -> Interval:
    from scipy.stats import binomtest  # takes most of a second

    found = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    how = f"seed {seed}: {hits:,} of {n:,} test images, Wilson's interval"
    return Interval(hits / n, float(found.low), float(found.high), how)
