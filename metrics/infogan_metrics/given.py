"""The arrays that a caller of `evaluate` gives, checked, and the words for what is wrong with their names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from infogan_metrics.arrays import as_codes, as_factors, check_same_rows
from infogan_metrics.intake import as_plain, column_values, off_device
from infogan_metrics.registry import METRICS
from infogan_metrics.samples import ROWS, Inputs, Whole

_ABOUT_FACTORS = frozenset({"kinds", "factor_bins"})  # arguments of `evaluate` that no score takes


@dataclass(frozen=True)
class Given:
    """The inputs that a caller has given, checked and on the CPU."""

    rows: Inputs
    whole: dict[str, Whole]

    @property
    def names(self) -> list[str]:
        return [*self.rows, *self.whole]


def read_inputs(inputs: Mapping[str, Any]) -> Given:
    """Check the inputs that there are; tensors are copied to the CPU here, once for all scores."""
    known = {name for metric in METRICS.values() for name in metric.inputs}
    rows: Inputs = {}
    whole: dict[str, Whole] = {}
    for name, value in inputs.items():
        if name in _ABOUT_FACTORS:
            continue
        if name not in known:
            raise ValueError(
                f"no score takes `{name}`{nearest(name, known)}; there are {listed(sorted(known))}"
            )
        if value is None:
            continue
        if name in ROWS:
            rows[name] = as_plain(value, name)
        else:
            whole[name] = off_device(value, name)
    for codes, factors in (("codes", "factors"), ("test_codes", "test_factors")):
        if codes in rows:
            rows[codes] = as_codes(rows[codes], codes)
        if factors in rows:
            _check_factors(rows[factors], factors)
        if codes in rows and factors in rows:
            check_same_rows(rows[codes], rows[factors], (codes, factors))
    return Given(rows, whole)


def _check_factors(factors: NDArray[Any], name: str) -> None:
    if factors.dtype.kind == "f":
        as_codes(factors, name)
    elif factors.dtype.kind == "O" and factors.ndim == 2 and factors.size:
        for k, column in enumerate(factors.T):
            column_values(column, name, k)
    else:
        as_factors(factors, name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown name: the known one that is nearest, or nothing."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""


def listed(names: Iterable[str]) -> str:
    """Return names between backquotes, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)
