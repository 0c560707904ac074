"""What befalls a sweep from outside: its disk, its folder, a second process, a user's own modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
import ray
import yaml
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.config import parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status
from infogan_bench.sweep import resume, start
from infogan_bench.sweep.record.lock import LOCK, sole_user
from tests.sweep.three_trials import UNRULY, Once, digests, scores, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]


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
    small_disk: Path, tmp_path: Path, undisturbed: Path
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
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed))


def test_a_read_only_folder_stops_the_sweep_until_it_can_be_written(
    tmp_path: Path, undisturbed: Path
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
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed))


def test_a_quota_that_a_worker_meets_is_no_fault_of_its_trial(
    tmp_path: Path, marks: Path, undisturbed: Path
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
    pd.testing.assert_frame_equal(scores(outcome.folder), scores(undisturbed))


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


def test_two_sweeps_of_one_name_at_once_are_two_folders(tmp_path: Path, undisturbed: Path) -> None:
    """Of one trial each, the second of those that the undisturbed sweep has."""
    sweep = tiny(tmp_path / "runs", space={"objective.lambda_cat": [1]}, resources={"cpus": 1, "gpus": 0})
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(sweep))
    expected = scores(undisturbed).iloc[[1]].assign(trial="0000")
    both = [infogan_bench("sweep", "tiny.yaml", cwd=tmp_path) for _ in range(2)]
    for process in both:
        _, messages = process.communicate(timeout=170)
        assert process.returncode == 0, messages
    assert sorted(folder.name for folder in (tmp_path / "runs").iterdir()) == ["tiny", "tiny-2"]
    for folder in (tmp_path / "runs").iterdir():
        pd.testing.assert_frame_equal(scores(folder), expected.reset_index(drop=True))
        assert sorted(place.name for place in (folder / "trials").iterdir()) == ["0000"]


def test_a_sweep_that_runs_is_not_resumed_and_one_that_was_killed_is(
    tmp_path: Path, undisturbed: Path
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
    pd.testing.assert_frame_equal(scores(folder), scores(undisturbed))


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
