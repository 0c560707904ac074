"""What the tests of the core share: a slice of real MNIST, and a run small enough to train in a blink."""

from __future__ import annotations

import pytest
import torch

from infogan_bench.config import ArchitectureConfig, CodesConfig, DatasetConfig, RunConfig
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.networks import registry

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mnist() -> ImageDataset:
    """512 training images and 257 test images of MNIST."""
    return load_dataset(DatasetConfig(train_size=512, test_size=257))


@pytest.fixture
def tiny_run() -> RunConfig:
    """Six steps of a small `mlp`, with one code of each kind."""
    return RunConfig(
        codes=CodesConfig(categorical=(10,), uniform=1, gaussian=1, noise=8),
        architecture=ArchitectureConfig(name="mlp", width=0.125),
        steps=6,
        batch=32,
    )


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the registry of architectures, so that what a test registers is gone after it."""
    monkeypatch.setattr(registry, "_ARCHITECTURES", dict(registry._ARCHITECTURES))
