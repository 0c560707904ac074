"""Scores of mutual information from samples that come batch by batch, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import as_codes_and_factors
from infogan_metrics.dcimig import dcimig_of
from infogan_metrics.information import Informations, informations_of_counts
from infogan_metrics.intake import as_plain
from infogan_metrics.jemmig import jemmig_of
from infogan_metrics.mig import mig_of
from infogan_metrics.mig_sup import mig_sup_of
from infogan_metrics.modularity import modularity_of
from infogan_metrics.score import Score

STREAMED: Mapping[str, Callable[[Informations], Score]] = {
    "mig": mig_of,
    "mig_sup": mig_sup_of,
    "jemmig": jemmig_of,
    "dcimig": dcimig_of,
    "modularity": modularity_of,
}


class StreamingScores:
    """MIG, MIG-sup, JEMMIG, DCIMIG and modularity of batches, from counts in bins with fixed edges.

    With the edges that the whole array has, `equal_edges(codes.min(0), codes.max(0), n_bins)`, the scores equal
    those of one call exactly. Memory: n_codes x n_factors x n_bins x n_values counts.
    """

    def __init__(self, edges: ArrayLike, n_values: int) -> None:
        """Start with no samples.

        Args:
            edges: (n_codes, n_bins + 1), rising; what lies outside goes into the first or the last bin.
            n_values: the most values that a factor has; factors hold 0 to n_values - 1.
        Raises:
            ValueError: if the edges do not rise, are not 2-D, or `n_values` is below 2.
        """
        self._edges = np.asarray(edges, dtype=np.float64)
        if self._edges.ndim != 2 or self._edges.shape[1] < 3 or not (np.diff(self._edges, axis=1) >= 0).all():
            raise ValueError(
                "`edges` must be (n_codes, n_bins + 1), rising and with two bins or more, "
                f"but have shape {self._edges.shape}"
            )
        if n_values < 2:
            raise ValueError(f"`n_values` must be at least 2, but is {n_values}")
        self._n_values = n_values
        self._counts: NDArray[np.intp] | None = None

    @property
    def n_bins(self) -> int:
        """Bins of each code."""
        return int(self._edges.shape[1]) - 1

    def update(self, codes: ArrayLike, factors: ArrayLike) -> None:
        """Count a batch.

        Args:
            codes: (n, n_codes) numbers.
            factors: (n, n_factors) whole numbers from 0 to n_values - 1.
        Raises:
            ValueError: if an array is malformed, or its columns or values are not those announced.
        """
        values = as_plain(factors, "factors")
        x, _ = as_codes_and_factors(codes, values)
        if x.shape[1] != len(self._edges):
            raise ValueError(
                f"`codes` must have the {len(self._edges)} columns of `edges`, but have {x.shape[1]}"
            )
        if values.dtype.kind not in "biuf" or values.min() < 0 or values.max() >= self._n_values:
            raise ValueError(f"`factors` must hold whole numbers from 0 to {self._n_values - 1}")
        counts = count(self._bins(x), values.astype(np.intp), self.n_bins, self._n_values)
        if self._counts is not None and self._counts.shape != counts.shape:
            raise ValueError(
                f"`factors` must have {self._counts.shape[1]} columns, but have {counts.shape[1]}"
            )
        self._counts = counts if self._counts is None else self._counts + counts

    def informations(self) -> Informations:
        """Return what has been counted.

        Raises:
            ValueError: if nothing has been.
        """
        if self._counts is None:
            raise ValueError("no samples have been counted: call `update` first")
        return informations_of_occurring(self._counts, self.n_bins)

    def compute(self) -> Mapping[str, Score]:
        """Return {name: score} of all samples so far.

        Raises:
            ValueError: if there are none.
            NotDefinedError: as the scores do, if a factor is constant.
        """
        known = self.informations()
        return {name: score(known) for name, score in STREAMED.items()}

    def _bins(self, codes: NDArray[np.float64]) -> NDArray[np.intp]:
        pairs = zip(self._edges, codes.T, strict=True)
        return np.stack([np.searchsorted(edges[1:-1], code, side="right") for edges, code in pairs], axis=1)


def equal_edges(low: ArrayLike, high: ArrayLike, n_bins: int = 20) -> NDArray[np.float64]:
    """Return the edges (n_codes, n_bins + 1) of bins of equal width between `low` and `high`, each (n_codes,)."""
    return np.linspace(
        np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64), n_bins + 1, axis=1
    )


def count(bins: NDArray[np.intp], factors: NDArray[np.intp], n_bins: int, n_values: int) -> NDArray[np.intp]:
    """Count bins (n, n_codes) together with factors (n, n_factors): (n_codes, n_factors, n_bins, n_values)."""
    size = n_bins * n_values
    tables = [
        [np.bincount(code * n_values + factor, minlength=size) for factor in factors.T] for code in bins.T
    ]
    return np.array(tables, dtype=np.intp).reshape(bins.shape[1], factors.shape[1], n_bins, n_values)


def informations_of_occurring(counts: Any, n_bins: int) -> Informations:
    """Return what counts say, values that no factor has had being left out of the number of values."""
    totals = counts[0].sum(axis=(0, 1))
    used = int(np.flatnonzero(totals)[-1]) + 1 if totals.any() else 1
    return informations_of_counts(counts[..., :used], n_bins)
