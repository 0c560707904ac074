"""A sweep that was interrupted goes on though its checkpoints are cut short or its folder has moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import ray

from infogan_bench.config import parse_sweep
from infogan_bench.datasets import load_dataset
from infogan_bench.records.results import TrialUpdate
from infogan_bench.sweep import SweepFolder, resume
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, UPDATE, WARNING, InfoGANTrainable, Shared
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from tests.sweep.three_trials import digests, scores, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]


# Checkpoints cut short -------------------------------------------------------------------------------------


def cut_short(checkpoint: Path) -> None:
    with checkpoint.open("r+b") as file:
        file.truncate(checkpoint.stat().st_size // 2)


@pytest.mark.parametrize("file", ["seed-0/checkpoint.safetensors", "trial.json"])
def test_of_a_checkpoint_cut_short_the_one_before_is_used(
    tmp_path: Path, interrupted: Path, undisturbed: Path, file: str
) -> None:
    folder = shutil.copytree(interrupted, tmp_path / "cut")
    opened = SweepFolder.open(folder)
    (trial,) = (name for name, update in opened.updates.items() if update.step == 20)
    saved = [Path(path) for path in opened.checkpoint_store(None).saved(trial)]
    before = saved[0].with_name("checkpoint_")  # which sorts before all
    shutil.copytree(saved[0], before)  # the one before it
    cut_short(saved[0] / file)
    outcome = resume(folder)
    (warning,) = outcome.warnings
    assert warning.startswith(f"trial {trial} goes on from an earlier checkpoint")
    assert str(saved[0] / file) in warning
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed))


def test_a_process_that_begins_again_does_so_from_the_last_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = parse_sweep(tiny(tmp_path))
    planned = PlannedTrial("0000", {"objective.lambda_cat": 1.0})
    shared = Shared(sweep, load_dataset(sweep.dataset), {}, CheckpointStore.in_folder(tmp_path), 1)
    monkeypatch.setattr(ray, "get", lambda reference: reference)  # without Ray
    config = {"shared": shared, PLANNED_TRIAL: planned.to_json()}
    trainable = InfoGANTrainable(config)
    saved = tmp_path / "run-1" / "0000"
    results = []
    for number in range(2):
        results.append(trainable.step())
        trainable.save_checkpoint(str(saved / f"checkpoint_{number:06}"))
    cut_short(saved / "checkpoint_000001" / "seed-0" / "checkpoint.safetensors")

    again = InfoGANTrainable(config)
    again.load_checkpoint(str(saved / "checkpoint_000001"))
    result = again.step()
    assert "checkpoint_000001/seed-0/checkpoint.safetensors: truncated" in result[WARNING]
    metrics = [TrialUpdate.from_json(each[UPDATE]).seeds[0].metrics for each in (result, results[1])]
    assert metrics[0] == metrics[1]
    assert WARNING not in again.step()


# The folder was moved --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_folder_that_was_moved_or_copied_is_resumed_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: Path, undisturbed: Path, how: str
) -> None:
    old = shutil.copytree(interrupted, tmp_path / "first home" / "tiny")
    if how == "moved":  # and named by a relative path, from another folder
        new = tmp_path / "second" / "renamed"
        new.parent.mkdir()
        old.rename(new)
        monkeypatch.chdir(new.parent)
        named = Path("./renamed/")
    else:  # without dot files, and named by a link
        new = shutil.copytree(old, tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
        shutil.rmtree(old)
        named = tmp_path / "link"
        named.symlink_to(new)
    ended = [name for name, update in SweepFolder.open(new).updates.items() if update.status.ended]
    before = {name: digests(new / "trials" / name) for name in ended}
    outcome = resume(named)
    assert outcome.exit_code() == 0
    assert {name: digests(new / "trials" / name) for name in ended} == before
    pd.testing.assert_frame_equal(scores(new), scores(undisturbed))
    assert not old.exists()
    assert not (new / "tune").exists()
