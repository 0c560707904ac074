"""A trial that found no memory on a card that it shares with others: it goes on once, alone on a card."""

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
    """Raised by the trial's process, which ends with it and so leaves the card.

    It says that the process was preempted: such an end Ray does not count among those that `resources.retries` allows.
    """

    def __init__(self, message: str) -> None:
        super().__init__(**preempted_error(message))


def share_of_a_card() -> float:
    """The share of a card that Ray granted this process: 0 if none, below 1 if others may be on it as well."""
    return float(ray.get_runtime_context().get_assigned_resources().get(GPU, 0.0))


def alone_reason(error: BaseException) -> str:
    """A sentence on the failure of a trial that had a card to itself."""
    return (
        "CUDA out of memory alone on the card: lower `batch` or `architecture.width`, or train one seed after the "
        f"other by `seeds_together: one-by-one` ({reason(error)})"
    )


class AloneOnFullCard:
    """Mixed into a scheduler: what a trial asks for becomes a whole card once its share of one was too small.

    Ray tells schedulers of an error while the trial waits for nothing, the only time when that may change.
    """

    def on_trial_error(self, tune_controller: Any, trial: RayTrial) -> None:
        """Ask for a whole card if that is why the trial stopped, then do what the scheduler does."""
        if isinstance(error_of(trial), FullCardError):
            [request] = trial.placement_group_factory.bundles
            trial.update_resources(PlacementGroupFactory([{**request, GPU: 1.0}]))
        super().on_trial_error(tune_controller, trial)  # type: ignore[misc]
