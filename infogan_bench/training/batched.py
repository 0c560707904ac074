"""Layers in forms that `vmap` over stacked weights turns into one batched operation.

`vmap` turns R convolutions into one convolution of R groups, for which cuDNN has only slow kernels. If the convolutions
are written as products of matrices, it makes one batched product. It splits BatchNorm into small operations and does
not take cuDNN's; here R BatchNorms are one of R times the channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from infogan_bench.training.patches import Window, images_of, patches_of
from infogan_bench.training.torch_private import is_under_vmap

_PARTS = 8  # parts into which the rows of a product are cut

Pair = int | tuple[int, int] | list[int]


class BatchedLayers(TorchFunctionMode):
    """A context in which the functions below replace torch's BatchNorm and convolutions, where they can.

    Args:
        convolutions: whether convolutions are replaced; on a CPU torch's own, of many groups, are faster.
    """

    def __init__(self, *, convolutions: bool) -> None:
        super().__init__()
        self._replaced = {F.batch_norm: batch_norm} | (_CONVOLUTIONS if convolutions else {})

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        replaced = self._replaced.get(func)
        result = replaced(*args, **(kwargs or {})) if replaced else NotImplemented
        return func(*args, **(kwargs or {})) if result is NotImplemented else result


class _BatchNorm(torch.autograd.Function):
    """`torch.nn.functional.batch_norm`, with a rule for vmap."""

    @staticmethod
    def forward(input: Tensor, *more: Any) -> Tensor:
        return F.batch_norm(input, *more)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep nothing: under vmap torch differentiates the operations of the rule."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], input: Tensor, *more: Any) -> tuple[Tensor, int]:
        def replicas_first(tensor: Tensor, dim: int | None) -> Tensor:
            return tensor.expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)

        x = replicas_first(input, in_dims[0])  # (R, B, C, ...)
        # channels, and replicas before them, innermost in memory: what a product of matrices leaves needs one copy
        x = x.movedim((0, 2), (-2, -1)).flatten(-2).movedim(-1, 1)
        of_channels: list[Any] = [
            replicas_first(each, dim).flatten() if isinstance(each, Tensor) else each
            for each, dim in zip(more, in_dims[1:], strict=True)
        ]
        return torch.unflatten(F.batch_norm(x, *of_channels), 1, (info.batch_size, -1)), 1


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """`torch.nn.functional.batch_norm`, of all replicas at once; NotImplemented outside of vmap."""
    arguments = (input, running_mean, running_var, weight, bias, training, momentum, eps)
    return _BatchNorm.apply(*arguments) if is_under_vmap(input) else NotImplemented


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
    window = Window((weight.shape[2], weight.shape[3]), _pair(stride), _pair(padding))
    patches = patches_of(_in_precision(input).permute(0, 2, 3, 1), window)
    b, h, w = patches.shape[:3]
    made = _product(patches.flatten(0, 2).flatten(1), weight.permute(2, 3, 1, 0).reshape(-1, len(weight)))
    return _with_bias(made.view(b, h, w, -1), bias).permute(0, 3, 1, 2)


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
    window = Window((weight.shape[2], weight.shape[3]), _pair(stride), _pair(padding))
    b, c, h, w = input.shape
    rows = _product(input.permute(0, 2, 3, 1).reshape(-1, c), weight.permute(0, 2, 3, 1).reshape(c, -1))
    made = images_of(rows.view(b, h, w, *window.kernel, -1), window)
    return _with_bias(made, bias).permute(0, 3, 1, 2)


def _with_bias(made: Tensor, bias: Tensor | None) -> Tensor:
    return made if bias is None else made + bias.to(made.dtype)


def _in_precision(tensor: Tensor) -> Tensor:
    """The tensor in the type of numbers of which autocast, where it is on, forms products: before it is copied into
    patches."""
    device = tensor.device.type
    return tensor.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else tensor


def _product(rows: Tensor, matrix: Tensor) -> Tensor:
    """(n, K) @ (K, O), with the rows in a few parts: otherwise a GPU sums the n gradients of `matrix` in too few
    blocks."""
    parts = math.gcd(len(rows), _PARTS)
    made = rows.view(parts, -1, rows.shape[1]) @ matrix.expand(parts, *matrix.shape)
    return made.flatten(0, 1)


def _pair(size: Pair) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


_CONVOLUTIONS: dict[Any, Callable[..., Any]] = {F.conv2d: conv2d, F.conv_transpose2d: conv_transpose2d}
