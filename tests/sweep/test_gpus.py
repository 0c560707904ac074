"""Trials that share a card. Ray's GPUs are numbers here: no card is needed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ray
import torch
from ray.util import placement_group, remove_placement_group

from infogan_bench.config import SweepConfig, parse_sweep, plan
from infogan_bench.datasets import load_dataset
from infogan_bench.errors import InputError
from infogan_bench.extensions import extension_sources, load_extensions
from infogan_bench.records import read_trial
from infogan_bench.records.results import Status
from infogan_bench.sweep import start
from infogan_bench.sweep.engine.gpus import Footprint, largest_params, measure, measured_gpus
from infogan_bench.sweep.engine.own_trial import trial_spec
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, InfoGANTrainable, Shared
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.training.device import device_name
from infogan_bench.training.memory import PeakMemory, is_out_of_memory, reuse_memory
from infogan_bench.trial import Trial

GREEDY, CARD = (str(Path(__file__).with_name(name)) for name in ("greedy.py", "card.py"))


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `greedy` notes what was granted."""
    return tmp_path_factory.mktemp("greedy")


@pytest.fixture(scope="module", autouse=True)
def cluster(notes: Path, no_ray: None) -> Iterator[None]:
    """Ray with two CPUs and a card that is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GREEDY_FOLDER", str(notes))
        ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


@pytest.fixture(autouse=True)
def _no_notes(notes: Path) -> None:
    for file in notes.iterdir():
        file.unlink()


def tiny(output: Path, **changes: Any) -> dict[str, Any]:
    """A sweep of an architecture that has enough, one that has once it is alone, and one that never has."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"width": 0.1}, "steps": 40, "batch": 32},
        "space": {"architecture.name": ["greedy", "content", "insatiable"]},
        "evaluation": {"every": 20},
        "resources": {"cpus": 1, "gpus": 0.25, "retries": 0},
        "extensions": [GREEDY],
        "tracking": "none",
        "output": str(output),
        **changes,
    }


def read(notes: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (notes / name).read_text().splitlines()]


def curve(folder: Path, trial_id: str) -> list[tuple[Any, ...]]:
    """(step, metric, value) of a trial's reports, in order."""
    history = pd.read_parquet(folder / "history.parquet")
    rows = history[history["trial"] == trial_id][["step", "metric", "value"]]
    return list(rows.itertuples(index=False, name=None))


@pytest.mark.slow
def test_a_trial_that_finds_no_memory_goes_on_once_alone_on_the_card(tmp_path: Path, notes: Path) -> None:
    outcome = start(parse_sweep(tiny(tmp_path)))
    greedy, content, insatiable = outcome.trials
    assert [trial.status for trial in outcome.trials] == [Status.FINISHED, Status.FINISHED, Status.FAILED]
    assert outcome.exit_code() == 3
    assert [run["granted"]["GPU"] for run in read(notes, "content")] == [0.25]
    for name in ("greedy", "insatiable"):
        assert [run["granted"]["GPU"] for run in read(notes, name)] == [0.25, 1.0]
        assert read(notes, name)[1]["alive"] == []  # the first process took its memory along
    # Bit for bit as if there had been memory: no step is missing, none done twice
    assert greedy.step == content.step == 40
    assert curve(outcome.folder, "0000") == curve(outcome.folder, "0001")
    assert insatiable.error is not None
    assert insatiable.error.startswith("CUDA out of memory alone on the card: lower `batch`")
    assert "Tried to allocate 1 PiB" in insatiable.error
    log = (outcome.folder / "sweep.log").read_text()
    for trial in ("0000", "0002"):
        assert f"trial {trial} goes on from its last checkpoint: its share of a card was too small" in log
    [warning] = outcome.warnings
    assert "torch sees no CUDA there" in warning


