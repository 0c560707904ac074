"""Patches of images: what a convolution multiplies by its weights, and what a transposed one adds up.

Each of the two operations is the other's gradient. Images are (N, H, W, C) here, or (R, N, H, W, C) of R replicas, and
patches (..., N, H', W', kernel height, kernel width, C).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.networks.triton_here import triton_works


@dataclass(frozen=True)
class Window:
    """The window that a convolution moves over images. Each field is (height, width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    def places(self, height: int, width: int) -> tuple[int, int]:
        """The number of places (H', W') of the window in images of these sides."""
        sides = zip((height, width), self.padding, self.kernel, self.stride, strict=True)
        rows, columns = ((side + 2 * pad - kernel) // stride + 1 for side, pad, kernel, stride in sides)
        return rows, columns

    def size(self, rows: int, columns: int) -> tuple[int, int]:
        """The sides (H, W) of the smallest images that have so many places."""
        places = zip((rows, columns), self.padding, self.kernel, self.stride, strict=True)
        height, width = ((n - 1) * stride + kernel - 2 * pad for n, pad, kernel, stride in places)
        return height, width


def patches_of(images: Tensor, window: Window) -> Tensor:
    """Gather the patch of each place of the window, with zeros beyond the images' edges; vmap takes it."""
    made: Tensor = _Gathered.apply(images, window)
    return made


def images_of(patches: Tensor, window: Window) -> Tensor:
    """Lay patches into the smallest images that hold them, and add them up where they overlap; vmap takes it."""
    made: Tensor = _AddedUp.apply(patches, *window.size(*patches.shape[-5:-3]), window)
    return made


class _Gathered(torch.autograd.Function):
    """`gather`, whose gradient is `add_up`."""

    @staticmethod
    def forward(images: Tensor, window: Window) -> Tensor:
        if images.dim() == 4:
            return _Gathered.forward(images[None], window)[0]
        made: Tensor = form_of(images).gather(images, window)
        return made

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        images, ctx.window = inputs
        ctx.size = images.shape[-3:-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _AddedUp.apply(gradient, *ctx.size, ctx.window), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], images: Tensor, window: Window) -> tuple[Tensor, int]:
        return _Gathered.apply(images.movedim(in_dims[0], 0), window), 0


class _AddedUp(torch.autograd.Function):
    """`add_up`, whose gradient is `gather`."""

    @staticmethod
    def forward(patches: Tensor, height: int, width: int, window: Window) -> Tensor:
        if patches.dim() == 6:
            return _AddedUp.forward(patches[None], height, width, window)[0]
        made: Tensor = form_of(patches).add_up(patches, height, width, window)
        return made

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        *_, ctx.window = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _Gathered.apply(gradient, ctx.window), None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], patches: Tensor, *more: Any) -> tuple[Tensor, int]:
        return _AddedUp.apply(patches.movedim(in_dims[0], 0), *more), 0


class PatchOperations:
    """Both directions in torch's operations, of any type of numbers, on any device."""

    @staticmethod
    def gather(images: Tensor, window: Window) -> Tensor:
        """Copy the patches (R, N, H', W', kernel height, kernel width, C) of images (R, N, H, W, C)."""
        (kernel_h, kernel_w), (stride_h, stride_w) = window.kernel, window.stride
        pad_h, pad_w = window.padding
        padded = F.pad(images, (0, 0, pad_w, pad_w, pad_h, pad_h))
        patches = padded.unfold(2, kernel_h, stride_h).unfold(3, kernel_w, stride_w)
        return patches.movedim(4, -1).contiguous()

    @staticmethod
    def add_up(patches: Tensor, height: int, width: int, window: Window) -> Tensor:
        """Lay patches into images (R, N, height, width, C), and add them up where they overlap."""
        replicas, n, rows = patches.shape[:3]
        (pad_h, pad_w), (stride_h, stride_w) = window.padding, window.stride
        patches = patches.transpose(3, 4)  # (R, N, H', kernel height, W', kernel width, C)
        across = torch.unflatten(_overlapped(patches.flatten(0, 3), stride_w), 0, (replicas * n, rows, -1))
        whole = _overlapped(across, stride_h)
        # the last rows and columns, which no place of the window reaches
        rows_left, columns_left = height + 2 * pad_h - whole.shape[1], width + 2 * pad_w - whole.shape[2]
        whole = F.pad(whole, (0, 0, 0, columns_left, 0, rows_left))
        inside = whole[:, pad_h : pad_h + height, pad_w : pad_w + width]
        return torch.unflatten(inside, 0, (replicas, n)).contiguous()


def _overlapped(patches: Tensor, stride: int) -> Tensor:
    """Lay patches (B, n, kernel, ...) beside each other, `stride` apart, and add them up: (B, length, ...)."""
    n, kernel = patches.shape[1:3]
    blocks = -(-kernel // stride)  # a patch covers so many blocks of `stride` places
    after = [0] * (2 * (patches.dim() - 3))  # F.pad counts dimensions from the last
    patches = F.pad(patches, [*after, 0, blocks * stride - kernel])
    of_block = torch.unflatten(patches, 2, (blocks, stride)).unbind(2)
    total = F.pad(of_block[0], [*after, 0, 0, 0, blocks - 1])
    for k, block in enumerate(of_block[1:], start=1):
        total = total + F.pad(block, [*after, 0, 0, k, blocks - 1 - k])
    return total.flatten(1, 2)[:, : (n - 1) * stride + kernel]


def form_of(tensor: Tensor) -> type[PatchOperations] | ModuleType:
    """Choose the `gather` and `add_up` of a tensor: Triton's kernels where they run, else torch's operations."""
    if tensor.is_cuda and tensor.dtype is not torch.float64 and triton_works():
        from infogan_bench.training import patches_kernel

        return patches_kernel
    return PatchOperations
