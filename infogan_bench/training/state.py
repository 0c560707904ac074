"""A trainer's state as flat named tensors, which a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from infogan_bench.errors import InputError
from infogan_bench.networks import Model
from infogan_bench.training.adam import Adam


def tensors_of(
    model: Model, optimisers: Mapping[str, Adam], generator: torch.Generator, step: int
) -> dict[str, Tensor]:
    """All tensors that training changes: weights, BatchNorm's statistics, the averaged G if there is one, the
    optimisers, the random state and the step."""
    tensors = {
        f"{part}/{name}": tensor
        for part, module in model.modules.items()
        for name, tensor in module.state_dict().items()
    }
    for name, optimiser in optimisers.items():
        tensors |= {f"adam/{name}/{key}": value for key, value in optimiser.state().items()}
    tensors["random"] = generator.get_state()
    tensors["step"] = torch.tensor(step)
    return tensors


def load_networks(model: Model, tensors: Mapping[str, Tensor]) -> None:
    """Take over the weights and BatchNorm's statistics of a trainer's `state()`.

    Raises:
        InputError: if they are of another architecture or other codes.
    """
    for part, module in model.modules.items():
        try:
            module.load_state_dict(_under(f"{part}/", tensors))
        except RuntimeError as error:
            raise InputError(f"the checkpoint is of another architecture or other codes: {error}") from None


def load_optimisers(optimisers: Mapping[str, Adam], tensors: Mapping[str, Tensor]) -> None:
    """Take over the moments of a trainer's `state()`.

    Raises:
        InputError: if some or all of them are missing.
    """
    for name, optimiser in optimisers.items():
        prefix = f"adam/{name}/"
        moments = _under(prefix, tensors)
        if not moments and int(tensors["step"]):
            raise InputError(
                f"the checkpoint has weights alone, and no {prefix}...: nothing can go on from it"
            )
        try:
            optimiser.load_state(moments)
        except KeyError as error:
            raise InputError(f"the checkpoint has no tensor {prefix}{error.args[0]}") from None


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
