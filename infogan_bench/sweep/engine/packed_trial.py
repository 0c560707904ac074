"""A trial that trains in a host (`pack_host`), as the process that Tune knows it by sees it. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from infogan_bench.errors import TrialFault, reason
from infogan_bench.records import TrialUpdate
from infogan_bench.sweep.engine.full_card import PackLostError
from infogan_bench.sweep.engine.pack_host import Hosts
from infogan_bench.sweep.planned_trial import PlannedTrial


class PackedTrial:
    """A trial that trains in a host, with those methods of `Trial` that the process of a trial calls.

    Each of them raises TrialFault if the trial failed there, OSError if a disk did, or PackLostError if the trial has
    to go on apart from the others.

    Args:
        host: the handle of its host.
        planned: the trial.

    Attributes:
        update: the last known state.
        warning: for the user; None if there is none.
    """

    def __init__(self, host: Any, planned: PlannedTrial) -> None:
        self._host = host
        self._id = planned.trial_id
        self.update: TrialUpdate
        self.warning: str | None
        self.update, self.warning = _answer(host.open.remote(planned.to_json()))

    @property
    def peak_memory(self) -> int | None:
        """The most memory taken so far by the host, in bytes."""
        return self.update.peak_memory

    def advance(self) -> TrialUpdate:
        """Train for one reporting interval, and score."""
        self.update = _answer(self._host.advance.remote(self._id))
        return self.update

    def load(self, folder: Path) -> None:
        """Continue from a checkpoint."""
        self.update = _answer(self._host.load.remote(self._id, str(folder)))

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        _answer(self._host.save.remote(self._id, str(folder)))

    def close(self) -> None:
        """Leave the others; does not wait."""
        self._host.close.remote(self._id)


def host_here(hosts: Hosts, references: Sequence[ray.ObjectRef]) -> Any:
    """The handle of the host of this process's node and cards; None if there is none, as on a node that has joined the
    cluster since the sweep began.

    Args:
        hosts: of the cluster.
        references: to `Shared` and to the dataset.

    Raises:
        PackLostError: if the host has died.
    """
    cards = [str(card) for card in ray.get_gpu_ids()]
    here = hosts.get(ray.get_runtime_context().get_node_id(), ())
    return next((host for host in here if _answer(host.claim.remote(cards, list(references)))), None)


def _answer(reference: Any) -> Any:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        if isinstance(cause, TrialFault) and cause.of_others:
            raise PackLostError(reason(cause)) from None
        raise cause from None
    except RayActorError as error:
        raise PackLostError("the process of the pack died") from error
