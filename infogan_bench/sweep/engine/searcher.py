"""The searcher that gives Ray Tune its trials: first the planned ones, then the proposals of a search."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher

from infogan_bench.records import TrialUpdate
from infogan_bench.sweep.engine.time_left import Beginning, TimeLeft
from infogan_bench.sweep.engine.trainable import GOAL, PLANNED_TRIAL, UPDATE
from infogan_bench.sweep.planned_trial import PlannedTrial

if TYPE_CHECKING:  # Optuna, with its database, is imported where a search needs it
    from infogan_bench.sweep.search.proposals import Proposals


class TrialSearcher(Searcher):  # type: ignore[misc]
    """Gives out the planned trials in order, then those of `proposals`.

    All algorithms have the same searcher, so a trial's id is its place in the plan for each of them.

    Args:
        planned: the trials that are planned.
        proposals: of a search that learns; None for all others.
        mode: "max" or "min", for Ray.
        time_left: whether another trial would reach its end. One with a checkpoint goes on in any case.
        fits: says whether a trial trains in a stack with others; None: none does.
        most_open: proposed trials that have not ended, at most; None: as many as Ray asks for.

    Attributes:
        out_of_time: trials were left that would not have reached their end.
    """

    def __init__(
        self,
        planned: Iterable[PlannedTrial],
        proposals: Proposals | None,
        mode: str,
        time_left: TimeLeft,
        fits: Callable[[PlannedTrial], bool] | None = None,
        most_open: int | None = None,
    ) -> None:
        super().__init__(metric=GOAL, mode=mode)
        self._time_left = time_left
        self.out_of_time = False
        self._planned = deque(planned)
        self._proposals = proposals
        self._fits = fits
        self._most_open = most_open
        self._open: dict[str, PlannedTrial] = {}  # by Ray's ids
        self._reports: dict[str, str] = {}  # the last one of each open trial: a paused one ends without any

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial's part of Ray's configuration, FINISHED, or None: ask again; `trial_id` is Ray's."""
        begun = bool(self._planned) and self._planned[0].checkpoint is not None
        beginning = Beginning.NOW if begun else self._time_left.beginning()
        if beginning is Beginning.NEVER:
            self.out_of_time = bool(self._planned) or (
                self._proposals is not None and self._proposals.left > 0
            )
            return str(Searcher.FINISHED)
        enough = self._most_open is not None and len(self._open) >= self._most_open
        if beginning is Beginning.WITH_A_FREE_SLOT or enough:
            return None
        if self._planned:
            planned = self._planned.popleft()
        elif self._proposals is not None and self._proposals.left:
            planned = self._proposals.propose()
        else:
            return str(Searcher.FINISHED)
        planned = replace(planned, packed=self._fits is not None and self._fits(planned))
        if self._proposals is not None:
            self._open[trial_id] = planned
        return {PLANNED_TRIAL: planned.to_json()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Remember the report."""
        if trial_id in self._open:
            self._reports[trial_id] = result[UPDATE]

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the proposals how the trial ended."""
        planned, report = self._open.pop(trial_id, None), self._reports.pop(trial_id, None)
        if planned is not None and self._proposals is not None:
            text = result[UPDATE] if result else report
            last = None if error or text is None else TrialUpdate.from_json(text)
            self._proposals.observe(planned.trial_id, last)

    def save(self, checkpoint_path: str) -> None:
        """Write an empty file: a resumed sweep plans anew from what the sweep folder says has ended."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing; see `save`."""


def trials_ahead(slots: int, learns: bool) -> int:
    """The number of trials that wait for one of the `slots` in which trials run.

    Ray starts at most as many processes at a time as trials wait, and keeps at most as many free ones. A search that
    learns knows more the later it is asked. But with only one waiting trial, 1,000 slots would be filled one after the
    other, in hours, and not all of them if trials end faster than processes start.
    """
    return max(1, slots // 4 if learns else slots)
