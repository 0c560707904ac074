"""What the tests of the core share: a slice of real MNIST, and a run small enough to train in a blink."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from infogan_bench.config import ArchitectureConfig, CodesConfig, DatasetConfig, RunConfig, parse_sweep
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.networks import registry
from tests.without_ray import train

if TYPE_CHECKING:
    from playwright.sync_api import Browser

torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests and sweeps start
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and tables are as wide as it says
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process that starts would compile our modules anew


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in a line what was skipped, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        said = "; ".join(f"{count} ({reason})" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"not run: {said}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium for all tests of the session; where there is none, what needs it is skipped.

    A process can have one: Playwright refuses to start again while the first is open.
    """
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright  # which machines without a browser do without

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder through which tests and their extensions in Ray's processes speak."""
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="session")
def _last_ray() -> Iterator[None]:
    yield
    ray = sys.modules.get("ray")
    if ray is not None:
        ray.shutdown()


@pytest.fixture(scope="module")
def two_cpus(marks: Path, _last_ray: None) -> None:
    """Ray with two CPUs and no card, which every sweep of the module joins. It is started once in a process, and stays
    for the next module that asks for it."""
    import ray  # which the tests of training do without

    if not ray.is_initialized():
        os.environ["MARKS"] = str(marks)
        ray.init(address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)


@pytest.fixture(scope="module")
def no_ray() -> None:
    """No Ray in this process, so that what comes next starts or joins its own."""
    ray = sys.modules.get("ray")
    if ray is not None:
        ray.shutdown()


@pytest.fixture(scope="session")
def mnist() -> ImageDataset:
    """512 training images and 257 test images of MNIST."""
    return load_dataset(DatasetConfig(train_size=512, test_size=257))


@pytest.fixture
def tiny_run() -> RunConfig:
    """Six steps of a small `mlp`, with one code of each kind."""
    return _tiny_run()


def _tiny_run() -> RunConfig:
    return RunConfig(
        codes=CodesConfig(categorical=(10,), uniform=1, gaussian=1, noise=8),
        architecture=ArchitectureConfig(name="mlp", width=0.125),
        steps=6,
        batch=32,
    )


@pytest.fixture(scope="session")
def trained_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny`, a sweep folder as a sweep leaves it, but for the report: `tiny_run` with two step sizes of D, and two
    seeds each. Tests that change it copy it."""
    base = _tiny_run().model_dump(exclude_none=True)
    settings = {
        "name": "tiny",
        "output": str(tmp_path_factory.mktemp("runs")),
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 257},
        "base": base,
        "space": {"optimiser.lr_d": [0.002, 0.02]},
        "seeds": 2,
        "evaluation": {"every": 3},
    }
    return train(parse_sweep(settings))


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the registry of architectures, so that what a test registers is gone after it."""
    monkeypatch.setattr(registry, "_ARCHITECTURES", dict(registry._ARCHITECTURES))
    monkeypatch.setattr(registry, "_TAKE_CUDA_GRAPH", set(registry._TAKE_CUDA_GRAPH))
