"""A step of the power method in three kernels, and its gradient in two.

They are written in Triton, which torch's builds for CUDA bring along. A trunk has many small
matrices, and launching the dozen kernels of a step takes a GPU longer than running them.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

# The part of a matrix that a program reads at a time: so many rows, and so many numbers of each; or so many columns,
# and so many numbers of each. The numbers of a column lie apart in memory, those of columns side by side.
_ROWS, _OF_A_ROW = tl.constexpr(4), tl.constexpr(1024)
_COLUMNS, _OF_A_COLUMN = tl.constexpr(32), tl.constexpr(64)
_OF_A_VECTOR = tl.constexpr(1024)
_EPS = tl.constexpr(1e-12)  # the smallest length that divides a vector, as in `spectral`


def normalise(matrices: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`spectral.SpectralOperations.normalise`."""
    n, height, width = matrices.shape
    divided = torch.empty_like(matrices)
    # for each matrix M: M v, M^T u, both scaled to length 1 (the new u and v), and sigma
    vectors = matrices.new_empty(n, 2 * (height + width) + 1)
    of_rows, of_columns = (triton.cdiv(height, _ROWS.value), n), (triton.cdiv(width, _COLUMNS.value), n)
    with torch.cuda.device_of(matrices):
        _times_v[of_rows](matrices, v, vectors, height, width)
        _times_u[of_columns](matrices, vectors, height, width)
        _divide[of_rows](matrices, vectors, divided, u, v, height, width)
    *_, new_u, new_v, sigma = vectors.split((height, width, height, width, 1), dim=1)
    return divided, new_u, new_v, sigma.squeeze(1)


def gradient(gradient: Tensor, divided: Tensor, u: Tensor, v: Tensor, sigma: Tensor) -> Tensor:
    """`spectral.SpectralOperations.gradient`, given what `normalise` returned."""
    n, height, width = divided.shape
    of_rows = triton.cdiv(height, _ROWS.value), n
    parts = sigma.new_empty(n, of_rows[0])
    found = torch.empty_like(divided)
    with torch.cuda.device_of(divided):
        _along[of_rows](gradient, divided, parts, height, width)
        _subtract[of_rows](
            gradient, parts, found, u, v, sigma, height, width, *(each.stride(0) for each in (u, v, sigma))
        )
    return found


@triton.jit
def _length(vector, n):
    """Return the length of a vector (n,), at least `_EPS`."""
    square = 0.0
    for first in range(0, n, _OF_A_VECTOR):
        places = first + tl.arange(0, _OF_A_VECTOR)
        values = tl.load(vector + places, mask=places < n, other=0.0)
        square += tl.sum(values * values, axis=0)
    return tl.maximum(tl.sqrt(square), _EPS)


@triton.jit
def _times_v(matrices, v, vectors, height, width):
    """Compute M v (h,) for a few rows of a matrix M (h, w)."""
    this = tl.program_id(1)
    rows = tl.program_id(0) * _ROWS + tl.arange(0, _ROWS)
    total = tl.zeros([_ROWS], tl.float32)
    for left in range(0, width, _OF_A_ROW):
        columns = left + tl.arange(0, _OF_A_ROW)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        factor = tl.load(v + this * width + columns, mask=columns < width, other=0.0)
        total += tl.sum(tl.load(matrices + places, mask=inside, other=0.0) * factor[None, :], axis=1)
    tl.store(vectors + this * (2 * (height + width) + 1) + rows, total, mask=rows < height)


@triton.jit
def _times_u(matrices, vectors, height, width):
    """Compute M^T u (w,) for a few columns of M; u is M v scaled to length 1."""
    this = tl.program_id(1)
    columns = tl.program_id(0) * _COLUMNS + tl.arange(0, _COLUMNS)
    vectors += this * (2 * (height + width) + 1)
    length = _length(vectors, height)
    total = tl.zeros([_COLUMNS], tl.float32)
    for top in range(0, height, _OF_A_COLUMN):
        rows = top + tl.arange(0, _OF_A_COLUMN)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        factor = tl.load(vectors + rows, mask=rows < height, other=0.0) / length
        total += tl.sum(tl.load(matrices + places, mask=inside, other=0.0) * factor[:, None], axis=0)
    tl.store(vectors + height + columns, total, mask=columns < width)


@triton.jit
def _divide(matrices, vectors, divided, u, v, height, width):
    """Divide a few rows by sigma, the length of M^T u, and write their part of u; the first program also writes v and
    sigma."""
    this = tl.program_id(1)
    first = tl.program_id(0) == 0
    rows = tl.program_id(0) * _ROWS + tl.arange(0, _ROWS)
    vectors += this * (2 * (height + width) + 1)
    sigma = _length(vectors + height, width)
    of_u = tl.load(vectors + rows, mask=rows < height, other=0.0) / _length(vectors, height)
    tl.store(u + this * height + rows, of_u, mask=rows < height)
    tl.store(vectors + height + width + rows, of_u, mask=rows < height)
    for left in range(0, width, _OF_A_ROW):
        columns = left + tl.arange(0, _OF_A_ROW)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        tl.store(divided + places, tl.load(matrices + places, mask=inside, other=0.0) / sigma, mask=inside)
        if first:
            of_v = tl.load(vectors + height + columns, mask=columns < width, other=0.0) / sigma
            tl.store(v + this * width + columns, of_v, mask=columns < width)
            tl.store(vectors + 2 * height + width + columns, of_v, mask=columns < width)
    if first:
        tl.store(vectors + 2 * (height + width), sigma)


@triton.jit
def _along(gradient, divided, parts, height, width):
    """Compute the part of <g, M / sigma> that comes from a few rows."""
    this = tl.program_id(1)
    rows = tl.program_id(0) * _ROWS + tl.arange(0, _ROWS)
    total = tl.zeros([_ROWS], tl.float32)
    for left in range(0, width, _OF_A_ROW):
        columns = left + tl.arange(0, _OF_A_ROW)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        g = tl.load(gradient + places, mask=inside, other=0.0)
        total += tl.sum(g * tl.load(divided + places, mask=inside, other=0.0), axis=1)
    tl.store(parts + this * tl.num_programs(0) + tl.program_id(0), tl.sum(total, axis=0))


@triton.jit
def _subtract(gradient, parts, found, u, v, sigmas, height, width, apart_u, apart_v, apart_sigma):
    """Compute (g - <g, M / sigma> u v^T) / sigma for a few rows; `apart_u` is the distance in memory from the u of one
    matrix to that of the next, and so for v and sigma."""
    this = tl.program_id(1)
    n_parts = tl.num_programs(0)
    along = 0.0
    for first in range(0, n_parts, _OF_A_VECTOR):
        places = first + tl.arange(0, _OF_A_VECTOR)
        along += tl.sum(tl.load(parts + this * n_parts + places, mask=places < n_parts, other=0.0), axis=0)
    sigma = tl.load(sigmas + this * apart_sigma)
    rows = tl.program_id(0) * _ROWS + tl.arange(0, _ROWS)
    of_u = tl.load(u + this * apart_u + rows, mask=rows < height, other=0.0) * along
    for left in range(0, width, _OF_A_ROW):
        columns = left + tl.arange(0, _OF_A_ROW)
        inside = (rows < height)[:, None] & (columns < width)[None, :]
        places = this * height * width + rows[:, None] * width + columns[None, :]
        of_v = tl.load(v + this * apart_v + columns, mask=columns < width, other=0.0)
        g = tl.load(gradient + places, mask=inside, other=0.0)
        tl.store(found + places, (g - of_u[:, None] * of_v[None, :]) / sigma, mask=inside)
