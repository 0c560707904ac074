"""The check that losses and weights are finite, and the exception that ends a training where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class DivergedError(RuntimeError):
    """A loss or a weight stopped being finite; `step` is the first update where that was seen."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"diverged at step {step}: {what} is not finite")
        self.step = step


def raise_if_diverged(
    networks: nn.Module, step: int, steps: int, quantities: Sequence[str], bad_since: Sequence[int]
) -> None:
    """Check the last `steps` updates, up to `step`.

    Args:
        networks: as they are now.
        step: updates done.
        steps: updates that are checked.
        quantities: names of the values that an update reports.
        bad_since: for each quantity, the first of the updates, from 0, at which it was not finite, or -1.

    Raises:
        DivergedError: if a value was not finite, or a weight is not finite now.
    """
    bad = [(turn, name) for turn, name in zip(bad_since, quantities, strict=True) if turn >= 0]
    if bad:
        turn, name = min(bad, key=lambda item: item[0])
        raise DivergedError(step - steps + turn + 1, name)
    weights = dict(networks.named_parameters())
    finite = torch.stack([weight.sum().isfinite() for weight in weights.values()])
    for name, fine in zip(weights, finite.tolist(), strict=True):  # waits for a GPU only once
        if not fine:
            raise DivergedError(step, name)
