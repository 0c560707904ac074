"""Checkpoints in a folder and on a real S3 server (moto's, on loopback)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import ray
from moto.server import ThreadedMotoServer

from infogan_bench.config import ConfigError, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status, TrialUpdate
from infogan_bench.sweep import SweepFolder, resume, start
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore


@pytest.fixture(scope="module")
def s3() -> Iterator[boto3.client]:
    """A client of a server with the empty bucket `bucket`, which the environment names as well."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        yield client
    server.stop()


def objects(s3: boto3.client) -> dict[str, int]:
    """{key: size} of all that holds something; pyarrow marks a folder by an empty object."""
    found = s3.list_objects_v2(Bucket="bucket").get("Contents", [])
    return {each["Key"]: each["Size"] for each in found if each["Size"]}


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> CheckpointStore:
    """An empty one of each kind, for a sweep of its own."""
    if request.param == "folder":
        return CheckpointStore.at(str(tmp_path / "shared"), "mine")
    request.getfixturevalue("s3")
    return CheckpointStore.at("s3://bucket/some/prefix", f"sweep-{tmp_path.name}")


def checkpoint(folder: Path, text: str) -> Path:
    (folder / "seed-0").mkdir(parents=True)
    (folder / "trial.json").write_text(text)
    (folder / "seed-0" / "samples.png").write_bytes(text.encode() * 1000)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_checkpoints_come_back_as_they_were(storage: CheckpointStore, tmp_path: Path) -> None:
    """Two saves of trial 0003 by two stretches of a sweep, and one of trial 0004."""
    assert storage.new_run() == "run-1"
    assert storage.trials() == set()
    saved = {text: checkpoint(tmp_path / text, text) for text in ("first", "second", "other")}
    paths = {
        text: storage.add("0004" if text == "other" else "0003", folder) for text, folder in saved.items()
    }
    assert storage.new_run() == "run-4"
    assert storage.trials() == {"0003", "0004"}
    assert storage.saved("0003") == [paths["second"], paths["first"]]
    with storage.at_hand(paths["first"]) as folder:
        assert contents(folder) == contents(saved["first"])

    target = checkpoint(tmp_path / "trials" / "0003", "what an earlier attempt left")
    storage.fetch(paths["second"], target)
    storage.forget("0003")
    assert contents(target) == contents(saved["second"])
    assert [path.name for path in target.parent.iterdir()] == ["0003"]
    assert storage.trials() == {"0004"}

    moved = CheckpointStore.at(str(tmp_path / "elsewhere"), "mine")
    moved.take_over(storage)
    assert storage.trials() == set()
    with moved.at_hand(moved.saved("0004")[0]) as folder:
        assert contents(folder) == contents(saved["other"])
    moved.clear()
    assert not (tmp_path / "elsewhere" / "mine").exists()


_KILLED_WHEN_IT_RENAMES = """
import os, pathlib, sys
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
place, saved, target, at = sys.argv[1:]
rename, calls = pathlib.Path.rename, []
def counted(self, to):
    calls.append(self)
    if len(calls) == int(at):
        os._exit(9)
    return rename(self, to)
pathlib.Path.rename = counted
CheckpointStore.at(place, "mine").fetch(saved, pathlib.Path(target))
"""


@pytest.mark.parametrize("earlier", [False, True])
def test_a_process_that_is_killed_while_it_fetches_loses_no_checkpoint(tmp_path: Path, earlier: bool) -> None:
    """Killed as it puts the new folder in its place, and, where there was one, as it takes the old one away."""
    for at in (1, 2) if earlier else (1,):
        place, target = str(tmp_path / f"shared-{at}"), tmp_path / f"trials-{at}" / "0003"
        storage, source = CheckpointStore.at(place, "mine"), checkpoint(tmp_path / f"{at}", "newest")
        saved = storage.add("0003", source)
        if earlier:
            checkpoint(target, "what an earlier attempt left")
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED_WHEN_IT_RENAMES, place, saved, str(target), str(at)]
        )
        assert killed.returncode == 9
        assert storage.saved("0003") == [saved]
        assert contents(Path(saved)) == contents(source)
        storage.fetch(saved, target)
        storage.forget("0003")
        assert contents(target) == contents(source)
        assert [path.name for path in target.parent.iterdir()] == ["0003"]  # and nothing left over


