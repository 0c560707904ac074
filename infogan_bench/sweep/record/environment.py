"""The machine, the versions and the search with which a sweep ran: recorded in its sweep.yaml, shown in its report."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

import infogan_bench
from infogan_bench.config import SweepConfig
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.config.searches import find_search
from infogan_bench.records import Environment

_PACKAGES = ("torch", "ray", "optuna", "mlflow", "numpy", "pandas", "scikit-learn")


def environment_of(sweep: SweepConfig) -> Environment:
    """Describe this machine and the search of a sweep that begins now. Its extensions must be loaded."""
    return replace(
        describe_environment(),
        search_title=find_search(sweep.search.algorithm, sweep.extensions).title,
        scheduler_title=find_scheduler(sweep.scheduler).title or None,
    )


def describe_environment() -> Environment:
    """Describe this machine, with a new id for a sweep that begins now."""
    return Environment(
        sweep_id=uuid.uuid4().hex,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        infogan_bench=infogan_bench.__version__,
        commit=_commit(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpus=os.cpu_count(),
        gpus=tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())),
        packages=dict(_versions()),
    )


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the version of each of these packages that is installed: MLflow, say, may not be where it is not used."""
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            yield package, importlib.metadata.version(package)


def _commit() -> str | None:
    """The commit of the source that runs, marked if it was changed since; None where it is no checkout."""
    source = Path(infogan_bench.__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(source), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
        )
        inside = subprocess.run(
            ["git", "-C", str(source), "ls-files", "--error-unmatch", "__init__.py"],
            capture_output=True,
            check=False,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip() if inside.returncode == 0 else None
