"""The range of images' values, which is named and never guessed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Pixels = Literal["0..255", "0..1", "-1..1"]

_RANGES: dict[Pixels, tuple[int, int]] = {"0..255": (0, 255), "0..1": (0, 1), "-1..1": (-1, 1)}


def check_pixels(images: NDArray[Any], pixels: Pixels) -> None:
    """Refuse images that are not what `pixels` says: uint8 for "0..255", floats for the others.

    Raises:
        ValueError: if the dtype is another, or values lie outside the range.
    """
    if pixels not in _RANGES:
        raise ValueError(f"`pixels` must be one of {', '.join(_RANGES)}, but is {pixels!r}")
    if (images.dtype == np.uint8) != (pixels == "0..255") or images.dtype.kind not in "uf":
        wanted = "uint8" if pixels == "0..255" else "floats"
        raise ValueError(f"`pixels` {pixels!r} means {wanted}, but the images are {images.dtype}")
    lowest, highest = _RANGES[pixels]
    if not (images.min() >= lowest and images.max() <= highest):  # also where they hold NaN
        raise ValueError(
            f"images must lie in {pixels}, but reach from {images.min():.4g} to {images.max():.4g}"
        )


def to_unit(images: NDArray[Any], pixels: Pixels) -> NDArray[np.float32]:
    """Return checked images as float32 in [0, 1], of the same shape."""
    lowest, highest = _RANGES[pixels]
    scaled: NDArray[np.float32] = (images.astype(np.float32) - np.float32(lowest)) / np.float32(
        highest - lowest
    )
    return scaled
