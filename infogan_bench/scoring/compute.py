"""The computation of scores for training, `evaluate CHECKPOINT` and `evaluate --codes`.

The available inputs decide which scores are possible. Each score is computed by itself: if one has no value, the reason
is kept and the others are computed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from infogan_metrics import Metric, Score

from infogan_bench.scoring.outcome import ScoreOutcome

_FAULTS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, AssertionError)
"""Exceptions after which a score has no value. Others, such as a lack of memory, end the whole computation."""
_NOT_PROTOCOL = ("n_jobs",)  # options that change no value


class Inputs(Protocol):
    """The arrays and options from which scores are computed."""

    def lacking(self, metric: Metric) -> str | None:
        """Return why `metric` has no value with these inputs, or None."""

    def arguments(self, metric: Metric) -> Sequence[Any]:
        """Return the arrays that `metric.inputs` names."""

    def options(self, metric: Metric) -> Mapping[str, Any]:
        """Return keyword arguments that differ from the function's defaults."""

    def facts(self, metric: Metric) -> Mapping[str, Any]:
        """Return further facts on which the value depends: numbers of samples, the version of a network."""

    def notes(self, metric: Metric) -> Sequence[str]:
        """Return remarks for people."""

    def names_of(self, metric: Metric) -> Sequence[str]:
        """Return the names of the codes or factors that a score with `per` has values of; none: it reports none."""


def compute_scores(
    names: Iterable[str], inputs: Inputs, row_of: Callable[[str], Metric | None]
) -> dict[str, ScoreOutcome]:
    """Compute scores.

    Args:
        names: of scores or their parts, each known to `row_of`.
        inputs: what they are computed from.
        row_of: finds the row that a name belongs to.

    Returns:
        {name: outcome} in the order of `names`; the values of single codes or factors follow their score.
    """
    results: dict[str, tuple[Score | Exception | str, tuple[str, ...]]] = {}
    outcomes: dict[str, ScoreOutcome] = {}
    for name in names:
        metric = row_of(name)
        if metric is None:
            raise ValueError(f"there is no score `{name}`")
        if metric.name not in results:
            results[metric.name] = _call(metric, inputs)
        outcomes |= {each.name: each for each in _outcomes(name, metric, inputs, *results[metric.name])}
    return outcomes


def _call(metric: Metric, inputs: Inputs) -> tuple[Score | Exception | str, tuple[str, ...]]:
    """Return the result of a score, or the reason why it has none, and its warnings."""
    if reason := inputs.lacking(metric):
        return reason, ()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            result = metric.function(*inputs.arguments(metric), **inputs.options(metric))
        except _FAULTS as fault:
            return fault, ()
    warned = tuple(
        dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, UserWarning))
    )
    return result, warned


def _outcomes(
    name: str, metric: Metric, inputs: Inputs, result: Score | Exception | str, warned: tuple[str, ...]
) -> list[ScoreOutcome]:
    notes = (*inputs.notes(metric), *([metric.convention] if metric.convention else ()), *warned)
    if isinstance(result, str):
        return [ScoreOutcome(name, None, not_defined=result, notes=notes)]
    if isinstance(result, Exception):
        reason = str(result) if isinstance(result, ValueError) else f"{type(result).__name__}: {result}"
        return [ScoreOutcome(name, None, not_defined=reason, notes=notes, fault=result)]
    protocol = _protocol(metric, inputs)
    n = result.n if isinstance(result, Score) else None
    part = metric.part(name)
    value: Any = getattr(result, part.attribute) if part else result
    outcomes = [
        ScoreOutcome(
            name, float(value), n, parts=_parts(value), notes=notes, protocol=protocol, result=result
        )
    ]
    if metric.per and (single := inputs.names_of(metric)):
        values = value.per_factor if metric.per_factor else value.per_code
        for of, each in zip(single, values, strict=True):
            n_of_one = each.n if isinstance(each, Score) else n
            outcomes.append(ScoreOutcome(f"{name}/{of}", float(each), n_of_one, parts=_parts(each)))
    return outcomes


def _protocol(metric: Metric, inputs: Inputs) -> Mapping[str, object]:
    options = {**metric.options, **inputs.options(metric)}
    shown = {key: value for key, value in options.items() if key not in _NOT_PROTOCOL and value is not None}
    return {**inputs.facts(metric), **{key: _plain(value) for key, value in shown.items()}}


def _plain(option: object) -> bool | int | float | str:
    """Return an option as a protocol has it: a number, a flag or text."""
    if isinstance(option, bool | int | float | str):
        return option
    return ", ".join(map(str, option)) if isinstance(option, tuple) else str(option)


def _parts(score: object) -> dict[str, float]:
    """Return the numbers of a result besides its value."""
    if not isinstance(score, Score):
        return {}
    items = {
        each.name: getattr(score, each.name) for each in fields(score) if each.name not in ("value", "n")
    }
    return {
        name: item.value if isinstance(item, Score) else item
        for name, item in items.items()
        if isinstance(item, float | int)
    }