@pytest.mark.slow
def test_trials_that_share_a_card_train_together_unless_told_otherwise(tmp_path: Path) -> None:
    base = {"architecture": {"name": "mlp", "width": 0.1}, "steps": 2, "batch": 32}
    space = {"objective.lambda_cat": [0.1, 1]}
    for choice, packed in (("auto", True), ("apart", False)):
        resources = {"cpus": 0.1, "gpus": 0.5, "trials_together": choice}
        sweep = tiny(tmp_path / choice) | {"base": base, "space": space, "resources": resources}
        outcome = start(parse_sweep(sweep))
        assert outcome.exit_code() == 0
        [warning] = outcome.warnings
        assert "torch sees no CUDA there" in warning
        records = [read_trial(outcome.folder / "trials" / trial.trial_id) for trial in outcome.trials]
        assert [record.packed for record in records] == [packed, packed]


# gpus: auto ------------------------------------------------------------------------------------------------


def auto(output: Path, **changes: Any) -> dict[str, Any]:
    """A sweep of one trial of `sized` at width 0.2, which takes 50 x 0.2 + 2 = 12 GiB."""
    return tiny(output) | {
        "base": {"architecture": {"name": "sized"}, "steps": 2, "batch": 32},
        "space": {"architecture.width": [0.2]},
        "resources": {"cpus": 0.1, "gpus": "auto"},
        "extensions": [CARD],
        **changes,
    }


def shared(sweep: SweepConfig) -> Shared:
    load_extensions(sweep.extensions)
    storage = CheckpointStore.in_folder(Path(sweep.output))
    dataset = ray.put(load_dataset(sweep.dataset))
    return Shared(sweep, dataset, extension_sources(sweep.extensions), storage, 1)


@pytest.mark.slow
def test_auto_packs_as_many_as_fit(tmp_path: Path) -> None:
    outcome = start(parse_sweep(auto(tmp_path)))
    assert outcome.exit_code() == 0
    # 0.9 x 80 GiB hold six times 12 GiB; floor(10,000 / 6) ten thousandths are what Ray counts
    session = json.loads((outcome.folder / "sessions.jsonl").read_text().splitlines()[-1])
    assert session["request"] == {"CPU": 0.1, "GPU": 0.1666}
    log = (outcome.folder / "sweep.log").read_text()
    assert "a trial takes 12.00 GiB of 80.00 GiB on Pretended H100, where 6 fit; 6 at once on a card" in log


@pytest.mark.parametrize(
    ("taken", "cpus", "share"),
    [
        (12, 0.1, 0.1666),
        (12, 0.7, 0.5),  # of two CPUs, two trials take 1.4
        (12, 2, 1.0),
        (72, 0.1, 1.0),
        (36, 0.1, 0.5),
        (79, 0.1, 1.0),
        (1, 0.01, 0.0138),  # 72 at once
        (1, 0.1, 0.05),  # 20, though 2 // 0.1 is 19
    ],
)
def test_a_share_is_of_what_fits_the_card_and_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int, cpus: float, share: float
) -> None:
    found = Footprint("Pretended H100", taken * 2**30, 80 * 2**30)
    monkeypatch.setattr("infogan_bench.sweep.engine.gpus._on_a_card", lambda *_: found)
    sweep = parse_sweep(auto(tmp_path))
    assert measured_gpus(sweep, [{}], ray.put(None), {"CPU": cpus, "GPU": 1.0}) == (share, None)


def test_what_is_measured_is_torch_s_peak_and_all_else_on_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = parse_sweep(auto(tmp_path))
    own = shared(sweep)
    [card] = [
        module for name, module in sys.modules.items() if name.startswith("infogan_bench_extension_card_")
    ]
    card.pretend(monkeypatch.setattr)
    widths = [{"architecture.width": width} for width in (0.05, 0.2, 0.1)]
    assert measure(own, widths) == Footprint("Pretended H100", 12 * 2**30, 80 * 2**30)
    assert measure(replace(own, together=True), widths).taken == (5 + 2) * 2**30  # half of two in a stack
    too_large = measure(own, [{"architecture.name": "too-large"}])
    assert isinstance(too_large, Footprint)
    assert too_large.trials == 1


@pytest.mark.slow
def test_where_nothing_can_be_measured_a_trial_gets_a_whole_card(tmp_path: Path) -> None:
    sweep = parse_sweep(auto(tmp_path))
    broken = {"architecture.name": "broken"}
    found, warning = measured_gpus(sweep, [broken], ray.put(shared(sweep)), {"CPU": 0.1, "GPU": 1.0})
    assert found == 1.0
    assert warning is not None
    assert "no step could be measured (ValueError: a fault of the user's own)" in warning


