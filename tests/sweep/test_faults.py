"""What befalls a sweep from outside: its disk, its folder, its file, a second process, a user's own modules."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import ray
import torch
import yaml
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.config import parse_sweep, plan
from infogan_bench.datasets import load_dataset
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status, TrialUpdate
from infogan_bench.sweep import SweepFolder, SweepOutcome, resume, start
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, UPDATE, WARNING, InfoGANTrainable, Shared
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.edits import accepted_edits
from infogan_bench.sweep.record.lock import LOCK, sole_user
from infogan_bench.sweep.rerun import rerun
from infogan_bench.training import load_checkpoint
from infogan_bench.trial import Trial, TrialSpec

UNRULY = str(Path(__file__).with_name("unruly.py"))
SCORES = ["trial", "seed", "status", "step", "params", "scores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]


def tiny(output: Path, **changes: object) -> dict[str, object]:
    """A sweep of three trials, each of two intervals of 20 steps of a small MLP."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32},
        "space": {"objective.lambda_cat": [0.1, 1, 3]},
        "evaluation": {"every": 20},
        "resources": {"cpus": 2, "gpus": 0},  # one trial at a time
        "tracking": "none",
        "output": str(output),
        **changes,
    }


class Once:
    """A listener that calls `act` once: when a trial has ended or, given `step`, when a later one has come there."""

    def __init__(self, act: Callable[[], object], step: int = 0) -> None:
        self.act: Callable[[], object] | None = act
        self.step = step
        self.ended_trials: set[str] = set()

    def started(self, total: int | None) -> None: ...

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...

    def updated(self, update: TrialUpdate) -> None:
        if update.status.ended:
            self.ended_trials.add(update.trial_id)
        others = self.ended_trials - {update.trial_id}
        due = update.step >= self.step and others if self.step else self.ended_trials
        if due and self.act is not None:
            act, self.act = self.act, None
            act()


def scores(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "trials.parquet")[SCORES]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> SweepOutcome:
    return start(parse_sweep(tiny(tmp_path_factory.mktemp("undisturbed"))))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory, marks: Path, two_cpus: None) -> Path:
    """The same sweep, stopped by SIGTERM when one of its trials had ended and another was in its second interval."""
    networks = {"architecture": {"name": "lingers", "width": 0.1}, "steps": 40, "batch": 32}
    sweep = parse_sweep(tiny(tmp_path_factory.mktemp("interrupted"), base=networks, extensions=[UNRULY]))
    outcome = start(sweep, listeners=[Once(lambda: signal.raise_signal(signal.SIGTERM), step=20)])
    (marks / "lingered").touch()  # nobody does so in what is resumed
    assert outcome.exit_code() == 143
    assert [trial.status for trial in outcome.trials if trial.step == 20] == [Status.INTERRUPTED]
    return outcome.folder


