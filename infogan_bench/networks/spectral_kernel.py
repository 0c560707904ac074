"""A step of the power method in three kernels, in Triton, which torch's builds for CUDA bring along.

A trunk has many small matrices, and launching the dozen kernels of a step takes a GPU longer than running them.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_FEW, _MANY = (
    4,
    1024,
)  # the part of a matrix that a program reads at a time: along its own dimension, and the other
_OF_COLUMNS = 32, 64  # the same for columns, which lie apart in memory: so many of them, and rows
_BLOCK = 1024  # of a vector whose length is computed


def normalise(matrices: Tensor, u: Tensor, v: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Take one step of the power method with each of R matrices, and divide it by its largest singular value.

    Args:
        matrices: float32 (R, h, w), contiguous.
        u: (R, h), contiguous, changed in place.
        v: (R, w), likewise.
        eps: least length by which a vector is divided.

    Returns:
        matrices / sigma (R, h, w), copies of the new u and v, and sigma (R,).
    """
    n, height, width = matrices.shape
    divided, image, preimage, new_u, new_v = map(torch.empty_like, (matrices, u, v, u, v))
    sigma = u.new_empty(n)
    rows, (columns, deep) = (triton.cdiv(height, _FEW), n), _OF_COLUMNS
    with torch.cuda.device_of(matrices):
        _times_v[rows](matrices, v, image, height, width, FEW=_FEW, MANY=_MANY)
        _times_u[triton.cdiv(width, columns), n](
            matrices, image, preimage, height, width, eps, COLUMNS=columns, ROWS=deep, BLOCK=_BLOCK
        )
        _divide[rows](
            matrices, image, preimage, divided, u, v, new_u, new_v, sigma, height, width, eps,
            FEW=_FEW, MANY=_MANY, BLOCK=_BLOCK,
        )  # fmt: skip
    return divided, new_u, new_v, sigma


@triton.jit
def _length(vector, n, eps, BLOCK: tl.constexpr):
    """The length of a vector (n,), at least `eps`."""
    square = 0.0
    for first in range(0, n, BLOCK):
        places = first + tl.arange(0, BLOCK)
        values = tl.load(vector + places, mask=places < n, other=0.0)
        square += tl.sum(values * values, axis=0)
    return tl.maximum(tl.sqrt(square), eps)


@triton.jit
def _times_v(matrices, v, image, height, width, FEW: tl.constexpr, MANY: tl.constexpr):
    """image (h,) = matrix (h, w) v, for a few rows."""
    this = tl.program_id(1)
    rows = tl.program_id(0) * FEW + tl.arange(0, FEW)
    total = tl.zeros([FEW], tl.float32)
    for left in range(0, width, MANY):
        columns = left + tl.arange(0, MANY)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        factor = tl.load(v + this * width + columns, mask=columns < width, other=0.0)
        total += tl.sum(tl.load(matrices + places, mask=inside, other=0.0) * factor[None, :], axis=1)
    tl.store(image + this * height + rows, total, mask=rows < height)


@triton.jit
def _times_u(
    matrices, image, preimage, height, width, eps,
    COLUMNS: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """preimage (w,) = transposed matrix (w, h) u, for a few columns; u is `image` scaled to length 1."""
    this = tl.program_id(1)
    columns = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    length = _length(image + this * height, height, eps, BLOCK)
    total = tl.zeros([COLUMNS], tl.float32)
    for top in range(0, height, ROWS):
        rows = top + tl.arange(0, ROWS)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        factor = tl.load(image + this * height + rows, mask=rows < height, other=0.0) / length
        total += tl.sum(tl.load(matrices + places, mask=inside, other=0.0) * factor[:, None], axis=0)
    tl.store(preimage + this * width + columns, total, mask=columns < width)


@triton.jit
def _divide(
    matrices, image, preimage, divided, u, v, new_u, new_v, sigmas, height, width, eps,
    FEW: tl.constexpr, MANY: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """A few rows over sigma, which is the length of `preimage`; u and v twice; v and sigma by the first program."""
    this = tl.program_id(1)
    first = tl.program_id(0) == 0
    rows = tl.program_id(0) * FEW + tl.arange(0, FEW)
    sigma = _length(preimage + this * width, width, eps, BLOCK)
    scaled = tl.load(image + this * height + rows, mask=rows < height, other=0.0)
    scaled /= _length(image + this * height, height, eps, BLOCK)
    tl.store(u + this * height + rows, scaled, mask=rows < height)
    tl.store(new_u + this * height + rows, scaled, mask=rows < height)
    if first:
        tl.store(sigmas + this, sigma)
    for left in range(0, width, MANY):
        columns = left + tl.arange(0, MANY)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        tl.store(divided + places, tl.load(matrices + places, mask=inside, other=0.0) / sigma, mask=inside)
        if first:
            direction = tl.load(preimage + this * width + columns, mask=columns < width, other=0.0) / sigma
            tl.store(v + this * width + columns, direction, mask=columns < width)
            tl.store(new_v + this * width + columns, direction, mask=columns < width)
