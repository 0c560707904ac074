"""Architectures that find no memory on their card; an extension for the sweeps in `test_gpus`.

Each is an `mlp` that notes, in a file of its name in the folder GREEDY_FOLDER, what Ray granted the process of a trial
where it begins or goes on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import ray
import torch
from torch import Tensor, nn

from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp

FOLDER = Path(os.environ.get("GREEDY_FOLDER", "/nonexistent"))


class _Asks(nn.Module):
    """Passes its input on; at batch `when` of a trial's process it lacks memory with less than `enough` GPUs."""

    def __init__(self, name: str, when: int, enough: float) -> None:
        super().__init__()
        self.name, self.when, self.enough = name, when, enough
        self.batches = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training and ray.get_runtime_context().get_actor_id():
            self.batches += 1
            granted = ray.get_runtime_context().get_assigned_resources()
            if self.batches == 1:
                self.note(granted)
            if self.batches == self.when and granted["GPU"] < self.enough:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 PiB")
        return x

    def note(self, granted: dict[str, float]) -> None:
        file = FOLDER / self.name
        before = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        note = {
            "pid": os.getpid(),
            "granted": granted,
            "alive": [run["pid"] for run in before if _alive(run["pid"])],
        }
        with file.open("a") as notes:
            notes.write(json.dumps(note) + "\n")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _register(name: str, when: int, enough: float) -> None:
    @register_architecture(name)
    def build(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        networks.G = nn.Sequential(networks.G, _Asks(name, when, enough))
        return networks


_register("content", when=30, enough=0.0)
_register("greedy", when=30, enough=1.0)  # in the middle of the second of two intervals
_register("insatiable", when=5, enough=2.0)
