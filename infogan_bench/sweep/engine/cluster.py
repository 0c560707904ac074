"""The start of Ray, or the joining of a cluster, and the check that a trial fits on one of its nodes."""

from __future__ import annotations

import logging
import math
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import ray
from ray.exceptions import AuthenticationError
from ray.util import placement_group, remove_placement_group

from infogan_bench.config.models import ResourcesConfig
from infogan_bench.errors import InputError
from infogan_bench.sweep.engine.nodes import ShippedCode, live_nodes
from infogan_bench.sweep.engine.ray_private import init_arguments, same_imports
from infogan_bench.sweep.logs import LOG_FORMAT
from infogan_bench.training.memory import no_garbage_collection

log = logging.getLogger(__name__)

_GIB = 2**30
_MIB = 2**20
_LEAST_STORE = 80 * _MIB  # Ray itself refuses less than 75 MiB
_STORE_FACTOR = 1.1
_STORE_MARGIN = 64 * _MIB
_KNOCK_SECONDS = 10
_TOKEN = secrets.token_hex(32)  # one for the whole process, since Ray keeps the first that it reads
_TOKEN_VARIABLES = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_LONGEST_FOLDER = 40  # characters; a socket's path has 107 at most, and Ray adds up to 67


@contextmanager
def ray_cluster(
    address: str | None, code: ShippedCode | None = None, store_bytes: int | None = None
) -> Iterator[None]:
    """Join the cluster at `address` (or RAY_ADDRESS), else start Ray on this machine and stop it at the end.

    If this process has joined a cluster already and no `address` is given, that cluster is used and left as it is.

    Args:
        address: HOST:PORT.
        code: a Ray runtime environment that brings code to the workers.
        store_bytes: the memory that Ray reserves for data that trials share, if it is started here; None is Ray's own
            choice, 30% of the machine's memory.

    Raises:
        InputError: if no cluster answers there, or code cannot be brought to one that this process has joined.
    """
    if address is None and ray.is_initialized():
        if code:
            raise InputError(
                "--ship-code: this process has joined a cluster already; give that one a runtime_env"
            )
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _require_an_answer(address)
    with (
        _own_token() if address == "local" else nullcontext(),
        _usable_folder() if address == "local" else nullcontext() as folder,
        _joined(address, code, folder, store_bytes),
    ):
        yield


@contextmanager
def _joined(
    address: str, code: ShippedCode | None, folder: str | None, store_bytes: int | None
) -> Iterator[None]:
    """A cluster that this process joins, or starts with its files in `folder` if `address` is "local"."""
    local = address == "local"
    try:
        ray.init(
            address=address,
            include_dashboard=False if local else None,
            log_to_driver=False,
            logging_format=LOG_FORMAT,
            object_store_memory=store_bytes if local else None,
            job_config=same_imports() if local and not code else None,
            **init_arguments(folder, local=local),
            runtime_env=code,
        )
    except AuthenticationError as error:
        raise InputError(_token_fault(address)) from error
    except (ConnectionError, ValueError, RuntimeError) as error:
        if _is_about_a_token(error):
            raise InputError(_token_fault(address)) from error
        hint = "" if local else f"; if it asks for a token, {_token_hint()}"
        raise InputError(f"--address: no Ray cluster answers at {address}: {error}{hint}") from None
    try:
        yield
    finally:
        # If the garbage collector runs in another thread (such as MLflow's writer) while Ray shuts down, and frees one
        # of Ray's references, the process ends with exit code 1 and without any message.
        with no_garbage_collection():
            ray.shutdown()


def joins(address: str | None) -> bool:
    """Say whether a sweep joins a cluster that is there, rather than starting Ray on this machine."""
    return bool(address or os.environ.get("RAY_ADDRESS") or ray.is_initialized())


def _is_about_a_token(error: BaseException) -> bool:
    """Say whether Ray failed for lack of a token, which only the texts of several kinds of error tell."""
    text = str(error).lower()
    return any(word in text for word in ("unauthenticated", "authentication", "auth_token", "invalid token"))


def _token_fault(address: str) -> str:
    return f"--address: the Ray cluster at {address} asks for a token, and {_token_hint()}"


def _token_hint() -> str:
    """Say whether this process has a token, and how to give it another. Ray tells a refused one in its log alone."""
    sent = "wrong" if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH") else "missing"
    return (
        f"it is {sent}: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the cluster's token "
        "(or RAY_AUTH_TOKEN_PATH to a file that holds it)"
    )


