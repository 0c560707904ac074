"""Drawn faces that stand in for CelebA's: layers of skin, clothes, mouth, eyes, hair, beard and glasses, in colours.

The clothes' colour, the brightness and the place of a face are no factors; they follow from the row of factors by a
hash. Pixels are computed in whole numbers, so that they are the same on every machine.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.drawing.chance import Chance

Integers = NDArray[np.int64]
Narrow = NDArray[np.int32]
Images = NDArray[np.uint8]

SIDE = 64
SKINS = {
    "pale": (255, 219, 180), "light": (237, 185, 138), "tanned": (253, 152, 65), "brown": (208, 139, 91),
    "dark brown": (174, 93, 41), "black": (97, 67, 53),
}  # fmt: skip
HAIR_COLOURS = {
    "black": (44, 27, 24), "brown": (114, 65, 51), "auburn": (165, 87, 40), "golden": (214, 179, 112),
    "grey": (200, 194, 194), "pink": (245, 151, 151),
}  # fmt: skip
GROUNDS = {
    "white": (240, 240, 236), "grey": (150, 154, 160), "blue": (108, 150, 204), "navy": (46, 66, 110),
    "green": (122, 172, 128), "yellow": (234, 206, 112), "orange": (226, 146, 92), "violet": (152, 118, 176),
}  # fmt: skip
FACTORS = {  # name: its values
    "glasses": ("none", "square", "round", "sunglasses"),
    "hair": ("none", "short", "short curly", "quiff", "bob", "straight", "afro", "bun", "mohawk", "wild"),
    "hair_colour": tuple(HAIR_COLOURS),
    "beard": ("none", "short", "medium", "full", "moustache"),
    "mouth": ("smile", "sad", "serious", "open", "slight smile", "grimace"),
    "eyes": ("open", "closed", "happy", "aside", "surprised", "squint"),
    "brows": ("plain", "angry", "raised", "sad"),
    "skin": tuple(SKINS),
    "clothes": ("hoodie", "shirt", "sweater", "blazer"),
    "ground": tuple(GROUNDS),
}  # fmt: skip

_CLOTHES = np.array(
    [(38, 46, 51), (81, 153, 228), (37, 85, 124), (230, 230, 230), (146, 149, 152), (255, 72, 142), (255, 92, 92),
     (167, 255, 196), (255, 222, 181), (60, 79, 92)], dtype=np.int32,
)  # fmt: skip
_MARGIN = 4  # pixels that a layer has more than an image on each side
_ORDER = (
    "skin",
    "clothes",
    "mouth",
    "nose",
    "eyes",
    "brows",
    "hair",
    "beard",
    "glasses",
)  # the lowest layer first


def draw_avatars(factors: NDArray[np.float64]) -> Images:
    """Draw images.

    Args:
        factors: (n, 10): the places of the values in `FACTORS`, in its order.

    Returns:
        uint8 (n, 3, 64, 64).
    """
    chance = Chance(factors)
    chosen = dict(zip(FACTORS, factors.astype(np.int64).T, strict=True))
    n = len(factors)
    nothing = np.zeros(n, dtype=np.int64)
    hair = _colours(HAIR_COLOURS)[chosen["hair_colour"]]
    clothes = _CLOTHES[(chance.words(1)[:, 0] % np.uint64(len(_CLOTHES))).astype(np.int64)]
    colours = {"skin": _colours(SKINS)[chosen["skin"]], "clothes": clothes, "hair": hair, "beard": hair}
    full = SIDE + 2 * _MARGIN
    canvas = np.zeros((n, 3, full, full), dtype=np.int32)
    canvas += _colours(GROUNDS)[chosen["ground"]][:, :, None, None]
    for name in _ORDER:
        which = nothing if name in ("skin", "nose") else chosen[name]
        layer = _layers()[name][which]
        canvas = layer[:, :3] + (canvas * (255 - layer[:, 4:]) + 127) // 255
        if name in colours:
            canvas += (layer[:, 3:4] * colours[name][:, :, None, None] + 127) // 255
    light = np.rint(chance.between(0.85, 1.05) * 256).astype(np.int32)[:, :, None, None]
    lit = np.clip(canvas * light >> 8, 0, 255).astype(np.uint8)
    left, top = (chance.words(2) % np.uint64(2 * _MARGIN + 1)).astype(np.int64).T
    windows = np.lib.stride_tricks.sliding_window_view(lit, (SIDE, SIDE), axis=(2, 3))
    images: Images = windows[np.arange(n), :, top, left]
    return images


def draw_small_avatars(factors: NDArray[np.float64]) -> Images:
    """Draw the same images at half the size, (n, 3, 32, 32): each pixel is the mean of four."""
    blocks = draw_avatars(factors).reshape(-1, 3, SIDE // 2, 2, SIDE // 2, 2)
    images: Images = ((blocks.sum(axis=(3, 5), dtype=np.int32) + 2) // 4).astype(np.uint8)
    return images


def _colours(named: dict[str, tuple[int, int, int]]) -> Narrow:
    return np.array(list(named.values()), dtype=np.int32)


@cache
def _layers() -> dict[str, Narrow]:
    """Return the layers of each part (n_values, 5, 72, 72): red, green, blue, share of the part's colour, opacity."""
    with np.load(Path(__file__).with_name("avatar_parts") / "parts.npz", allow_pickle=False) as file:
        return {name: file[name].astype(np.int32) for name in _ORDER}
