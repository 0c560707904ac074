"""Draw samples that share the value of one factor, as FactorVAE's and BetaVAE's scores need them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.arrays import Codes, Indices
from infogan_metrics.score import NotDefinedError

_ROWS_AT_ONCE = 1 << 18  # bounds memory to some MiB per code


class SharedValues:
    """Rows grouped by the value of each factor.

    Raises:
        NotDefinedError: if there is one factor, or one is constant: which factor was fixed is no question then.
        ValueError: if a value occurs in a single row, since there is nothing to compare that row with.
    """

    def __init__(self, factors: Indices) -> None:
        self.n_factors = factors.shape[1]
        if self.n_factors == 1:
            raise NotDefinedError("guessing the fixed factor is not defined for a single factor")
        if not factors.any(axis=0).all():
            raise NotDefinedError(f"factor {int(np.argmin(factors.any(axis=0)))} is constant")
        self._factors = factors
        self._order = np.argsort(factors, axis=0, kind="stable")  # rows of one value side by side
        width = int(factors.max()) + 1
        self._counts = np.stack([np.bincount(column, minlength=width) for column in factors.T])
        if (self._counts == 1).any():
            k, value = np.argwhere(self._counts == 1)[0]
            raise ValueError(
                f"every value needs two samples or more, but factor {k} has value no. {value} once"
            )
        self._starts = np.cumsum(self._counts, axis=1) - self._counts

    def draw(self, k: Indices, rows: Indices, size: int, random: np.random.Generator) -> Indices:
        """For each i, draw `size` rows (with replacement) that share the value of factor k[i] with rows[i].

        Returns:
            (len(rows), size) row numbers.
        """
        value = self._factors[rows, k]
        offsets = (random.random((len(rows), size)) * self._counts[k, value][:, None]).astype(np.intp)
        drawn: Indices = self._order[self._starts[k, value][:, None] + offsets, k[:, None]]
        return drawn


def summarise(
    codes: Codes, groups: Indices, summary: Callable[[Codes], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Apply `summary` to the codes of each group, some groups at a time.

    Args:
        groups: row numbers (n_groups, size).
        summary: takes (m, size, n_codes), returns (m, n_codes).
    Returns:
        (n_groups, n_codes)
    """
    step = max(1, _ROWS_AT_ONCE // groups.shape[1])
    parts = [summary(codes[groups[i : i + step]]) for i in range(0, len(groups), step)]
    return np.concatenate(parts)
