"""Distances between two sets of feature vectors: are generated images like real ones, and as varied?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes
from infogan_metrics.neighbourhoods import Neighbourhoods
from infogan_metrics.score import Score

_BLOCKS = 10  # of KID


@dataclass(frozen=True, eq=False)
class FID(Score):
    """The Fréchet distance and its two parts; `n` and `n_fake` are the sizes of the two sets."""

    n_fake: int
    dimensions: int
    mean_part: float  # squared distance of the means
    covariance_part: float
    clamped: float  # how far below 0 rounding had put the distance before it was set to 0; else 0


@dataclass(frozen=True, eq=False)
class KID(Score):
    """The kernel distance, and the blocks it is the mean of."""

    n_fake: int
    standard_error: float
    per_block: NDArray[np.float64]  # (n_blocks,)


@dataclass(frozen=True, eq=False)
class PrecisionRecall(Score):
    """Precision (fidelity) and recall (diversity), each in [0, 1]; the value is their harmonic mean."""

    n_fake: int
    precision: float
    recall: float
    k: int


@dataclass(frozen=True, eq=False)
class DensityCoverage(Score):
    """Density (fidelity, at least 0, about 1 for equal distributions) and coverage; the value is coverage."""

    n_fake: int
    density: float
    coverage: float
    k: int


@dataclass(frozen=True, eq=False)
class PRDC(Score):
    """Precision, recall, density and coverage; the value is the harmonic mean of precision and recall."""

    n_fake: int
    precision: float
    recall: float
    density: float
    coverage: float
    k: int


def fid(real: ArrayLike, fake: ArrayLike) -> FID:
    """Fréchet distance of two Gaussians that have the means and covariances of `real` and `fake`.

    |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^1/2. The last trace is the sum of the singular values of
    R1 R2^T, with C = R^T R from a QR decomposition of the centred features: always real, and right for
    singular covariances too. Few samples raise the distance, more so for more dimensions and for more varied
    sets, so that only values at equal n compare; `kid` has no such bias. Warns where a set has fewer samples
    than dimensions.

    Args:
        real, fake: float arrays (n, d) and (n_fake, d) of features, two rows or more each.
    Returns:
        At least 0, in the squared unit of the features; lower is better. Symmetric.
    Raises:
        ValueError: if an array is malformed, holds NaN, has one row, or the widths differ.
    Reference: Heusel et al. 2017, arXiv:1706.08500, equation 6.
    """
    x, y = _as_features(real, fake)
    for name, features in (("real", x), ("fake", y)):
        if len(features) < features.shape[1]:
            warnings.warn(
                f"`{name}` has {len(features)} samples of {features.shape[1]} features: FID is far too high "
                "where samples are fewer than features",
                stacklevel=2,
            )
    shift = x.mean(axis=0) - y.mean(axis=0)
    root_x, root_y = _covariance_root(x), _covariance_root(y)
    overlap = float(np.linalg.norm(root_x @ root_y.T, ord="nuc"))
    mean_part = float(shift @ shift)
    covariance_part = float(np.sum(root_x**2) + np.sum(root_y**2)) - 2 * overlap
    value = mean_part + covariance_part
    return FID(
        max(value, 0.0), len(x), len(y), x.shape[1], mean_part, covariance_part, clamped=max(-value, 0.0)
    )


def kid(real: ArrayLike, fake: ArrayLike, *, n_blocks: int | None = None, seed: int = 0) -> KID:
    """Kernel distance: squared maximum mean discrepancy with the kernel (x.y / d + 1)^3.

    Both sets are shuffled and cut into `n_blocks` blocks; the unbiased estimate of each block is averaged.
    Blocks share no sample, so their spread gives an honest standard error. Unlike FID it has the same
    expectation at any n, and may be negative where the sets are alike.

    Args:
        real, fake: float arrays (n, d) and (n_fake, d) of features, 2 n_blocks rows or more each: 4 at least.
        n_blocks: two or more. None: 10, or for fewer than 20 rows as many as have two rows of each set.
        seed: of the shuffling.
    Returns:
        Lower is better; 0 in expectation for equal distributions.
    Raises:
        ValueError: if an array is malformed, holds NaN or too few rows, or the widths differ.
    Reference: Binkowski et al. 2018, arXiv:1801.01401, section 4; blocks as by Zaremba et al. 2013,
    arXiv:1307.1954.
    """
    x, y = _as_features(real, fake)
    fewest = min(len(x), len(y))
    if n_blocks is None:
        n_blocks = min(_BLOCKS, max(fewest // 2, 2))
    if n_blocks < 2:
        raise ValueError(f"`n_blocks` must be at least 2, but is {n_blocks}")
    if fewest < 2 * n_blocks:
        raise ValueError(f"{n_blocks} blocks need {2 * n_blocks} samples of each set, but one has {fewest}")
    random = np.random.default_rng(seed)
    blocks = zip(
        *(np.array_split(features[random.permutation(len(features))], n_blocks) for features in (x, y)),
        strict=True,
    )
    per_block = np.array([_unbiased_mmd(a, b) for a, b in blocks])
    error = float(per_block.std(ddof=1)) / np.sqrt(n_blocks)
    return KID(float(per_block.mean()), len(x), len(y), float(error), per_block)


def precision_recall(real: ArrayLike, fake: ArrayLike, *, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall: how much of each set lies within the other's manifold.

    The manifold of a set is the union of balls around its samples that reach to their k-th neighbours, which
    a single outlier inflates.

    Args:
        real, fake: float arrays (n, d) and (n_fake, d) of features, more than k rows each. Compare at equal
            n: both numbers change with it.
        k: which neighbour sets a ball's radius (3 in the paper).
    Returns:
        Precision, the share of fakes within the real manifold, and recall, the share of reals within the
        fake one, in [0, 1]; higher is better.
    Raises:
        ValueError: if an array is malformed, holds NaN or too few rows, or the widths differ.
    Reference: Kynkäänniemi et al. 2019, arXiv:1904.06991, section 2.
    """
    x, y = _as_features(real, fake)
    in_real, in_fake = Neighbourhoods(x, y, k).counts(of_fake=True)
    precision, recall = float((in_real > 0).mean()), float((in_fake > 0).mean())
    return PrecisionRecall(_harmonic_mean(precision, recall), len(x), len(y), precision, recall, k)


