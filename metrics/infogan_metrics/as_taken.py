"""Factors as a score takes them: of their kinds, as numbers, or discrete, with the others cut into bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import bin_factors
from infogan_metrics.kinds import Kind, Kinds, NamedKinds, as_columns, kinds_of_columns
from infogan_metrics.metric import Metric
from infogan_metrics.protocols import Setting
from infogan_metrics.samples import Inputs, Samples

Way = Literal["kinds", "numbers", "discrete"]
_NAMES = ("factors", "test_factors")


class Further(TypedDict, total=False):
    """The rarer arguments of `evaluate`."""

    kinds: Kinds | NamedKinds | None
    factor_bins: int | None
    test_codes: ArrayLike
    test_factors: ArrayLike
    assignments: ArrayLike
    labels: ArrayLike
    real: ArrayLike
    fake: ArrayLike
    models: Sequence[ArrayLike]
    encodings: Sequence[Sequence[ArrayLike]]
    fixed: Sequence[ArrayLike]
    images: ArrayLike
    log_q: ArrayLike
    entropy: float
    latents: ArrayLike
    readings: ArrayLike


@dataclass(frozen=True)
class FactorFacts:
    """The facts about the columns of `factors` that their values do not say.

    Attributes:
        names: one for each column.
        kinds: one for each column, None where it is not known; None where none is.
        bins: how many a column is cut into for scores of discrete factors; None: columns are not cut.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind | None, ...] | None = None
    bins: int | None = None

    @property
    def kind_texts(self) -> tuple[str | None, ...] | None:
        """The kinds as a user writes them; None where nothing is known."""
        return (
            None if self.kinds is None else tuple(None if kind is None else str(kind) for kind in self.kinds)
        )

    def without(self, places: Sequence[int]) -> FactorFacts:
        """Return the facts about the other columns."""
        kept = [k for k in range(len(self.names)) if k not in places]
        kinds = None if self.kinds is None else tuple(self.kinds[k] for k in kept)
        return replace(self, names=tuple(self.names[k] for k in kept), kinds=kinds)

    def as_taken(self, way: Way, samples: Samples) -> Samples:
        """Return samples whose factors are as a score takes them, or with the reason that it cannot take them."""
        factors = samples.arrays.get("factors")
        if factors is None or way == "kinds":
            return samples
        kinds = self._found(factors)
        if way == "numbers":
            return self._refused(
                samples, [k for k, kind in enumerate(kinds) if kind.name == "circular"], kinds
            )
        places = [k for k, kind in enumerate(kinds) if not kind.discrete]
        if not places:
            return samples
        if self.bins is None:
            return self._refused(samples, places, kinds)
        return self._cut(samples, places, kinds, self.bins)

    def _found(self, factors: NDArray[Any]) -> tuple[Kind, ...]:
        """Return the kinds that are given, and those that the values tell."""
        if self.kinds is None and factors.dtype.kind not in "fO":
            return tuple(Kind("category") for _ in range(factors.shape[1]))
        columns = as_columns(factors, self.kinds)
        return columns.kinds

    def _refused(self, samples: Samples, places: Sequence[int], kinds: Sequence[Kind]) -> Samples:
        if not places:
            return samples
        kind = kinds[places[0]]
        cut = "cut it into bins with factor_bins (--factor-bins N)"
        hint = "the score takes numbers with an order" if kind.name == "circular" and self.bins else cut
        return replace(samples, reason=f"not defined: factor {self.names[places[0]]} is {kind.name}; {hint}")

    def _cut(self, samples: Samples, places: Sequence[int], kinds: Sequence[Kind], n_bins: int) -> Samples:
        """Cut columns into bins of equal width, between the bounds of `factors`, or around the whole turn."""
        arrays: Inputs = dict(samples.arrays)
        given = {name: arrays[name] for name in _NAMES if name in arrays}
        for name, array in given.items():
            columns: list[NDArray[Any]] = list(array.T)
            for k in places:
                values = array[:, [k]].astype(np.float64)
                if kinds[k].name == "circular":
                    turns = np.mod(values[:, 0] / kinds[k].period, 1)
                    columns[k] = np.minimum((turns * n_bins).astype(np.intp), n_bins - 1)
                else:
                    bounds = given["factors"][:, [k]].astype(np.float64)
                    columns[k] = bin_factors(values, n_bins, like=bounds, whole=False)[:, 0]
            arrays[name] = _stacked(columns, array)
        if samples.same_test:
            arrays["test_factors"] = arrays["factors"]
        cut = ", ".join(self.names[k] for k in places)
        note = f"factors that are not discrete were cut into {n_bins} bins: {cut}"
        return replace(samples, arrays=arrays, notes=(*samples.notes, note), factor_bins=n_bins)


def about_factors(factors: ArrayLike | None, further: Further, bins_of_protocol: int | None) -> FactorFacts:
    """Return what is known of the columns of `factors`; a DataFrame's have names."""
    kinds, bins = further.get("kinds"), further.get("factor_bins")
    if factors is None:
        if kinds is not None:
            raise ValueError("`kinds` are of `factors`, but there are none")
        return FactorFacts(("0",))
    if bins is not None and bins < 2:
        raise ValueError(f"`factor_bins` must be at least 2, but is {bins}")
    columns = getattr(factors, "columns", None)
    names = range(np.shape(factors)[1]) if columns is None else columns
    named = tuple(str(name) for name in names)
    return FactorFacts(named, kinds_of_columns(kinds, named), bins_of_protocol if bins is None else bins)


def constant_factors(arrays: Inputs) -> list[int]:
    """Return the columns of `factors` that have one value alone, where other columns have more."""
    factors = arrays.get("factors")
    if factors is None or factors.ndim != 2:
        return []
    constant = [k for k, column in enumerate(factors.T) if (column == column[0]).all()]
    return constant if len(constant) < factors.shape[1] else []


def without_columns(arrays: Inputs, places: Sequence[int]) -> Inputs:
    """Return arrays with factors, of both splits, that lack some columns."""
    if not places:
        return arrays
    return arrays | {name: np.delete(arrays[name], places, axis=1) for name in _NAMES if name in arrays}


def way_of(metric: Metric, setting: Setting) -> Way:
    """Return how a score takes factors: of their kinds (or not at all), as numbers (or text), or discrete alone."""
    if "kinds" in metric.options or not metric.uses_factors:
        return "kinds"
    return "numbers" if setting.numbers or "continuous" in metric.factor_kinds else "discrete"


def _stacked(columns: Sequence[NDArray[Any]], like: NDArray[Any]) -> NDArray[Any]:
    """Return columns as one array: of objects where there was text, of numbers otherwise."""
    if like.dtype.kind == "O":
        return np.column_stack([column.astype(object) for column in columns])
    return np.column_stack([column.astype(like.dtype) for column in columns])
