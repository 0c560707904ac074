"""BetaVAE's score: do differences between codes give away which factor two samples share?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from infogan_metrics.arrays import Codes, Indices, as_codes_and_factors, unit_size
from infogan_metrics.sampling import SharedValues, summarise
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class BetaVAE(Score):
    """Accuracy of the linear classifier on new points, and on those it was fitted to."""

    train_value: float


def beta_vae(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    batch: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    seed: int = 0,
) -> BetaVAE:
    """BetaVAE's disentanglement score.

    One point: choose a factor, draw pairs of samples that share its value, and average |difference of codes|
    over the pairs. A logistic regression guesses the factor from the point. The score is near 1 for almost
    any codes that hold the factors, rotated or noisy ones included.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        batch: pairs in a point.
        n_train, n_test: points to fit the classifier to, and to score it by.
        seed: of the draws.
    Returns:
        Accuracy in [0, 1], no unit; higher is better; 1 / n_factors is chance.
    Raises:
        NotDefinedError: if there is one factor, or a factor is constant.
        ValueError: if the arrays are malformed, a value of a factor occurs once, or codes are so large (1e38 or
            more) that their squares overflow.
    Reference: Higgins et al. 2017, "beta-VAE", section 3.
    """
    x, y = as_codes_and_factors(codes, factors)
    if (unit_size(x)[1] > 0).any():
        raise ValueError("codes of 1e38 or more are too large for BetaVAE's classifier: scale them")
    points, shared = difference_points(x, y, batch, n_train + n_test, np.random.default_rng(seed))
    train, test = slice(n_train), slice(n_train, None)
    value, train_value = guess_factor(points[train], shared[train], points[test], shared[test])
    return BetaVAE(value, len(x), train_value)


def difference_points(
    codes: Codes, factors: Indices, batch: int, n_points: int, random: np.random.Generator
) -> tuple[Codes, Indices]:
    """Draw points (n_points, n_codes), mean |difference of codes| of pairs that share a factor, and that factor."""
    groups = SharedValues(factors)
    shared = random.integers(groups.n_factors, size=n_points)
    first = random.integers(len(codes), size=(n_points, batch))
    second = groups.draw(np.repeat(shared, batch), first.ravel(), 1, random)
    pairs = np.concatenate([first, second.reshape(first.shape)], axis=1)
    return summarise(codes, pairs, _mean_differences), shared


def _mean_differences(pairs: Codes) -> Codes:
    """Mean |difference| of each first half of (n_points, 2 batch, n_codes) from its second, (n_points, n_codes)."""
    batch = pairs.shape[1] // 2
    differences = np.abs(pairs[:, :batch] - pairs[:, batch:])
    means: Codes = np.einsum("gsc->gc", differences) / batch
    return means


def guess_factor(
    points: Codes, shared: Indices, test_points: Codes, test_shared: Indices
) -> tuple[float, float]:
    """Return test and training accuracy of a logistic regression from points (n, n_codes) to factors (n,)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(points, shared)
    return float(model.score(test_points, test_shared)), float(model.score(points, shared))