def digests(folder: Path) -> dict[str, tuple[str, float]]:
    """{relative path: (digest, time of the last change)} of all files below."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        str(file.relative_to(folder)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime)
        for file in files
    }


# The disk --------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path, marks: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    disk = tmp_path / "small disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    (marks / "disk").symlink_to(disk)
    yield disk
    (marks / "disk").unlink()
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_sweep_and_room_lets_it_finish(
    small_disk: Path, tmp_path: Path, undisturbed: SweepOutcome
) -> None:
    settings = tiny(
        small_disk,
        extensions=[UNRULY],
        base={**tiny(tmp_path)["base"], "architecture": {"name": "fills-the-disk", "width": 0.1}},
    )
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(settings))
    result = CliRunner().invoke(app, ["sweep", str(tmp_path / "sweep.yaml")])
    folder = small_disk / "tiny"
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: no space on ")
    assert f"; free some and: infogan-bench resume '{folder}'" in result.stderr.splitlines()[-1]

    kept = digests(folder / "trials")
    assert kept
    assert scores(folder)["status"].isin(["finished", "running"]).all()
    assert not list(folder.rglob("*.partial"))
    with pytest.raises(InputError, match="no space on"):
        resume(folder)
    (small_disk / "filler").unlink()
    outcome = resume(folder)
    assert outcome.exit_code() == 0
    assert kept.items() <= digests(folder / "trials").items()
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed.folder))


def test_a_read_only_folder_stops_the_sweep_until_it_can_be_written(
    tmp_path: Path, undisturbed: SweepOutcome
) -> None:
    """The folder is made immutable when the first trial has ended: nothing can be made, renamed or removed in it."""
    if os.geteuid() != 0 or shutil.which("chattr") is None:
        pytest.skip("needs the right to make a folder immutable")
    folder = tmp_path / "tiny"

    def chattr(flag: str) -> None:
        if subprocess.run(["chattr", flag, str(folder)], capture_output=True).returncode != 0:
            pytest.skip("this file system has no immutable folders")

    try:
        outcome = start(parse_sweep(tiny(tmp_path)), listeners=[Once(lambda: chattr("+i"))])
        assert outcome.exit_code() == 1
        assert outcome.fault is not None
        assert outcome.fault.startswith("there is no right to write to ")
        with pytest.raises(
            InputError, match=rf"no right to write to {folder}.*infogan-bench resume {folder}$"
        ):
            resume(folder)
    finally:
        chattr("-i")
    assert resume(folder).exit_code() == 0
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed.folder))


def test_a_quota_that_a_worker_meets_is_no_fault_of_its_trial(
    tmp_path: Path, marks: Path, undisturbed: SweepOutcome
) -> None:
    used_up = marks / "quota-used-up"
    outcome = start(
        parse_sweep(tiny(tmp_path, extensions=[UNRULY])), listeners=[Once(lambda: used_up.touch())]
    )
    assert outcome.exit_code() == 1
    assert outcome.fault is not None
    assert outcome.fault.startswith("the quota on ")
    assert outcome.count(Status.FAILED) == 0
    used_up.unlink()
    assert resume(outcome.folder).exit_code() == 0
    pd.testing.assert_frame_equal(scores(outcome.folder), scores(undisturbed.folder))


def test_never_more_than_two_checkpoints_of_a_trial_are_on_the_disk(tmp_path: Path) -> None:
    most = 0

    class Counts(Once):
        def tick(self) -> None:
            nonlocal most
            most = max(most, len(list(tmp_path.glob("tiny/tune/*/0000/checkpoint_*"))))

    changes = {"space": {}, "evaluation": {"every": 4, "scores": []}, "goal": {"metric": "L_I"}}
    outcome = start(parse_sweep(tiny(tmp_path, **changes)), listeners=[Counts(lambda: None)])
    assert outcome.trials[0].status is Status.FINISHED
    assert 1 <= most <= 2


# Two at once -----------------------------------------------------------------------------------------------


def infogan_bench(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """The command line in a process of its own, on this module's cluster."""
    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "infogan_bench", *arguments, "--address", address]
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_sweeps_of_one_name_at_once_are_two_folders(tmp_path: Path, undisturbed: SweepOutcome) -> None:
    (tmp_path / "tiny.yaml").write_text(
        yaml.safe_dump(tiny(tmp_path / "runs", resources={"cpus": 1, "gpus": 0}))
    )
    both = [infogan_bench("sweep", "tiny.yaml", cwd=tmp_path) for _ in range(2)]
    for process in both:
        _, messages = process.communicate(timeout=170)
        assert process.returncode == 0, messages
    assert sorted(folder.name for folder in (tmp_path / "runs").iterdir()) == ["tiny", "tiny-2"]
    for folder in (tmp_path / "runs").iterdir():
        pd.testing.assert_frame_equal(scores(folder), scores(undisturbed.folder))
        assert sorted(place.name for place in (folder / "trials").iterdir()) == ["0000", "0001", "0002"]


