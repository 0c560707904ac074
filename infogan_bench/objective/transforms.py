"""Random affine transformations of images. Their numbers are drawn before a loss, which applies them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.config.objective import TransformConfig

BLACK = -1.0  # the value of pixels from outside the image


def random_affines(config: TransformConfig, draws: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Affine maps (n, 2, 3), from the output's coordinates to the input's, that `draws` choose.

    Each is a rotation by up to `rotation` degrees, after a scaling of each axis by a factor between 1 / (1 + scale)
    and 1 + scale (log-uniform) and a shear of up to `shear` pixels a pixel, and a shift of up to `shift` pixels
    along each axis; all uniform and independent. The coordinates are those of `torch.nn.functional.affine_grid`.

    Args:
        config: the largest angle, scale, shear and shift.
        draws: (n, 6), uniform on [0, 1).
        image_size: (H, W), which shifts in pixels are relative to.
    """
    draws = draws * 2 - 1
    angle = draws[:, 0] * math.radians(config.rotation)
    scale_x, scale_y = torch.exp(draws[:, 1:3] * math.log1p(config.scale)).unbind(1)
    shear = draws[:, 3] * config.shear
    height, width = image_size
    shift_x, shift_y = draws[:, 4] * (2 * config.shift / width), draws[:, 5] * (2 * config.shift / height)
    cos, sin = angle.cos(), angle.sin()
    # rotation @ [[scale_x, shear], [0, scale_y]], then the shift
    rows = [cos * scale_x, cos * shear - sin * scale_y, shift_x,
            sin * scale_x, sin * shear + cos * scale_y, shift_y]  # fmt: skip
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def warp(images: Tensor, affines: Tensor) -> Tensor:
    """`images` (B, C, H, W) in [-1, 1] under `affines` (B, 2, 3), bilinear; black comes in from outside."""
    # of the pixels' centres
    y, x = ((2 * torch.arange(n, device=images.device) + 1) / n - 1 for n in images.shape[-2:])
    along_x, along_y, shift = affines[:, None, None].unbind(-1)  # (B, 1, 1, 2) each
    # F.affine_grid, which vmap would do in a loop
    grid = along_x * x[:, None] + along_y * y[:, None, None] + shift  # (B, H, W, 2)
    return F.grid_sample(images - BLACK, grid, align_corners=False) + BLACK
