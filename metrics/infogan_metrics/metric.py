"""The row that describes a score: what it asks, what it needs, and how to read its value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from infogan_metrics.score import Score

Range = tuple[float, float]
FactorKind = Literal["discrete", "continuous", "circular"]
Invariance = Literal["scale", "offset", "sign", "order", "one code scaled"]
"""A change of the codes that leaves a score as it is: all codes times a positive number, plus a number, times -1,
their columns in another order, or one code alone times a positive number."""


Per = Literal["code", "continuous code", "categorical code", "factor", "category factor"]
"""The codes, in a result's `per_code`, or the factors, in its `per_factor`, that a score has single values of."""


@dataclass(frozen=True)
class Part:
    """A number inside a score's result that is asked for by a name of its own."""

    name: str  # such as `dci_completeness`
    attribute: str  # of the result: a number, or a Score
    asks: str  # as `Metric.asks`
    range: Range = (0.0, 1.0)


@dataclass(frozen=True)
class Needs:
    """The least that a score needs to have a value. The defaults ask for nothing."""

    samples: int = 1  # rows of every array
    codes: int = 1
    continuous_codes: int = 0
    categories: int = 0  # factors that are categories
    factors: int = 1  # that take two values or more
    per_value: int = 1  # samples of every value of a factor; in either split where the score takes two
    models: int = 1
    channels: int | None = None  # of the images, exactly


@dataclass(frozen=True)
class Metric:
    """A score: how to call it, and how to read what it returns. `float` of the result is the value.

    Fields that are None or empty from `invariances` on are not stated.
    """

    name: str
    asks: str  # the question it answers, without the question mark
    function: Callable[..., Score]
    inputs: tuple[str, ...]  # the names of its positional arguments
    range: Range
    direction: Literal["max", "min"]  # which way is better
    cost: Literal["cheap", "costly"]  # cheap: well under a second for 10,000 samples
    source: str  # the paper that defines it
    needs: Needs = Needs()
    parts: tuple[Part, ...] = ()  # empty: its value alone is asked for
    per: Per | None = None  # its values of single codes or factors are reported as NAME/CODE or NAME/FACTOR
    on_request: bool = False  # never computed while a run trains
    cuts_codes: bool = False  # its option `n_bins` cuts codes into bins
    convention: str = ""  # what two implementations may do differently, said beside the value
    factor_kinds: frozenset[FactorKind] = frozenset({"discrete"})  # that it takes as they are
    invariances: frozenset[Invariance] | None = None
    continuous_form: str = ""  # the score that asks the same and takes factors of any kind
    chance: str = ""  # what codes that know nothing score, in words or as a formula
    page: str = ""  # its page of documentation, from docs/

    @property
    def uses_labels(self) -> bool:
        """True if it needs class labels; choosing a model by it is supervision."""
        return "labels" in self.inputs

    @property
    def uses_factors(self) -> bool:
        """True if it needs ground-truth factors; choosing a model by it is supervision."""
        return "factors" in self.inputs

    @property
    def per_factor(self) -> bool:
        """True if it has values of single factors."""
        return self.per in ("factor", "category factor")

    @property
    def takes_categories(self) -> bool:
        """True if it is of the categories of a code."""
        return "assignments" in self.inputs or "categories" in self.inputs

    @property
    def splits(self) -> bool:
        """True if it learns from some samples and is measured on others."""
        return "test_codes" in self.inputs

    @property
    def every_evaluation(self) -> bool:
        """True if a run computes it at every evaluation, and not at its last one alone."""
        return self.cost == "cheap" and not self.on_request

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a run reports it by: its parts', where it has some."""
        return tuple(part.name for part in self.parts) or (self.name,)

    @property
    def options(self) -> Mapping[str, object]:
        """{keyword argument of the function: its default}."""
        parameters = inspect.signature(self.function).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}

    def part(self, name: str) -> Part | None:
        """Return the part of that name; None for the name of the score itself."""
        return next((part for part in self.parts if part.name == name), None)