def test_a_sweep_that_runs_is_not_resumed_and_one_that_was_killed_is(
    tmp_path: Path, undisturbed: SweepOutcome
) -> None:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny(tmp_path)))
    process = infogan_bench("sweep", "tiny.yaml", cwd=tmp_path)
    folder = tmp_path / "tiny"
    deadline = time.monotonic() + 120
    while not list(folder.glob("tune/*/*/checkpoint_*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(InputError, match=rf"^{folder} is in use by process {process.pid} on "):
        resume(folder)
    process.kill()
    process.communicate()
    assert (folder / LOCK).is_file()
    assert resume(folder).exit_code() == 0
    assert not (folder / LOCK).exists()
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed.folder))


def test_of_many_at_once_one_has_the_folder(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text('{"host": "')  # what a killed process may leave
    inside, most, served = 0, 0, 0
    counting, gate = threading.Lock(), threading.Barrier(8)

    def work() -> None:
        nonlocal inside, most, served
        gate.wait()
        for _ in range(50):
            with suppress(InputError), sole_user(tmp_path):
                with counting:
                    inside, served = inside + 1, served + 1
                    most = max(most, inside)
                time.sleep(0.0005)
                with counting:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert served > 1
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_another_machine_counts_while_its_holder_touches_it(tmp_path: Path) -> None:
    file = tmp_path / LOCK
    file.write_text(json.dumps({"host": "node-7", "pid": 12, "since": "2026-01-01T00:00:00+00:00"}))
    with pytest.raises(InputError, match="in use by process 12 on node-7"), sole_user(tmp_path):
        pass
    os.utime(file, (time.time() - 130,) * 2)
    with sole_user(tmp_path):
        assert json.loads(file.read_text())["pid"] == os.getpid()


# The file was changed --------------------------------------------------------------------------------------


def edits(was: dict[str, object], now: dict[str, object]) -> list[str]:
    common = tiny(Path("runs"))
    changed = parse_sweep({**common, **now})
    return accepted_edits(parse_sweep({**common, **was}), changed, plan(changed), Path("sweep.yaml"))


TWO_KEYS = {"objective.lambda_cat": [0.1, 1], "optimiser.lr_d": [0.001, 0.01]}


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({}, {}, []),
        ({"output": "a"}, {"output": "b"}, ['output: "a" -> "b"']),
        ({}, {"resources": {"cpus": 1}}, ["resources.cpus: 2.0 -> 1.0", 'resources.gpus: 0.0 -> "auto"']),
        (
            {"tracking": {"uri": "http://a", "tags": {"by": "me"}}},
            {"tracking": {"uri": "http://a", "tags": {"by": "you"}, "note": "second half"}},
            ['tracking.tags.by: "me" -> "you"', 'tracking.note: null -> "second half"'],
        ),
        (
            {"space": {"objective.lambda_cat": [0.1, 1]}},
            {"space": {"objective.lambda_cat": [0.1, 1, 3]}},
            ['space.objective.lambda_cat: {"choice": [0.1, 1.0]} -> {"choice": [0.1, 1.0, 3.0]}'],
        ),
        (
            {"space": TWO_KEYS},
            {"space": {**TWO_KEYS, "objective.lambda_cat": [0.1, 1, 3]}},
            ['space.objective.lambda_cat: {"choice": [0.1, 1.0]} -> {"choice": [0.1, 1.0, 3.0]}'],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "random", "trials": 3},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "random", "trials": 5, "time_limit": "1h"},
            },
            ["search.trials: 3 -> 5", "search.time_limit: null -> 3600.0"],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 3},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 5},
            },
            ["search.trials: 3 -> 5"],
        ),
    ],
)
def test_what_adds_trials_or_changes_no_result_is_accepted(
    was: dict[str, object], now: dict[str, object], told: list[str]
) -> None:
    assert edits(was, now) == told


