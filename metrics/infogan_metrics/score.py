"""What every score returns, and what it raises where it has no value."""

from __future__ import annotations

from dataclasses import dataclass


class NotDefinedError(ValueError):
    """The input is sound, but the score has no value for it (say, modularity with a single factor)."""


@dataclass(frozen=True, eq=False)
class Score:
    """A score with what it was computed from; `float(score)` is its value."""

    value: float
    n: int  # samples

    def __float__(self) -> float:
        return self.value
