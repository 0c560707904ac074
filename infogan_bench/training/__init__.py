"""Training one model: the loop, the schedule, the checkpoint."""

from infogan_bench.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    restore_model,
    restore_trainer,
    save_checkpoint,
)
from infogan_bench.training.divergence import DivergedError
from infogan_bench.training.fused import FusedTrainer, check_objective, check_stackable, fuse
from infogan_bench.training.packed import PackedTrainer
from infogan_bench.training.trainer import Trainer, TrainingInterval, Updates

__all__ = [
    "Checkpoint",
    "DivergedError",
    "FusedTrainer",
    "PackedTrainer",
    "Trainer",
    "TrainingInterval",
    "Updates",
    "check_objective",
    "check_stackable",
    "fuse",
    "load_checkpoint",
    "restore_model",
    "restore_trainer",
    "save_checkpoint",
]
