"""One configuration with its seeds: means, resuming, divergence, and the folder it is trained into."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from infogan_bench.config import DatasetConfig, EvaluationConfig, RunConfig, apply
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.records import replacing_folder
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.training.device import pick_device
from infogan_bench.trial import Trial, TrialSpec, run_trial

Spec = Callable[..., TrialSpec]


@pytest.fixture
def spec(tiny_run: RunConfig) -> Spec:
    """A trial of six steps that reports every two, on 256 images; `changes` are swept values."""

    def make(changes: dict[str, Any] | None = None, *, seeds: tuple[int, ...] = (0, 1)) -> TrialSpec:
        return TrialSpec(
            trial_id="0003",
            params=changes or {},
            run=apply(tiny_run, changes or {}),
            dataset=DatasetConfig(train_size=256, test_size=100),
            evaluation=EvaluationConfig(every=2),
            seeds=seeds,
        )

    return make


def finish(trial: Trial) -> list[TrialUpdate]:
    updates = []
    while trial.update.status is Status.RUNNING:
        updates.append(trial.advance())
    return updates


def tensors(folder: Path, seed: int) -> dict[str, Tensor]:
    return safetensors.torch.load_file(folder / f"seed-{seed}" / "checkpoint.safetensors")


def without_times(update: TrialUpdate) -> TrialUpdate:
    seeds = (replace(seed, seconds=0.0, images_per_second=0.0) for seed in update.seeds)
    return replace(update, seeds=tuple(seeds), peak_memory=None)


def assert_same_files(found: Path, expected: Path) -> None:
    """All tensors bit for bit, and every other file byte for byte, but for times."""
    names = sorted(str(path.relative_to(expected)) for path in expected.rglob("*") if path.is_file())
    names = [name for name in names if "/steps/" not in name]  # those of every save so far
    there = sorted(str(path.relative_to(found)) for path in found.rglob("*") if path.is_file())
    assert [name for name in there if "/steps/" not in name] == names
    for name in names:
        if name.endswith("checkpoint.safetensors"):
            ours, theirs = (safetensors.torch.load_file(folder / name) for folder in (found, expected))
            assert ours.keys() == theirs.keys()
            assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
        elif name != "trial.json":
            assert (found / name).read_bytes() == (expected / name).read_bytes(), name


# Seeds -----------------------------------------------------------------------------------------------------


def test_a_trial_reports_every_interval_until_its_steps_are_done(spec: Spec) -> None:
    trial = Trial(spec({"steps": 5}))
    assert trial.update.status is Status.RUNNING
    assert trial.update.step == 0
    updates = finish(trial)
    assert [update.step for update in updates] == [2, 4, 5]
    assert [update.status for update in updates] == [Status.RUNNING, Status.RUNNING, Status.FINISHED]
    last = updates[-1]
    assert (last.trial_id, dict(last.params), last.error) == ("0003", {"steps": 5}, None)
    assert last.device.startswith("cpu ")
    assert [(seed.seed, seed.status, seed.step) for seed in last.seeds] == [
        (0, Status.FINISHED, 5),
        (1, Status.FINISHED, 5),
    ]
    assert trial.advance() == last  # there is nothing left to do


def test_seeds_differ_and_the_mean_is_theirs(spec: Spec) -> None:
    trial = Trial(spec(seeds=(0, 1, 2)))
    update = trial.advance()
    for metric in ("loss/d", "L_I", "cluster_accuracy"):
        values = [seed.metrics[metric] for seed in update.seeds]
        assert update.mean(metric) == pytest.approx(sum(values) / 3)
    assert len({seed.metrics["loss/d"] for seed in update.seeds}) == 3


def test_a_seed_trains_the_same_alone_and_among_others(spec: Spec) -> None:
    among = Trial(spec(seeds=(0, 1, 2))).advance().seeds[1]
    alone = Trial(spec(seeds=(1,))).advance().seeds[0]
    assert among.metrics == alone.metrics


def test_time_adds_up_over_intervals(spec: Spec) -> None:
    seconds = [update.seeds[0].seconds for update in finish(Trial(spec(seeds=(0,))))]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_the_device_must_be_one_that_torch_has() -> None:
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    for name in ("cuda:99", "toaster"):
        with pytest.raises(InputError, match=f"^--device: torch cannot use '{name}'"):
            pick_device(name)


# Save and load ---------------------------------------------------------------------------------------------


def test_the_folder_holds_what_the_architecture_page_says(spec: Spec, tmp_path: Path) -> None:
    trial = Trial(spec({"objective.lambda_cat": 0.5}))
    trial.advance()
    trial.save(tmp_path)
    pictures = {"samples.png", *(f"traversal-{code}.png" for code in ("cat_0", "uniform_0", "gaussian_0"))}
    for seed in (0, 1):
        files = {path.name for path in (tmp_path / f"seed-{seed}").iterdir()}
        assert files - {"steps"} == {"checkpoint.safetensors", "evaluation.json", *pictures}
        evaluation = json.loads((tmp_path / f"seed-{seed}" / "evaluation.json").read_text())
        assert evaluation["step"] == 2
        assert evaluation["scores"] == pytest.approx(trial.update.seeds[seed].metrics)
        assert sum(map(sum, evaluation["confusion"]["counts"])) == 100
    document = json.loads((tmp_path / "trial.json").read_text())
    assert document["trial"] == "0003"
    assert document["params"] == {"objective.lambda_cat": 0.5}
    assert document["run"]["objective"]["lambda_cat"] == 0.5
    assert document["dataset"]["train_size"] == 256
    assert document["seeds"] == [0, 1]


def test_only_the_last_save_has_a_gallery(spec: Spec, tmp_path: Path) -> None:
    of_the_last = {"categories.json", "categories.png"}
    trial = Trial(spec({"steps": 4}, seeds=(0,)))
    for step in (2, 4):
        trial.advance()
        trial.save(tmp_path / str(step))
        files = {path.name for path in (tmp_path / str(step) / "seed-0").iterdir()}
        assert of_the_last & files == (of_the_last if step == 4 else set())


def test_saved_and_continued_equals_uninterrupted(spec: Spec, tmp_path: Path) -> None:
    whole = Trial(spec())
    finish(whole)
    whole.save(tmp_path / "whole")

    stopped = Trial(spec())
    stopped.advance()
    stopped.save(tmp_path / "stopped")
    resumed = Trial(spec())
    resumed.load(tmp_path / "stopped")
    assert without_times(resumed.update) == without_times(stopped.update)
    assert [update.step for update in finish(resumed)] == [4, 6]
    resumed.save(tmp_path / "resumed")

    assert without_times(resumed.update) == without_times(whole.update)
    assert_same_files(tmp_path / "resumed", tmp_path / "whole")
    assert all(
        seed.seconds > before.seconds
        for seed, before in zip(resumed.update.seeds, stopped.update.seeds, strict=True)
    )


def test_another_configuration_is_refused(spec: Spec, tmp_path: Path) -> None:
    trial = Trial(spec())
    trial.advance()
    trial.save(tmp_path)
    key = r"was written by another configuration: objective.lambda_cat is 1.0 there, and 0.5 here$"
    with pytest.raises(InputError, match=key):
        Trial(spec({"objective.lambda_cat": 0.5})).load(tmp_path)
    other_data = replace(spec(), dataset=DatasetConfig(train_size=255, test_size=100))
    with pytest.raises(InputError, match=r"configuration: dataset.train_size is \d+ there, and 255 here$"):
        Trial(other_data).load(tmp_path)


@pytest.mark.parametrize("seeds", [(0,), (0, 2), (0, 1, 2)])
def test_other_seeds_are_refused(spec: Spec, tmp_path: Path, seeds: tuple[int, ...]) -> None:
    trial = Trial(spec(seeds=(0, 1)))
    trial.advance()
    trial.save(tmp_path)
    with pytest.raises(InputError, match=r"holds seeds 0, 1, but .* has "):
        Trial(spec(seeds=seeds)).load(tmp_path)


@pytest.mark.parametrize("content", [None, "", "{}", '{"progress": [{"seed": 0}]}', "[1]"])
def test_a_folder_that_is_not_whole_is_refused(spec: Spec, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "trial.json").write_text(content)
    with pytest.raises(InputError, match="no trial can be continued from here"):
        Trial(spec()).load(tmp_path)


def test_a_missing_checkpoint_is_named(spec: Spec, tmp_path: Path) -> None:
    trial = Trial(spec())
    trial.advance()
    trial.save(tmp_path)
    (tmp_path / "seed-1" / "checkpoint.safetensors").unlink()
    with pytest.raises(InputError, match=r"seed-1/checkpoint\.safetensors: no such checkpoint"):
        Trial(spec()).load(tmp_path)


# Divergence ------------------------------------------------------------------------------------------------


class Fragile(nn.Module):
    """The identity for so many passes, and infinite ever after."""

    def __init__(self, passes: float) -> None:
        super().__init__()
        self.left = passes

    def forward(self, images: Tensor) -> Tensor:
        self.left -= self.training
        return images if self.left >= 0 else images * math.inf


@pytest.fixture
def one_seed_breaks(scratch_registry: None) -> dict[str, Any]:
    """Swept values under which the second seed diverges at its third step; G passes once a step."""
    built = 0

    @register_architecture("fragile")
    def fragile(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        nonlocal built
        built += 1
        networks = mlp(image_shape, latent_dim, q_dim, width)
        networks.G = nn.Sequential(networks.G, Fragile(2 if built == 2 else math.inf))
        return networks

    return {"architecture.name": "fragile"}


def test_a_seed_that_diverges_ends_the_trial_and_is_named(
    spec: Spec, tmp_path: Path, one_seed_breaks: dict[str, Any]
) -> None:
    trial = Trial(spec(one_seed_breaks, seeds=(4, 5, 6)))
    assert trial.advance().status is Status.RUNNING
    update = trial.advance()
    assert update.status is Status.DIVERGED
    assert update.error == "seed 5: diverged at step 3: loss/d is not finite"
    assert [(seed.seed, seed.status, seed.step) for seed in update.seeds] == [
        (4, Status.STOPPED, 4),
        (5, Status.DIVERGED, 3),
        (6, Status.STOPPED, 4),
    ]
    assert [seed.error for seed in update.seeds] == [None, "diverged at step 3: loss/d is not finite", None]
    assert trial.advance() == update  # it has ended
    with pytest.raises(ValueError, match="a diverged trial is not saved"):
        trial.save(tmp_path / "trial")
    assert not (tmp_path / "trial").exists()


def test_what_was_saved_before_a_trial_diverged_is_kept(
    spec: Spec, tmp_path: Path, one_seed_breaks: dict[str, Any]
) -> None:
    updates = list(run_trial(spec(one_seed_breaks), tmp_path / "trial", "cpu", go_on=False))
    assert [update.status for update in updates] == [Status.RUNNING, Status.DIVERGED]
    assert [int(tensors(tmp_path / "trial", seed)["step"]) for seed in (0, 1)] == [2, 2]


# run_trial -------------------------------------------------------------------------------------------------


def test_each_update_comes_once_its_checkpoint_is_written(spec: Spec, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "trial"
    for update in run_trial(spec(), folder, "cpu", go_on=False):
        assert int(tensors(folder, 0)["step"]) == update.step
        assert json.loads((folder / "seed-1" / "evaluation.json").read_text())["step"] == update.step
        assert [path.name for path in folder.parent.iterdir()] == ["trial"]  # nothing temporary beside it
    assert update.status is Status.FINISHED


def test_an_existing_folder_is_left_alone_without_resume(spec: Spec, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="it exists already; add --resume, or name another --output"):
        list(run_trial(spec(), tmp_path, "cpu", go_on=False))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_there_must_be_something_to_resume(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to resume there"):
        list(run_trial(spec(), tmp_path / "trial", "cpu", go_on=True))
    assert not (tmp_path / "trial").exists()


def test_resumed_equals_uninterrupted(spec: Spec, tmp_path: Path) -> None:
    whole = list(run_trial(spec(), tmp_path / "whole", "cpu", go_on=False))
    first = next(run_trial(spec(), tmp_path / "stopped", "cpu", go_on=False))
    rest = list(run_trial(spec(), tmp_path / "stopped", "cpu", go_on=True))
    assert [without_times(update) for update in (first, *rest)] == [without_times(update) for update in whole]
    assert_same_files(tmp_path / "stopped", tmp_path / "whole")
    assert list(run_trial(spec(), tmp_path / "whole", "cpu", go_on=True)) == []  # it is finished


_KILLED_WHEN_IT_RENAMES = """
import os, sys, pickle
from pathlib import Path
from infogan_bench.trial import run_trial
spec, folder, at = pickle.loads(sys.stdin.buffer.read())
rename, calls = Path.rename, []
def counted(self, target):
    calls.append(self)
    if len(calls) == at:
        os._exit(9)
    return rename(self, target)
