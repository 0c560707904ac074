"""Procedural sprites in the manner of dSprites: every image follows from five independent factors.

A sprite is white on black, anti-aliased, and turns about its centroid, which lies on a pixel: pixel (16 + x,
16 + y) of 64 x 64. All three shapes have the same area at the same scale. Since x and y move a sprite by
whole pixels, the 720 masks of shape, scale and orientation are computed once and then only placed.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import SPRITE_FACTORS, SPRITE_KINDS, Factors, combinations, draw_split

SHAPES = ("square", "ellipse", "heart")
SIZES = (len(SHAPES), 6, 40, 32, 32)
SIDE = 64
AREA = 484.0  # pixels of any shape at scale 1

_MASK_SIDE = SIDE - SIZES[3] + 1  # 33: at the largest x, a mask ends with the image
_SUBPIXELS = 6  # a pixel's grey is the share of 6 x 6 points that lie in the shape
_ELLIPSE_RATIO = 0.6
_HEART_AREA = 3.66199  # of (x^2 + y^2 - 1)^3 = x^2 y^3
_HEART_CENTROID = 0.29348  # its y

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]


def load_sprites(config: DatasetConfig) -> ImageDataset:
    """Draw the training and the test images: different combinations of factors, the same ones every time.

    Raises:
        DatasetError: if a `data_dir` is given, or there are fewer combinations (737,280) than images asked for.
    """
    if config.data_dir is not None:
        raise DatasetError("sprites are drawn, not read: remove `data_dir`, or name the dataset `dsprites`")
    return _draw(config.train_size, config.test_size)


@cache
def _draw(train_size: int | None, test_size: int | None) -> ImageDataset:
    train, test = draw_split(math.prod(SIZES), train_size, test_size)
    factors = combinations(SIZES, test)
    return ImageDataset(
        "sprites",
        train_images=render(combinations(SIZES, train)),
        train_labels=None,
        test_images=render(factors),
        test_labels=None,
        factors=Factors(SPRITE_FACTORS, SIZES, torch.from_numpy(factors), kinds=SPRITE_KINDS),
    )


def render(factors: NDArray[np.int64]) -> Tensor:
    """Draw the images of these factors.

    Args:
        factors: int array (n, 5): shape, scale, orientation, x, y, each from 0 to its size (3, 6, 40, 32, 32)
            less 1. Scale is 0.5 to 1 in steps of 0.1, orientation a share of a full turn, counter-clockwise.
    Returns:
        uint8 images (n, 1, 64, 64).
    Raises:
        ValueError: if `factors` has another shape, or a value is out of range.
    """
    if factors.ndim != 2 or factors.shape[1] != len(SIZES):
        raise ValueError(f"`factors` must be (n, {len(SIZES)}), but has shape {factors.shape}")
    if ((factors < 0) | (factors >= np.array(SIZES))).any():
        raise ValueError(f"`factors` must be at least 0 and below {SIZES}")
    shape, scale, orientation, x, y = factors.T
    images = np.zeros((len(factors), SIDE, SIDE), dtype=np.uint8)
    places = np.lib.stride_tricks.sliding_window_view(
        images, (_MASK_SIDE, _MASK_SIDE), axis=(1, 2), writeable=True
    )
    places[np.arange(len(factors)), y, x] = _masks()[shape, scale, orientation]
    return torch.from_numpy(images).unsqueeze(1)


@cache
def _masks() -> Pixels:
    """Every shape at every scale and orientation: (3, 6, 40, 33, 33)."""
    n = _MASK_SIDE * _SUBPIXELS
    across = (np.arange(n) + 0.5) / _SUBPIXELS - _MASK_SIDE / 2  # pixels from the centre
    column, row = np.meshgrid(across, across)
    masks = np.empty((*SIZES[:3], _MASK_SIDE, _MASK_SIDE), dtype=np.uint8)
    for turn in range(SIZES[2]):
        angle = 2 * math.pi * turn / SIZES[2]
        u = math.cos(angle) * column - math.sin(angle) * row  # rows count downwards, v upwards
        v = -math.sin(angle) * column - math.cos(angle) * row
        for size in range(SIZES[1]):
            scale = 0.5 + 0.1 * size
            for shape, inside in enumerate((_in_square, _in_ellipse, _in_heart)):
                masks[shape, size, turn] = _grey(inside(u / scale, v / scale))
    return masks


def _grey(inside: NDArray[np.bool_]) -> Pixels:
    """The share of each pixel's points that are inside, as 0 to 255."""
    blocks = inside.reshape(_MASK_SIDE, _SUBPIXELS, _MASK_SIDE, _SUBPIXELS)
    grey: Pixels = np.rint(blocks.mean(axis=(1, 3)) * 255).astype(np.uint8)
    return grey


# Which points (u right, v up, in pixels at scale 1, from the centroid) lie in a shape -------------------------


def _in_square(u: Points, v: Points) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.maximum(np.abs(u), np.abs(v)) < math.sqrt(AREA) / 2
    return inside


def _in_ellipse(u: Points, v: Points) -> NDArray[np.bool_]:
    long = math.sqrt(AREA / (math.pi * _ELLIPSE_RATIO))
    inside: NDArray[np.bool_] = (u / long) ** 2 + (v / (long * _ELLIPSE_RATIO)) ** 2 < 1
    return inside


def _in_heart(u: Points, v: Points) -> NDArray[np.bool_]:
    unit = math.sqrt(AREA / _HEART_AREA)
    a, b = (u / unit) ** 2, v / unit + _HEART_CENTROID
    inside: NDArray[np.bool_] = (a + b * b - 1) ** 3 < a * b**3
    return inside
