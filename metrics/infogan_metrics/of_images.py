"""Scores of the codes of a generator, measured on the images that it makes; a value for every code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.gaussian_mi_bound import gaussian_mi_bound
from infogan_metrics.mi_bound import mi_bound
from infogan_metrics.rank_correlation import rank_correlation
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.shape_factors import slant, stroke_width
from infogan_metrics.traversal import traversal_effect

MEASURES = ("slant", "width")


@dataclass(frozen=True, eq=False)
class OfCodes(Score):
    """A score of all codes together, and of each."""

    per_code: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ShapeCorrelation(Score):
    """Absolute rank correlation of codes with both measures; the value is the best code's with slant."""

    slant: OfCodes
    width: OfCodes
    correlation: NDArray[np.float64]  # (n_codes, 2) in [0, 1], columns as in `MEASURES`


@dataclass(frozen=True, eq=False)
class CodeReadings(Score):
    """The bound with the best Gaussian deviation, and R2, of continuous codes."""

    bound: OfCodes  # nats; the sum over codes, and each
    r2: OfCodes  # at most 1; the mean over codes, and each


def shape_correlation(
    images: ArrayLike, codes: ArrayLike, groups: ArrayLike | None = None
) -> ShapeCorrelation:
    """Absolute Spearman correlation of each code with the slant and with the stroke width of images.

    Images without ink are left out. Codes are compared within groups, since what a group is (which digit) slants and
    thickens too.

    Args:
        images: (n_images, H, W), grey, ink above paper.
        codes: (n_images, n_codes), what each image was drawn from.
        groups: (n_images,) integers; None: all images are one group.
    Returns:
        In [0, 1], no unit; `n` is the number of images with ink. By chance a group of m is worth sqrt(2 / (pi m)).
    Raises:
        NotDefinedError: if no image has ink.
        ValueError: as `rank_correlation` does.
    """
    array, values = np.asarray(images), np.asarray(codes)
    measures = np.column_stack([slant(array), stroke_width(array)])
    inked = np.isfinite(measures).all(axis=1)
    if not inked.any():
        raise NotDefinedError("no generated image has ink")
    of_inked = None if groups is None else np.asarray(groups)[inked]
    correlation = rank_correlation(values[inked], measures[inked], of_inked)
    n = int(inked.sum())
    of_slant, of_width = (OfCodes(max(column), n, tuple(column)) for column in correlation.T.tolist())
    return ShapeCorrelation(of_slant.value, n, of_slant, of_width, correlation)


def mi_bounds(log_q: ArrayLike, entropies: ArrayLike) -> OfCodes:
    """L_I of every code, and their sum.

    Args:
        log_q: (n_samples, n_codes), log Q(c|x) in nats of the codes that each image was generated with.
        entropies: (n_codes,), H(c) in nats of each code's prior.
    Returns:
        Nats, as `mi_bound`.
    Raises:
        ValueError: as `mi_bound` does.
    """
    each = [
        mi_bound(column, float(entropy))
        for column, entropy in zip(np.asarray(log_q).T, np.asarray(entropies), strict=True)
    ]
    return OfCodes(sum(bound.value for bound in each), each[0].n, tuple(each))


def code_readings(
    latents: ArrayLike, readings: ArrayLike, entropies: ArrayLike, *, min_std: float = 0.0
) -> CodeReadings:
    """The information that readings hold of every continuous code, in nats, and R2 of the readings.

    Args:
        latents: (n_samples, n_codes), the codes that each image was generated with.
        readings: (n_samples, n_codes), the mean of Q(c|x).
        entropies: (n_codes,), H(c) in nats of each code's prior.
        min_std: as `gaussian_mi_bound` takes it.
    Returns:
        The value is the sum of the codes' bounds, a lower bound of the information about all of them if they are
        independent.
    Raises:
        NotDefinedError, ValueError: as `gaussian_mi_bound` does.
    """
    columns = zip(np.asarray(latents).T, np.asarray(readings).T, np.asarray(entropies), strict=True)
    each = [gaussian_mi_bound(c, read, float(entropy), min_std=min_std) for c, read, entropy in columns]
    total, n = sum(bound.value for bound in each), each[0].n
    r2 = tuple(bound.r2 for bound in each)
    return CodeReadings(total, n, OfCodes(total, n, tuple(each)), OfCodes(float(np.mean(r2)), n, r2))


def traversal_effects(traversals: Sequence[ArrayLike]) -> OfCodes:
    """Effect of every code on the images, and the strongest one.

    Args:
        traversals: of each code, images (n_rows, n_values, ...) as `traversal_effect` takes them.
    Returns:
        In [0, 1], no unit.
    Raises:
        NotDefinedError, ValueError: as `traversal_effect` does.
    """
    each = [traversal_effect(images) for images in traversals]
    return OfCodes(max(effect.value for effect in each), each[0].n, tuple(each))
