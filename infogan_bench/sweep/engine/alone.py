"""A mixin of schedulers: a trial that has to continue elsewhere is sent there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Trial as RayTrial

from infogan_bench.sweep.engine.full_card import GPU, FullCardError, PackLostError
from infogan_bench.sweep.engine.ray_private import error_of
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, planned_trial_of


class AloneAfterFault:
    """A trial asks for a whole card after its share of a card was too small, and trains apart after it lost its pack.

    Ray tells schedulers of an error while the trial waits for no resources, the only time when its request may change.
    """

    def on_trial_error(self, tune_controller: Any, trial: RayTrial) -> None:
        """Change what the trial asks for, then do what the scheduler does."""
        error = error_of(trial)
        if isinstance(error, FullCardError):
            [request] = trial.placement_group_factory.bundles
            trial.update_resources(PlacementGroupFactory([{**request, GPU: 1.0}]))
        if isinstance(error, PackLostError):
            apart = replace(planned_trial_of(trial.config), packed=False)
            trial.set_config({**trial.config, PLANNED_TRIAL: apart.to_json()})
        super().on_trial_error(tune_controller, trial)  # type: ignore[misc]
