"""Errors of a trial that has no fault of its own and continues elsewhere: alone on a card, or apart from its pack."""

from __future__ import annotations

import ray
from ray.exceptions import RayActorError

from infogan_bench.errors import reason
from infogan_bench.sweep.engine.ray_private import preempted_error

GPU = "GPU"


class ElsewhereError(RayActorError):  # type: ignore[misc]
    """The error with which the process of such a trial ends.

    It says that the process was preempted. Ray does not count such an end among those that `resources.retries` allows.
    """

    def __init__(self, message: str) -> None:
        super().__init__(**preempted_error(message))


class FullCardError(ElsewhereError):
    """A trial ran out of memory on a card that it shares. The end of its process frees its part of the card."""


class PackLostError(ElsewhereError):
    """The process in which a trial trained with others died, or their stack raised an exception, whichever of them
    was the cause."""


def share_of_a_card() -> float:
    """The share of a card that Ray granted this process: 0 for none, below 1 if others may use the card as well."""
    return float(ray.get_runtime_context().get_assigned_resources().get(GPU, 0.0))


def alone_reason(error: BaseException) -> str:
    """The reason for the failure of a trial that had a card of its own."""
    return (
        "CUDA out of memory alone on the card: lower `batch` or `architecture.width`, or train one seed after the "
        f"other by `seeds_together: one-by-one` ({reason(error)})"
    )
