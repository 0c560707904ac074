"""Strength of a code's effect on the images, measured on a traversal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class TraversalEffect(Score):
    """The share of variance, and what it is made of; `n` is the number of images."""

    per_row: NDArray[np.float64]  # (n_rows,), mean pixel variance along each row's traversal
    total: float  # mean pixel variance over all images
    rms: float  # root mean square change of a pixel from its row's mean, in the images' own unit


def traversal_effect(images: ArrayLike) -> TraversalEffect:
    """Share of the images' pixel variance that a code makes, the noise of each row being held.

    The variance of each pixel along a row (the code moves, the noise stays), averaged over rows and pixels,
    over its variance among all the images, averaged over pixels. It says how much the code acts, not how
    well: a code that wipes out the digit acts strongly.

    Args:
        images: real array (n_rows, n_values, ...): a traversal, each row with its own noise, each column with
            one value of the code. Any pixel unit; two or more values.
    Returns:
        In [0, 1], no unit: 0 where the code does nothing, 1 where the noise does nothing (as for one row).
    Raises:
        NotDefinedError: if all images are equal.
        ValueError: if `images` has fewer than three dimensions, no row, or one value, or is not finite.
    """
    array = np.asarray(images, dtype=np.float64)
    if array.ndim < 3 or array.shape[0] < 1 or array.shape[1] < 2 or not array.size:
        raise ValueError(
            f"`images` must be (n_rows, n_values, ...) with two or more values, but has shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError("`images` must be finite")
    pixels = array.reshape(*array.shape[:2], -1)
    per_row = pixels.var(axis=1).mean(axis=1)
    total = float(pixels.reshape(-1, pixels.shape[2]).var(axis=0).mean())
    if total <= np.finfo(np.float64).eps * float(np.abs(pixels).max()) ** 2:
        raise NotDefinedError("the effect of a traversal is not defined: all images are equal")
    within = float(per_row.mean())
    return TraversalEffect(
        min(within / total, 1.0), len(pixels) * pixels.shape[1], per_row, total, float(np.sqrt(within))
    )
