"""A trial that ran out of memory on a card that it shares. It continues once, alone on a card."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Trial as RayTrial

from infogan_bench.errors import reason
from infogan_bench.sweep.engine.ray_private import error_of, preempted_error

GPU = "GPU"


class FullCardError(RayActorError):  # type: ignore[misc]
    """The error with which the process of such a trial ends, which frees its part of the card.

    It says that the process was preempted. Ray does not count such an end among those that `resources.retries` allows.
    """

    def __init__(self, message: str) -> None:
        super().__init__(**preempted_error(message))


def share_of_a_card() -> float:
    """The share of a card that Ray granted this process: 0 for none, below 1 if others may use the card as well."""
    return float(ray.get_runtime_context().get_assigned_resources().get(GPU, 0.0))


def alone_reason(error: BaseException) -> str:
    """The reason for the failure of a trial that had a card of its own."""
    return (
        "CUDA out of memory alone on the card: lower `batch` or `architecture.width`, or train one seed after the "
        f"other by `seeds_together: one-by-one` ({reason(error)})"
    )


class AloneOnFullCard:
    """A mixin of schedulers: a trial asks for a whole card after its share of a card was too small.

    Ray tells schedulers of an error while the trial waits for no resources, the only time when its request may change.
    """

    def on_trial_error(self, tune_controller: Any, trial: RayTrial) -> None:
        """Ask for a whole card if that is why the trial stopped, then do what the scheduler does."""
        if isinstance(error_of(trial), FullCardError):
            [request] = trial.placement_group_factory.bundles
            trial.update_resources(PlacementGroupFactory([{**request, GPU: 1.0}]))
        super().on_trial_error(tune_controller, trial)  # type: ignore[misc]