@pytest.mark.parametrize(
    ("was", "now", "shown"),
    [
        ({}, {"base": {"steps": 80}}, ["base.steps: 40 -> 80", 'base.architecture.name: "mlp" -> "paper"']),
        ({"seeds": 1}, {"seeds": 2}, ["seeds: [0] -> [0, 1]"]),
        ({}, {"space": {}}, ['space.objective.lambda_cat: {"choice": [0.1, 1.0, 3.0]} -> nothing']),
        (
            {"space": {"objective.lambda_cat": [0.1, 1]}},
            {"space": {"objective.lambda_cat": [0.1, 3, 1]}},
            ['{"choice": [0.1, 1.0]} -> {"choice": [0.1, 3.0, 1.0]}'],
        ),
        (  # the last key varies fastest: a value more of it renumbers the trials
            {"space": TWO_KEYS},
            {"space": {**TWO_KEYS, "optimiser.lr_d": [0.001, 0.01, 0.1]}},
            ['space.optimiser.lr_d: {"choice": [0.001, 0.01]} -> {"choice": [0.001, 0.01, 0.1]}'],
        ),
        (
            {"space": TWO_KEYS},
            {"space": dict(reversed(TWO_KEYS.items()))},
            [
                "space: the keys are in another order, objective.lambda_cat, optimiser.lr_d -> optimiser.lr_d, "
            ],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 5},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 3},
            },
            ["search.trials: 5 -> 3"],
        ),
        (
            {},
            {"scheduler": "asha", "evaluation": {"every": 10}},
            ['scheduler.name: "none" -> "asha"', "evaluation.every"],
        ),
    ],
)
def test_any_other_change_is_refused_with_the_difference(
    was: dict[str, object], now: dict[str, object], shown: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        edits(was, now)
    for difference in shown:
        assert difference in str(refused.value)


def edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change a folder's sweep.yaml as a person would in an editor."""
    tree = yaml.safe_load((folder / "sweep.yaml").read_text())
    change(tree)
    (folder / "sweep.yaml").write_text(yaml.safe_dump(tree))


def test_a_value_more_adds_its_trial_alone(tmp_path: Path, undisturbed: SweepOutcome) -> None:
    folder = shutil.copytree(undisturbed.folder, tmp_path / "edited")
    edit(folder, lambda tree: tree.update(base={**tree["base"], "steps": 80}))
    for _ in range(2):  # a refusal changes nothing
        with pytest.raises(InputError, match=r"base.steps: 40 -> 80"):
            resume(folder)
    edit(folder, lambda tree: tree.update(base={**tree["base"], "steps": 40}))
    edit(folder, lambda tree: tree["space"].update({"objective.lambda_cat": [0.1, 1, 3, 5]}))
    before = digests(folder / "trials")
    outcome = resume(folder)
    assert outcome.warnings == (
        'sweep.yaml has changed since it ran: space.objective.lambda_cat: {"choice": [0.1, 1.0, 3.0]} -> '
        '{"choice": [0.1, 1.0, 3.0, 5.0]}',
    )
    assert [trial.params["objective.lambda_cat"] for trial in outcome.trials] == [0.1, 1, 3, 5]
    assert before.items() <= digests(folder / "trials").items()
    assert resume(folder).warnings == ()  # what ran last is what the file says


# The user's own modules ------------------------------------------------------------------------------------


def test_whatever_a_module_raises_is_its_trial_s_fault_alone(tmp_path: Path) -> None:
    errors = {
        "raises-a-base-exception": "Odd: not even an Exception",
        "raises-a-keyboard-interrupt": "KeyboardInterrupt: no message",
        "raises-unpicklable": "LocalError: holds an open file, say ?",
        "raises-mute": "MuteError: its message cannot be read",
        "raises-a-megabyte": f"RuntimeError: {'x' * 1986}... (cut; it has 1,000,014 characters)",
        "exits": "SystemExit: 0",
        "narrow-only": "ValueError: width 0.1 is too much for me",
        "mlp": None,
    }
    outcome = start(
        parse_sweep(tiny(tmp_path, space={"architecture.name": list(errors)}, extensions=[UNRULY]))
    )
    assert {trial.params["architecture.name"]: trial.error for trial in outcome.trials} == errors
    assert outcome.exit_code() == 3
    table = pd.read_parquet(outcome.folder / "trials.parquet")
    assert list(table["status"]) == ["failed"] * 7 + ["finished"]


def test_a_dataset_is_read_once_so_that_no_trial_meets_a_fault_in_reading_it_again(tmp_path: Path) -> None:
    outcome = start(parse_sweep(tiny(tmp_path, dataset="moody", extensions=[UNRULY])))
    assert [(trial.status, trial.error) for trial in outcome.trials] == [(Status.FINISHED, None)] * 3


# Checkpoints cut short -------------------------------------------------------------------------------------


def cut_short(checkpoint: Path) -> None:
    with checkpoint.open("r+b") as file:
        file.truncate(checkpoint.stat().st_size // 2)


@pytest.mark.parametrize("file", ["seed-0/checkpoint.safetensors", "trial.json"])
def test_of_a_checkpoint_cut_short_the_one_before_is_used(
    tmp_path: Path, interrupted: Path, undisturbed: SweepOutcome, file: str
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
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed.folder))


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: Path, undisturbed: SweepOutcome, how: str
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
    pd.testing.assert_frame_equal(scores(new), scores(undisturbed.folder))
    assert not old.exists()
    assert not (new / "tune").exists()


# Once more -------------------------------------------------------------------------------------------------


def test_a_trial_trained_again_outside_ray_gives_the_same_bits(
    tmp_path: Path, undisturbed: SweepOutcome
) -> None:
    folder = shutil.copytree(undisturbed.folder, tmp_path / "tiny")
    command = ["rerun", str(folder), "1", "--output", str(tmp_path / "again")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    recorded = SweepFolder.open(folder).updates["0001"].seeds[0].metrics
    accuracy = next(line.split() for line in result.stdout.splitlines() if "cluster_accuracy" in line)
    value = repr(recorded["cluster_accuracy"])
    assert accuracy == ["0", "40", "cluster_accuracy", value, value, "same"]
    assert result.stdout.splitlines()[-1] == "trial 0001: the same bit for bit, in all 2 report(s)"
    weights = "seed-0/checkpoint.safetensors"
    again, before = (
        load_checkpoint(place / weights) for place in (tmp_path / "again", folder / "trials/0001")
    )
    assert again.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in before.tensors.items())

    file = folder / "trials" / "0001" / "trial.json"
    record = json.loads(file.read_text())
    record["history"][1]["metrics"]["L_I"] += 2**-40
    file.write_text(json.dumps(record))
    result = CliRunner().invoke(app, ["rerun", str(folder), "0001", "--seed", "0"])
    assert result.exit_code == 1
    assert "trial 0001 differs, first at step 40, seed 0: L_I was " in result.stderr

    for arguments, message in [
        (["7"], "no trial '7'; there are 0000 to 0002"),
        (["0", "--seed", "5"], "trial 0000 has the seeds 0, not 5"),
        (["0", "--output", str(tmp_path)], "exists already"),
    ]:
        result = CliRunner().invoke(app, ["rerun", str(folder), *arguments])
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)


