"""MED: DCI's entropies of a matrix of mutual information, with no predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.dci import Completeness, Disentanglement, completeness, disentanglement
from infogan_metrics.information import informations
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class MED(Score):
    """Disentanglement by mutual information, and what it is made of; the value is disentanglement."""

    disentanglement: Disentanglement
    completeness: Completeness
    importance: NDArray[np.float64]  # (n_codes, n_factors): I over its sum over codes
    picked: NDArray[np.intp]  # the codes that count: all, or those of top-k MED
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    n_bins: int


def med(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20, top_k: int | None = None) -> MED:
    """Mutual-information-based entropy disentanglement of `codes` about `factors`.

    DCI with another importance: a code's mutual information with a factor over that of all codes together. It needs
    no predictor, so it suits representations of many dimensions.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into.
        top_k: top-k MED: of the codes that know each factor best, keep the k most disentangled. None: keep all.
    Returns:
        Disentanglement in [0, 1], no unit; higher is better. 0 where no code knows anything.
    Raises:
        NotDefinedError: if there is one code or one factor, a factor is constant, or `top_k` keeps a single code.
        ValueError: if the arrays are malformed, or `top_k` is below 1.
    Reference: Cao et al. 2022, "An empirical study on disentanglement of negative-free contrastive learning",
    arXiv:2206.04756, section 3.
    """
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1, but is {top_k}")
    known = informations(codes, factors, n_bins)
    known.check_factors("MED")
    if len(known.mutual) == 1 or known.mutual.shape[1] == 1:
        raise NotDefinedError("MED is not defined for a single code or a single factor")
    totals = known.mutual.sum(axis=0)
    importance = np.divide(known.mutual, totals, out=np.zeros_like(known.mutual), where=totals > 0)
    picked = np.arange(len(importance)) if top_k is None else _most_disentangled(importance, top_k)
    if len(picked) == 1:
        raise NotDefinedError(f"MED is not defined for a single code: `top_k` {top_k} keeps one")
    parts = disentanglement(importance[picked]), completeness(importance[picked])
    return MED(parts[0].value, known.n, *parts, importance, picked, known.mutual, n_bins)


def _most_disentangled(importance: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Return the k most disentangled codes of those that know each factor best."""
    order = np.argsort(-disentanglement(importance).per_code, kind="stable")
    best = importance.argmax(axis=1)
    picked = [order[best[order] == factor][:k] for factor in range(importance.shape[1])]
    return np.sort(np.concatenate(picked))
