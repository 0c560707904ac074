"""Bound of the information that a reading holds of a continuous code, with the best Gaussian deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class GaussianMIBound(Score):
    """The bound in nats, and how much of the code's variance the reading explains."""

    r2: float  # 1 - MSE / variance of the code, at most 1; 0 for a reading that always says the mean
    mean_squared_error: float  # in the code's unit squared
    entropy: float  # H(c), nats, differential


def gaussian_mi_bound(
    latents: ArrayLike, readings: ArrayLike, entropy: float, *, min_std: float = 0.0
) -> GaussianMIBound:
    """Lower bound of I(c; x) from how far the readings of a code lie from it: H(c) - 1/2 ln(2 pi e MSE).

    It is InfoGAN's bound (`mi_bound`) with the deviation of Q's Gaussian set to its best single value, the root of
    the mean squared error. With the deviation fixed at 1, a uniform code on (-1, 1) that is read without error has
    -0.226 nats, a number about the deviation; this bound rises without limit as the error falls.

    Args:
        latents: float array (n_samples,), the code that each image was generated with.
        readings: float array (n_samples,), the mean of Q(c|x).
        entropy: H(c) in nats of the code's prior: ln 2 for U(-1, 1), 1/2 ln(2 pi e) for a standard normal code.
        min_std: the smallest deviation that the Gaussian may have, in the code's unit. If it is above 0, the bound
            stays finite: H(c) - 1/2 ln(2 pi) - ln min_std for an exact reading.
    Returns:
        Nats; higher is better, below 0 where the readings tell little; inf where every reading is exact and `min_std`
        is 0. For a Gaussian code and Gaussian error it is the mutual information itself. A uniform code of which
        nothing is read has -0.176: the bound takes the error as Gaussian.
    Raises:
        NotDefinedError: if the code is constant, for its R2.
        ValueError: if the arrays are not 1-D of one length, are empty, or anything is not finite; or `min_std` is
            below 0.
    Reference: Barber and Agakov 2003; Chen et al. 2016, arXiv:1606.03657, equation 4.
    """
    c, read = np.asarray(latents, dtype=np.float64), np.asarray(readings, dtype=np.float64)
    if c.ndim != 1 or c.shape != read.shape or not c.size:
        raise ValueError(
            f"`latents` and `readings` must be 1-D and of one length, but have shapes {c.shape} and {read.shape}"
        )
    if not (np.isfinite(c).all() and np.isfinite(read).all() and math.isfinite(entropy)):
        raise ValueError("`latents`, `readings` and `entropy` must be finite")
    if not 0 <= min_std < math.inf:
        raise ValueError(f"`min_std` must be at least 0 and finite, but is {min_std}")
    if np.ptp(c) == 0:
        raise NotDefinedError("R2 is not defined: the code is constant")
    error = float(np.mean((c - read) ** 2))
    bound = entropy - gaussian_cross_entropy(error, min_std=min_std)
    return GaussianMIBound(bound, len(c), 1 - error / float(c.var()), error, float(entropy))


def gaussian_cross_entropy(mean_squared_error: float, *, min_std: float = 0.0) -> float:
    """Return the least cross-entropy, in nats, that a Gaussian around each reading can have, by its deviation.

    The best deviation is the root of `mean_squared_error`, and at least `min_std`. -inf where both are 0.
    """
    variance = max(mean_squared_error, min_std**2)
    if not variance:
        return -math.inf
    return 0.5 * (math.log(2 * math.pi * variance) + mean_squared_error / variance)
