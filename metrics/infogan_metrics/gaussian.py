"""Distances of codes from independent ones, as if they were jointly Gaussian. No labels and no factors are used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, constant_columns, unit_size
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class GaussianScore(Score):
    """A score of the covariance of the codes."""

    covariance: NDArray[np.float64]  # (n_codes, n_codes), of all codes


@dataclass(frozen=True, eq=False)
class WassersteinCorrelation(GaussianScore):
    """The distance, in the codes' own squared unit, and as a share of their total variance."""

    normalised: float


def gaussian_total_correlation(codes: ArrayLike) -> GaussianScore:
    """Total correlation of a Gaussian with the covariance C of `codes`: (sum ln C_ii - ln det C) / 2.

    Args:
        codes: float array (n_samples, n_codes), at least two rows; constant codes are independent of anything
            and are left out.
    Returns:
        Nats, at least 0; lower is better. Infinite where codes determine each other (a duplicate).
    Raises:
        NotDefinedError: if all codes are constant.
        ValueError: if `codes` is malformed or has one row.
    Reference: Locatello et al. 2019, arXiv:1811.12359, section 5.2.
    """
    x = _samples(codes)
    scaled, exponents = unit_size(x)
    covariance = np.atleast_2d(np.cov(scaled, rowvar=False))
    alive = ~constant_columns(x)
    live = covariance[np.ix_(alive, alive)]
    std = np.sqrt(np.diag(live))
    eigenvalues = np.linalg.eigvalsh(live / np.outer(std, std))
    singular = eigenvalues[0] <= len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues[-1]
    value = np.inf if singular else max(-0.5 * float(np.log(eigenvalues).sum()), 0.0)
    return GaussianScore(value, len(x), np.ldexp(covariance, np.add.outer(exponents, exponents)))


def gaussian_wasserstein_correlation(codes: ArrayLike) -> WassersteinCorrelation:
    """Squared 2-Wasserstein distance between two Gaussians: with the covariance C of `codes`, and its diagonal D.

    Args:
        codes: float array (n_samples, n_codes), at least two rows.
    Returns:
        2 tr C - 2 tr (D^1/2 C D^1/2)^1/2, at least 0, in the squared unit of the codes; lower is better. Its
        `normalised` is the same over tr C.
    Raises:
        NotDefinedError: if all codes are constant.
        ValueError: if `codes` is malformed or has one row, or if the distance overflows or vanishes in its unit.
    Reference: Locatello et al. 2019, arXiv:1811.12359, section 5.2.
    """
    x = _samples(codes)
    exponents = unit_size(x)[1]
    if (exponents > 0).any() or (exponents < 0).all():
        raise ValueError("codes beyond 1e38 or all below 1e-38 have no distance in float64: scale them")
    covariance = np.atleast_2d(np.cov(x, rowvar=False))
    std = np.sqrt(np.diag(covariance))
    eigenvalues = np.linalg.eigvalsh(covariance * np.outer(std, std))  # symmetric, so no complex roots
    trace = float(np.trace(covariance))
    value = max(2 * trace - 2 * float(np.sqrt(np.maximum(eigenvalues, 0)).sum()), 0.0)
    return WassersteinCorrelation(value, len(x), covariance, value / trace)


def _samples(codes: ArrayLike) -> Codes:
    x = as_codes(codes)
    if len(x) < 2:
        raise ValueError("`codes` must have at least two rows for a covariance, but has one")
    if constant_columns(x).all():
        raise NotDefinedError("a correlation is not defined: all codes are constant")
    return x
