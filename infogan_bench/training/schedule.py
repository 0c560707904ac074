"""The schedule of an update's numbers: step sizes, instance noise, the weight of G's moving average."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from infogan_bench.config.run import RunConfig


class Rates(NamedTuple):
    """The planned numbers of one update, each a scalar, or of several, each (steps,)."""

    lr_g: Tensor  # Adam's step size for G; if it decays, it is 0 after the run's last step
    lr_d: Tensor  # Adam's step size for D, Q and their trunk
    noise: Tensor  # standard deviation of the instance noise
    ema_weight: Tensor  # share of the current weights in G's moving average
    done: Tensor  # number of updates before this one


def rates(run: RunConfig, done: int, steps: int) -> Rates:
    """The rates of the `steps` updates after the first `done` ones, each (steps,)."""
    optimiser = run.optimiser
    step = torch.arange(done, done + steps, dtype=torch.float64)
    left = (run.steps - step) / run.steps
    decay = (left / optimiser.decay).clamp(0, 1) if optimiser.decay else torch.ones_like(step)
    # The average weighs each update by decay^age and is corrected for bias, as Adam's moments are.
    ema_weight = (1 - optimiser.ema) / (1 - optimiser.ema ** (step + 1))
    return Rates(
        optimiser.lr_g * decay,
        optimiser.lr_d * decay,
        run.objective.instance_noise * left.clamp(min=0),
        ema_weight,
        step,
    )
