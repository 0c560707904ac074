"""The trials of a sweep that have ended, for the summary on the sweep's own run."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import Literal


class EndedTrials:
    """The trials that have ended: how many in which way, and the best of them. Adding one takes no longer when there
    are many."""

    def __init__(self, mode: Literal["max", "min"]) -> None:
        self._better: Callable[[float, float], bool] = operator.gt if mode == "max" else operator.lt
        self._trials: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.best: tuple[str, float] | None = None  # the first of equals

    def __len__(self) -> int:
        return len(self._trials)

    def add(self, trial_id: str, status: str, score: float | None) -> None:
        """Take in how a trial ended, with its score by the goal if it has one; once."""
        if trial_id in self._trials:
            return
        self._trials.add(trial_id)
        self.counts[status] += 1
        if score is not None and (self.best is None or self._better(score, self.best[1])):
            self.best = trial_id, score
