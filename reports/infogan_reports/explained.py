"""The explanation of a sweep's scores: their questions, the data behind them, and their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from infogan_metrics import ari, bootstrap, nmi

from infogan_bench.records import ConfusionRecord, EvaluationRecord, Quantity
from infogan_reports.folder import SeedFiles, SweepData
from infogan_reports.leaderboard import direction_of
from infogan_reports.noise import CONFIDENCE
from infogan_reports.quantities import Quantities, is_image_distance, metric_of, question_of
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import value_text

RESAMPLES = 200  # resamples of the test images, for a score that is not a proportion of them
FLOORS = {"shuffled": "factors of other images", "untrained": "the network before its first step"}

NOT_KNOWN = "Not a score that this program knows."


@dataclass(frozen=True)
class Reading:
    """The explanation of a score: the question it answers or a sentence on it, its range, and its source."""

    explanation: str
    range: tuple[float, float] | None  # None: not known
    source: str


@dataclass(frozen=True)
class ConfidenceInterval:
    """The range in which the score of other test images would lie, with 95 % confidence."""

    value: float
    low: float
    high: float
    how: str


@dataclass(frozen=True)
class Explained:
    """A score of the sweep. `mean` and `spread` are of the best trial, over its seeds; None where it has none."""

    name: str
    objective: bool
    supervision: str  # labels, factors, or empty
    reading: Reading | None  # None: a score that nobody explained
    direction: str | None  # max or min
    computed: str
    mean: float | None
    spread: float | None
    n_seeds: int
    interval: ConfidenceInterval | None
    floors: tuple[tuple[str, float], ...]  # a kind of chance, and the score's value by it
    not_defined: str | None

    @property
    def range(self) -> str:
        """The range as `0 to 1`, with an open end in words."""
        if self.reading is None or self.reading.range is None:
            return "unknown"
        low, high = self.reading.range
        if math.isinf(low) and math.isinf(high):
            return "any number"
        if math.isinf(high):
            return f"{low:g} or more"
        return f"at most {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"


_BOOTSTRAPPED = {"nmi": nmi, "ari": ari}


def explain(
    data: SweepData,
    trials: Sequence[RankedTrial],
    names: Iterable[str],
    files: SeedFiles | None,
    seed: int | None,
) -> tuple[Explained, ...]:
    """Explain the goal, then each of `names` and each score that had no value in an evaluation.

    Args:
        files: those of the first seed of the best trial; None where no trial can be ranked.
        seed: that seed.
    """
    evaluation = files.evaluation if files else None
    best = trials[0] if trials and trials[0].rank is not None else None
    not_defined = evaluation.not_defined if evaluation else {}
    return tuple(
        Explained(
            name=name,
            objective=name == data.metric,
            supervision=data.uses(name),
            reading=reading_of(data.quantities, name),
            direction=direction_of(data, name),
            computed=_computed(name, data.uses(name), evaluation),
            mean=best.scores.get(name) if best else None,
            spread=best.spreads.get(name) if best else None,
            n_seeds=best.n_seeds if best else 0,
            interval=_interval(name, evaluation.confusion if evaluation else None, seed),
            floors=tuple(
                (words, best.scores[f"floor/{kind}/{name}"])
                for kind, words in FLOORS.items()
                if best and f"floor/{kind}/{name}" in best.scores
            ),
            not_defined=not_defined.get(name),
        )
        for name in dict.fromkeys((data.metric, *names, *not_defined))
    )


def other_quantities(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[tuple[str, str], ...]:
    """Return (name, explanation) of each loss, bound and entropy that a trial reports, and of its parts for codes."""
    reported = sorted({name for trial in trials for name in trial.scores})
    found: dict[str, str] = {}
    for name in reported:
        quantity = data.quantities.find(name)
        if quantity is None or name.startswith("floor/") or ("/" not in name and name != "H"):
            continue
        part = name != quantity.name
        found[f"{quantity.name}/CODE" if part else name] = (
            f"{quantity.title} of one code" if part else quantity.explanation
        )
    return tuple(found.items())


def reading_of(quantities: Quantities, name: str) -> Reading | None:
    """Return the explanation of a score, by its name in a sweep; None if there is none."""
    metric, quantity, question = metric_of(name), quantities.find(name), question_of(name)
    of_metric = metric.range if metric else None
    if quantity is not None:
        return Reading(quantity.explanation, _recorded_range(quantity) or of_metric, quantity.source)
    return Reading(question, of_metric, metric.source) if metric and question else None


def _recorded_range(quantity: Quantity) -> tuple[float, float] | None:
    """Return the range of a quantity with infinity for an open end; older folders have none."""
    if quantity.range is None:
        return None
    low, high = quantity.range
    return -math.inf if low is None else low, math.inf if high is None else high


# The data that it was computed from -----------------------------------------------------------------------


def _computed(name: str, uses: str, evaluation: EvaluationRecord | None) -> str:
    if evaluation is not None and (protocol := evaluation.protocols.get(name)):
        if is_image_distance(name):
            compared = "Generated images and MNIST's test images"
        elif uses == "factors":
            compared = "Q's codes and the factors of the test set"
        else:  # the record does not say what else a score, such as one of the user's own, looks at
            compared = "The trained model, by this protocol"
        return f"{compared}: {_assumed(protocol)}."
    if uses == "labels" and evaluation is not None and evaluation.confusion is not None:
        n = sum(map(sum, evaluation.confusion.counts))
        return f"Q's most likely category of {evaluation.confusion.code} and the labels of {n:,} test images."
    shapes = evaluation.shape_correlation if evaluation else None
    if name in ("slant_correlation", "width_correlation") and shapes:
        within = f", within the categories of {shapes.within}" if shapes.within else ""
        return f"{shapes.n:,} generated images with ink{within}; the best of {', '.join(shapes.codes)}."
    if name in ("L_I", "gaussian_mi_bound", "code_r2"):
        return "Generated images and their codes, as the mean over the updates since the report before."
    return "The folder does not say from what."


def _assumed(protocol: Mapping[str, object]) -> str:
    return ", ".join(f"{key} = {value_text(value)}" for key, value in protocol.items())


# Intervals ------------------------------------------------------------------------------------------------


def _interval(name: str, found: ConfusionRecord | None, seed: int | None) -> ConfidenceInterval | None:
    """Compute the interval of a score of categories against labels from one seed's counts; the folder has no others."""
    if found is None or name not in ("cluster_accuracy", "purity", *_BOOTSTRAPPED):
        return None
    counts = np.array(found.counts, dtype=np.int64)
    total = int(counts.sum())
    if total == 0:
        return None
    if name == "cluster_accuracy":
        pairs = zip(found.counts, found.match, strict=True)
        return _wilson(sum(row[match] for row, match in pairs if match is not None), total, seed)
    if name == "purity":
        return _wilson(int(counts.max(axis=1).sum()), total, seed)
    categories, classes = (np.repeat(each.ravel(), counts.ravel()) for each in np.indices(counts.shape))
    drawn = bootstrap(_BOOTSTRAPPED[name], categories, classes, n_resamples=RESAMPLES)
    how = f"seed {seed}: bootstrap of its {total:,} test images, {RESAMPLES} times"
    return ConfidenceInterval(float(drawn), drawn.low, drawn.high, how)


def _wilson(hits: int, n: int, seed: int | None) -> ConfidenceInterval:
    from scipy.stats import binomtest  # takes most of a second

    found = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    how = f"seed {seed}: {hits:,} of {n:,} test images, Wilson's interval"
    return ConfidenceInterval(hits / n, float(found.low), float(found.high), how)
