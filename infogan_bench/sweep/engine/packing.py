"""Which trials of a sweep train together on the cluster that there is."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from infogan_bench.codes import LatentCodes
from infogan_bench.config import RunConfig, SweepConfig, apply
from infogan_bench.config.packing import Packing
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.methods import build_model
from infogan_bench.sweep.engine.full_card import GPU
from infogan_bench.sweep.engine.nodes import live_nodes
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.training import check_stackable


class Packer:
    """Says of each trial whether it trains in a stack with others.

    Args:
        sweep: the sweep.
        packing: what its file tells.
        dataset: its images.
    """

    def __init__(self, sweep: SweepConfig, packing: Packing, dataset: ImageDataset) -> None:
        self._sweep = sweep
        self._packing = packing
        self._image_shape = dataset.image_shape
        self._stackable: dict[tuple[str, str], bool] = {}  # by method and architecture

    def fits(self, planned: PlannedTrial) -> bool:
        """Say whether the trial may find others to train with, and its networks can be stacked."""
        run = apply(self._sweep.base, planned.values)
        return self._packing.fits(run) and self._can_be_stacked(run)

    def _can_be_stacked(self, run: RunConfig) -> bool:
        name = (run.method.name, run.architecture.name)
        if name not in self._stackable:
            self._stackable[name] = unstackable(run, self._image_shape) is None
        return self._stackable[name]


def unstackable(run: RunConfig, image_shape: tuple[int, int, int]) -> str | None:
    """Say why networks of a run's architecture cannot be stacked; None if they can. It is tried with narrow ones."""
    narrow = apply(run, {"architecture.width": 0.01})
    try:
        replicas = [
            build_model(narrow, image_shape, torch.Generator().manual_seed(seed)).networks for seed in (0, 1)
        ]
        check_stackable(replicas, LatentCodes(run.codes, fixed_std=run.objective.fixed_std))
    except Exception as error:  # a fault of a user's module fails its trials, never a sweep
        return str(error)
    return None


def trials_at_once(request: Mapping[str, float]) -> int:
    """The number of trials that run at once on a card, or on a node where they have none; call it while Ray runs."""
    share = request.get(GPU, 0.0)
    others = [(name, amount) for name, amount in request.items() if name != GPU]
    nodes = (node["Resources"] for node in live_nodes())
    on_a_node = (
        min((int(node.get(name, 0) / amount + 1e-6) for name, amount in others), default=1)
        for node in nodes
        if not share or node.get(GPU, 0)
    )
    most = max(on_a_node, default=1)
    return min(most, int(1 / share + 1e-6)) if share else most


def refuse_alone(request: Mapping[str, float]) -> None:
    """Refuse `trials_together: packed` where one trial runs at a time.

    Raises:
        InputError: saying what to ask for instead.
    """
    key = "gpus" if request.get(GPU) else "cpus"
    raise InputError(
        f"resources.trials_together: `packed`, but one trial takes {request.get(key.upper()[:-1], 0):g} {key}, which "
        "leaves no room for another; ask for less, such as "
        f"`resources.{key}: 0.25`"
    )
