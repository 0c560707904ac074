"""JEMMIG: does one code alone know a factor, and nothing but that factor?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.information import Informations, informations
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class JEMMIG(Score):
    """The normalised score, averaged over factors, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]
    nats: NDArray[np.float64]  # (n_factors,), the published quantity before it is normalised; lower is better
    mutual_information: NDArray[np.float64]  # (n_codes, n_factors), nats
    code_entropy: NDArray[np.float64]  # (n_codes,), nats, of the bins
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats
    n_bins: int


def jemmig(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20) -> JEMMIG:
    """Joint entropy minus mutual information gap, normalised so that higher is better.

    For each factor v, with z its best code and z' its second best: H(z, v) - I(z, v) + I(z', v), which is 0
    where z is v and no other code knows v. Unlike MIG it falls where the best code holds something else as
    well. The score is 1 less that over its ceiling, H(v) + ln n_bins.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width that each code is cut into; it enters the score's ceiling.
    Returns:
        Mean over factors in [0, 1], no unit; higher is better. Noise does not score 0: H(z, v) stays below
        its ceiling where a code's bins are not filled evenly. A code that is nearly constant scores about
        ln n_bins / (H(v) + ln n_bins), more than most codes that work: choose no model by JEMMIG alone.
    Raises:
        NotDefinedError: if a factor is constant, or no code knows anything, for which the formula rewards collapse.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Do and Tran 2020, arXiv:1908.09961, section 4.3; normalised as by Zaidi et al. 2020,
    arXiv:2012.09276.
    """
    return jemmig_of(informations(codes, factors, n_bins))


def jemmig_of(known: Informations) -> JEMMIG:
    """JEMMIG of what was counted, for counts that were gathered piece by piece; see `jemmig`."""
    known.check_factors("JEMMIG")
    if not known.alive.any():
        raise NotDefinedError("JEMMIG is not defined: no code knows anything of any factor")
    with_zero = np.vstack(
        [known.mutual, np.zeros(len(known.factor_entropy))]
    )  # a single code has a second best of 0
    second, best = np.sort(with_zero, axis=0)[-2:]
    joint = known.code_entropy[known.mutual.argmax(axis=0)] + known.factor_entropy - best
    nats = np.maximum(joint - best + second, 0.0)  # rounding can fall below
    per_factor = 1 - nats / (known.factor_entropy + np.log(known.n_bins))
    return JEMMIG(
        float(per_factor.mean()),
        known.n,
        per_factor,
        nats,
        known.mutual,
        known.code_entropy,
        known.factor_entropy,
        known.n_bins,
    )