def test_a_trial_that_was_stopped_early_is_trained_to_where_it_was_stopped(tmp_path: Path) -> None:
    """Step sizes and noise depend on how long the run was to be, so 20 of 40 steps are not a run of 20."""
    base = {
        "architecture": {"name": "mlp", "width": 0.1},
        "steps": 40,
        "batch": 32,
        "optimiser": {"decay": 1.0},
        "objective": {"instance_noise": 0.5},
    }
    sweep = parse_sweep(tiny(tmp_path, base=base, space={}, seeds=2))
    folder = SweepFolder.create(sweep, {})
    spec = TrialSpec("0000", {}, sweep.base, sweep.dataset, sweep.evaluation, sweep.seeds)
    trial = Trial(spec)
    folder.updated(replace(trial.advance(), status=Status.STOPPED))
    folder.flush()
    trial.save(folder.trial_folder("0000"))

    for seed, seeds in ((None, {0, 1}), (1, {1})):
        compared = rerun(folder.path, "0000", seed=seed)
        assert compared.first_difference is None
        assert {(score.seed, score.step) for score in compared.scores} == {(each, 20) for each in seeds}

    short = Trial(replace(spec, run=sweep.base.model_copy(update={"steps": 20}))).advance()
    assert dict(short.seeds[0].metrics) != dict(trial.update.seeds[0].metrics)
