"""The training of a configuration with all its seeds, in plain Python, for `infogan-bench train` and for trials."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from infogan_bench.codes import LatentCodes
from infogan_bench.config import MUTABLE, apply, get_value, run_keys
from infogan_bench.config.errors import show
from infogan_bench.config.metrics import uses_factors
from infogan_bench.config.models import DatasetConfig, EvaluationConfig
from infogan_bench.config.run import RunConfig
from infogan_bench.config.sweep_config import SeedsTogether
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.errors import InputError
from infogan_bench.pictures.gallery import write_gallery
from infogan_bench.pictures.progression import Progression
from infogan_bench.pictures.samples import write_pictures
from infogan_bench.records import (
    Mutation,
    RecordError,
    SeedResult,
    Status,
    TrialPaths,
    TrialRecord,
    TrialUpdate,
    read_trial,
    recover_folder,
    recover_older_folder,
    replacing_folder,
    write_trial,
)
from infogan_bench.scoring.evaluation import Evaluation, evaluate, factor_floors
from infogan_bench.scoring.possible import check_scores
from infogan_bench.scoring.record import write_evaluation
from infogan_bench.training import (
    DivergedError,
    Trainer,
    TrainingInterval,
    fuse,
    load_checkpoint,
    save_checkpoint,
)
from infogan_bench.training.device import check_precision, device_name
from infogan_bench.training.memory import PeakMemory


@dataclass(frozen=True)
class TrialSpec:
    """The settings of a trial.

    `params` are the swept values with which it begins, and `mutations` their later changes; `run` has the newest
    values. `moving` are the keys of the run that may change in this way. Every report has their values, as `param/KEY`.
    `packed`: its seeds train in one stack with those of other trials (`infogan_bench.pack`).
    """

    trial_id: str
    params: Mapping[str, Any]
    run: RunConfig
    dataset: DatasetConfig
    evaluation: EvaluationConfig
    seeds: tuple[int, ...]
    seeds_together: SeedsTogether = "auto"
    mutations: tuple[Mutation, ...] = ()
    moving: tuple[str, ...] = ()
    packed: bool = False


class Trial:
    """Trains the seeds of a configuration side by side, one interval of each at a time.

    Args:
        spec: what to train.
        device: the device to train on.
        dataset: the dataset that `spec` names, if it is in memory already; None: it is loaded.

    Raises:
        InputError: if the run does not fit the data, `fused` the architecture, or the precision the device.
    """

    def __init__(
        self, spec: TrialSpec, device: torch.device | str = "cpu", dataset: ImageDataset | None = None
    ) -> None:
        check_precision(spec.run.precision, device)
        self.spec = spec
        self.dataset = load_dataset(spec.dataset) if dataset is None else dataset
        self._peak = PeakMemory(torch.device(device))
        self._peak_memory = self.peak_memory
        images = self.dataset.train_images.to(device)  # one copy for all seeds
        self._trainers = {seed: Trainer(spec.run, images, seed, device) for seed in spec.seeds}
        self._fused = None if spec.packed else fuse(spec.seeds_together, list(self._trainers.values()))
        self._results = {seed: SeedResult(seed, Status.RUNNING, 0) for seed in spec.seeds}
        self._evaluations: dict[int, Evaluation] = {}
        self._history: list[SeedResult] = []
        self._moving = {f"param/{key}": float(get_value(spec.run, key)) for key in spec.moving}
        self._progression = Progression()  # pictures of the first seed

    @property
    def device(self) -> torch.device:
        """The device on which the trial trains."""
        return next(iter(self._trainers.values())).device

    @property
    def peak_memory(self) -> int | None:
        """The most memory taken so far, in bytes; None where the system does not tell."""
        return self._peak.bytes

    @property
    def update(self) -> TrialUpdate:
        """The state of the trial."""
        seeds = tuple(self._results.values())
        statuses = {result.status for result in seeds}
        status = next((s for s in (Status.DIVERGED, Status.RUNNING) if s in statuses), Status.FINISHED)
        errors = [f"seed {result.seed}: {result.error}" for result in seeds if result.error]
        return TrialUpdate(
            trial_id=self.spec.trial_id,
            params=self.spec.params,
            status=status,
            step=max(result.step for result in seeds),
            seeds=seeds,
            error="; ".join(errors) or None,
            device=device_name(self.device),
            peak_memory=self._peak_memory,
            mutations=self.spec.mutations,
        )

    @property
    def running(self) -> list[Trainer]:
        """The trainers of the seeds that have not ended. All seeds run for the same number of steps, so either all of
        them run or none."""
        return [self._trainers[seed] for seed, now in self._results.items() if now.status is Status.RUNNING]

    @property
    def steps_to_report(self) -> int:
        """The number of steps from the last report to the next one; 0 if no seed runs."""
        left = (self.spec.run.steps - trainer.step for trainer in self.running)
        return min(self.spec.evaluation.every, next(left, 0))

    def advance(self) -> TrialUpdate:
        """Train every seed for one reporting interval and score it.

        If a seed diverges, the trial ends, since a mean over the other seeds would make it look better than it is.
        """
        return self.record(self._train(self.running, self.steps_to_report))

    def record(self, outcomes: Iterable[TrainingInterval | DivergedError]) -> TrialUpdate:
        """Score the seeds that run, after an interval of which each had its outcome; see `advance`."""
        running = self.running
        for trainer, outcome in zip(running, outcomes, strict=True):
            self._results[trainer.seed] = self._record(trainer, self._results[trainer.seed], outcome)
            self._history.append(self._results[trainer.seed])
        if running:
            self._peak_memory = self.peak_memory
        if self.update.status is Status.DIVERGED:
            for seed, result in self._results.items():
                if result.status is Status.RUNNING:
                    self._results[seed] = replace(result, status=Status.STOPPED)
        return self.update

    def _train(self, running: Sequence[Trainer], steps: int) -> Iterator[TrainingInterval | DivergedError]:
        """Train an interval of each running seed: of all at once if they are fused, else of each when it is asked
        for."""
        if self._fused and running:
            yield from self._fused.train(steps)
            return
        for trainer in running:
            try:
                yield trainer.train(steps)
            except DivergedError as error:
                yield error

    def _record(
        self, trainer: Trainer, before: SeedResult, outcome: TrainingInterval | DivergedError
    ) -> SeedResult:
        """Return the state of a seed after `outcome`: scored, unless it diverged."""
        if isinstance(outcome, DivergedError):
            return replace(before, status=Status.DIVERGED, step=outcome.step, error=str(outcome))
        started = time.perf_counter()
        last = trainer.step >= self.spec.run.steps
        scores = self._evaluate(trainer, last=last)
        return replace(
            before,
            status=Status.FINISHED if last else Status.RUNNING,
            step=trainer.step,
            metrics={**outcome.metrics, **scores, **self._moving},
            seconds=before.seconds + outcome.seconds + time.perf_counter() - started,
            images_per_second=outcome.images_per_second,
        )

    def _evaluate(self, trainer: Trainer, *, last: bool) -> dict[str, float]:
        """Score a seed; at the last evaluation, also compute the chance levels of its factor scores."""
        asked = self.spec.evaluation
        evaluation = evaluate(
            trainer.model,
            self.dataset,
            asked.scores,
            last=last,
            dci_estimator=asked.dci_estimator,
            factor_bins=asked.factor_bins,
            data_dir=self.spec.dataset.data_dir,
        )
        self._evaluations[trainer.seed] = evaluation
        if not last or not any(map(uses_factors, evaluation.scores)):
            return evaluation.scores
        untrained = Trainer(self.spec.run, trainer.images, trainer.seed, trainer.device).model
        floors = factor_floors(
            untrained,
            self.dataset,
            evaluation,
            dci_estimator=asked.dci_estimator,
            factor_bins=asked.factor_bins,
        )
        return evaluation.scores | floors

    def save(self, folder: Path) -> None:
        """Write the trial into `folder` (layout: docs/architecture.md, trials/ID/).

        Raises:
            ValueError: if a seed has diverged, since its weights are useless and an earlier save is not.
        """
        if self.update.status is Status.DIVERGED:
            raise ValueError("a diverged trial is not saved")
        record = TrialRecord(
            trial_id=self.spec.trial_id,
            params=self.spec.params,
            run=self.spec.run.model_dump(mode="json"),
            dataset=self.spec.dataset.model_dump(mode="json"),
            seeds=self.spec.seeds,
            progress=tuple(self._results.values()),
            history=tuple(self._history),
            mutations=self.spec.mutations,
            device=self.device.type,
            threads=torch.get_num_threads(),
            packed=self.spec.packed,
        )
        for seed, trainer in self._trainers.items():
            paths = TrialPaths(folder).seed(seed)
            place = paths.folder
            place.mkdir(parents=True, exist_ok=True)
            save_checkpoint(trainer, self.spec.dataset, paths.checkpoint)
            traversals = write_pictures(trainer.model, place)
            if seed == self.spec.seeds[0]:
                self._progression.add(trainer.step, place)
                self._progression.write(place)
            if seed not in self._evaluations:  # the seed was loaded and has not trained since
                self._evaluate(trainer, last=trainer.step >= self.spec.run.steps)
            write_evaluation(
                trainer.model,
                self.dataset,
                self._evaluations[seed],
                step=trainer.step,
                metrics=self._results[seed].metrics,
                folder=place,
                traversals=traversals,
            )
            if trainer.step >= self.spec.run.steps:
                write_gallery(self.dataset, self._evaluations[seed], place)
        write_trial(folder, record)

    def load(self, folder: Path) -> None:
        """Continue from what `save` or `exploit` wrote.

        If another trial trained the networks, their configuration may differ in values that can change during training.
        From then on they draw new latents, transforms and noise, which follow from seed, trial and step, so that the
        two trials do not train on the same ones. The order of the images follows from the seed in every trial.

        Raises:
            InputError: if `folder` holds another configuration or other seeds, or is not whole.
        """
        try:
            record = read_trial(folder)
        except RecordError as error:
            raise InputError(f"{folder}: no trial can be continued from here ({error})") from None
        mutations = record.mutations
        if record.seeds != self.spec.seeds:
            held, wanted = (", ".join(map(str, each)) for each in (record.seeds, self.spec.seeds))
            raise InputError(f"{folder}: holds seeds {held}, but this trial has {wanted}")
        for result in record.progress:
            checkpoint = load_checkpoint(TrialPaths(folder).seed(result.seed).checkpoint)
            taken_over = bool(mutations) and mutations[-1].step == result.step
            run = _with_values_of(self.spec.run, checkpoint.run) if taken_over else checkpoint.run
            if differences := self._differences(mutations, run, checkpoint.dataset):
                raise InputError(f"{folder}: was written by another configuration: {'; '.join(differences)}")
            trainer = self._trainers[result.seed]
            trainer.load_state(checkpoint.tensors)
            if taken_over:
                trainer.reseed(zlib.crc32(self.spec.trial_id.encode()), result.step)
            self._results[result.seed] = result
        self._history = list(record.history)
        self._progression = Progression.read(folder / f"seed-{self.spec.seeds[0]}")

    def _differences(
        self, mutations: Sequence[Mutation], run: RunConfig, dataset: DatasetConfig
    ) -> list[str]:
        """Return a text for each value of a checkpoint that differs from this trial's."""
        held = {key: get_value(run, key) for key in run_keys()} | _image_settings(dataset)
        wanted = {key: get_value(self.spec.run, key) for key in run_keys()} | _image_settings(
            self.spec.dataset
        )
        differences = [
            f"{key} is {show(held[key])} there, and {show(wanted[key])} here"
            for key in wanted
            if held[key] != wanted[key]
        ]
        if mutations != self.spec.mutations:
            differences.append(f"mutations are {len(mutations)} there, and {len(self.spec.mutations)} here")
        return differences