@pytest.mark.slow
def test_auto_refuses_a_card_that_torch_does_not_see(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Ray has a GPU on node .*, but torch sees no CUDA there"):
        start(parse_sweep(auto(tmp_path, extensions=[], base={"architecture": {"name": "mlp"}})))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_auto_waits_for_a_card_only_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infogan_bench.sweep.engine.gpus._CARD_SECONDS", 1.0)
    other_sweep = placement_group([{"GPU": 0.25}])
    ray.get(other_sweep.ready())
    try:
        with pytest.raises(
            InputError, match=r"none was free for 1 seconds: give a share, such as `gpus: 0\.25`"
        ):
            start(parse_sweep(auto(tmp_path)))
    finally:
        remove_placement_group(other_sweep)


@pytest.mark.parametrize(
    ("changes", "largest"),
    [
        (
            {"space": {"batch": [64, 128], "architecture.width": [2, 0.5], "optimiser.lr_g": [0.1, 0.2]}},
            [{"batch": 128, "architecture.width": 2}],
        ),
        (  # neither surpasses the other
            {"space": {"architecture.name": ["mlp", "dcgan"], "codes.categorical": [[10], [10, 10]]}},
            [{"architecture.name": name, "codes.categorical": [10, 10]} for name in ("mlp", "dcgan")],
        ),
        (  # proposed while the sweep runs: the corner of the space
            {
                "space": {"batch": {"int": [16, 64]}, "optimiser.lr_g": {"loguniform": [1e-4, 1e-2]}},
                "search": {"algorithm": "tpe", "trials": 3},
            },
            [{"batch": 64}],
        ),
        (  # moments, penalties and averages take memory; weights of the losses do not
            {
                "space": {
                    "objective.r1": [0, 1, 10],
                    "optimiser.ema": [0.9, 0],
                    "objective.lambda_cat": [1, 2],
                }
            },
            [{"objective.r1": 1, "optimiser.ema": 0.9}],
        ),
    ],
)
def test_the_largest_trials(changes: dict[str, Any], largest: list[dict[str, Any]]) -> None:
    sweep = parse_sweep({"name": "s", **changes})
    assert largest_params(sweep, plan(sweep).assignments or ()) == largest


# Memory ----------------------------------------------------------------------------------------------------


def test_peak_memory_of_the_cpu_is_counted_anew() -> None:
    reuse_memory()  # as in a process that trains
    first = PeakMemory(torch.device("cpu"))
    before = first.bytes
    assert before is not None
    held = torch.ones(2**25)  # 128 MiB
    assert first.bytes is not None
    assert first.bytes - before == pytest.approx(2**27, rel=0.1)
    del held
    assert first.bytes - before == pytest.approx(2**27, rel=0.1)
    again = PeakMemory(torch.device("cpu")).bytes
    assert again is not None
    assert again < before + 2**26


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), False),
        (ValueError("CUDA error: out of memory"), False),
    ],
)
def test_what_says_that_a_card_is_full(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


# What a trial sees -----------------------------------------------------------------------------------------


def test_a_trial_that_was_granted_no_card_sees_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(ray, "get_gpu_ids", list)
    sweep = parse_sweep(tiny(tmp_path))
    reference = ray.put(shared(sweep))
    planned = PlannedTrial("0000", {"architecture.name": "content"})
    InfoGANTrainable({"shared": reference, PLANNED_TRIAL: planned.to_json()})
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_a_trial_reports_its_device_and_its_peak_memory(tmp_path: Path) -> None:
    sweep = parse_sweep(
        tiny(tmp_path, space={"batch": [32]}, base={"architecture": {"name": "mlp"}, "steps": 1})
    )
    spec = trial_spec(sweep, PlannedTrial("0000", {"batch": 32}))
    before = torch.ones(2**26)  # 256 MiB, which are no trial's
    del before
    trial = Trial(spec)
    update = trial.advance()
    assert update.device == device_name(torch.device("cpu"))
    assert update.device.startswith("cpu ")
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert update.peak_memory is not None
    assert abs(update.peak_memory - resident) < 2**28
