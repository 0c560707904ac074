"""Every score of one pair of arrays in one call, with an interval and a chance level beside each value."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from infogan_metrics.as_taken import (
    FactorFacts,
    Further,
    Way,
    about_factors,
    constant_factors,
    way_of,
    without_columns,
)
from infogan_metrics.given import Given, listed, nearest, read_inputs
from infogan_metrics.information import one_pass
from infogan_metrics.metric import Metric
from infogan_metrics.protocols import PROTOCOLS, Protocol, Setting
from infogan_metrics.registry import METRICS
from infogan_metrics.samples import ROWS, Samples, drawn, shuffled, split
from infogan_metrics.score import Score
from infogan_metrics.table import Row, Table

if TYPE_CHECKING:
    from typing_extensions import Unpack  # `typing` has it since Python 3.11

LEVEL = 0.95  # of the intervals
_MOST_FAILURES = 0.1  # share of the resamples; beyond it there is no interval
_COSTLY = "costly, so it has no interval and no chance level unless they are asked for (repeat_costly)"


class MissingInputError(ValueError):
    """The given arrays do not suffice for the scores that were asked for."""


def evaluate(
    codes: ArrayLike | None = None,
    factors: ArrayLike | None = None,
    *,
    scores: str | Iterable[str] = "cheap",
    protocol: str | Protocol = "infogan-bench",
    bootstrap: int = 100,
    chance: int = 10,
    repeat_costly: bool = False,
    seed: int = 0,
    **further: Unpack[Further],
) -> Table:
    """Compute scores of codes against factors, or of other arrays, in one pass.

    Scores of mutual information share one count of codes and factors. A score without a value does not stop the others,
    and its row says why, as it says of factors that were cut into bins. Constant factors are left out if others vary.

    Args:
        codes: (n_samples, n_codes) numbers; arrays of numpy, pandas or torch, on any device, converted once.
        factors: (n_samples, n_factors) whole numbers, text, or continuous numbers.
        scores: `cheap`, `all` (DCI in boosted trees takes minutes), or names.
        protocol: `infogan-bench`, `disentanglement_lib`, `ubisoft`, `infogan-cr`, or a `Protocol`.
        bootstrap: resamples for the 95% interval of other samples of this size (not other seeds); 0 for none.
        chance: how often factors (or labels) are shuffled against the codes for the chance level, 0 for none.
        repeat_costly: give costly scores an interval and a chance level as well.
        seed: of resamples, shuffles, splits, and of every score that draws.
        kinds: of the factors: `category`, `ordered`, `continuous`, `circular:PERIOD`, for all, a list with one for
            each, or {name or number of a column: kind}, where a DataFrame's columns have names. Without one, text
            and whole numbers are categories (ordered for `mcc` and `best_codes`) and others continuous.
        factor_bins: bins that continuous and circular factors are cut into, for the scores that take discrete ones
            alone. Without it they are cut only where the protocol says into how many (ubisoft: 10).
        further: other arrays by the names that scores use: `test_codes`, `assignments`, `real`, ... Without a test
            split, a third of the samples is held out for the scores that need one, in a random order.
    Returns:
        A row for each score, in the order of the catalogue.
    Raises:
        MissingInputError: if the arrays do not suffice for a score.
        ValueError: if an array is malformed, or a score, protocol, kind or argument is unknown.
    """
    chosen = as_protocol(protocol)
    given = read_inputs({"codes": codes, "factors": factors, **further})
    metrics, wanted = _selected(scores, given.names, chosen)
    stated = about_factors(factors, further, chosen.factor_bins)
    given, known, left_out = _without_constant_factors(given, stated)
    samples = _Prepared(given, chosen, known, seed)
    jobs = [_Job(metric, setting, known, seed) for metric, setting in metrics]
    with one_pass():
        outcomes = [job.run(samples.of(job.metric)) for job in jobs]
    pairs = list(zip(jobs, outcomes, strict=True))
    repeated = [job for job, got in pairs if got.values and (repeat_costly or job.metric.cost == "cheap")]
    resampled = _repeat([job for job in repeated if job.has_rows], samples, drawn, bootstrap, (seed, 1))
    by_chance = _repeat([job for job in repeated if job.has_target], samples, shuffled, chance, (seed, 2))
    rows = [
        _row(name, job, outcome, (resampled, by_chance), samples, (bootstrap, job in repeated))
        for job, outcome in pairs
        for name in job.metric.names
        if not wanted or name in wanted or job.metric.name in wanted
    ]
    about = chosen.name, bootstrap, chance, LEVEL, package_version(), stated.kind_texts, known.bins
    return Table(tuple(rows), *about, left_out | dict(_left_out(given.names, chosen, scores)))


def _without_constant_factors(given: Given, known: FactorFacts) -> tuple[Given, FactorFacts, dict[str, str]]:
    """Return the inputs without constant factors, what is known of the others, and {a constant factor: why}."""
    constant = constant_factors(given.rows)
    others = replace(given, rows=without_columns(given.rows, constant))
    return others, known.without(constant), {f"factor {known.names[k]}": "it is constant" for k in constant}


def as_protocol(protocol: str | Protocol) -> Protocol:
    """Return a protocol of that name.

    Raises:
        ValueError: if there is none.
    """
    if isinstance(protocol, Protocol):
        return protocol
    if protocol in PROTOCOLS:
        return PROTOCOLS[protocol]
    raise ValueError(
        f"unknown protocol `{protocol}`{nearest(protocol, PROTOCOLS)}; there are {listed(PROTOCOLS)}"
    )


def package_version() -> str:
    """Return the version of the distribution that this package was installed by, or `unknown`."""
    for distribution in ("infogan-metrics", "infogan-bench"):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def scored_by(given: Iterable[str], protocol: Protocol) -> list[Metric]:
    """Return the scores of a protocol that arrays of these names suffice for."""
    return [m for m in METRICS.values() if protocol.setting(m.name) and not _missing(m, set(given))]


@dataclass(frozen=True)
class _Outcome:
    values: Mapping[str, float]  # {name of a row: value}; empty where the score has none
    score: Score | None
    warnings: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class _Job:
    metric: Metric
    setting: Setting
    factors: FactorFacts
    seed: int

    @property
    def has_rows(self) -> bool:
        return set(self.metric.inputs) <= ROWS.keys()

    @property
    def has_target(self) -> bool:
        return self.metric.uses_factors or self.metric.uses_labels

    @property
    def options(self) -> dict[str, object]:
        own = self.setting.function is None
        seeded = {"seed": self.seed} if own and "seed" in self.metric.options else {}
        kinds = (
            {"kinds": self.factors.kinds}
            if self.factors.kinds and way_of(self.metric, self.setting) == "kinds"
            else {}
        )
        return {**seeded, **kinds, **self.setting.options}

    def compute(self, samples: Samples) -> Score:
        function = self.setting.function or self.metric.function
        return function(*samples.inputs(self.metric), **self.options)

    def values(self, score: Score) -> dict[str, float]:
        if not self.metric.parts:
            return {self.metric.name: self.setting.value(score, len(self.factors.names))}
        return {part.name: float(getattr(score, part.attribute)) for part in self.metric.parts}

    def run(self, samples: Samples) -> _Outcome:
        if samples.reason:
            form = self.metric.continuous_form
            return _Outcome({}, None, (), samples.reason + (f", or take `{form}`" if form else ""))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                score = self.compute(samples)
            except ValueError as error:  # NotDefinedError is a ValueError
                return _Outcome({}, None, _texts(caught), str(error))
        return _Outcome(self.values(score), score, (*samples.notes, *_texts(caught)))


def _texts(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(each.message) for each in caught))


class _Prepared:
    """The arrays as each score takes them: with a test split or without, factors cut into bins or as they are."""

    def __init__(self, given: Given, protocol: Protocol, factors: FactorFacts, seed: int) -> None:
        self._given, self._protocol, self._factors, self._seed = given, protocol, factors, seed
        self._made: dict[tuple[bool, Way], Samples] = {}

    def of(self, metric: Metric) -> Samples:
        key = metric.splits, way_of(metric, self._protocol.setting(metric.name) or Setting())
        if key not in self._made:
            samples = split(self._given.rows, self._given.whole, metric.splits, self._protocol, self._seed)
            self._made[key] = self._factors.as_taken(key[1], samples)
        return self._made[key]

    def key(self, metric: Metric) -> int:
        return id(self.of(metric))


def _repeat(
    jobs: Sequence[_Job],
    samples: _Prepared,
    change: Callable[[Samples, np.random.Generator], Samples],
    times: int,
    seeds: tuple[int, int],
) -> dict[str, list[float]]:
    """Compute all scores again on changed samples, `times` times; a score without a value is left out of that one."""
    values: dict[str, list[float]] = {}
    if not jobs:
        return values
    for i in range(times):
        changed: dict[int, Samples] = {}
        with one_pass(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for job in jobs:
                key = samples.key(job.metric)
                if key not in changed:  # the same draws for all, so that what is counted is shared
                    changed[key] = change(samples.of(job.metric), np.random.default_rng([*seeds, i]))
                try:
                    computed = job.values(job.compute(changed[key]))
                except ValueError:
                    continue
                for name, value in computed.items():
                    values.setdefault(name, []).append(value)
    return values


def _row(
    name: str,
    job: _Job,
    outcome: _Outcome,
    repeats: tuple[Mapping[str, list[float]], Mapping[str, list[float]]],
    samples: _Prepared,
    asked: tuple[int, bool],
) -> Row:
    """Put together the row of a score; `asked`: the number of resamples, and whether the score is repeated."""
    resampled, by_chance = (values.get(name, []) for values in repeats)
    n_bootstrap, repeated = asked
    low, high, reason = None, None, outcome.reason
    if outcome.values and not repeated:
        reason = _COSTLY
    elif resampled and len(resampled) >= (1 - _MOST_FAILURES) * n_bootstrap:
        low, high = _interval(resampled, outcome.values[name], job.metric.range)
    elif outcome.values and n_bootstrap:
        reason = (
            f"no interval: {n_bootstrap - len(resampled)} of {n_bootstrap} resamples have no value"
            if job.has_rows
            else "no interval: there are no rows of samples that could be drawn anew"
        )
    taken = samples.of(job.metric)
    options = job.options
    n_bins = options.get("n_bins", job.metric.options.get("n_bins"))
    return Row(
        name=name,
        value=outcome.values.get(name),
        low=low,
        high=high,
        chance=float(np.mean(by_chance)) if by_chance else None,
        n=outcome.score.n if outcome.score is not None else taken.n(job.metric),
        n_test=len(taken.arrays["test_codes"]) if job.metric.splits and not taken.same_test else None,
        n_bins=n_bins if isinstance(n_bins, int) else None,
        seed=job.seed,
        direction=job.metric.direction,
        factor_bins=taken.factor_bins,
        options={key: _recorded(value) for key, value in options.items() if key != "seed"},
        warnings=outcome.warnings,
        reason=reason,
        score=outcome.score,
    )


def _recorded(value: object) -> object:
    """Return an option as it is written down: kinds as their text."""
    if isinstance(value, tuple):
        return [None if each is None else str(each) for each in value]
    return value


def _interval(resampled: Sequence[float], value: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the quantiles of the resampled scores, moved so that their median is the score itself.

    Resamples repeat samples, which plug-in mutual information takes for structure: their scores are off by about
    as much again as the score is. Another sample of the same size is not, so the quantiles are moved back.
    """
    low, middle, high = np.quantile(resampled, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return tuple(float(np.clip(value + q - middle, *bounds)) for q in (low, high))  # type: ignore[return-value]


def _selected(
    scores: str | Iterable[str], given: Sequence[str], protocol: Protocol
) -> tuple[list[tuple[Metric, Setting]], set[str]]:
    """Return the scores to compute, and the names that were asked for; no names mean all that are computed."""
    if isinstance(scores, str) and scores in ("all", "cheap"):
        metrics = [m for m in scored_by(given, protocol) if scores == "all" or m.cost == "cheap"]
        if not metrics:
            raise MissingInputError(
                f"the protocol `{protocol.name}` has no {'cheap ' * (scores == 'cheap')}score of {listed(given)} alone"
            )
        names: list[str] = []
    else:
        names = list(dict.fromkeys([scores] if isinstance(scores, str) else scores))
        metrics = list(dict.fromkeys(_named(name, protocol) for name in names))
        for metric in metrics:
            missing = _missing(metric, set(given))
            if missing:
                raise MissingInputError(
                    f"`{metric.name}` needs {listed(metric.inputs)}, but has no {listed(missing)}; "
                    f"there is {listed(given) or 'nothing'}"
                )
    settings = ((metric, protocol.setting(metric.name)) for metric in metrics)
    return [(metric, setting) for metric, setting in settings if setting is not None], set(names)


def _left_out(
    given: Sequence[str], protocol: Protocol, scores: str | Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Find the scores that the arrays suffice for and the protocol's source has, but the protocol has not, and why."""
    if scores not in ("all", "cheap"):
        return
    for name, why in protocol.left_out.items():
        metric = METRICS[name]
        if not _missing(metric, set(given)) and (scores == "all" or metric.cost == "cheap"):
            yield name, why


def _named(name: str, protocol: Protocol) -> Metric:
    for metric in METRICS.values():
        if name == metric.name or name in metric.names:
            if protocol.setting(metric.name) is None:
                why = protocol.left_out.get(metric.name, "its source does not have it")
                raise ValueError(f"the protocol `{protocol.name}` has no score `{name}`: {why}")
            return metric
    known = [each for metric in METRICS.values() for each in (metric.name, *metric.names)]
    raise ValueError(f"unknown score `{name}`{nearest(name, known)}")


def _missing(metric: Metric, given: set[str]) -> list[str]:
    """Return the inputs of a score that are neither there nor can be held out of others."""
    held_out = {"test_codes", "test_factors"} if {"codes", "factors"} <= given else set()
    return [name for name in metric.inputs if name not in given | held_out]
