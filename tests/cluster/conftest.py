"""Three real Ray nodes on this machine, each in a network namespace of its own.

A switch (a bridge in one more namespace) joins them, so that nothing of the machine's own network is touched and a
link can be cut. Where namespaces cannot be made, the nodes share the machine's network, each with a loopback address.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from infogan_bench.config import parse_sweep
from infogan_bench.extensions import load_extensions
from tests.without_ray import train

# A node is given up after 4 checks that fail, one a second
HEALTH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "4",
}
HEAD = 1


class Nodes:
    """Ray nodes by number, 1 being the head, with 1 CPU each."""

    def __init__(self, namespaces: bool) -> None:
        self.namespaces = namespaces
        self._id = f"ib{uuid.uuid4().hex[:6]}"  # names and marks what is ours
        self._folder = Path(tempfile.mkdtemp(prefix=self._id, dir="/tmp"))  # Ray's sockets want a short path
        (self._folder / "token").write_text(uuid.uuid4().hex)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self._folder / "token"),
            "OMP_NUM_THREADS": "1",
            **HEALTH,
        }
        self._port = 6379 if namespaces else _free_port()
        self.address = f"{self.ip(HEAD)}:{self._port}"
        self._started: list[int] = []
        self._drivers: list[subprocess.Popen[str]] = []
        if namespaces:
            _ip("netns", "add", self._id)
            _ip("-n", self._id, "link", "add", "switch", "type", "bridge")
            _ip("-n", self._id, "link", "set", "switch", "up")

    def ip(self, number: int) -> str:
        return f"10.77.0.{number}" if self.namespaces else f"127.0.77.{number}"

    @property
    def alive(self) -> list[int]:
        """The nodes that have a raylet, the head first."""
        return [number for number in self._started if self._raylet(number)]

    def add(self, count: int = 1, resources: str = "{}") -> list[int]:
        """Start so many nodes side by side, and return their numbers once they have joined."""
        first = len(self._started) + 1
        numbers = list(range(first, first + count))
        self._started += numbers
        for process in [self._start(number, resources) for number in numbers]:
            _, messages = process.communicate(timeout=400)
            assert process.returncode == 0, messages
        return numbers

    def _start(self, number: int, resources: str) -> subprocess.Popen[str]:
        if self.namespaces:
            self._plug_in(number)
        role = ["--head", f"--port={self._port}", "--include-dashboard=false"]
        arguments = [
            *(role if number == HEAD else [f"--address={self.address}"]),
            *(f"--node-ip-address={self.ip(number)}", f"--temp-dir={self._folder / str(number)}"),
            *("--num-cpus=1", "--num-gpus=0", f"--resources={resources}", "--object-store-memory=80000000"),
            *("--disable-usage-stats", "--include-log-monitor=false"),
        ]
        mark = {"NODE_OF_A_TEST": self._name(number)}
        return self._popen(number, [sys.executable, "-m", "ray.scripts.scripts", "start", *arguments], mark)

    def _plug_in(self, number: int) -> None:
        name, plug = self._name(number), f"plug{number}"
        _ip("netns", "add", name)
        _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", plug, "netns", self._id)
        _ip("-n", self._id, "link", "set", plug, "master", "switch", "up")
        _ip("-n", name, "address", "add", f"{self.ip(number)}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")

    def _name(self, number: int) -> str:
        return f"{self._id}-{number}"

    def _popen(
        self, number: int, command: Sequence[str], mark: Mapping[str, str], cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        place = ["ip", "netns", "exec", self._name(number)] if self.namespaces else []
        pipe = subprocess.PIPE
        environment = self.environment | mark
        return subprocess.Popen(
            [*place, *command], cwd=cwd, env=environment, text=True, stdout=pipe, stderr=pipe
        )

    def drive(self, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
        """`infogan-bench ARGUMENTS --address HEAD` on the head's machine."""
        command = [sys.executable, "-m", "infogan_bench", *arguments, "--address", self.address]
        self._drivers.append(self._popen(HEAD, command, {}, cwd))
        return self._drivers[-1]

    def stop_drivers(self) -> None:
        """End the drivers that a test which failed has left."""
        while self._drivers:
            driver = self._drivers.pop()
            driver.kill()
            driver.communicate()

    def processes(self, number: int, title: str = "") -> set[int]:
        """Pids of a node's processes, or of those whose command line begins with `title`."""
        mark = f"NODE_OF_A_TEST={self._name(number)}\0".encode()
        found = set()
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it may end under our eyes
                ours = mark in (place / "environ").read_bytes()
                if ours and (place / "cmdline").read_bytes().startswith(title.encode()):
                    found.add(int(place.name))
        return found

    def trials(self, number: int) -> set[int]:
        """Pids of the processes of a node that train."""
        return self.processes(number, "ray::InfoGANTrainable")

    def _raylet(self, number: int) -> set[int]:
        return {pid for pid in self.processes(number) if _program(pid) == "raylet"}

    def kill(self, number: int) -> None:
        """What pulling the plug of a machine does: all that runs on it is gone at once."""
        while pids := self.processes(number):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def cut(self, number: int) -> None:
        _ip("-n", self._id, "link", "set", f"plug{number}", "down")

    def heal(self, number: int) -> None:
        _ip("-n", self._id, "link", "set", f"plug{number}", "up")

    def close(self) -> None:
        """End every process of the nodes, and remove namespaces and files."""
        for number in self._started:
            self.kill(number)
        for name in [*map(self._name, self._started), self._id] if self.namespaces else []:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


