"""The check of each node before the first trial: has it the code and the user's modules, does it reach the storage?"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import infogan_bench
from infogan_bench.errors import InputError
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore

_PACKAGES = ("infogan_bench", "infogan_metrics", "infogan_reports")
_DATA = (
    "mnist_files",
    "sweeps",
    "__pycache__",
)  # workers do not need these: images reach them through the object store
_ANSWER_SECONDS = (
    120.0  # a worker first imports torch, ray and mlflow; with --ship-code it downloads our code before
)
_SHOWN = 3  # faults in a message


class RayNode(TypedDict):
    """A node of the cluster, under the keys of `ray.nodes()` that are read here."""

    NodeID: str
    Alive: bool
    NodeManagerAddress: str
    NodeManagerHostname: str
    Resources: dict[str, float]


class ShippedCode(TypedDict):
    """A Ray runtime environment that brings code to the workers.

    Attributes:
        py_modules: folders of packages and files of modules.
        excludes: patterns of what stays behind.
    """

    py_modules: list[str]
    excludes: list[str]


def live_nodes() -> list[RayNode]:
    """The nodes of the cluster that are alive."""
    return [node for node in ray.nodes() if node["Alive"]]


def require_able_nodes(
    request: Mapping[str, float], store: CheckpointStore, extensions: Sequence[str]
) -> None:
    """Check that trials can run on every node that has room for one. This process's own node is not checked, since
    everything is known to work here.

    Args:
        request: what a trial asks of Ray, as {resource: amount}.
        store: where checkpoints are written.
        extensions: the user's modules; .py files are sent along and need not be on the node.

    Raises:
        InputError: if a node lacks the package or has another one, lacks a module, or does not reach the store.
    """
    with store.marked() as marker:
        nodes = {node["NodeID"]: _name(node) for node in _others(request)}
        modules = [name for name in extensions if not name.endswith(".py")]
        answers = {node: _ask(node, store, marker, modules) for node in nodes}
        faults = [
            f"node {nodes[node]} {fault}"
            for node, answer in answers.items()
            for fault in _faults(answer, node)
        ]
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise InputError("; ".join(faults[:_SHOWN]) + more)


def shipped_code(extensions: Sequence[str]) -> ShippedCode:
    """A Ray runtime environment with this project's packages, and the user's modules, as they are on this machine.

    Raises:
        InputError: if a module is not found here.
    """
    names = dict.fromkeys(
        [*_PACKAGES, *(name.partition(".")[0] for name in extensions if not name.endswith(".py"))]
    )
    return {
        "py_modules": [str(_source(name)) for name in names],
        "excludes": [f"**/{name}/" for name in _DATA],
    }


def _others(request: Mapping[str, float]) -> Iterator[RayNode]:
    here = ray.get_runtime_context().get_node_id()
    for node in live_nodes():
        fits = all(node["Resources"].get(name, 0) >= amount for name, amount in request.items())
        if fits and node["NodeID"] != here:
            yield node


def _name(node: RayNode) -> str:
    address, host = node["NodeManagerAddress"], node["NodeManagerHostname"]
    return str(address) if host == address else f"{address} ({host})"


def _ask(node: str, store: CheckpointStore, marker: str, modules: Sequence[str]) -> ray.ObjectRef:
    task = ray.remote(num_cpus=0, max_retries=0)(_look)
    there = task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
    return there.remote(store, marker, modules, fingerprint())


def _look(store: CheckpointStore, marker: str, modules: Sequence[str], wanted: str) -> list[str]:
    """The faults of the node on which this function runs, a sentence each."""
    faults = []
    if fingerprint() != wanted:
        faults.append(
            f"has another infogan_bench ({infogan_bench.__version__}, in {Path(infogan_bench.__file__).parent}) than "
            "this machine: install the same one there, or give --ship-code"
        )
    faults += [
        f"cannot import the extension {name!r}: install it there, give --ship-code, or name its .py file"
        for name in modules
        if not _importable(name)
    ]
    try:
        if not store.sees(marker):
            faults.append(
                f"does not see {store.path}: name a folder that all nodes share, or a URI such as "
                "s3://bucket/prefix, by `storage` in the sweep file or by --storage"
            )
        else:
            answer = f"{marker}-{ray.get_runtime_context().get_node_id()}"
            store.write(answer)
            store.filesystem.delete_file(answer)
    except OSError as error:
        faults.append(f"cannot use the storage {store.place}: {str(error).splitlines()[0]}")
    return faults


def _faults(answer: ray.ObjectRef, node: str) -> list[str]:
    try:
        faults: list[str] = ray.get(answer, timeout=_ANSWER_SECONDS)
    except GetTimeoutError:
        return [f"has not answered for {_ANSWER_SECONDS:g} seconds"]
    except (RayError, ImportError) as error:
        if not any(other["NodeID"] == node for other in live_nodes()):
            return []  # the node has gone, so no trial will run there
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return [
            f"cannot run infogan_bench ({lines[-1].strip()}): install the same version there, or give --ship-code"
        ]
    return faults


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


@cache
def fingerprint() -> str:
    """A digest of the source of this project's packages, as they are installed here."""
    digest = hashlib.sha256()
    for name in _PACKAGES:
        folder = _source(name)
        for file in sorted(folder.rglob("*.py")):
            digest.update(f"{name}/{file.relative_to(folder)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _source(name: str) -> Path:
    """The folder of a package, or the file of a module."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(f"--ship-code: no source of {name!r} is found here")
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
