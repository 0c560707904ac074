"""The Ray actor: an adapter that turns Ray Tune's calls into calls of `Trial`, or of a `PackedTrial`.

torch is loaded only for a trial that trains in this process. A trial that diverges or raises an exception is an
ordinary result (`status`, `error`), so the actor lives on and the next trial re-uses it. Ray sees an error only if the
process dies, gives up a shared card on which it found no memory, or loses its pack. Ray then retries from the last
checkpoint.
"""

from __future__ import annotations

import math
import os
import shutil
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune
from ray.tune.result import DONE, SHOULD_CHECKPOINT

from infogan_bench.config import SweepConfig
from infogan_bench.config.metrics import at_last_evaluation_only
from infogan_bench.errors import InputError, TrialFault, reason
from infogan_bench.records import SeedResult, Status, TrialUpdate, read_trial
from infogan_bench.sweep.engine.full_card import (
    ElsewhereError,
    FullCardError,
    alone_reason,
    share_of_a_card,
)
from infogan_bench.sweep.engine.pack_host import Hosts
from infogan_bench.sweep.engine.packed_trial import PackedTrial, host_here
from infogan_bench.sweep.engine.ray_private import ends_the_process
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.checkpoints import require_whole
from infogan_bench.sweep.record.disk import is_disk_fault

if TYPE_CHECKING:  # whose imports take a process seconds
    from infogan_bench.trial import Trial

PLANNED_TRIAL = "planned_trial"  # the key of a Ray configuration that holds a PlannedTrial
GOAL = "goal"  # the key that search and scheduler see: the mean of the sweep's metric over the seeds
STEP = "step"
UPDATE = "update"
TRACEBACK = "traceback"
WARNING = "warning"


@dataclass(frozen=True)
class Shared:
    """The data that all trials of a sweep have in common.

    The driver puts it into Ray's object store once, and the processes of a node share one copy of the images there. So
    workers need neither the dataset nor the extension files on their own disks.

    Attributes:
        sweep: the sweep.
        dataset: a reference to the `ImageDataset`, which only a process that trains fetches.
        extensions: {path of a .py file: what stands in it}.
        store: of the checkpoints.
        threads: torch's threads of a trial.
        together: whether trials may train together.
        hosts: of trials that train together.
        pack_threads: torch's threads of a host.
    """

    sweep: SweepConfig
    dataset: ray.ObjectRef
    extensions: Mapping[str, bytes]
    store: CheckpointStore
    threads: int
    together: bool = False
    hosts: Hosts = field(default_factory=dict)
    pack_threads: int = 1


def planned_trial_of(config: Mapping[str, Any]) -> PlannedTrial:
    """The trial that a Ray configuration describes."""
    return PlannedTrial.from_json(config[PLANNED_TRIAL])


