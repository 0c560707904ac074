"""Architectures that go wrong, each in its own way; an extension module for the sweeps in the tests."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp


class AfterSomeSteps(nn.Module):
    """Passes its input on, and calls `act` at its training batch number `when`."""

    def __init__(self, act, when: int) -> None:
        super().__init__()
        self.act = act
        self.when = when
        self.batches = 0

    def forward(self, x: Tensor) -> Tensor:
        self.batches += self.training
        if self.batches == self.when:
            self.act()
        return x


def _mlp_that(act, when: int = 30):
    def build(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        networks.G = nn.Sequential(networks.G, AfterSomeSteps(act, when))
        return networks

    return build


def _raise() -> None:
    raise RuntimeError(f"<b>a fault of the user's own</b> with {torch.get_num_threads()} threads")


def _kill_once() -> None:
    """SIGKILL, but only the first time: the file remembers."""
    mark = os.environ.get("FAULTY_MARK", "")
    if mark and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)


register_architecture("raises")(_mlp_that(_raise))
register_architecture("exits")(_mlp_that(lambda: sys.exit(0)))
register_architecture("killed-once")(_mlp_that(_kill_once))
register_architecture("killed")(_mlp_that(lambda: os.kill(os.getpid(), signal.SIGKILL), when=15))


@register_architecture("diverges")
def _diverges(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    networks = mlp(image_shape, latent_dim, q_dim, width)
    networks.D_head = nn.Sequential(networks.D_head, _Overflow())
    return networks


class _Overflow(nn.Module):
    """Multiplies by infinity from the 100th batch on (three batches a step: step 34)."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def forward(self, x: Tensor) -> Tensor:
        self.batches += self.training
        return x * float("inf") if self.batches >= 100 else x
