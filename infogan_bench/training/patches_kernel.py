"""Patches of images, gathered in one kernel and added up in another, in Triton.

torch needs four to ten operations for either. Most of them copy all patches, which hold several times as many numbers
as the images.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from infogan_bench.training.patches import Window

_NUMBERS = 2048  # numbers that a program reads or writes
_IN_A_ROW = 128  # at most so many of them lie side by side in memory


def gather(images: Tensor, window: Window) -> Tensor:
    """`patches.PatchOperations.gather` of images (R, N, H, W, C); they are copied first if C does not lie innermost."""
    replicas, n, height, width, channels = images.shape
    if channels > 1 and images.stride(-1) != 1:
        images = images.contiguous()
    rows, columns = window.places(height, width)
    patches = images.new_empty(replicas, n, rows, columns, *window.kernel, channels)
    n_patches, of_a_patch = replicas * n * rows * columns, patches[0, 0, 0, 0].numel()
    together = min(_IN_A_ROW, triton.next_power_of_2(of_a_patch))
    grid = triton.cdiv(n_patches, _NUMBERS // together), triton.cdiv(of_a_patch, together)
    with torch.cuda.device_of(images):
        _gather[grid](
            images, patches, *images.stride()[:4], n, height, width, rows, columns, n_patches,
            CHANNELS=channels, KERNEL_W=window.kernel[1], OF_A_PATCH=of_a_patch,
            STRIDE_H=window.stride[0], STRIDE_W=window.stride[1], PAD_H=window.padding[0], PAD_W=window.padding[1],
            PATCHES=_NUMBERS // together, TOGETHER=together,
        )  # fmt: skip
    return patches


def add_up(patches: Tensor, height: int, width: int, window: Window) -> Tensor:
    """`patches.PatchOperations.add_up` of patches (R, N, H', W', *kernel, C)."""
    patches = patches.contiguous()
    replicas, n, rows, columns, *_, channels = patches.shape
    images = patches.new_empty(replicas, n, height, width, channels)
    pixels = replicas * n * height * width
    together = min(_IN_A_ROW, triton.next_power_of_2(channels))
    grid = triton.cdiv(pixels, _NUMBERS // together), triton.cdiv(channels, together)
    with torch.cuda.device_of(patches):
        _add_up[grid](
            patches, images, height, width, rows, columns, pixels,
            CHANNELS=channels, KERNEL_H=window.kernel[0], KERNEL_W=window.kernel[1],
            STRIDE_H=window.stride[0], STRIDE_W=window.stride[1], PAD_H=window.padding[0], PAD_W=window.padding[1],
            PIXELS=_NUMBERS // together, TOGETHER=together,
        )  # fmt: skip
    return images


@triton.jit
def _gather(
    images, patches, of_replica, of_image, of_row, of_column, n, height, width, rows, columns, n_patches,
    CHANNELS: tl.constexpr, KERNEL_W: tl.constexpr, OF_A_PATCH: tl.constexpr, STRIDE_H: tl.constexpr,
    STRIDE_W: tl.constexpr, PAD_H: tl.constexpr, PAD_W: tl.constexpr, PATCHES: tl.constexpr, TOGETHER: tl.constexpr,
):  # fmt: skip
    """Copy a part of a few patches; `of_replica` to `of_column` are the strides of the images."""
    patch = tl.program_id(0) * PATCHES + tl.arange(0, PATCHES)
    place = patch % (rows * columns)
    image = patch // (rows * columns)
    first = (image // n).to(tl.int64) * of_replica + (image % n).to(tl.int64) * of_image
    top = (place // columns) * STRIDE_H - PAD_H
    left = (place % columns) * STRIDE_W - PAD_W
    number = tl.program_id(1) * TOGETHER + tl.arange(0, TOGETHER)
    tap = number // CHANNELS
    y = top[:, None] + (tap // KERNEL_W)[None, :]
    x = left[:, None] + (tap % KERNEL_W)[None, :]
    there = (patch < n_patches)[:, None] & (number < OF_A_PATCH)[None, :]
    inside = there & (y >= 0) & (y < height) & (x >= 0) & (x < width)
    source = first[:, None] + y * of_row + x * of_column + (number % CHANNELS)[None, :]
    target = patch.to(tl.int64)[:, None] * OF_A_PATCH + number[None, :]
    tl.store(patches + target, tl.load(images + source, mask=inside, other=0.0), mask=there)


@triton.jit
def _add_up(
    patches, images, height, width, rows, columns, pixels,
    CHANNELS: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_H: tl.constexpr,
    STRIDE_W: tl.constexpr, PAD_H: tl.constexpr, PAD_W: tl.constexpr, PIXELS: tl.constexpr, TOGETHER: tl.constexpr,
):  # fmt: skip
    """Add up some channels of a few pixels: at each place in a patch, find the patch that has the pixel there."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * TOGETHER + tl.arange(0, TOGETHER)
    image = (pixel // (height * width)).to(tl.int64)
    y = (pixel // width) % height + PAD_H
    x = pixel % width + PAD_W
    there = (pixel < pixels)[:, None] & (channel < CHANNELS)[None, :]
    total = tl.zeros([PIXELS, TOGETHER], tl.float32)
    for tap_y in tl.static_range(KERNEL_H):
        row = (y - tap_y) // STRIDE_H
        in_column = (y >= tap_y) & ((y - tap_y) % STRIDE_H == 0) & (row < rows)
        for tap_x in tl.static_range(KERNEL_W):
            column = (x - tap_x) // STRIDE_W
            inside = in_column & (x >= tap_x) & ((x - tap_x) % STRIDE_W == 0) & (column < columns)
            patch = (image * rows + row) * columns + column
            tap = tap_y * KERNEL_W + tap_x
            source = (patch * (KERNEL_H * KERNEL_W) + tap)[:, None] * CHANNELS + channel[None, :]
            total += tl.load(patches + source, mask=there & inside[:, None], other=0.0).to(tl.float32)
    target = pixel.to(tl.int64)[:, None] * CHANNELS + channel[None, :]
    tl.store(images + target, total.to(images.dtype.element_ty), mask=there)