class InfoGANTrainable(tune.Trainable):  # type: ignore[misc]
    """The process of one trial at a time; `config` holds `shared` (a reference to `Shared`) and `planned_trial`
    (JSON)."""

    _trial: Trial | PackedTrial | None = None

    def setup(self, config: dict[str, Any]) -> None:
        if not ray.get_gpu_ids():
            os.environ["CUDA_VISIBLE_DEVICES"] = (
                ""  # Ray lets a trial see all cards even if it asked for none
            )
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def _begin(self, config: Mapping[str, Any]) -> None:
        self._let_go()
        self._elsewhere: ElsewhereError | None = None
        self._failure: str | None = None
        self._warning: str | None = None
        self._planned = planned_trial_of(config)
        self._start, self._waits = self._planned.checkpoint, self._planned.waits
        self._shared: Shared = ray.get(config["shared"])
        self._metric = self._shared.sweep.goal.metric
        self._seeds = self._shared.sweep.seeds
        try:
            references = [config["shared"], self._shared.dataset]
            host = host_here(self._shared.hosts, references) if self._planned.packed else None
            if host is not None:
                trial = PackedTrial(host, self._planned)
                self._trial, self._warning = trial, trial.warning
            else:
                from infogan_bench.sweep.engine.own_trial import own_trial

                self._trial, self._warning = own_trial(self._shared, self._planned)
        except BaseException as error:
            self._fail(error)

    def _let_go(self) -> None:
        """Free what the trial before this one held."""
        trial, self._trial = self._trial, None
        if isinstance(trial, PackedTrial):
            trial.close()
        elif trial is not None:
            from infogan_bench.training.memory import free_memory

            del trial
            free_memory()

    def cleanup(self) -> None:
        """Leave the pack, when Ray ends this process."""
        self._let_go()

    def step(self) -> dict[str, Any]:
        waits, self._waits = self._waits, False
        if self._trial is not None:
            try:
                if self._start:
                    with self._shared.store.at_hand(self._start) as folder:
                        self._load(folder)
                self._last = self._rankable(self._trial.update if waits else self._trial.advance())
            except BaseException as error:
                self._fail(error)
        if self._elsewhere is not None:
            raise self._elsewhere
        return self._report(self._last, save=not waits)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        assert self._trial is not None, "a failed trial asks for no checkpoint"  # noqa: S101
        try:
            self._trial.save(Path(checkpoint_dir))
        except RuntimeError as error:
            if (elsewhere := _elsewhere(error)) is not None:
                raise elsewhere from error
            raise
        except OSError as error:
            shutil.rmtree(checkpoint_dir, ignore_errors=True)
            if is_disk_fault(error):  # the user must know which disk it is
                raise OSError(error.errno, error.strerror, error.filename or checkpoint_dir) from None
            raise

    def load_checkpoint(self, checkpoint: str) -> None:
        """Continue from Ray's checkpoint of this trial, or from the one before it if that is incomplete.

        If the planned trial's checkpoint is newer, do nothing: after a mutation, Ray's is of the state that the trial
        gave up.
        """
        if self._trial is None:
            return
        try:
            with ExitStack() as stack:
                place = self._newest_whole(Path(checkpoint), stack)
                if place is not None and read_trial(place).mutations == self._planned.mutations:
                    self._load(place)
                    self._waits = False
        except BaseException as error:
            self._fail(error)

    def _newest_whole(self, checkpoint: Path, stack: ExitStack) -> Path | None:
        """`checkpoint`, or the newest complete one on the storage, as a folder that exists until `stack` closes."""
        store, trial = self._shared.store, self._planned.trial_id
        others = (stack.enter_context(store.at_hand(path)) for path in store.saved(trial))
        for place in chain([checkpoint], others):
            try:
                require_whole(place)
            except InputError as error:
                self._warning = f"trial {trial} goes on from an earlier checkpoint: {error}"
            else:
                return place
        return None

    def _load(self, checkpoint: Path) -> None:
        assert self._trial is not None  # noqa: S101
        self._trial.load(checkpoint)
        self._start = None

    def _fail(self, error: BaseException) -> None:
        """Remember why the trial failed, and free what it held.

        An exception of a user's own module fails only the trial. But if Ray ends this process, the exception is raised
        again. An error for which the trial only has to train elsewhere is no fault of it either: `step` raises that.
        """
        from infogan_bench.training.memory import is_out_of_memory

        if ends_the_process(error):
            raise error
        self._elsewhere = _elsewhere(error)
        before = self._trial.update if self._trial else at_step_0(self._planned, self._seeds, Status.PENDING)
        self._last = replace(
            before,
            status=Status.FAILED,
            seeds=tuple(replace(seed, status=Status.FAILED) for seed in before.seeds),
            error=alone_reason(error) if is_out_of_memory(error) and share_of_a_card() else reason(error),
            peak_memory=self._trial.peak_memory if self._trial else None,
        )
        self._failure = (
            error.details if isinstance(error, TrialFault) else "".join(traceback.format_exception(error))
        )
        self._let_go()

    def _rankable(self, update: TrialUpdate) -> TrialUpdate:
        """The update; it has ended if the goal is missing or not finite, since no scheduler or search can compare such
        a trial, and its further steps would be useless."""
        if update.status.bad:
            return update
        value = update.mean(self._metric)
        if value is None:
            ended = update.status is not Status.RUNNING
            if not ended and at_last_evaluation_only(self._metric):
                return update
            error = f"goal: `{self._metric}` has no value at step {update.step}"
            seeds = tuple(replace(seed, status=Status.FAILED) for seed in update.seeds)
            return replace(update, status=Status.FAILED, seeds=seeds, error=error)
        if math.isfinite(value):
            return update
        error = f"goal: `{self._metric}` is {value} at step {update.step}"
        seeds = tuple(
            seed
            if math.isfinite(seed.metrics.get(self._metric, math.nan))
            else replace(seed, status=Status.DIVERGED, error=error)
            for seed in update.seeds
        )
        return replace(update, status=Status.DIVERGED, seeds=seeds, error=error)

    def _report(self, update: TrialUpdate, *, save: bool) -> dict[str, object]:
        node = ray.util.get_node_ip_address()
        result: dict[str, object] = {
            STEP: update.step,
            DONE: update.status is not Status.RUNNING,
            SHOULD_CHECKPOINT: save and self._trial is not None and not update.status.bad,
            UPDATE: replace(update, node=node).to_json(),
        }
        objective = update.mean(self._metric)
        if objective is not None and not update.status.bad:
            result[GOAL] = objective
        if self._failure:
            result[TRACEBACK] = self._failure
        if self._warning:
            result[WARNING], self._warning = self._warning, None
        return result


def at_step_0(planned: PlannedTrial, seeds: Sequence[int], status: Status) -> TrialUpdate:
    """A trial that has done nothing yet."""
    return TrialUpdate(
        trial_id=planned.trial_id,
        params=planned.params,
        status=status,
        seeds=tuple(SeedResult(seed, status, 0) for seed in seeds),
        mutations=planned.mutations,
    )


def _elsewhere(error: BaseException) -> ElsewhereError | None:
    """The error of a trial that lost its pack, or found no memory on a card that others may share; None for any other
    error."""
    from infogan_bench.training.memory import is_out_of_memory

    if isinstance(error, ElsewhereError):
        return error
    shared = is_out_of_memory(error) and 0 < share_of_a_card() < 1
    return FullCardError(reason(error)) if shared else None


def trial_threads(cpus: float) -> int:
    """Torch's threads for a trial: OMP_NUM_THREADS where the user set it, else the trial's CPUs."""
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    return int(chosen) if chosen.isdigit() and int(chosen) > 0 else max(1, int(cpus))
