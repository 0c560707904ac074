"""HyperBand (Li et al., 2018, JMLR 18/185, algorithm 1), counted in training steps."""

from __future__ import annotations

import math
from typing import Any, Literal

from ray.tune.experiment import Trial as RayTrial

from infogan_bench.sweep.engine.alone import AloneAfterFault
from infogan_bench.sweep.engine.ray_private import RestartableHyperBand
from infogan_bench.sweep.engine.trainable import GOAL, STEP


class HyperBand(AloneAfterFault, RestartableHyperBand):
    """Successive halving in brackets, each of which begins to compare its trials earlier than the one before.

    With s_max = floor(log(longest / grace) / log(reduction)), bracket s = 0, ..., s_max takes
    ceil((s_max + 1) / (s + 1) * reduction^s) trials and pauses each at longest / reduction^s steps. When all of them
    have arrived, the best 1/reduction continue, to `reduction` times as many steps. This happens s times. After the
    last bracket the first one begins again. Trials are compared at their first report at or after such a step.

    Args:
        longest: steps of a run.
        grace: steps before which no trial is stopped.
        reduction: the best 1/reduction go on.
        mode: "max" or "min".
    """

    def __init__(self, *, longest: int, grace: int, reduction: float, mode: Literal["max", "min"]) -> None:
        super().__init__(
            time_attr=STEP,
            metric=GOAL,
            mode=mode,
            max_t=longest,
            reduction_factor=reduction,
            stop_last_trials=False,  # a run ends by itself; Ray's last rung, rounded down, may come too early
        )
        s_max = math.floor(math.log(longest / grace) / math.log(reduction) + 1e-9) if grace < longest else 0
        self.set_brackets(s_max + 1)

    def on_trial_result(self, tune_controller: Any, trial: RayTrial, result: dict[str, Any]) -> str:
        """Do the same as Ray, but rank a report without a goal below all others instead of raising an error."""
        worst = -math.inf if self._mode == "max" else math.inf
        return str(super().on_trial_result(tune_controller, trial, {GOAL: worst, **result}))
