"""An architecture that stops in its middle until a file named `open` lies beside this one.

It counts the batches that G trains on, a byte each, in a file for each process. Where there is a file named
`handover`, the process that first is handed a second trial takes it away and dies.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from torch import Tensor, nn

from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp

PLACE = Path(__file__).parent
MIDDLE = 25  # batches, one a step: in the third interval of ten steps
built = 0


class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.batches += 1
            with (PLACE / "batches" / str(os.getpid())).open("ab") as count:
                count.write(b".")
            while self.batches >= MIDDLE and not (PLACE / "open").exists():
                time.sleep(0.02)
        return x


@register_architecture("gated")
def _gated(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    global built
    built += width > 0.02  # narrower ones are the driver's, to try whether they fit together
    if built == 2 and (PLACE / "handover").exists():
        (PLACE / "handover").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    networks = mlp(image_shape, latent_dim, q_dim, width)
    networks.G = nn.Sequential(networks.G, Gate())
    return networks
