"""Checkpoints: one safetensors file (plain tensors, no pickle) with the configuration in its metadata."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.config.run import RunConfig
from infogan_bench.errors import InputError
from infogan_bench.methods import build_model
from infogan_bench.networks import Model
from infogan_bench.training.state import load_networks
from infogan_bench.training.trainer import Trainer

_FORMAT = "2"  # 1: rows made of images with the channels outermost


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint: configuration, dataset, steps done, and the trainer's tensors."""

    run: RunConfig
    dataset: DatasetConfig
    seed: int
    image_shape: tuple[int, int, int]
    tensors: dict[str, Tensor]


def save_checkpoint(trainer: Trainer, dataset: DatasetConfig, path: Path) -> None:
    """Write `trainer` to `path`, whole or not at all.

    Raises:
        OSError: if the file cannot be written, for example for lack of space.
    """
    metadata = {
        "format": _FORMAT,
        "run": trainer.run.model_dump_json(),
        "dataset": dataset.model_dump_json(),
        "seed": str(trainer.seed),
        "image_shape": json.dumps(list(trainer.images.shape[1:])),
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in trainer.state().items()}
    partial = path.with_suffix(".partial")
    try:
        save_file(tensors, partial, metadata=metadata)
        partial.replace(path)
    except SafetensorError as error:
        raise _os_error(error, path) from None
    finally:
        partial.unlink(missing_ok=True)


def _os_error(error: SafetensorError, path: Path) -> OSError:
    """The system's error for a file that safetensors could not write."""
    code = re.search(r"\(os error (\d+)\)", str(error))
    if code is None:
        return OSError(f"{path}: {error}")
    return OSError(int(code[1]), os.strerror(int(code[1])), str(path))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        InputError: if the file is missing, truncated, not a checkpoint, or of a newer format.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; a trial's lies in runs/NAME/trials/ID/seed-N/")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise InputError(
                    f"{path}: not a checkpoint of this version (format {metadata.get('format')!r})"
                )
            return Checkpoint(
                run=RunConfig.model_validate_json(metadata["run"]),
                dataset=DatasetConfig.model_validate_json(metadata["dataset"]),
                seed=int(metadata["seed"]),
                image_shape=tuple(json.loads(metadata["image_shape"])),
                tensors={name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118  not a mapping
            )
    except (SafetensorError, ValidationError, KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        from infogan_metrics.files import (  # here, since it takes time and is seldom wanted
            UNKNOWN,
            what_it_is,
        )

        kind = what_it_is(path)
        # A checkpoint begins with a number, so that a cut one is of no kind that is known.
        fault = (
            f"truncated, or not a checkpoint ({error})" if kind == UNKNOWN else f"not a checkpoint but {kind}"
        )
        raise InputError(f"{path}: {fault}") from None


def copy_without_optimisers(path: Path, target: Path) -> None:
    """Write the checkpoint `path` to `target` without its optimisers: a third of the size, to generate and encode with.

    Raises:
        InputError: if `path` is no checkpoint.
    """
    tensors = load_checkpoint(path).tensors
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("adam/")}
    with safe_open(path, framework="pt") as file:
        save_file(kept, target, metadata=file.metadata())


def restore_model(checkpoint: Checkpoint, device: torch.device | str = "cpu") -> Model:
    """Build only the trained model, which generates and encodes."""
    model = build_model(checkpoint.run, checkpoint.image_shape, torch.Generator(), device)
    load_networks(model, checkpoint.tensors)
    return model


def restore_trainer(checkpoint: Checkpoint, images: Tensor, device: torch.device | str = "cpu") -> Trainer:
    """Build a trainer that continues from the checkpoint."""
    trainer = Trainer(checkpoint.run, images, checkpoint.seed, device)
    trainer.load_state(checkpoint.tensors)
    return trainer
