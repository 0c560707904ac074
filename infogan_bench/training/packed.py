"""A stack that trainers join and leave: whoever is to train next trains together, each at a step of its own."""

from __future__ import annotations

from collections.abc import Sequence

from infogan_bench.config.params import structure_of
from infogan_bench.methods import build_model
from infogan_bench.training.fused import FusedTrainer, check_objective, check_stackable
from infogan_bench.training.order import seeded
from infogan_bench.training.trainer import Trainer, Updates


class PackedTrainer:
    """Trains trainers of one structure (`structure_of`), as many of them at a time as are given.

    The stack is made anew when other trainers than before are given. That takes a copy of the weights and, on a GPU,
    the capture of another CUDA graph, under a second. In a sweep the trainers change when a trial ends or begins. Slots
    of a fixed number that stand idle would spare the capture and compute for nothing at every step.

    A trainer that is given alone trains plainly.

    Args:
        trainer: one of them.

    Raises:
        InputError: if the objective or the architecture cannot be stacked, see `check_objective`, `check_stackable`.
    """

    def __init__(self, trainer: Trainer) -> None:
        check_objective(trainer.run.objective)
        channels, height, width = trainer.images.shape[1:]
        another = build_model(trainer.run, (channels, height, width), seeded(trainer.seed + 1, 0))
        check_stackable([trainer.model.networks, another.networks], trainer.model.codes)
        self.structure = structure_of(trainer.run)
        self._stack: FusedTrainer | None = None

    def advance(self, trainers: Sequence[Trainer], steps: int) -> list[Updates]:
        """Do `steps` updates of each of `trainers`, without a look at whether the losses are finite.

        Raises:
            InputError: if a trainer is of another structure.
        """
        if len(trainers) == 1:
            self._stack = None
            return [trainers[0].advance(steps)]
        if self._stack is None or list(self._stack.trainers) != list(trainers):
            self._stack = FusedTrainer(trainers, stackable=True)
        return self._stack.advance(steps)

    def forget(self) -> None:
        """Let go of the stack, for example because a trainer has loaded another state."""
        self._stack = None
