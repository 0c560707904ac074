"""What a sweep finds where it starts or joins Ray: other modules in the current folder, little memory, a token."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from ray.exceptions import AuthenticationError, RayActorError

from infogan_bench.errors import InputError
from infogan_bench.sweep.engine import cluster
from infogan_bench.sweep.engine.callback import _reason
from infogan_bench.sweep.engine.cluster import shared_memory_fault, store_bytes

MIB = 2**20


def test_processes_import_what_the_driver_imports(
    no_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("infogan_bench.py", "torch.py", "PIL.py"):
        (tmp_path / name).write_text("raise ImportError('the one in the current folder')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def origins() -> list[str]:
        from importlib.util import find_spec

        return [find_spec(name).origin for name in ("infogan_bench", "torch", "PIL")]

    with cluster.ray_cluster(None, store_bytes=store_bytes(0)):
        assert ray.get(ray.remote(num_cpus=0)(origins).remote()) == origins()
        store = ray.cluster_resources()["object_store_memory"]
    assert store == store_bytes(0) == 80 * MIB


def test_the_store_is_sized_to_the_images() -> None:
    assert store_bytes(1000 * MIB) == 1164 * MIB


def test_little_shared_memory_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster.shutil, "disk_usage", lambda folder: SimpleNamespace(free=64 * MIB))
    assert shared_memory_fault(64 * MIB, tmp_path) is None
    fault = shared_memory_fault(119 * MIB, tmp_path)
    assert fault is not None
    assert fault.startswith(f"{tmp_path} has 64 MiB free, and the images take 119 MiB: ")
    assert "--shm-size=119m" in fault


@pytest.mark.parametrize(("token", "what"), [(None, "missing"), ("abc", "wrong")])
def test_a_cluster_that_asks_for_a_token_is_told_from_one_that_is_not_there(
    no_ray: None, monkeypatch: pytest.MonkeyPatch, token: str | None, what: str
) -> None:
    def refuse(**arguments: object) -> None:
        raise AuthenticationError("invalid or missing token")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    if token:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    words = rf"asks for a token, and it is {what}: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"
    with pytest.raises(InputError, match=words), cluster.ray_cluster("local"):
        pass


def test_a_cluster_that_refuses_without_a_reason_may_want_a_token(
    no_ray: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray's driver without a token: the reason stands in Ray's log alone."""

    def refuse(**arguments: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster at 192.0.2.2:7799")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    words = "192.0.2.2:7799; if it asks for a token, it is missing: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the"
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match=words), cluster.ray_cluster(address):
            pass


def test_an_import_that_fails_in_a_process_is_named() -> None:
    missing = "ModuleNotFoundError: No module named 'PIL'"
    error = RayActorError(error_msg=f"The actor died in its creation task\n  File ...\n{missing}")
    assert _reason(error) == f"its process could not import what it needs: {missing}"