def _program(pid: int) -> str:
    try:
        return Path(Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0]).name
    except OSError:
        return ""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.77.1", 0))
        return free.getsockname()[1]


def _namespaces_work() -> bool:
    """Whether this user may make network namespaces here: it takes `ip`, root, and a kernel that lets us."""
    if shutil.which("ip") is None or os.geteuid() != 0 or os.environ.get("INFOGAN_BENCH_NO_NAMESPACES"):
        return False
    name = f"ib{uuid.uuid4().hex[:6]}"
    try:
        _ip("netns", "add", name)
        _ip("-n", name, "link", "add", "switch", "type", "bridge")
    except subprocess.CalledProcessError:
        return False
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return True


@pytest.fixture(scope="session")
def started() -> Iterator[Nodes]:
    nodes = Nodes(_namespaces_work())
    try:
        nodes.add()
        yield nodes
    finally:
        nodes.close()


@pytest.fixture
def nodes(started: Nodes) -> Iterator[Nodes]:
    """Three nodes; those that the test before has lost are replaced."""
    missing = 3 - len(started.alive)
    if missing > 0:
        started.add(missing)
    yield started
    started.stop_drivers()


GATED = Path(__file__).with_name("gated.py")
SWEEP = {
    "name": "gated",
    "dataset": {"name": "mnist", "train_size": 256, "test_size": 100},
    "base": {"architecture": {"name": "gated", "width": 0.05}, "steps": 60, "batch": 32},
    "space": {"objective.lambda_cat": [0.1, 0.3, 1, 3, 10]},
    "evaluation": {"every": 10},
    "resources": {"cpus": 1},
    "tracking": "none",
}
TRIALS = 5


@pytest.fixture
def place(tmp_path: Path) -> SimpleNamespace:
    """A folder with the sweep file `gated.yaml`, whose trials stop in their middle until `open` is there."""
    shutil.copy(GATED, tmp_path)
    (tmp_path / "batches").mkdir()
    (tmp_path / "gated.yaml").write_text(yaml.safe_dump(SWEEP | {"extensions": [str(tmp_path / "gated.py")]}))
    return SimpleNamespace(
        path=tmp_path,
        folder=tmp_path / "runs" / "gated",
        gate=tmp_path / "open",
        batches=tmp_path / "batches",
    )


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What the sweep comes to in this process, without Ray: its curves, and how many batches G trained on."""
    path = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(GATED, path)
    (path / "batches").mkdir()
    (path / "open").touch()
    load_extensions([str(path / "gated.py")])
    folder = train(parse_sweep(SWEEP | {"output": str(path / "runs")}))
    curves = pd.read_parquet(folder / "history.parquet")
    return SimpleNamespace(curves=_in_order(curves), batches=trained_batches(path / "batches"))


def _in_order(curves: pd.DataFrame) -> pd.DataFrame:
    return curves.sort_values(["trial", "seed", "step", "metric"]).reset_index(drop=True)


def trained_batches(folder: Path, without: Sequence[int] = ()) -> int:
    """How many batches the processes (but for the drivers, which try a few) have trained G on."""
    return sum(path.stat().st_size for path in folder.iterdir() if int(path.name) not in without)


@pytest.fixture
def same_curves(undisturbed: SimpleNamespace) -> Callable[[Path], None]:
    """Asserts that a sweep folder holds what the undisturbed run came to, bit for bit."""

    def check(folder: Path) -> None:
        curves = _in_order(pd.read_parquet(folder / "history.parquet"))
        pd.testing.assert_frame_equal(curves, undisturbed.curves, check_dtype=False, check_exact=True)

    return check


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition while a process runs; fail with what it said if it ends, or after 400 s."""

    def wait(condition: Callable[[], object], process: subprocess.Popen[str], what: str) -> None:
        deadline = time.monotonic() + 400
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"{what}: never seen; {process.communicate()}")
            time.sleep(0.05)

    return wait
