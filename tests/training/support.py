"""Images that carry their number, and states that are compared bit for bit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from infogan_bench.training import Trainer

PAPER = {"architecture.name": "paper", "architecture.width": 0.0625}


def numbered(n: int) -> Tensor:
    """`n` images of 4x4 pixels that carry their index in the first two."""
    images = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(n) // 256
    images[:, 0, 0, 1] = torch.arange(n) % 256
    return images


def shown_images(trainer: Trainer) -> list[Tensor]:
    """Fills, while `trainer` trains, with the real images that D is shown, a batch a step."""
    batches: list[Tensor] = []
    turns = itertools.cycle(("D", "G"))

    def remember(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if next(turns) == "D":  # real images, then fake ones; in G's step, fake ones
            batches.append(inputs[0][: trainer.run.batch].detach().clone())

    trainer.model.networks.trunk.register_forward_pre_hook(remember)
    return batches


def copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in state.items()}


def assert_same_state(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
