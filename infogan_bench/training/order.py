"""Streams of random numbers, and the order in which images are taken."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def seeded(seed: int, *stream: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a generator for one use of randomness: 0 weights, 1 latents, 2 + epoch the images' order.

    The numbers are mixed into one number of 32 bits, since torch's CPU generator ignores higher bits.
    """
    mixed = np.random.SeedSequence([seed, *stream]).generate_state(1)
    return torch.Generator(device).manual_seed(int(mixed[0]))


def epoch_order(seed: int, epoch: int, n: int) -> Tensor:
    """The order (n,) of the images in an epoch. It follows from seed and epoch, so checkpoints do not hold it."""
    return torch.randperm(n, generator=seeded(seed, 2 + epoch))


def image_indices(seed: int, n: int, batch: int, done: int, steps: int) -> Tensor:
    """The numbers (steps, batch) of the images of the `steps` updates after the first `done` ones.

    Each epoch has a new order of the n images, and drops its last partial batch.
    """
    per_epoch = n // batch
    epochs = range(done // per_epoch, (done + steps - 1) // per_epoch + 1)
    rows = [epoch_order(seed, epoch, n)[: per_epoch * batch].view(-1, batch) for epoch in epochs]
    start = done % per_epoch
    return torch.cat(rows)[start : start + steps]
