"""Z-max variance: does the code that varies most give away which factor alone was varied?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import as_codes_and_factors, unit_size
from infogan_metrics.factor_vae import active_codes, count_votes, majority_accuracy
from infogan_metrics.sampling import OneVaries, group_variances, summarise
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class ZMaxVariance(Score):
    """Accuracy of the majority vote on new votes, and the votes it was learned from."""

    train_value: float
    votes: NDArray[np.intp]  # (n_factors, n_codes): how often the code varied most while the factor varied
    active: NDArray[np.bool_]  # (n_codes,): which codes could be voted for


def z_max_variance(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    batch: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    min_std: float = 0.05,
    seed: int = 0,
) -> ZMaxVariance:
    """FactorVAE's score turned round: all factors but one are held, and the code that varies most is found.

    One vote: choose a factor, hold all others at the values of a random sample, draw a batch of the samples
    that have those values, and find the code whose variance in the batch is the largest part of its variance
    over all samples. Each code stands for the factor it was found with most often; the score is how often
    that names the varied factor. Taken from the paper: one factor varies, the largest variance, a majority
    vote. Ours: variances are shares of the overall ones, and the score is an accuracy, not an error.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors). For every factor, some samples must differ in it alone: a
            full grid of factors, not a small random sample of a large one.
        batch: samples in a vote, drawn with replacement.
        n_train, n_test: votes to learn the majority from, and to score it by.
        min_std: codes with a smaller standard deviation are left out, as in `factor_vae`; constant ones always.
        seed: of the draws.
    Returns:
        Accuracy in [0, 1], no unit; higher is better; 1 / n_factors is chance. 0 if no code is active.
    Raises:
        NotDefinedError: if there is one factor, a factor is constant, or no two samples differ in it alone.
        ValueError: if the arrays are malformed or their numbers of rows differ.
    Reference: Kim et al. 2019, "Relevance Factor VAE", arXiv:1902.01568, section 4.
    """
    x, y = as_codes_and_factors(codes, factors)
    groups = OneVaries(y)
    active = active_codes(x, min_std)
    if not active.any():
        return ZMaxVariance(0.0, len(x), 0.0, np.zeros((y.shape[1], x.shape[1]), np.intp), active)
    random = np.random.default_rng(seed)
    varied = random.integers(y.shape[1], size=n_train + n_test)
    live, _ = unit_size(x[:, active])
    live = live - live.mean(axis=0)
    local_variances = summarise(live, groups.draw(varied, batch, random), group_variances)
    found = np.flatnonzero(active)[np.argmax(local_variances / live.var(axis=0, ddof=1), axis=1)]
    votes = count_votes(varied[:n_train], found[:n_train], (y.shape[1], x.shape[1]))
    return ZMaxVariance(
        majority_accuracy(votes, varied[n_train:], found[n_train:]),
        len(x),
        majority_accuracy(votes, varied[:n_train], found[:n_train]),
        votes,
        active,
    )
