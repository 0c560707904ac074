"""FactorVAE's score: does the code that varies least give away which factor was held fixed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes_and_factors, constant_columns, unit_size
from infogan_metrics.sampling import SharedValues, group_variances, summarise
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class FactorVAE(Score):
    """Accuracy of the majority vote on new votes, and the votes it was learned from."""

    train_value: float
    votes: NDArray[
        np.intp
    ]  # (n_factors, n_codes): how often the code varied least while the factor was fixed
    active: NDArray[np.bool_]  # (n_codes,): which codes could be voted for


def factor_vae(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    batch: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    min_std: float = 0.05,
    seed: int = 0,
) -> FactorVAE:
    """FactorVAE's disentanglement score.

    One vote: fix a factor at the value of a random sample, draw a batch of samples with that value, and find the
    code whose variance in the batch is the least part of its variance over all samples. Each code stands for
    the factor that it was found with most often; the score is how often that names the fixed factor. The
    score hardly falls when codes are rotated or drowned in noise.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        batch: samples in a vote.
        n_train, n_test: votes to learn the majority from, and to score it by.
        min_std: codes with a smaller standard deviation are left out (0.05 in Locatello et al. 2019); constant
            codes always are.
        seed: of the draws.
    Returns:
        Accuracy in [0, 1], no unit; higher is better; 1 / n_factors is chance. 0 if no code is active.
    Raises:
        NotDefinedError: if there is one factor, or a factor is constant.
        ValueError: if the arrays are malformed, or a value of a factor occurs once.
    Reference: Kim and Mnih 2018, arXiv:1802.05983, section 4.
    """
    x, y = as_codes_and_factors(codes, factors)
    groups = SharedValues(y)
    scaled, _ = unit_size(x)
    variances = scaled.var(axis=0, ddof=1)
    active = active_codes(x, min_std)
    if not active.any():
        return FactorVAE(0.0, len(x), 0.0, np.zeros((y.shape[1], x.shape[1]), np.intp), active)
    random = np.random.default_rng(seed)
    fixed = random.integers(groups.n_factors, size=n_train + n_test)
    rows = groups.draw(fixed, random.integers(len(x), size=len(fixed)), batch, random)
    local_variances = summarise(scaled - scaled.mean(axis=0), rows, group_variances)
    found = least_varying_code(local_variances, variances, active)
    votes = count_votes(fixed[:n_train], found[:n_train], (y.shape[1], x.shape[1]))
    return FactorVAE(
        majority_accuracy(votes, fixed[n_train:], found[n_train:]),
        len(x),
        majority_accuracy(votes, fixed[:n_train], found[:n_train]),
        votes,
        active,
    )


def active_codes(codes: Codes, min_std: float) -> NDArray[np.bool_]:
    """Return which codes (n_codes,) are not constant and have at least this standard deviation."""
    scaled, exponents = unit_size(codes)
    with np.errstate(over="ignore"):  # infinite is large enough
        deviations = np.ldexp(scaled.std(axis=0, ddof=1), exponents)
    active: NDArray[np.bool_] = ~constant_columns(codes) & (deviations >= min_std)
    return active


def least_varying_code(
    local_variances: Codes, variances: NDArray[np.float64], active: NDArray[np.bool_]
) -> Indices:
    """Return for each vote the active code with the least `local_variances` (n_votes, n_codes) / `variances`."""
    candidates = np.flatnonzero(active)
    least = np.argmin(local_variances[:, candidates] / variances[candidates], axis=1)
    found: Indices = candidates[least]
    return found


def count_votes(fixed: Indices, found: Indices, shape: tuple[int, int]) -> NDArray[np.intp]:
    """Count how often each code was found while each factor was fixed: (n_factors, n_codes)."""
    return np.bincount(fixed * shape[1] + found, minlength=shape[0] * shape[1]).reshape(shape)


def majority_accuracy(votes: NDArray[np.intp], fixed: Indices, found: Indices) -> float:
    """Return how often the factor that a code was mostly found with is the one that was fixed."""
    return float(np.mean(votes.argmax(axis=0)[found] == fixed))
