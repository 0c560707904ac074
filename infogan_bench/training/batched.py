"""Layers in forms that `vmap` over stacked weights turns into one batched operation.

`vmap` makes R convolutions into one of R groups, for which cuDNN has slow kernels only; of the same convolutions as
products of matrices it makes one batched product. And cuDNN's BatchNorm asks how a tensor lies in memory, which `vmap`
does not answer; torch's own does not ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Pair = int | tuple[int, int] | list[int]


class BatchedLayers(TorchFunctionMode):
    """In here torch's convolutions and BatchNorm are those below, wherever those are defined."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        replaced = _REPLACED.get(func)
        result = replaced(*args, **(kwargs or {})) if replaced else NotImplemented
        return func(*args, **(kwargs or {})) if result is NotImplemented else result


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`torch.nn.functional.batch_norm` without cuDNN."""
    normalised: Tensor = torch.native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]
    return normalised


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Any:
    """`torch.nn.functional.conv2d` as a product of matrices; NotImplemented with dilation, groups or named padding."""
    if isinstance(padding, str) or _pair(dilation) != (1, 1) or groups != 1:
        return NotImplemented
    (kernel_h, kernel_w), (stride_h, stride_w), (pad_h, pad_w) = (
        weight.shape[2:],
        _pair(stride),
        _pair(padding),
    )
    padded = F.pad(input.permute(0, 2, 3, 1), (0, 0, pad_w, pad_w, pad_h, pad_h))
    patches = padded.unfold(1, kernel_h, stride_h).unfold(2, kernel_w, stride_w)  # (B, H', W', C, kernel)
    b, h, w = patches.shape[:3]
    rows = patches.permute(0, 1, 2, 4, 5, 3).reshape(b * h * w, -1)
    made = _product(rows, weight.permute(2, 3, 1, 0).reshape(-1, len(weight)), bias)
    return made.view(b, h, w, -1).permute(0, 3, 1, 2)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Any:
    """`torch.nn.functional.conv_transpose2d` as a product of matrices, whose patches are added where they overlap;
    NotImplemented with dilation, groups or output padding."""
    if _pair(output_padding) != (0, 0) or _pair(dilation) != (1, 1) or groups != 1:
        return NotImplemented
    (kernel_h, kernel_w), (stride_h, stride_w), (pad_h, pad_w) = (
        weight.shape[2:],
        _pair(stride),
        _pair(padding),
    )
    b, c, h, w = input.shape
    rows = input.permute(0, 2, 3, 1).reshape(-1, c) @ weight.permute(0, 2, 3, 1).reshape(c, -1)
    patches = rows.view(b, h, w, kernel_h, kernel_w, -1).permute(0, 1, 3, 2, 4, 5)
    across = torch.unflatten(_overlapped(patches.flatten(0, 2), stride_w), 0, (b, h, kernel_h))
    whole = _overlapped(across, stride_h)  # (B, H', W', C')
    made = whole[:, pad_h : whole.shape[1] - pad_h, pad_w : whole.shape[2] - pad_w]
    return (made if bias is None else made + bias).permute(0, 3, 1, 2)


def _overlapped(patches: Tensor, stride: int) -> Tensor:
    """Lay patches (B, n, kernel, ...) beside each other, `stride` apart, and add them up: (B, length, ...)."""
    n, kernel = patches.shape[1:3]
    blocks = -(-kernel // stride)  # of `stride` places each, on which a patch lies
    after = [0] * (2 * (patches.dim() - 3))  # F.pad counts dimensions from the last
    patches = F.pad(patches, [*after, 0, blocks * stride - kernel])
    of_block = torch.unflatten(patches, 2, (blocks, stride)).unbind(2)
    total = F.pad(of_block[0], [*after, 0, 0, 0, blocks - 1])
    for k, block in enumerate(of_block[1:], start=1):
        total = total + F.pad(block, [*after, 0, 0, k, blocks - 1 - k])
    return total.flatten(1, 2)[:, : (n - 1) * stride + kernel]


def _product(rows: Tensor, matrix: Tensor, bias: Tensor | None) -> Tensor:
    return rows @ matrix if bias is None else torch.addmm(bias, rows, matrix)


def _pair(size: Pair) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


_REPLACED: dict[Any, Callable[..., Any]] = {
    F.batch_norm: batch_norm,
    F.conv2d: conv2d,
    F.conv_transpose2d: conv_transpose2d,
}
