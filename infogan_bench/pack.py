"""Trials of one process that train together: as one stack for each structure of a run (`PackedTrainer`)."""

from __future__ import annotations

import math
import os
import queue
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import torch

from infogan_bench.config.params import structure_of
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError, TrialFault, reason
from infogan_bench.records import Status, TrialUpdate
from infogan_bench.training import DivergedError, PackedTrainer, Trainer, TrainingInterval, Updates
from infogan_bench.training.memory import free_memory, is_out_of_memory
from infogan_bench.trial import Trial, TrialSpec

PATIENCE = 2.0  # seconds
_GATHERING = (
    0.5  # seconds after a trial joined in which others may join too, such as after a population was compared
)
_T = TypeVar("_T")


@dataclass
class _Member:
    """A trial of a pack, and what was asked of it.

    Attributes:
        trial: the trial.
        answered: the time at which its last answer was given.
        asked: the promised report, while the trial is to train; else None.
        left: steps to that report.
        done: the updates of each trainer since the last report.
    """

    trial: Trial
    answered: float
    asked: Future[TrialUpdate] | None = None
    left: int = 0
    done: dict[Trainer, Updates] = field(default_factory=dict)


class TrialPack:
    """Trains trials as one stack, each by its own schedule, with its own reports.

    A trial joins when it is opened and leaves when it is closed. The trials train when all of them have been asked to.
    Those that report sooner than others are scored then, and the others wait for them. A trial that is not asked within
    `patience` seconds of its last answer is not waited for, for example because a scheduler has paused it. The numbers
    of a trial depend on none of this, except for the last bits.

    One thread trains and scores, since torch's settings belong to the process. Between that, several threads write
    what is to be saved, since encoding pictures takes a processor's time. All methods return at once, with a promise.
    A promise that is broken holds a `TrialFault`, or the OSError of a disk. A trial with a fault is closed.

    Args:
        dataset: of all trials.
        device: where they train.
        threads: torch's threads; None leaves them as they are.
        patience: seconds.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        device: torch.device | str = "cpu",
        *,
        threads: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._device = torch.device(device)
        self._dataset = dataset
        self._threads = threads
        self._patience = patience
        self._members: dict[str, _Member] = {}
        self._stacks: dict[str, PackedTrainer] = {}  # by the structure of their runs
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._writers = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="writer")
        self._saving: list[Future[None]] = []
        self._joined = -math.inf  # the time at which a trial joined last
        self._ended = False
        self._thread = Thread(target=self._work, name="pack", daemon=True)
        self._thread.start()

    def open(self, spec: TrialSpec) -> Future[TrialUpdate]:
        """Let a trial join; it replaces one of the same id."""
        return self._promise(spec.trial_id, lambda: self._open(spec))

    def load(self, trial_id: str, folder: Path | str) -> Future[TrialUpdate]:
        """Let a trial continue from what `Trial.save` wrote."""
        return self._promise(trial_id, lambda: self._load(trial_id, Path(folder)))

    def advance(self, trial_id: str) -> Future[TrialUpdate]:
        """Train a trial for one reporting interval, and score it."""
        future: Future[TrialUpdate] = _promised()
        self._jobs.put(lambda: self._ask(trial_id, future))
        return future

    def save(self, trial_id: str, folder: Path | str) -> Future[None]:
        """Write a trial into `folder`; see `Trial.save`."""
        future: Future[None] = _promised()
        self._jobs.put(
            lambda: self._saving.append(self._writers.submit(self._save, trial_id, folder, future))
        )
        return future

    def close(self, trial_id: str) -> Future[None]:
        """Let a trial leave."""
        return self._promise(trial_id, lambda: self._close(trial_id))

    def end(self) -> None:
        """Finish the work that was asked for before, except training, and end the thread."""

        def end() -> None:
            self._ended = True

        self._jobs.put(end)
        self._thread.join()

    # In the thread ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        while not self._ended:
            try:
                job = self._jobs.get(timeout=self._wait())
            except queue.Empty:
                if self._saving:  # those trials will be asked again presently
                    wait(self._saving)
                    self._saving.clear()
                    continue
                job = self._train
            try:
                job()
            except (
                BaseException
            ) as error:  # a fault of ours: no promise may stay open, or the sweep would wait for ever
                for trial_id, member in list(self._members.items()):
                    self._fail(trial_id, member.asked or Future(), error, of_others=True)
        self._writers.shutdown()

    def _wait(self) -> float | None:
        """Seconds to wait for another job before the trials train; None if none is to train."""
        if not any(member.asked for member in self._members.values()):
            return None
        awaited = (
            each.answered
            for each in self._members.values()
            if not each.asked and each.trial.update.status is Status.RUNNING
        )
        last = max(awaited, default=-math.inf)
        gathered = self._joined + min(_GATHERING, self._patience)
        return max(0.0, last + self._patience - time.monotonic(), gathered - time.monotonic())

    def _promise(self, trial_id: str, job: Callable[[], _T]) -> Future[_T]:
        """Let the thread do `job`, for a trial."""
        future: Future[_T] = _promised()

        def do() -> None:
            try:
                found = job()
            except BaseException as error:  # user's modules raise what they like
                self._fail(trial_id, future, error)
                return
            if trial_id in self._members:
                self._members[trial_id].answered = time.monotonic()
            future.set_result(found)

        self._jobs.put(do)
        return future

    def _member(self, trial_id: str) -> _Member:
        try:
            return self._members[trial_id]
        except KeyError:
            raise _fault(f"trial {trial_id} is not in this process", of_others=True) from None

    def _open(self, spec: TrialSpec) -> TrialUpdate:
        self._close(spec.trial_id)
        if self._dataset.train_images.device.type != self._device.type:  # one copy for all trials
            self._dataset = replace(self._dataset, train_images=self._dataset.train_images.to(self._device))
        trial = Trial(replace(spec, packed=True), self._device, self._dataset)
        self._joined = time.monotonic()
        self._members[spec.trial_id] = _Member(trial, self._joined)
        return trial.update

    def _load(self, trial_id: str, folder: Path) -> TrialUpdate:
        trial = self._member(trial_id).trial
        trial.load(folder)
        if (stack := self._stacks.get(structure_of(trial.spec.run))) is not None:
            stack.forget()
        return trial.update

    def _save(self, trial_id: str, folder: Path | str, future: Future[None]) -> None:
        """Write a trial, in a thread of its own."""
        try:
            member = self._member(trial_id)
            member.trial.save(Path(folder))
        except BaseException as error:
            fault = error  # which Python forgets after this block
            self._jobs.put(lambda: self._fail(trial_id, future, fault))
            return
        member.answered = time.monotonic()
        future.set_result(None)

    def _close(self, trial_id: str) -> None:
        member = self._members.pop(trial_id, None)
        if member is None:
            return
        if member.asked:
            member.asked.set_exception(_fault(f"trial {trial_id} was closed"))
        structure = structure_of(member.trial.spec.run)
        if all(structure_of(other.trial.spec.run) != structure for other in self._members.values()):
            self._stacks.pop(structure, None)
        del member
        free_memory()

    def _ask(self, trial_id: str, future: Future[TrialUpdate]) -> None:
        try:
            member = self._member(trial_id)
        except TrialFault as error:
            future.set_exception(error)
            return
        member.asked, member.left, member.done = future, member.trial.steps_to_report, {}

    def _train(self) -> None:
        """Train those that are to train, of each structure in turn, until the first of the structure has a report."""
        groups: dict[str, list[str]] = {}
        for trial_id, member in self._members.items():
            if member.asked:
                groups.setdefault(structure_of(member.trial.spec.run), []).append(trial_id)
        for group in groups.values():
            self._train_stack({trial_id: self._members[trial_id] for trial_id in group})

    def _train_stack(self, group: dict[str, _Member]) -> None:
        members = list(group.values())
        steps = min(member.left for member in members)
        trainers = [trainer for member in members for trainer in member.trial.running]
        try:
            found = self._stack_of(members[0].trial).advance(trainers, steps) if steps else []
        except BaseException as error:
            # an InputError says that no stack can be made; the trial may still train apart
            of_others = len(group) > 1 or isinstance(error, InputError)
            for trial_id, member in group.items():
                assert member.asked is not None  # noqa: S101
                self._fail(trial_id, member.asked, error, of_others=of_others)
            return
        by_trainer = dict(zip(trainers, found, strict=False))
        for trial_id, member in group.items():
            for trainer in member.trial.running if steps else ():
                before, now = member.done.get(trainer), by_trainer[trainer]
                member.done[trainer] = before.then(now) if before else now
            member.left -= steps
            if not member.left:
                self._report(trial_id, member)

    def _report(self, trial_id: str, member: _Member) -> None:
        """Score a trial that has come to its report, and keep the promise."""
        future, member.asked = member.asked, None
        assert future is not None  # noqa: S101
        try:
            update = member.trial.record(_outcomes(member.trial.running, member.done))
        except BaseException as error:
            self._fail(trial_id, future, error)
            return
        member.answered = time.monotonic()
        future.set_result(update)

    def _stack_of(self, trial: Trial) -> PackedTrainer:
        structure = structure_of(trial.spec.run)
        if structure not in self._stacks:
            self._stacks[structure] = PackedTrainer(trial.running[0])
        return self._stacks[structure]

    def _fail(
        self, trial_id: str, future: Future[_T], error: BaseException, *, of_others: bool = False
    ) -> None:
        """Break a promise, and close the trial; a disk's error is none of the trial's."""
        if isinstance(error, OSError | TrialFault):
            future.set_exception(error)
        else:
            future.set_exception(
                TrialFault(
                    reason(error),
                    "".join(traceback.format_exception(error)),
                    is_out_of_memory(error),
                    of_others,
                )
            )
        if not isinstance(error, OSError):
            error.__traceback__ = None  # it holds on to the trial's tensors
            if (member := self._members.get(trial_id)) is not None:
                member.asked = None
            self._close(trial_id)


def _promised() -> Future[Any]:
    """A promise that nobody can cancel."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def _fault(text: str, *, of_others: bool = False) -> TrialFault:
    return TrialFault(text, text, of_others=of_others)


def _outcomes(
    trainers: Sequence[Trainer], done: dict[Trainer, Updates]
) -> Iterable[TrainingInterval | DivergedError]:
    """The interval of each trainer, or its divergence."""
    for trainer in trainers:
        try:
            yield trainer.report(done[trainer])
        except DivergedError as error:
            yield error
