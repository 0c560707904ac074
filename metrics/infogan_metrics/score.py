"""The result of every score: a number that keeps what it was computed from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from typing import Self  # `typing` has it since Python 3.11

    from plotly.graph_objects import Figure

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


class NotDefinedError(ValueError):
    """The input is sound, but the score has no value for it (say, modularity with a single factor)."""


@dataclass(frozen=True, eq=False)
class Score(float):
    """A float that keeps what it was computed from.

    It compares, rounds, formats and calculates as its value does, and json, numpy and pandas take it for a
    number. Results of calculations are plain floats.
    """

    value: float
    n: int  # samples

    def __new__(cls, value: float, *_fields: object, **_named: object) -> Self:
        """Make the float; the dataclass sets the fields."""
        return super().__new__(cls, value)

    def __init_subclass__(cls) -> None:
        cls.__repr__ = Score.__repr__  # type: ignore[method-assign]  # a dataclass's own prints every matrix

    def __str__(self) -> str:
        return str(float(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({float(self)}, n={self.n})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), tuple(getattr(self, field.name) for field in dataclasses.fields(self))

    def to_dict(self) -> dict[str, Plain]:
        """Return every field in json's types: arrays as lists, inf and NaN as None."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def plot(self) -> Figure:
        """Draw the matrix behind the score as a heat map, codes down and factors across.

        Raises:
            NotDefinedError: if there is no matrix behind this score.
            ModuleNotFoundError: if plotly is not installed (the extra `plots`).
        """
        from infogan_metrics.plots import plot_matrix

        return plot_matrix(self)


def plain(value: object) -> Plain:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Score):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return str(value)
