"""Trials that train together on Ray: a host trains them, and the process that Tune knows as a trial asks the host.

Tune stops, pauses, saves and retries ordinary trials. The processes of packed trials load no torch. The driver starts
the hosts, as many as a node has cards, or one on a node without cards, and owns them: they end with it. A host asks Ray
for nothing, since its trials have been placed there already. It belongs to the card of the first trial that claims it.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from infogan_bench.sweep.engine.nodes import live_nodes

if TYPE_CHECKING:  # whose imports take a process seconds
    from infogan_bench.datasets import ImageDataset
    from infogan_bench.records import TrialUpdate
    from infogan_bench.sweep.engine.trainable import Shared

_AT_ONCE = 1000  # calls that a host answers at once: a trial waits in one for its report
_T = TypeVar("_T")

Hosts = Mapping[str, Sequence[Any]]
"""{Ray's id of a node: handles of its hosts}."""


class PackHost:
    """The process in which the trials of a card, or of a node without cards, train together. An asynchronous actor."""

    def __init__(self) -> None:
        self._cards: list[str] | None = None
        self._claiming = asyncio.Lock()

    async def claim(self, cards: list[str], references: Sequence[ray.ObjectRef]) -> bool:
        """Say whether this host is that of `cards`. The first claim decides.

        Args:
            cards: Ray's names of the cards; none for a node's CPUs.
            references: to `Shared` and to the dataset.
        """
        async with self._claiming:
            if self._cards is None:
                shared, dataset = [await reference for reference in references]
                self._begin(shared, dataset, cards)
        return self._cards == cards

    def _begin(self, shared: Shared, dataset: ImageDataset, cards: list[str]) -> None:
        from infogan_bench.extensions import load_extensions
        from infogan_bench.pack import TrialPack
        from infogan_bench.sweep.engine.own_trial import device_of

        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(cards)  # before anything uses CUDA
        load_extensions(shared.sweep.extensions, shared.extensions)
        device, self._warning = device_of(cards)
        self._sweep = shared.sweep
        self._pack = TrialPack(dataset, device, threads=shared.pack_threads)
        self._cards = cards

    async def open(self, planned: str) -> tuple[TrialUpdate, str | None]:
        """Let a trial join; return its state, and a warning to the user."""
        from infogan_bench.sweep.engine.own_trial import trial_spec
        from infogan_bench.sweep.planned_trial import PlannedTrial

        spec = trial_spec(self._sweep, PlannedTrial.from_json(planned))
        return await _kept(self._pack.open(spec)), self._warning

    async def load(self, trial_id: str, folder: str) -> TrialUpdate:
        """Let a trial continue from a checkpoint."""
        return await _kept(self._pack.load(trial_id, folder))

    async def advance(self, trial_id: str) -> TrialUpdate:
        """Train a trial for one reporting interval, and score it."""
        return await _kept(self._pack.advance(trial_id))

    async def save(self, trial_id: str, folder: str) -> None:
        """Write a trial into `folder`."""
        await _kept(self._pack.save(trial_id, folder))

    async def close(self, trial_id: str) -> None:
        """Let a trial leave."""
        await _kept(self._pack.close(trial_id))


async def _kept(promise: Future[_T]) -> _T:
    return await asyncio.wrap_future(promise)


def start_hosts(number: int) -> Hosts:
    """Start at most `number` hosts on the nodes that there are, without waiting for them."""
    hosts: dict[str, list[Any]] = {}
    for node in live_nodes():
        places = max(1, math.ceil(node["Resources"].get("GPU", 0)))
        options = ray.remote(PackHost).options(
            num_cpus=0,
            max_concurrency=_AT_ONCE,
            max_restarts=-1,  # a host that died is there again for the trials that begin later
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        )
        wanted = min(places, number - sum(map(len, hosts.values())))
        hosts[node["NodeID"]] = [options.remote() for _ in range(wanted)]
    return hosts


def stop_hosts(hosts: Hosts) -> None:
    """End the processes of the hosts."""
    for of_a_node in hosts.values():
        for host in of_a_node:
            ray.kill(host)