def run_trial(spec: TrialSpec, folder: Path, device: str, *, go_on: bool) -> Iterator[TrialUpdate]:
    """Train `spec` into `folder` without Ray. Yields after every interval, when its checkpoint is written.

    Args:
        spec: what to train.
        folder: gets the layout of trials/ID/; replaced whole at each interval.
        device: "cpu", "cuda" or the like.
        go_on: continue what `folder` holds; otherwise it must not exist yet.

    Raises:
        InputError: if `folder` exists (or does not, with `go_on`), or holds another configuration, or a score cannot be
            computed.
    """
    recover_folder(folder)  # after a process that was killed while it saved
    recover_older_folder(folder)
    if go_on != folder.exists():
        hint = (
            "nothing to resume there"
            if go_on
            else "it exists already; add --resume, or name another --output"
        )
        raise InputError(f"--output: {folder}: {hint}")
    dataset = load_dataset(spec.dataset)
    codes = LatentCodes(spec.run.codes, fixed_std=spec.run.objective.fixed_std)
    check_scores(dataset, [codes], spec.evaluation.scores, spec.evaluation.factor_bins)
    trial = Trial(spec, device, dataset)
    if go_on:
        trial.load(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    while trial.update.status is Status.RUNNING:
        update = trial.advance()
        if not update.status.bad:
            with replacing_folder(folder) as new:
                trial.save(new)
        yield update


def _with_values_of(source: RunConfig, run: RunConfig) -> RunConfig:
    """Return `run` with those values of `source` that may change while a run trains."""
    return apply(run, {key: get_value(source, key) for key in MUTABLE})


def _image_settings(dataset: DatasetConfig) -> dict[str, object]:
    """Return {key: value} of the settings that decide which images there are. The files may lie anywhere."""
    return {f"dataset.{key}": value for key, value in dataset.model_dump(exclude={"data_dir"}).items()}
