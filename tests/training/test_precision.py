"""How exact a step's products are: what each precision changes, and that it changes no more."""

from __future__ import annotations

import pytest
import torch

from infogan_bench.config import ConfigError, RunConfig, apply, parse_sweep
from infogan_bench.datasets import ImageDataset
from infogan_bench.training import FusedTrainer, Trainer, TrainingInterval
from infogan_bench.training.device import arithmetic

RECIPE = {
    "architecture.width": 0.0625,
    "batch": 32,
    "objective.transform.rotation": 10.0,
    "objective.consistency": 1.0,
    "objective.balance": 1.0,
}


def trained(mnist: ImageDataset, precision: str, fused: bool) -> Trainer:
    """Three steps, of one seed or of the first of two."""
    run = apply(RunConfig(), {**RECIPE, "precision": precision})
    trainers = [Trainer(run, mnist.train_images, seed) for seed in range(2)]
    if fused:
        FusedTrainer(trainers).train(3)
    else:
        trainers[0].train(3)
    return trainers[0]


@pytest.mark.parametrize("fused", [False, True])
def test_bf16_is_near_float32_and_keeps_weights_and_losses_in_float32(
    mnist: ImageDataset, fused: bool
) -> None:
    exact, rough = (trained(mnist, precision, fused) for precision in ("float32", "bf16"))
    assert {tensor.dtype for tensor in rough.state().values() if tensor.is_floating_point()} == {
        torch.float32
    }
    ours, theirs = (each.train(1) for each in (rough, exact))
    assert isinstance(ours, TrainingInterval)
    assert ours.metrics == pytest.approx(theirs.metrics, rel=2e-2, abs=2e-2)
    assert ours.metrics != theirs.metrics


def test_tf32_means_nothing_to_a_cpu(mnist: ImageDataset) -> None:
    exact, same = (trained(mnist, precision, fused=False).state() for precision in ("float32", "tf32"))
    for name, tensor in exact.items():
        assert torch.equal(same[name], tensor), name


def test_torch_s_settings_are_as_before_afterwards() -> None:
    def settings() -> tuple[str, bool, bool]:
        cudnn = torch.backends.cudnn
        return torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark

    before = settings()
    with arithmetic("float32"):
        assert settings() == ("highest", False, True)
    with arithmetic("tf32"):
        assert settings() == ("high", True, True)
    with pytest.raises(RuntimeError, match="diverged"), arithmetic("bf16"):
        raise RuntimeError("diverged")
    assert settings() == before


@pytest.mark.parametrize("library", ["cuDNN", "torch"])
def test_cudnn_measures_nothing_where_training_is_to_be_deterministic(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", library == "cuDNN")
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: library == "torch")
    with arithmetic("float32"):
        assert not torch.backends.cudnn.benchmark


def test_the_key_of_a_sweep_file_and_an_axis() -> None:
    sweep = parse_sweep({"name": "x", "base": {"precision": "bf16"}})
    assert sweep.base.precision == "bf16"
    assert parse_sweep({"name": "x", "space": {"precision": ["float32", "tf32"]}}).space
    with pytest.raises(ConfigError, match=r"precision: expected `float32`, `tf32` or `bf16`, got 'fp16'"):
        parse_sweep({"name": "x", "base": {"precision": "fp16"}})
