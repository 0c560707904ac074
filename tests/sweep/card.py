"""A card of 80 GiB that is none, for the process that measures; an extension for the sweeps in `test_gpus`.

CUDA itself takes 2 GiB of it, and a trial of the architecture `sized` 50 GiB times its width.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import ray
import torch

from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.sweep.engine import gpus

GIB = 2**30
_widths: list[float] = []


@register_architecture("sized")
def _sized(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    _widths.append(width)
    return mlp(image_shape, latent_dim, q_dim, width)


@register_architecture("too-large")
def _too_large(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 PiB")


@register_architecture("broken")
def _broken(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    raise ValueError("a fault of the user's own")


def pretend(set_attribute: Callable[[object, str, object], None]) -> None:
    """Let the module that measures see the card; all others are told the truth."""
    cuda = SimpleNamespace(
        is_available=lambda: True,
        max_memory_reserved=lambda: int(50 * GIB * _widths[-1]),
        memory_reserved=lambda: 1 * GIB,
        mem_get_info=lambda: (77 * GIB, 80 * GIB),
        get_device_name=lambda: "Pretended H100",
    )
    set_attribute(gpus, "torch", SimpleNamespace(cuda=cuda, set_num_threads=torch.set_num_threads))
    set_attribute(gpus, "granted_device", lambda: "cpu")


def _in_a_task() -> bool:
    """Whether this is the process of a task: trials are actors, and the driver is neither."""
    context = ray.get_runtime_context()
    return context.worker.mode == ray.WORKER_MODE and context.get_actor_id() is None


if ray.is_initialized() and _in_a_task():
    pretend(setattr)
