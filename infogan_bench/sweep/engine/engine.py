"""A stretch of a sweep on Ray: the cluster, the data that trials share, and Tune's loop."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ray
from ray import tune

from infogan_bench.config import SweepConfig
from infogan_bench.config.packing import Packing
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.extensions import extension_sources
from infogan_bench.records import Status, SweepListener
from infogan_bench.sweep.engine.callback import Events
from infogan_bench.sweep.engine.cluster import (
    joins,
    ray_cluster,
    require_a_node,
    shared_memory_fault,
    store_bytes,
    trial_request,
)
from infogan_bench.sweep.engine.full_card import GPU
from infogan_bench.sweep.engine.gpus import measured_gpus
from infogan_bench.sweep.engine.nodes import require_able_nodes, shipped_code
from infogan_bench.sweep.engine.pack_host import Hosts, start_hosts, stop_hosts
from infogan_bench.sweep.engine.packing import Packer, refuse_alone, trials_at_once
from infogan_bench.sweep.engine.ray_private import set_trials_ahead
from infogan_bench.sweep.engine.schedulers import SchedulerRequest, make_scheduler
from infogan_bench.sweep.engine.searcher import TrialSearcher, trials_ahead
from infogan_bench.sweep.engine.time_left import TimeLeft
from infogan_bench.sweep.engine.trainable import InfoGANTrainable, Shared, planned_trial_of, trial_threads
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.checkpoints import newest_checkpoint
from infogan_bench.sweep.record.disk import is_disk_fault
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.sweep.signals import StopSignals
from infogan_bench.training.device import check_precision, pick_device

if TYPE_CHECKING:
    from infogan_bench.sweep.search.proposals import Proposals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """A running Ray.

    Attributes:
        request: of one trial, {resource: amount}.
        shared: a reference to `Shared`.
        packer: says which trials train together; None if none do.
    """

    request: Mapping[str, float]
    shared: ray.ObjectRef
    packer: Packer | None


class Engine:
    """Trains the trials of a stretch of a sweep on Ray.

    Attributes:
        warnings: sentences for the user.
        fault: why the sweep folder, or a checkpoint, could not be written, if so.

    Args:
        sweep: the sweep.
        folder: its folder.
        store: where the checkpoints of running trials lie.
        signals: whether the user wants the sweep to stop.
        packing: which trials may train together.
        compared: the step at which a population was compared last, before a resume.
    """

    def __init__(
        self,
        sweep: SweepConfig,
        folder: SweepFolder,
        store: CheckpointStore,
        signals: StopSignals,
        packing: Packing,
        compared: int = 0,
    ) -> None:
        self._sweep = sweep
        self._packing = packing
        self._folder = folder
        self._store = store
        self._signals = signals
        self._compared = compared
        self.warnings: list[str] = []
        self.fault: OSError | None = None
        self._hosts: Hosts = {}  # of trials that train together

    @contextmanager
    def started(
        self, planned: Sequence[PlannedTrial], address: str | None, *, ship_code: bool
    ) -> Iterator[Ready]:
        """Start or join Ray, and check that trials can run there.

        Args:
            planned: the trials to come, as far as they are planned.
            address: HOST:PORT of a cluster; None starts Ray on this machine.
            ship_code: bring this project's packages, and the user's modules, to the workers.

        Raises:
            InputError: if no cluster answers, none of its nodes has room for a trial, or one cannot run it.
        """
        if (
            not joins(address) and "precision" not in self._sweep.space
        ):  # a swept one is a matter of each trial
            device = pick_device("cpu" if self._sweep.resources.gpus == 0 else "auto")
            check_precision(self._sweep.base.precision, device)
        code = shipped_code(self._sweep.extensions) if ship_code else None
        with ExitStack() as stack:
            dataset = load_dataset(self._sweep.dataset)
            needed = store_bytes(dataset_bytes(dataset))
            if not joins(address) and (warning := shared_memory_fault(needed)) is not None:
                log.warning(warning)
                print(f"warning: {warning}", file=sys.stderr)
            with self._signals.insisting():
                stack.enter_context(ray_cluster(address, code, needed))
            ready = self._ready(planned, dataset)
            try:
                yield ready
            finally:
                stop_hosts(self._hosts)

    def _ready(self, planned: Sequence[PlannedTrial], dataset: ImageDataset) -> Ready:
        resources = self._sweep.resources
        request = trial_request(resources)
        require_a_node(request, resources.wait)
        require_able_nodes(request, self._store, self._sweep.extensions)
        cpus = request.get("CPU", 1)
        shared = Shared(
            self._sweep,
            ray.put(dataset),
            extension_sources(self._sweep.extensions),
            self._store,
            trial_threads(cpus),
            together=self._packing.obstacle is None,
        )
        if resources.gpus == "auto" and GPU in request:
            values = (each.values for each in planned)
            request[GPU], warning = measured_gpus(self._sweep, values, ray.put(shared), request)
            if warning:
                log.warning(warning)
                self.warnings.append(warning)
        packer = self._packer(request, dataset)
        if packer is not None:
            at_once = trials_at_once(request)
            shared = replace(shared, pack_threads=trial_threads(cpus * at_once))
            trials = len(planned) or self._sweep.search.trials or 1
            self._hosts = start_hosts(math.ceil(trials / at_once))
            shared = replace(shared, hosts=self._hosts)
        return Ready(request, ray.put(shared), packer)

    def _packer(self, request: Mapping[str, float], dataset: ImageDataset) -> Packer | None:
        """The object that says which trials train together; None if none do. `auto` packs trials on cards alone: one
        small network keeps a CPU busy.

        Raises:
            InputError: if `packed` was asked for, and a card or a node has room for one trial.
        """
        packed = self._sweep.resources.trials_together == "packed"
        if self._packing.obstacle is not None or not (packed or request.get(GPU)):
            return None
        if trials_at_once(request) > 1:
            return Packer(self._sweep, self._packing, dataset)
        if packed:
            refuse_alone(request)
        return None

    def train(
        self,
        ready: Ready,
        planned: Sequence[PlannedTrial],
        proposals: Proposals | None,
        listeners: Sequence[SweepListener],
    ) -> None:
        """Train the planned trials and the proposed ones, until they are done, their time is up, or a signal comes."""
        to_come = len(planned) + (proposals.left if proposals else 0)
        dropped = self._tune(ready, planned, proposals, to_come, listeners)
        while dropped:
            again = [
                replace(
                    each,
                    checkpoint=newest_checkpoint(self._folder, self._store, each.trial_id, self.warnings),
                )
                for each in dropped
            ]
            dropped = self._tune(ready, again, None, len(again), listeners)

    @contextmanager
    def noting_a_fault(self) -> Iterator[None]:
        """Treat a full disk as an end of the session, from which the sweep can be resumed."""
        try:
            yield
        except OSError as error:
            if not is_disk_fault(error):
                raise
            self.fault = self.fault or error

    def _tune(
        self,
        ready: Ready,
        planned: Sequence[PlannedTrial],
        proposals: Proposals | None,
        to_come: int,
        listeners: Sequence[SweepListener],
    ) -> list[PlannedTrial]:
        """Run `to_come` trials by Ray Tune.

        Returns:
            The trials that Tune dropped and that must run again; none after a signal, a fault or the time limit.
        """
        slots, limit = _slots(ready.request), self._sweep.search.time_limit
        fits = ready.packer.fits if ready.packer else None
        ahead = trials_ahead(slots, learns=proposals is not None)
        # a stack is to be filled at once; later on, the search proposes as late as it does for trials apart
        most_open = slots + ahead if ready.packer else None
        scheduling = SchedulerRequest(self._sweep, to_come, self._compared)
        time_left = TimeLeft(limit, slots, scheduling.longest)
        searcher = TrialSearcher(planned, proposals, self._sweep.goal.mode, time_left, fits, most_open)
        set_trials_ahead(slots if ready.packer else ahead)
        events = Events(self._folder, self._store, self._sweep.seeds, listeners, time_left)
        try:
            with self.noting_a_fault():
                tune.run(
                    InfoGANTrainable,
                    name=self._store.new_run(),
                    storage_path=self._store.path,
                    storage_filesystem=self._store.filesystem,
                    config={"shared": ready.shared},
                    search_alg=searcher,
                    scheduler=make_scheduler(scheduling),
                    num_samples=to_come,
                    time_budget_s=limit,
                    resources_per_trial=tune.PlacementGroupFactory([dict(ready.request)]),
                    max_failures=self._sweep.resources.retries,
                    trial_dirname_creator=lambda trial: planned_trial_of(trial.config).trial_id,
                    reuse_actors=True,
                    raise_on_failed_trial=False,
                    callbacks=[events],
                    verbose=0,
                )
        except KeyboardInterrupt:
            log.warning("stopped by a signal outside of Ray Tune's loop")
        cut_short = self._signals.received or self.fault
        events.end_all(Status.INTERRUPTED if cut_short else Status.STOPPED)
        self.fault = self.fault or events.fault
        self.warnings += events.warnings
        if searcher.out_of_time:
            self.warnings.append(
                f"trials were left when the time limit was near: one takes up to {time_left.needed:,.0f} s here, so "
                "it would not have reached its end; `infogan-bench resume` trains them"
            )
        return [] if cut_short or self.fault or time_left.is_up else events.dropped


def dataset_bytes(dataset: ImageDataset) -> int:
    """Bytes of the tensors of a dataset."""
    tensors = (dataset.train_images, dataset.test_images, dataset.train_labels, dataset.test_labels)
    factors = dataset.factors.test.nbytes if dataset.factors else 0
    return factors + sum(tensor.nbytes for tensor in tensors if tensor is not None)


def _slots(request: Mapping[str, float]) -> int:
    """The number of trials that the cluster has room for at once."""
    there_is = ray.cluster_resources()
    return min((int(there_is.get(name, 0) // amount) for name, amount in request.items()), default=1)
