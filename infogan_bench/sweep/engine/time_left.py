"""The time limit of a sweep: no trial begins that would not reach its end."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from enum import Enum

_START_AND_END = 1.1  # its process starts, and the last evaluation takes longer than the others


class Beginning(Enum):
    """The answer to a trial that wants to begin."""

    NOW = "now"
    WITH_A_FREE_SLOT = "with a free slot"  # it would wait for one longer than the time that is left to it
    NEVER = "never"


class TimeLeft:
    """The time until a sweep's limit, beside the time that a trial takes, by the slowest one so far.

    Before the first report every trial may begin.

    Args:
        limit: seconds from now; None for ever.
        slots: the number of trials that run at once.
        steps: the steps of the longest run.
        clock: the seconds since some moment.
    """

    def __init__(
        self, limit: float | None, slots: int, steps: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._ends = None if limit is None else clock() + limit
        self._slots = slots
        self._run_steps = steps
        self._live = 0
        self._seconds: defaultdict[str, float] = defaultdict(float)  # by trial, of this stretch
        self._steps: Counter[str] = Counter()

    @property
    def is_limited(self) -> bool:
        """Say whether there is a limit."""
        return self._ends is not None

    @property
    def is_up(self) -> bool:
        """Say whether the limit has come."""
        return self._ends is not None and self._clock() >= self._ends

    def note_live(self, trials: int) -> None:
        """Take in how many trials run or wait for a slot."""
        self._live = trials

    def note_report(self, trial_id: str, seconds: float, steps: int) -> None:
        """Take in that a trial has done `steps` more steps, with scores and checkpoint, in `seconds`."""
        if steps <= 0:  # a member of a population went back, or reported again before it trains on
            return
        self._seconds[trial_id] += seconds
        self._steps[trial_id] += steps

    @property
    def needed(self) -> float:
        """Seconds that a trial takes from its beginning to its end; 0 before the first report."""
        a_step = max((self._seconds[each] / n for each, n in self._steps.items()), default=0.0)
        return _START_AND_END * a_step * self._run_steps

    def beginning(self) -> Beginning:
        """Say when a trial may begin.

        All slots may be taken for as long as a trial takes. So it waits for a free one if both together take longer
        than what is left.
        """
        if self._ends is None:
            return Beginning.NOW
        left = self._ends - self._clock()
        if left < self.needed:
            return Beginning.NEVER
        if left < 2 * self.needed and self._live >= self._slots:
            return Beginning.WITH_A_FREE_SLOT
        return Beginning.NOW
