"""House numbers that resemble SVHN's: a digit in the middle, neighbours beside it, coloured, lit, blurred and noisy.

Everything that is no factor (place, size, tilt, the neighbours' digits, shades, noise) follows from the row of factors
by a hash. Pixels are computed in whole numbers, so that they are the same on every machine.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.drawing.chance import Chance
from infogan_bench.drawing.rotation import cosine_and_sine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Narrow = NDArray[np.int32]  # half the time of int64
Images = NDArray[np.uint8]

SIDE = 32
N_FONTS = 24
GROUNDS = {  # name: red, green, blue
    "brick": (150, 74, 58), "sand": (178, 150, 110), "olive": (110, 116, 70), "green": (66, 116, 82),
    "teal": (56, 120, 124), "sky": (96, 140, 176), "blue": (58, 86, 146), "violet": (108, 86, 146),
    "rose": (172, 96, 120), "grey": (122, 122, 122),
}  # fmt: skip
INKS = {"light": (238, 234, 224), "dark": (26, 24, 28)}
NEIGHBOURS = ("none", "left", "right", "both")

_MASK = 64  # pixels, the side of a digit's mask, 54 of which its height may fill
_SUBPIXEL = 768  # units of a place in a pixel
_PRODUCT = 22  # bits behind the point of a place in a mask; a place in units times an inverse fits in 32 bits
_SAMPLES = 3  # a pixel's share of ink is the mean of 3 x 3 points
_TAPS = 3  # pixels that a blur reaches on each side


def draw_street_digits(factors: Floats) -> Images:
    """Draw images.

    Args:
        factors: (n, 7): digit (0 to 9), font (0 to 23), ground (0 to 9), ink (0: light, 1: dark), light (brightness,
            0.5 to 1), blur (a deviation of 0.3 to 1.3 pixels), neighbours (0: none, 1: left, 2: right, 3: both).

    Returns:
        uint8 (n, 3, 32, 32).
    """
    chance = Chance(factors)
    digit, font, ground, ink = (factors[:, k].astype(np.int64) for k in range(4))
    share = _ink_share(digit, font, factors[:, 6].astype(np.int64), chance)
    shade = np.rint(chance.between(-14, 14, 3)).astype(np.int64)
    paper = (np.array(list(GROUNDS.values()), dtype=np.int32)[ground] + shade).astype(np.int32)
    pen = (np.array(list(INKS.values()), dtype=np.int32)[ink] + shade // 2).astype(np.int32)
    colour = paper[:, :, None, None] * (255 - share[:, None]) + pen[:, :, None, None] * share[:, None]
    lit = (colour >> 3) * (_brightness(factors[:, 4], chance)[:, None]) >> 5  # in 1/1020 of a grey
    blurred = _blurred(lit, factors[:, 5])
    noise = (chance.words(3 * SIDE * SIDE) >> np.uint64(57)).astype(np.int32).reshape(blurred.shape) - 64
    images: Images = np.clip((blurred + noise * 110 + 510) // 1020, 0, 255).astype(np.uint8)
    return images


@cache
def _masks() -> Narrow:
    """Return the masks of the digits (fonts, 10, 64, 64), 0 to 255."""
    with np.load(Path(__file__).with_name("glyphs") / "digits.npz", allow_pickle=False) as file:
        masks: Narrow = file["masks"].astype(np.int32)
    return masks


def _ink_share(digit: Integers, font: Integers, neighbours: Integers, chance: Chance) -> Narrow:
    """Return how much of each pixel is ink, (n, 32, 32), 0 to 255."""
    n = len(digit)
    height = chance.between(15, 23)[:, 0]  # pixels of the font's highest digit
    cosine, sine = cosine_and_sine(chance.between(-8, 8)[:, 0])
    slant = chance.between(-0.15, 0.15)[:, 0]
    x, y = chance.between(-2, 2)[:, 0], chance.between(-2, 2)[:, 0]
    apart = height * chance.between(0.62, 0.78)[:, 0]
    others = (chance.words(2) % np.uint64(10)).astype(np.int64)
    # The inverse of turning, slanting and scaling: from pixels around a digit's centre to its mask
    turned = np.stack([cosine + slant * sine, sine - slant * cosine, -sine, cosine], axis=1)
    inverse = np.rint(turned * (54 / height)[:, None] * (2.0**_PRODUCT / _SUBPIXEL)).astype(np.int32)
    share = np.zeros((n, SIDE, SIDE), dtype=np.int32)
    rows = [np.arange(n), np.flatnonzero(neighbours & 1), np.flatnonzero(neighbours & 2)]
    for place, which in zip((0, -1, 1), rows, strict=True):
        shown = digit if place == 0 else others[:, (place + 1) // 2]
        centres = np.stack([x + place * apart * cosine, y + place * apart * sine], axis=1)[which] + SIDE / 2
        units = np.rint(centres * _SUBPIXEL).astype(np.int32)
        found = _placed(_masks()[font[which], shown[which]], inverse[which], units)
        share[which] = np.maximum(share[which], found)
    return share


def _placed(masks: Narrow, inverse: Narrow, centres: Narrow) -> Narrow:
    """Return masks (n, 64, 64) at these centres (n, 2), in units, by inverse matrices (n, 4): (n, 32, 32)."""
    steps = (2 * np.arange(SIDE * _SAMPLES, dtype=np.int32) + 1) * (_SUBPIXEL // (2 * _SAMPLES))
    across = steps[None, None, :] - centres[:, 0, None, None]
    down = steps[None, :, None] - centres[:, 1, None, None]
    a, b, c, d = (inverse[:, k, None, None] for k in range(4))
    column = ((a * across + b * down) >> _PRODUCT) + _MASK // 2
    row = ((c * across + d * down) >> _PRODUCT) + _MASK // 2
    inside = (column >= 0) & (column < _MASK) & (row >= 0) & (row < _MASK)
    image = np.arange(len(masks), dtype=np.int32)[:, None, None]
    place = np.where(inside, (image * _MASK + row) * _MASK + column, 0)
    values = np.where(inside, masks.reshape(-1).take(place), 0)
    blocks = values.reshape(-1, SIDE, _SAMPLES, SIDE, _SAMPLES)
    share: Narrow = blocks.sum(axis=(2, 4), dtype=np.int32) // _SAMPLES**2
    return share


def _brightness(light: Floats, chance: Chance) -> Narrow:
    """Return the brightness of each pixel in 1/1024, (n, 32, 32): `light`, a little more to one side."""
    slope = np.rint(chance.between(-5, 5, 2)).astype(np.int32)  # in 1/1024 a pixel
    place = np.arange(SIDE, dtype=np.int32) - SIDE // 2
    even = np.rint(light * 1024).astype(np.int32)
    lit: Narrow = (
        even[:, None, None] + slope[:, 0, None, None] * place + slope[:, 1, None, None] * place[:, None]
    )
    return lit


def _blurred(images: Narrow, deviation: Floats) -> Narrow:
    """Return images (n, 3, 32, 32), blurred by Gaussians whose deviations (n,) are in pixels."""
    place = np.arange(-_TAPS, _TAPS + 1)
    weights = np.exp(-(place**2) / (2 * deviation[:, None] ** 2))
    fixed = np.rint(weights / weights.sum(axis=1, keepdims=True) * 1024).astype(np.int32)
    fixed[:, _TAPS] += 1024 - fixed.sum(axis=1)
    for axis in (2, 3):
        edges = [(0, 0)] * 4
        edges[axis] = (_TAPS, _TAPS)
        padded = np.pad(images, edges, mode="edge")
        blurred = np.zeros_like(images)
        for k in range(2 * _TAPS + 1):
            blurred += padded.take(range(k, k + SIDE), axis=axis) * fixed[:, k, None, None, None]
        images = blurred >> 10
    return images