Path.rename = counted
list(run_trial(spec, folder, "cpu", go_on=False))
"""


@pytest.mark.parametrize("at", [2, 3])  # of the second save: the old folder away, the new one there
def test_a_training_that_was_killed_while_it_saved_is_resumed(spec: Spec, tmp_path: Path, at: int) -> None:
    list(run_trial(spec(), tmp_path / "whole", "cpu", go_on=False))
    folder = tmp_path / "killed"
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_WHEN_IT_RENAMES], input=pickle.dumps((spec(), folder, at))
    )
    assert killed.returncode == 9
    with pytest.raises(InputError, match="it exists already"):
        list(run_trial(spec(), folder, "cpu", go_on=False))
    list(run_trial(spec(), folder, "cpu", go_on=True))
    assert_same_files(folder, tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]  # and nothing left over


def test_what_earlier_versions_left_of_a_killed_save_is_resumed_or_removed(
    spec: Spec, tmp_path: Path
) -> None:
    next(run_trial(spec(), tmp_path / "run", "cpu", go_on=False))
    (tmp_path / ".run-a1b2c3d4").mkdir()
    (tmp_path / "run").rename(
        tmp_path / ".run-a1b2c3d4" / "old"
    )  # killed with the old folder away, and no new one
    (tmp_path / ".run-zzzzzzzz" / "new").mkdir(parents=True)  # killed while it wrote
    (tmp_path / ".run-somebody").mkdir()
    (tmp_path / ".run-somebody" / "notes.txt").write_text("mine")
    list(run_trial(spec(), tmp_path / "run", "cpu", go_on=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run-somebody", "run"]
    list(run_trial(spec(), tmp_path / "whole", "cpu", go_on=False))
    assert_same_files(tmp_path / "run", tmp_path / "whole")


def test_a_save_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with replacing_folder(folder) as new:
        (new / "text").write_text("old")
    with pytest.raises(UnicodeEncodeError), replacing_folder(folder) as new:
        (new / "text").write_text("half \ud800")
    assert (folder / "text").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


# The record of a trial -------------------------------------------------------------------------------------


def test_an_update_survives_json_with_nan_and_infinity() -> None:
    update = TrialUpdate(
        trial_id="0007",
        params={"objective.lambda_cat": 0.1, "codes.categorical": [10, 5], "dataset.data_dir": None},
        status=Status.STOPPED,
        step=40,
        seeds=(
            SeedResult(0, Status.STOPPED, 40, {"loss/d": math.inf, "nmi": 0.25}, 1.5, 2e4),
            SeedResult(1, Status.DIVERGED, 39, {"loss/d": math.nan}, error="ünfinished\n'quoted'"),
        ),
        error="seed 1: …",
        node="10.0.0.1",
        device="cpu",
        peak_memory=2**33 + 1,
    )
    found = TrialUpdate.from_json(update.to_json())
    assert math.isnan(found.seeds[1].metrics["loss/d"])
    without_nan = [
        replace(each, seeds=(each.seeds[0], replace(each.seeds[1], metrics={}))) for each in (found, update)
    ]
    assert without_nan[0] == without_nan[1]
    assert isinstance(found.seeds[0].status, Status)


def test_a_mean_needs_a_value_of_every_seed() -> None:
    seeds = (
        SeedResult(0, Status.RUNNING, 2, {"nmi": 0.2, "ari": 0.5}),
        SeedResult(1, Status.RUNNING, 2, {"nmi": 0.4}),
    )
    update = TrialUpdate("0000", {}, Status.RUNNING, seeds=seeds)
    assert update.mean("nmi") == pytest.approx(0.3)
    assert update.mean("ari") is None
    assert update.mean("mig") is None
    assert TrialUpdate("0000", {}, Status.PENDING).mean("nmi") is None


def test_an_update_in_one_line() -> None:
    metrics = {"loss/d": 1.25, "L_I": 2.0, "L_I/cat_0": 2.0, "H": 2.3026, "H/cat_0": 2.3026, "nmi": 0.5}
    seeds = (SeedResult(0, Status.RUNNING, 50, metrics), SeedResult(3, Status.RUNNING, 50, {"nmi": 0.25}))
    assert TrialUpdate("0000", {}, Status.RUNNING, seeds=seeds).line() == (
        "step 50 seed 0: loss/d 1.250, L_I 2.000, H 2.303, nmi 0.500; step 50 seed 3: nmi 0.250"
    )


def test_which_statuses_have_ended_and_which_are_bad() -> None:
    assert {status.value for status in Status if status.ended} == {
        "finished",
        "stopped",
        "diverged",
        "failed",
    }
    assert {status.value for status in Status if status.bad} == {"diverged", "failed"}
