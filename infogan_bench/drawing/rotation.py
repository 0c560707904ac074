"""Cosines and sines that are the same bytes on every machine."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TERMS = 9  # of each series; the rest is below 1e-18 for angles up to 45 degrees


def cosine_and_sine(degrees: Floats) -> tuple[Floats, Floats]:
    """Return cos and sin of angles in degrees, to 1e-15.

    NumPy and the C library choose their code by the processor, and its results differ in the last bit. Sums and
    products do not.
    """
    quarter = np.rint(degrees / 90)
    angle = (degrees - quarter * 90) * (math.pi / 180)
    square = angle * angle
    cos, sin = np.ones_like(angle), np.ones_like(angle)
    for k in range(_TERMS, 0, -1):  # 1 - x^2/2 (1 - x^2/12 (...)), and so on
        cos = 1 - square / (2 * k * (2 * k - 1)) * cos
        sin = 1 - square / (2 * k * (2 * k + 1)) * sin
    sin = angle * sin
    turn = np.mod(quarter, 4)
    return (
        np.choose(turn.astype(np.int64), [cos, -sin, -cos, sin]),
        np.choose(turn.astype(np.int64), [sin, cos, -sin, -cos]),
    )
