"""Trials that train together in one process: each reports as it does alone, and its faults are its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from infogan_bench.config import DatasetConfig, EvaluationConfig, RunConfig, apply
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.errors import TrialFault
from infogan_bench.pack import TrialPack
from infogan_bench.records import Status, TrialUpdate, read_trial
from infogan_bench.trial import Trial, TrialSpec

DATA = DatasetConfig(train_size=256, test_size=100)
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "0000": {},
    "0001": {"objective.lambda_cat": 0.3, "optimiser.lr_d": 1e-3},
    "0002": {"steps": 5, "optimiser.decay": 0.5},
    "0003": {"architecture.width": 0.05},  # another structure
}


@pytest.fixture(scope="module")
def dataset() -> ImageDataset:
    return load_dataset(DATA)


@pytest.fixture
def spec(tiny_run: RunConfig) -> Callable[[str], TrialSpec]:
    def make(trial_id: str) -> TrialSpec:
        run = apply(tiny_run, CHANGES[trial_id])
        seeds = (0, 1) if trial_id == "0000" else (2,)
        return TrialSpec(trial_id, {}, run, DATA, EvaluationConfig(every=2), seeds)

    return make


@pytest.fixture
def pack(dataset: ImageDataset) -> Iterator[TrialPack]:
    pack = TrialPack(dataset, threads=1, patience=0.2)
    yield pack
    pack.end()


def get(future: Future[TrialUpdate]) -> TrialUpdate:
    return future.result(timeout=60)


def numbers(update: TrialUpdate) -> dict[str, float]:
    return {
        f"{seed.seed}/{name}": value
        for seed in update.seeds
        for name, value in seed.metrics.items()
        if name.startswith(("loss", "L_I"))
    }


def alone(spec: TrialSpec, dataset: ImageDataset) -> list[TrialUpdate]:
    trial, updates = Trial(spec, dataset=dataset), []
    while trial.update.status is Status.RUNNING:
        updates.append(trial.advance())
    return updates


def assert_same(found: list[TrialUpdate], expected: list[TrialUpdate]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.status, ours.step) == (theirs.status, theirs.step)
        assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-3, abs=1e-4)


def test_trials_report_as_they_do_alone_whenever_they_join_and_leave(
    spec: Callable[[str], TrialSpec], pack: TrialPack, dataset: ImageDataset, tmp_path: Path
) -> None:
    found: dict[str, list[TrialUpdate]] = {name: [] for name in CHANGES}

    def advance(*names: str) -> None:
        futures = {name: pack.advance(name) for name in names}
        for name, future in futures.items():
            found[name].append(get(future))

    for name in ("0000", "0001", "0003"):
        assert get(pack.open(spec(name))).step == 0
    advance("0000", "0001", "0003")
    get(pack.open(spec("0002")))
    advance("0000", "0001", "0002", "0003")
    pack.save("0001", tmp_path / "0001").result(timeout=60)
    pack.close("0001").result(timeout=60)  # as a scheduler that pauses or stops it
    advance("0000", "0002", "0003")
    get(pack.open(spec("0001")))
    assert get(pack.load("0001", tmp_path / "0001")).step == 4
    advance("0001", "0002")  # which does its last step only, and the other goes on from there
    for name, updates in found.items():
        assert_same(updates, alone(spec(name), dataset))
    assert read_trial(tmp_path / "0001").packed


def test_one_that_is_not_asked_for_is_not_waited_for(
    spec: Callable[[str], TrialSpec], pack: TrialPack
) -> None:
    for name in ("0000", "0001"):
        get(pack.open(spec(name)))
    began = time.monotonic()
    assert get(pack.advance("0001")).step == 2
    assert time.monotonic() - began >= 0.1


def test_a_score_that_fails_is_a_fault_of_its_trial_alone(
    spec: Callable[[str], TrialSpec],
    pack: TrialPack,
    dataset: ImageDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = Trial.record

    def fails(trial: Trial, outcomes: Any) -> TrialUpdate:
        if trial.spec.trial_id == "0001":
            raise SystemExit("a fault of the user's own")
        return record(trial, outcomes)

    monkeypatch.setattr(Trial, "record", fails)
    for name in ("0000", "0001"):
        get(pack.open(spec(name)))
    good, bad = pack.advance("0000"), pack.advance("0001")
    with pytest.raises(TrialFault, match=r"^SystemExit: a fault of the user's own$") as caught:
        get(bad)
    assert not caught.value.of_others
    updates = [get(good), get(pack.advance("0000")), get(pack.advance("0000"))]
    assert_same(updates, alone(spec("0000"), dataset))
    with pytest.raises(TrialFault, match="trial 0001 is not in this process"):
        get(pack.advance("0001"))


def test_an_exception_in_the_stack_sends_each_of_its_trials_apart(
    spec: Callable[[str], TrialSpec], pack: TrialPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr("infogan_bench.training.packed.FusedTrainer.advance", fails)
    for name in ("0000", "0001", "0003"):
        get(pack.open(spec(name)))
    futures = [pack.advance(name) for name in ("0000", "0001", "0003")]
    for future in futures[:2]:
        with pytest.raises(TrialFault, match=r"^RuntimeError: CUDA error: out of memory$") as caught:
            get(future)
        assert caught.value.of_others
        assert caught.value.out_of_memory
    assert get(futures[2]).step == 2  # of another structure