def test_ten_checkpoints_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    storage = CheckpointStore.at(str(tmp_path), "mine")
    for run, number in [(1, 9), (1, 10), (10, 0), (2, 3)]:
        (tmp_path / "mine" / f"run-{run}" / "0000" / f"checkpoint_{number:06}").mkdir(parents=True)
    (tmp_path / "mine" / "run-2" / "0000" / "checkpoint_000003-from-0001").mkdir()
    names = [path.removeprefix(f"{tmp_path}/mine/") for path in storage.saved("0000")]
    assert names == [
        "run-10/0000/checkpoint_000000",
        "run-2/0000/checkpoint_000003-from-0001",
        "run-2/0000/checkpoint_000003",
        "run-1/0000/checkpoint_000010",
        "run-1/0000/checkpoint_000009",
    ]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("s3://no-such-bucket/prefix", "Bucket 'no-such-bucket' not found"),
        ("s3://bucket/prefix?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1", "NETWORK_CONNECTION"),
        ("s3://bucket/prefix?colour=red", "Unexpected query parameter in S3 URI: 'colour'"),
        ("ftp://host/prefix", "Unrecognized filesystem type in URI"),
        ("/dev/null/folder", "Not a directory"),
    ],
)  # fmt: skip
def test_a_place_that_cannot_be_used_is_refused_with_the_reason(
    s3: boto3.client, place: str, words: str
) -> None:
    with (
        pytest.raises(InputError, match=r"^storage: ") as refused,
        CheckpointStore.at(place, "mine").marked(),
    ):
        pass
    assert words in str(refused.value)
    assert ("AWS_ACCESS_KEY_ID" in str(refused.value)) == place.startswith("s3")


def test_a_mark_is_seen_as_long_as_it_is_there(storage: CheckpointStore) -> None:
    with storage.marked() as marker:
        assert storage.sees(marker)
        assert not storage.sees(marker + "-of-another")
    assert not storage.sees(marker)


@pytest.mark.parametrize(
    "place", ["s3://key:secret@bucket/prefix", "s3://bucket?access_key=key&secret_key=secret"]
)
def test_credentials_stay_out_of_files(place: str) -> None:
    with pytest.raises(ConfigError, match=r"storage: must not hold credentials.*AWS_ACCESS_KEY_ID"):
        parse_sweep({"name": "leaky", "storage": place})


def test_a_folder_is_taken_from_where_the_sweep_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_sweep({"name": "a", "storage": "shared"}).storage == str(tmp_path / "shared")
    assert parse_sweep({"name": "a", "storage": "gs://bucket/shared"}).storage == "gs://bucket/shared"
    assert parse_sweep({"name": "a"}).storage is None


SWEEP = {
    "name": "stored",
    "dataset": {"name": "mnist", "train_size": 256, "test_size": 100},
    "base": {"architecture": {"name": "mlp", "width": 0.05}, "steps": 30, "batch": 32},
    "space": {"objective.lambda_cat": [0.1, 1]},
    "evaluation": {"every": 10},
    "resources": {"cpus": 2, "gpus": 0},
    "tracking": "none",
}


class StopAfter:
    """A listener that interrupts the sweep once, at the second report."""

    def __init__(self) -> None:
        self.reports = 0

    def started(self, total: int | None) -> None: ...

    def updated(self, update: TrialUpdate) -> None:
        if update.status is Status.RUNNING and update.step > 0:
            self.reports += 1
            if self.reports == 2:
                signal.raise_signal(signal.SIGINT)

    def tick(self) -> None: ...

    def ended(self, status: Status) -> None: ...


@pytest.mark.slow
def test_a_sweep_through_s3_goes_on_from_there_and_leaves_nothing(
    s3: boto3.client, no_ray: None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Interrupted with checkpoints on S3, the newest of them truncated there, then resumed in another folder."""
    ray.init(address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)
    request.addfinalizer(ray.shutdown)  # the next module's has no word of this S3
    assert objects(s3) == {}
    sweep = parse_sweep({**SWEEP, "output": str(tmp_path / "runs"), "storage": "s3://bucket/sweeps"})
    stopped = start(sweep, listeners=[StopAfter()])
    assert stopped.signal == signal.SIGINT
    assert not (stopped.folder / "tune").exists()
    held = [key for key in objects(s3) if key.endswith("checkpoint.safetensors")]
    assert held
    assert not any(b"secret" in path.read_bytes() for path in stopped.folder.rglob("*") if path.is_file())
    newest = sorted(held)[-1]
    s3.put_object(Bucket="bucket", Key=newest, Body=b"truncated")

    moved = stopped.folder.rename(tmp_path / "moved")
    resumed = resume(moved)
    assert [trial.status for trial in resumed.trials] == [Status.FINISHED] * 2
    assert [update.step for update in resumed.trials] == [30, 30]
    assert any("goes on from an earlier checkpoint" in warning for warning in resumed.warnings)
    for trial in ("0000", "0001"):
        whole = {path.name for path in (moved / "trials" / trial / "seed-0").iterdir()}
        assert {"checkpoint.safetensors", "samples.png", "evaluation.json"} <= whole
    curves = SweepFolder.open(moved).history().query("metric == 'L_I'")
    assert list(curves.groupby("trial")["step"].apply(list)) == [[10, 20, 30]] * 2
    assert objects(s3) == {}
