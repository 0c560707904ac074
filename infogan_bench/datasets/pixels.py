"""Conversion between the bytes of a dataset and the range [-1, 1] of G's images."""

from __future__ import annotations

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """Map uint8 images to float32 in [-1, 1], on the device they are on: x / 127.5 - 1.

    Raises:
        TypeError: if `images` is not uint8, since floats may already have been scaled.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"`images` must be uint8, but is {images.dtype}")
    return images.to(torch.float32).div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map float images in [-1, 1] to uint8, the inverse of `to_float`; values outside are clamped.

    Raises:
        TypeError: if `images` is not floating point.
    """
    if not images.is_floating_point():
        raise TypeError(f"`images` must be floating point, but is {images.dtype}")
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
