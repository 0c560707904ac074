"""Numbers that look random and follow from the rows of factors alone, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Chance:
    """A stream of numbers for each row of factors (n, n_factors), by SplitMix64 (Steele, Lea and Flood 2014)."""

    def __init__(self, factors: NDArray[np.float64]) -> None:
        self._state = np.zeros(len(factors), dtype=np.uint64)
        for column in np.ascontiguousarray(factors, dtype=np.float64).view(np.uint64).T:
            self._state = _mixed(self._state + _GOLDEN ^ column)

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return the next numbers of each row, (n, count)."""
        steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        words = _mixed(self._state[:, None] + steps)
        self._state = _mixed(self._state ^ _GOLDEN)
        return words

    def between(self, low: float, high: float, count: int = 1) -> NDArray[np.float64]:
        """Return the next numbers of each row in a range, (n, count)."""
        shares: NDArray[np.float64] = (self.words(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * shares


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = words ^ (words >> np.uint64(31))
    return mixed
