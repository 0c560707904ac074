"""Checkpoint files: plain tensors and a header, written whole, and refused when they are anything else."""

from __future__ import annotations

import json
import resource
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from infogan_bench.config import DatasetConfig, RunConfig, apply
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.training import (
    Trainer,
    load_checkpoint,
    restore_model,
    restore_trainer,
    save_checkpoint,
)
from infogan_bench.training.checkpoint import copy_without_optimisers

DATASET = DatasetConfig(name="mnist", train_size=512, test_size=257)
PAPER = {"architecture.name": "paper", "architecture.width": 0.0625}


@pytest.fixture
def trainer(tiny_run: RunConfig, mnist: ImageDataset) -> Trainer:
    """Two steps into a small `paper`, whose convolutions lie in another order in memory than in a file."""
    trainer = Trainer(apply(tiny_run, PAPER), mnist.train_images, seed=7)
    trainer.train(2)
    return trainer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.safetensors"


@pytest.fixture
def saved(trainer: Trainer, path: Path) -> Path:
    save_checkpoint(trainer, DATASET, path)
    return path


def header_of(path: Path) -> dict[str, Any]:
    """The safetensors header, read by hand: its length in 8 bytes, little endian, then JSON."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    assert len(content) == 8 + length + end, "bytes that no tensor accounts for"
    return header


# What is in the file ---------------------------------------------------------------------------------------


def test_the_file_is_a_header_and_tensors_and_no_pickle(saved: Path, trainer: Trainer) -> None:
    header = header_of(saved)
    metadata = header.pop("__metadata__")
    assert set(metadata) == {"format", "run", "dataset", "seed", "image_shape"}
    assert json.loads(metadata["run"])["architecture"]["name"] == "paper"
    assert metadata["seed"] == "7"
    state = trainer.state()
    assert {name: entry["shape"] for name, entry in header.items()} == {
        name: list(tensor.shape) for name, tensor in state.items()
    }


def test_anyone_can_read_it_with_safetensors_alone(saved: Path, trainer: Trainer) -> None:
    tensors = safetensors.torch.load_file(saved)
    assert tensors.keys() == trainer.state().keys()
    for name, tensor in trainer.state().items():
        assert torch.equal(tensors[name], tensor), name
        assert tensors[name].dtype == tensor.dtype


def test_it_holds_weights_statistics_both_optimisers_and_the_random_state(trainer: Trainer) -> None:
    names = set(trainer.state())
    parameters = [name for name, _ in trainer.model.networks.named_parameters()]
    assert {f"networks/{name}" for name in parameters} <= names
    assert any(name.endswith("running_mean") for name in names)
    assert {"random", "step"} <= names
    moments = [name for name in names if name.startswith("adam/")]
    assert len(moments) == 3 * len(parameters)  # both moments and the step count of each
    assert {name.split("/")[1] for name in moments} == {"G", "D"}


def test_what_was_trained_comes_back(saved: Path, trainer: Trainer) -> None:
    checkpoint = load_checkpoint(saved)
    assert checkpoint.run == trainer.run
    assert checkpoint.dataset == DATASET
    assert checkpoint.seed == 7
    assert checkpoint.image_shape == (1, 28, 28)
    assert int(checkpoint.tensors["step"]) == 2


def test_so_does_a_run_with_every_term_of_the_objective(
    tiny_run: RunConfig, mnist: ImageDataset, path: Path
) -> None:
    terms = {
        "objective.transform.rotation": 10.0,
        "objective.consistency": 1.0,
        "objective.balance": 1.0,
        "objective.vat": 1.0,
        "objective.contrastive": 1.0,
        "objective.instance_noise": 0.1,
        "optimiser.ema": 0.9,
    }
    trainer = Trainer(apply(tiny_run, PAPER | terms), mnist.train_images, seed=7)
    trainer.train(2)
    save_checkpoint(trainer, DATASET, path)
    restored = restore_trainer(load_checkpoint(path), mnist.train_images)
    assert any(name.startswith("networks/CR.") for name in restored.state())
    assert restored.train(3).metrics == trainer.train(3).metrics
    expected = trainer.state()
    for name, tensor in restored.state().items():
        assert torch.equal(tensor, expected[name]), name


def test_the_model_alone_makes_the_same_images(saved: Path, trainer: Trainer) -> None:
    model = restore_model(load_checkpoint(saved))
    latents = model.codes.sample(5, torch.Generator().manual_seed(0))
    assert torch.equal(model.generate(latents), trainer.model.generate(latents))


def test_a_run_that_has_not_begun_can_be_saved(tiny_run: RunConfig, mnist: ImageDataset, path: Path) -> None:
    fresh = Trainer(tiny_run, mnist.train_images, seed=0)
    save_checkpoint(fresh, DATASET, path)
    restored = restore_trainer(load_checkpoint(path), mnist.train_images)
    assert restored.train(2).metrics == fresh.train(2).metrics


# Files that are refused ------------------------------------------------------------------------------------


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def header_only(content: bytes) -> bytes:
    return content[: 8 + struct.unpack("<Q", content[:8])[0]]


def without_end(content: bytes) -> bytes:
    return content[:-1]


def garbage(_content: bytes) -> bytes:
    return b"<!DOCTYPE html><html>quota exceeded</html>" * 100


def empty(_content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (truncated, "truncated, or not a checkpoint"),
        (header_only, "truncated, or not a checkpoint"),
        (without_end, "truncated, or not a checkpoint"),
        (garbage, "not a checkpoint but an HTML page"),
        (empty, "not a checkpoint but an empty file"),
    ],
)
def test_a_damaged_file_is_refused_by_name(saved: Path, damage: Callable[[bytes], bytes], what: str) -> None:
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(InputError, match=rf"checkpoint\.safetensors: {what}"):
        load_checkpoint(saved)


def test_a_pickle_is_refused(path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: not a checkpoint but a zip archive"):
        load_checkpoint(path)


def test_a_missing_file_is_named_with_where_checkpoints_lie(path: Path) -> None:
    for place in (path, path.parent):
        with pytest.raises(
            InputError, match=rf"{place.name}: no such checkpoint.*runs/NAME/trials/ID/seed-N"
        ):
            load_checkpoint(place)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"format": "99"}])
def test_tensors_of_another_program_are_refused(path: Path, metadata: dict[str, str] | None) -> None:
    safetensors.torch.save_file({"weights": torch.zeros(3)}, path, metadata=metadata)
    with pytest.raises(
        InputError, match=r"checkpoint\.safetensors: not a checkpoint of this version \(format"
    ):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "change",
    [
        {"run": '{"stepz": 5}'},  # a key that no run has
        {"run": "{"},
        {"dataset": "[]"},
        {"seed": "seven"},
        {"image_shape": "28"},
        {"run": None},
    ],
)
def test_metadata_that_make_no_sense_are_refused(saved: Path, change: dict[str, str | None]) -> None:
    tensors = safetensors.torch.load_file(saved)
    metadata = header_of(saved)["__metadata__"] | change
    kept = {key: value for key, value in metadata.items() if value is not None}
    safetensors.torch.save_file(tensors, saved, metadata=kept)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: truncated, or not a checkpoint"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    "changes", [{"architecture.width": 0.125}, {"architecture.name": "mlp"}, {"codes.categorical": (9,)}]
)
def test_tensors_of_another_architecture_are_refused(
    saved: Path, trainer: Trainer, mnist: ImageDataset, changes: dict[str, Any]
) -> None:
    other = Trainer(apply(trainer.run, changes), mnist.train_images, seed=7)
    with pytest.raises(InputError, match="of another architecture or other codes"):
        other.load_state(load_checkpoint(saved).tensors)


# Written whole or not at all -------------------------------------------------------------------------------


def test_a_copy_without_optimisers_makes_images_and_is_not_trained_on(
    saved: Path, trainer: Trainer, mnist: ImageDataset, tmp_path: Path
) -> None:
    copy_without_optimisers(saved, tmp_path / "copy.safetensors")
    copied = load_checkpoint(tmp_path / "copy.safetensors")
    weights = restore_model(copied).networks.state_dict()
    for name, tensor in trainer.model.networks.state_dict().items():
        assert torch.equal(weights[name], tensor), name
    with pytest.raises(InputError, match=r"weights alone, and no adam/D/\.\.\.: nothing can go on from it"):
        restore_trainer(copied, mnist.train_images)


def test_an_optimiser_with_a_tensor_missing_is_refused(trainer: Trainer) -> None:
    tensors = trainer.state()
    del tensors["adam/D/0/exp_avg"]
    with pytest.raises(InputError, match="has no tensor adam/D/0/exp_avg"):
        trainer.load_state(tensors)


def test_nothing_else_is_left_in_the_folder(saved: Path) -> None:
    assert [file.name for file in saved.parent.iterdir()] == ["checkpoint.safetensors"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write more than `size` bytes to a file, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_leaves_the_old_file_and_no_other(saved: Path, trainer: Trainer) -> None:
    before = saved.read_bytes()
    trainer.train(1)
    with files_of_at_most(len(before) // 2), pytest.raises((OSError, safetensors.SafetensorError)):
        save_checkpoint(trainer, DATASET, saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["checkpoint.safetensors"]

    save_checkpoint(trainer, DATASET, saved)  # once there is room again
    assert int(load_checkpoint(saved).tensors["step"]) == 3


def test_a_place_that_cannot_be_taken_is_left_without_debris(trainer: Trainer, path: Path) -> None:
    path.mkdir()
    with pytest.raises(OSError, match=r"checkpoint\.safetensors"):
        save_checkpoint(trainer, DATASET, path)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.safetensors"]
