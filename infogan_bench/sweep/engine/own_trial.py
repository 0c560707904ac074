"""A trial that trains in the process that Tune knows it by, and where it trains. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import ray
import torch

from infogan_bench.config import SweepConfig, apply
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.extensions import load_extensions
from infogan_bench.sweep.engine.trainable import Shared
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.trial import Trial, TrialSpec


def own_trial(shared: Shared, planned: PlannedTrial) -> tuple[Trial, str | None]:
    """Begin a trial in this process; return it, and a warning to the user."""
    torch.set_num_threads(shared.threads)
    load_extensions(shared.sweep.extensions, shared.extensions)
    device, warning = device_of(ray.get_gpu_ids())
    return Trial(trial_spec(shared.sweep, planned), device, ray.get(shared.dataset)), warning


def trial_spec(sweep: SweepConfig, planned: PlannedTrial) -> TrialSpec:
    """The specification of a trial of `sweep`."""
    return TrialSpec(
        trial_id=planned.trial_id,
        params=planned.params,
        run=apply(sweep.base, planned.values),
        dataset=sweep.dataset,
        evaluation=sweep.evaluation,
        seeds=sweep.seeds,
        seeds_together=sweep.seeds_together,
        mutations=planned.mutations,
        moving=tuple(sweep.space) if find_scheduler(sweep.scheduler).population else (),
    )


def device_of(cards: Sequence[object]) -> tuple[str, str | None]:
    """The GPU that Ray granted (it hides the others), or the CPU where it granted none; and a warning to the user."""
    if not cards:
        return "cpu", None
    if torch.cuda.is_available():
        return "cuda", None
    return "cpu", (
        f"Ray grants trials a GPU on node {ray.util.get_node_ip_address()}, but torch sees no CUDA there: they train "
        "on the CPU"
    )


def granted_device() -> str:
    """The device of this process: see `device_of`."""
    return device_of(ray.get_gpu_ids())[0]