def store_bytes(images: int) -> int:
    """The size of Ray's object store in bytes: the images that all trials of a machine share, and a margin."""
    return max(_LEAST_STORE, math.ceil(_STORE_FACTOR * images) + _STORE_MARGIN)


def shared_memory_fault(needed: int, folder: Path = Path("/dev/shm")) -> str | None:  # noqa: S108
    """A sentence if this machine's shared memory is too small for Ray's object store; None if it is large enough."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return None
    if free >= needed:
        return None
    return (
        f"{folder} has {free / _MIB:.0f} MiB free, and the images take {needed / _MIB:.0f} MiB: Ray keeps them on the "
        f"disk, which is slower. Give a container more by `docker run --shm-size={math.ceil(needed / _MIB)}m`"
    )


@contextmanager
def _own_token() -> Iterator[None]:
    """Give Ray on this machine a token by its environment, unless the user has one. Ray would write one under the home
    folder, which a container's user may not have, or may not write to."""
    theirs = any(name in os.environ for name in _TOKEN_VARIABLES) or _has_token_file()
    if theirs or os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        yield
        return
    os.environ["RAY_AUTH_TOKEN"] = _TOKEN
    try:
        yield
    finally:
        os.environ.pop("RAY_AUTH_TOKEN", None)


def _has_token_file() -> bool:
    try:
        return (Path.home() / ".ray" / "auth_token").is_file()
    except (OSError, RuntimeError):  # no home, or no right to look into it
        return False


@contextmanager
def _usable_folder() -> Iterator[str | None]:
    """A folder for Ray's logs and sockets; None if Ray's own choice can be used.

    Ray's choice, TMPDIR/ray, may belong to another user of the machine, or be too long a path for a socket.
    """
    chosen = Path(tempfile.gettempdir()) / "ray"
    nearest = chosen if chosen.exists() else chosen.parent
    if len(str(chosen)) <= _LONGEST_FOLDER and nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        log.warning(
            "Ray cannot use %s (not ours, or too long a path for sockets); it uses %s", chosen, folder
        )
        yield folder


def _require_an_answer(address: str) -> None:
    """Check that something answers at HOST:PORT, since Ray itself would wait for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()
    except OSError as error:
        raise InputError(f"--address: no Ray cluster answers at {address}: {error}") from None


def trial_request(resources: ResourcesConfig) -> dict[str, float]:
    """The resources that one trial asks of Ray, as {resource: amount}; call it while Ray runs.

    For `gpus: auto` and a cluster with cards that is a whole card, on which `measured_gpus` finds the share of a trial.
    """
    gpus = resources.gpus
    if gpus == "auto":
        gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    request = {"CPU": 1.0 if resources.cpus == "auto" else float(resources.cpus), "GPU": float(gpus)}
    if resources.memory is not None:
        request["memory"] = resources.memory * _GIB
    return {name: amount for name, amount in (request | dict(resources.custom)).items() if amount}


def require_a_node(request: Mapping[str, float], wait: float) -> None:
    """Wait until a node has room for `request`. Meanwhile ask Ray for it, so that a cluster that grows on demand grows.

    Raises:
        InputError: if there is no such node after `wait` seconds; it shows the request and the resources of the nodes.
    """
    deadline, asked = time.monotonic() + wait, None
    try:
        while not _fits(request, nodes := [node["Resources"] for node in live_nodes()]):
            if time.monotonic() >= deadline:
                raise InputError(_does_not_fit(request, nodes))
            if asked is None:
                log.warning("waiting for a node: %s", _does_not_fit(request, nodes))
                asked = placement_group([dict(request)])
            time.sleep(0.5)
    finally:
        if asked is not None:
            remove_placement_group(asked)


def _fits(request: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> bool:
    return any(all(node.get(name, 0) >= amount for name, amount in request.items()) for node in nodes)


def _does_not_fit(request: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> str:
    faults = []
    for name, amount in request.items():
        largest = max((node.get(name, 0) for node in nodes), default=0)
        if largest < amount:
            total = sum(node.get(name, 0) for node in nodes)
            faults.append(
                f"{_amount(name, amount)} for each trial, but the largest node has {_amount(name, largest)} "
                f"and all {len(nodes)} together {_amount(name, total)}"
            )
    what = "; ".join(faults) or f"{dict(request)} on one node, which no single node has"
    return f"resources: the sweep asks for {what}. Ask for less, or set `resources.wait` to wait for a node"


def _amount(name: str, value: float) -> str:
    return f"{value / _GIB:.4g} GiB of memory" if name == "memory" else f"{value:g} {name}"
