"""Layers that the architectures share, and batches that pass through layers together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


# Images are channels_last in memory, so rows in this order need no copy, neither forward nor backward.
class ToRows(nn.Module):
    """Images (B, C, H, W) -> (B, H W C)."""

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(1)


class ToImages(nn.Module):
    """Rows (B, H W C) -> (B, C, H, W)."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shape = height, width, channels

    def forward(self, rows: Tensor) -> Tensor:
        return torch.unflatten(rows, 1, self.shape).permute(0, 3, 1, 2)


# Layers that treat each image by itself and always alike. A subclass may not, such as those of parametrizations.
_OF_ONE_IMAGE = frozenset(
    {
        nn.Sequential,
        nn.Linear,
        nn.Conv2d,
        nn.ZeroPad2d,
        nn.LeakyReLU,
        nn.ReLU,
        nn.Tanh,
        nn.Identity,
        nn.Flatten,
        ToRows,
    }
)
_BATCH_NORMS = frozenset({nn.BatchNorm1d, nn.BatchNorm2d})


def each_apart(module: nn.Module, batches: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The outputs of `module` for each batch (n, ...), as if the batches passed one after another.

    If all its layers allow it, the batches pass together. That costs less: each weight is read once for all of them,
    and its gradient is written once.
    """
    if not all(_lets_pass_together(layer) for layer in module.modules()):
        return {name: module(batch) for name, batch in batches.items()}
    sizes = [len(batch) for batch in batches.values()]
    with _OwnStatistics(sizes):
        made = module(torch.cat(list(batches.values())))
    return dict(zip(batches, made.split(sizes), strict=True))


def _lets_pass_together(layer: nn.Module) -> bool:
    if type(layer) in _BATCH_NORMS:
        return (
            layer.momentum is not None
        )  # otherwise the running statistics would depend on the number of calls
    return type(layer) in _OF_ONE_IMAGE


class _OwnStatistics(TorchFunctionMode):
    """A context in which BatchNorm takes the parts of a batch, of sizes `sizes`, one after another."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self._sizes = list(sizes)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not F.batch_norm:
            return func(*args, **(kwargs or {}))
        batch, *more = args
        return torch.cat([func(part, *more, **(kwargs or {})) for part in batch.split(self._sizes)])
