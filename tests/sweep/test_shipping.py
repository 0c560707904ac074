"""`--ship-code`: a node whose Python has Ray and torch, but not this project."""

from __future__ import annotations

import os
import site
import socket
import subprocess
import sys
import uuid
import venv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

EXTENSION = """
from infogan_bench.networks import register_architecture
from infogan_bench.networks.architectures import mlp

register_architecture("mine")(lambda *arguments: mlp(*arguments))
"""
SWEEP = {
    "name": "shipped",
    "dataset": {"name": "mnist", "train_size": 256, "test_size": 100},
    "base": {"architecture": {"name": "mine", "width": 0.05}, "steps": 20, "batch": 32},
    "space": {"objective.lambda_cat": [0.1, 1]},
    "evaluation": {"every": 10},
    "tracking": "none",
    "extensions": ["mine.py"],
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with this one's packages, but for those that are installed in place, as this project is."""
    place = tmp_path_factory.mktemp("bare")
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    own = subprocess.check_output(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], text=True
    ).strip()
    Path(own, "others.pth").write_text("\n".join(site.getsitepackages()))
    has_ours = subprocess.run([python, "-c", "import infogan_bench.config"], capture_output=True, cwd=place)
    if has_ours.returncode == 0:
        pytest.skip("the project is not installed in place, so that every Python with its packages has it")
    return python


@pytest.fixture(scope="module")
def cluster(bare: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Its address, and the environment of who joins it: a head without CPUs, and a node of the bare Python with one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        "OMP_NUM_THREADS": "1",
    }
    head = ["--head", f"--port={address.rpartition(':')[2]}", "--num-cpus=0", "--include-dashboard=false"]
    common = ["--node-ip-address=127.0.0.1", "--num-gpus=0", "--object-store-memory=80000000", "--block"]
    nodes = [
        subprocess.Popen(
            [python, "-m", "ray.scripts.scripts", "start", *role, *common, "--disable-usage-stats"],
            env=environment,
            cwd=bare.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for python, role in ((sys.executable, head), (bare, [f"--address={address}", "--num-cpus=1"]))
    ]
    try:
        yield address, environment
    finally:
        for node in reversed(nodes):
            node.terminate()
        for node in nodes:
            node.wait(60)


def sweep(
    place: Path, cluster: tuple[str, dict[str, str]], *options: str
) -> subprocess.CompletedProcess[str]:
    (place / "mine.py").write_text(EXTENSION)
    file = place / "shipped.yaml"
    file.write_text(yaml.safe_dump(SWEEP | {"resources": {"cpus": 1, "wait": 60}}))
    address, environment = cluster
    return subprocess.run(
        [sys.executable, "-m", "infogan_bench", "sweep", file.name, "--address", address, *options],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_node_without_the_project_is_named_before_any_trial(
    tmp_path: Path, cluster: tuple[str, dict[str, str]]
) -> None:
    done = sweep(tmp_path, cluster)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: node ")
    assert "install the same version there, or give --ship-code" in done.stderr
    assert not (tmp_path / "runs" / "shipped").exists()


def test_with_its_code_shipped_it_trains(tmp_path: Path, cluster: tuple[str, dict[str, str]]) -> None:
    done = sweep(tmp_path, cluster, "--ship-code")
    assert done.returncode == 0, done.stderr
    trials = pd.read_parquet(tmp_path / "runs" / "shipped" / "trials.parquet")
    assert trials["status"].tolist() == ["finished"] * 2