def density_coverage(real: ArrayLike, fake: ArrayLike, *, k: int = 5) -> DensityCoverage:
    """Density and coverage, which outliers among the fakes do not inflate.

    Args:
        real, fake: float arrays (n, d) and (n_fake, d) of features, more than k real rows.
        k: which neighbour sets the radius of a real sample's ball (5 in the paper).
    Returns:
        Density, how many real balls a fake lies in, over k: at least 0, above 1 where fakes crowd where reals
        are dense. Coverage, the share of real balls that hold a fake, in [0, 1]. Higher is better.
    Raises:
        ValueError: if an array is malformed, holds NaN or too few rows, or the widths differ.
    Reference: Naeem et al. 2020, arXiv:2002.09797, section 3.
    """
    x, y = _as_features(real, fake)
    neighbourhoods = Neighbourhoods(x, y, k)
    in_real, _ = neighbourhoods.counts()
    coverage = float((neighbourhoods.held > 0).mean())
    return DensityCoverage(coverage, len(x), len(y), float(in_real.mean()) / k, coverage, k)


def prdc(real: ArrayLike, fake: ArrayLike, *, k: int = 5) -> PRDC:
    """Precision, recall, density and coverage at once, from one table of distances and with one `k`.

    Args:
        real, fake: float arrays (n, d) and (n_fake, d) of features, more than k rows each.
        k: which neighbour sets a ball's radius (5 in the package prdc).
    Returns:
        As `precision_recall` and `density_coverage`; the value is the harmonic mean of precision and recall.
    Raises:
        ValueError: if an array is malformed, holds NaN or too few rows, or the widths differ.
    Reference: Naeem et al. 2020, arXiv:2002.09797, section 3.
    """
    x, y = _as_features(real, fake)
    neighbourhoods = Neighbourhoods(x, y, k)
    in_real, in_fake = neighbourhoods.counts(of_fake=True)
    precision, recall = float((in_real > 0).mean()), float((in_fake > 0).mean())
    return PRDC(
        _harmonic_mean(precision, recall),
        len(x),
        len(y),
        precision,
        recall,
        float(in_real.mean()) / k,
        float((neighbourhoods.held > 0).mean()),
        k,
    )


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _as_features(real: ArrayLike, fake: ArrayLike) -> tuple[Codes, Codes]:
    x, y = as_codes(real, "real"), as_codes(fake, "fake")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`real` and `fake` must have the same features, but have {x.shape[1]} and {y.shape[1]}"
        )
    for name, features in (("real", x), ("fake", y)):
        if len(features) < 2:
            raise ValueError(f"`{name}` must hold two samples or more, but holds one")
    return x, y


def _covariance_root(features: Codes) -> Codes:
    """Return R (min(n, d), d) with R^T R the covariance."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r"), dtype=np.float64)


def _unbiased_mmd(x: Codes, y: Codes) -> float:
    m, n, d = len(x), len(y), x.shape[1]
    within_x, within_y, between = (_cubic_kernel(a, b, d) for a, b in ((x, x), (y, y), (x, y)))
    of_x = (within_x.sum() - np.trace(within_x)) / (m * (m - 1))
    of_y = (within_y.sum() - np.trace(within_y)) / (n * (n - 1))
    return float(of_x + of_y - 2 * between.mean())


def _cubic_kernel(x: Codes, y: Codes, d: int) -> NDArray[np.float64]:
    base = x @ y.T / d + 1
    return base * base * base  # many times faster than a power
