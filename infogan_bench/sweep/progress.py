"""The display of a running sweep: a live table on a terminal, else a plain line from time to time."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infogan_bench.errors import reason
from infogan_bench.records import Status, TrialUpdate

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_FRAMES = 0.25
_ROWS = 12  # running trials in the table
_SETTLED = 0.02  # share of the work; before it is done, the time left is only a guess


class ProgressState:
    """The numbers behind the display, from the last update of each trial.

    No question takes longer when many trials have ended, since an ended trial does not change.

    Args:
        metric, mode: the goal.
        steps: of a trial, unless `steps` is swept.
        earlier: trials of the sweep before it was resumed.
        time_limit: seconds after which the sweep is stopped; None for ever.
    """

    def __init__(
        self,
        metric: str,
        mode: Literal["max", "min"],
        steps: int,
        earlier: Iterable[TrialUpdate] = (),
        time_limit: float | None = None,
    ) -> None:
        self._time_limit = time_limit
        self.metric = metric
        self.total: int | None = None
        self._best = max if mode == "max" else min
        self._steps = steps
        self._began = 0.0
        self._trials: dict[Status, dict[str, TrialUpdate]] = {status: {} for status in Status}
        self._last: dict[str, TrialUpdate] = {}
        self._best_ended: tuple[float, TrialUpdate] | None = None
        self._steps_done = 0  # steps done in this session
        for update in earlier:
            self.update(update)

    def begin(self, total: int | None, now: float) -> None:
        """Start the clock.

        Args:
            total: planned trials; None if that is not known.
            now: the time in seconds.
        """
        self.total, self._began = total, now

    def update(self, update: TrialUpdate) -> None:
        """Take in a trial's last state."""
        before = self._last.get(update.trial_id)
        if before is not None:
            del self._trials[before.status][update.trial_id]
            self._steps_done += update.step - before.step
        self._last[update.trial_id] = self._trials[update.status][update.trial_id] = update
        if update.status.ended:
            self._best_ended = self._better(self._best_ended, self._scored(update))

    @property
    def running(self) -> list[TrialUpdate]:
        """Trials that run now, by name."""
        return [update for _, update in sorted(self._trials[Status.RUNNING].items())]

    @property
    def finished(self) -> int:
        """Trials whose steps were all done."""
        return len(self._trials[Status.FINISHED])

    @property
    def stopped(self) -> int:
        """Trials ended early by the scheduler or the time limit."""
        return len(self._trials[Status.STOPPED])

    @property
    def failed(self) -> int:
        """Trials that diverged or raised."""
        return sum(len(trials) for status, trials in self._trials.items() if status.bad)

    @property
    def waiting(self) -> int | None:
        """Planned trials that neither run nor have ended; None if the number of trials is not known."""
        if self.total is None:
            return None
        ended = sum(len(trials) for status, trials in self._trials.items() if status.ended)
        return max(self.total - len(self._trials[Status.RUNNING]) - ended, 0)

    @property
    def best(self) -> tuple[float, TrialUpdate] | None:
        """The best score at the last report of each trial that did not fail, and its trial."""
        best = self._best_ended
        for status, trials in self._trials.items():
            if not status.ended:
                for update in trials.values():
                    best = self._better(best, self._scored(update))
        return best

    def _scored(self, update: TrialUpdate) -> tuple[float, TrialUpdate] | None:
        score = update.mean(self.metric)
        if update.status.bad or score is None or not math.isfinite(score):
            return None
        return score, update

    def _better(
        self, one: tuple[float, TrialUpdate] | None, other: tuple[float, TrialUpdate] | None
    ) -> tuple[float, TrialUpdate] | None:
        """The better of two trials; of equal ones, the first in the plan."""
        if one is None or other is None:
            return one or other
        first, second = sorted((one, other), key=lambda scored: scored[1].trial_id)
        return self._best(first, second, key=lambda scored: scored[0])

    @property
    def images_per_second(self) -> float:
        """The sum over the running trials of the mean over their seeds, which take turns."""
        return sum(
            sum(seed.images_per_second for seed in update.seeds) / len(update.seeds)
            for update in self.running
            if update.seeds
        )

    def steps_of(self, update: TrialUpdate) -> int:
        """The number of steps that a trial is to do."""
        return int(update.params.get("steps", self._steps))

    def elapsed(self, now: float) -> float:
        """Seconds since this session began."""
        return now - self._began

    def seconds_to_the_limit(self, now: float) -> float | None:
        """Seconds until the time limit ends the sweep; None where there is none."""
        return None if self._time_limit is None else max(self._time_limit - self.elapsed(now), 0.0)

    def seconds_left(self, now: float) -> float | None:
        """Seconds for the remaining steps at the rate so far; None while that is unknown.

        A scheduler that stops trials early makes it an upper bound.
        """
        if self.waiting is None:
            return None
        done = self._steps_done
        left = self.waiting * self._steps + sum(self.steps_of(u) - u.step for u in self.running)
        # They wait, but not for all their steps
        left -= sum(update.step for update in self._trials[Status.INTERRUPTED].values())
        if left == 0:
            return 0.0
        if done <= _SETTLED * (done + left):
            return None
        return left * self.elapsed(now) / done


class ProgressDisplay:
    """A `SweepListener` that shows the sweep on stderr.

    Args:
        metric, mode, steps, earlier: see `ProgressState`.
        early_stopping: whether a scheduler may end trials early.
        time_limit: seconds after which the sweep is stopped.
        stream: stderr by default; a live table if it is a terminal, else plain lines.
        clock: seconds.
    """

    def __init__(
        self,
        metric: str,
        mode: Literal["max", "min"],
        steps: int,
        *,
        earlier: Iterable[TrialUpdate] = (),
        early_stopping: bool = False,
        time_limit: float | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._early_stopping = early_stopping
        self._state = ProgressState(metric, mode, steps, earlier, time_limit)
        console = Console(file=self._stream)
        is_terminal = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False) if is_terminal else None
        self._shown_at = 0.0
        self._changed = False
        self._lost = False

    def started(self, total: int | None) -> None:
        """Begin to count the time."""
        self._state.begin(total, self._clock())
        self._shown_at = self._clock()
        if self._live:
            with self._showing():
                self._live.start()

    def updated(self, update: TrialUpdate) -> None:
        """Take in a trial's last state. Without a terminal, print a line for an ended trial at once."""
        self._state.update(update)
        self._changed = True
        if self._live is None and update.status.ended:
            self._print_line(_failure(update))

    def tick(self) -> None:
        """Draw the display if it is due."""
        since = self._clock() - self._shown_at
        if self._live:
            if since >= _SECONDS_BETWEEN_FRAMES:
                self._draw(self._live)
        elif self._changed and since >= _SECONDS_BETWEEN_LINES:
            self._print_line()

    def ended(self, status: Status) -> None:
        """Show the last state and release the terminal."""
        if self._live:
            self._draw(self._live)
            with self._showing():
                self._live.stop()
        elif self._changed:
            self._print_line()

    @contextmanager
    def _showing(self) -> Iterator[None]:
        """For whatever writes to the stream, which may be full or closed by now: the sweep goes on without it."""
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: closed, or a character that its encoding lacks
            if not self._lost:
                log.warning("the progress cannot be shown: %s", reason(error))
            self._lost = True

    def _print_line(self, news: str = "") -> None:
        now = self._clock()
        line = status_line(self._state, now, self._early_stopping)
        with self._showing():
            print(f"{line} | {news}" if news else line, file=self._stream, flush=True)
        self._shown_at, self._changed = now, False

    def _draw(self, live: Live) -> None:
        now = self._clock()
        with self._showing():
            live.update(status_table(self._state, now, self._early_stopping), refresh=True)
        self._shown_at = now


def status_line(state: ProgressState, now: float, early_stopping: bool = False) -> str:
    """`[02:31] 5/18 done, 2 running, 1 failed | best ... | 3,100 images/s | about 7 min left`."""
    parts = (_counts(state), _best(state), _rate(state), _time_left(state, now, early_stopping))
    return f"[{_clock_time(state.elapsed(now))}] " + " | ".join(filter(None, parts))


def status_table(state: ProgressState, now: float, early_stopping: bool = False) -> RenderableType:
    """The counts and the best score around a row for each running trial."""
    table = Table("trial", "parameters", "step", state.metric, "images/s", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for update in state.running[:_ROWS]:
        table.add_row(*_row(state, update))
    more = len(state.running) - _ROWS
    time_left = _time_left(state, now, early_stopping)
    waiting = f"{state.waiting} waiting" if state.waiting is not None else ""
    lines = [
        ", ".join(filter(None, (_counts(state), waiting))),
        _best(state),
        " | ".join(filter(None, (_clock_time(state.elapsed(now)), _rate(state), time_left))),
    ]
    # Text objects: what a user wrote is never read as markup.
    texts: list[RenderableType] = [Text(line) for line in lines if line]
    rest = [Text(f"and {more} more that run")] if more > 0 else []
    return Group(texts[0], table, *rest, *texts[1:])


def _row(state: ProgressState, update: TrialUpdate) -> Sequence[Text]:
    score = update.mean(state.metric)
    rates = [seed.images_per_second for seed in update.seeds]
    cells = (
        update.trial_id,
        _pairs(update.params),
        f"{update.step:,}/{state.steps_of(update):,}",
        "" if score is None else _number(score),
        f"{sum(rates) / len(rates):,.0f}" if any(rates) else "",
    )
    return [Text(_plain(cell)) for cell in cells]


def _counts(state: ProgressState) -> str:
    done = f"{state.finished} done" if state.total is None else f"{state.finished}/{state.total} done"
    others = {"running": len(state.running), "stopped": state.stopped, "failed": state.failed}
    return ", ".join([done, *(f"{count} {name}" for name, count in others.items() if count)])


def _best(state: ProgressState) -> str:
    if state.best is None:
        return ""
    score, update = state.best
    pairs = _pairs(update.params)
    where = f"trial {update.trial_id}: {pairs}" if pairs else f"trial {update.trial_id}"
    return _plain(f"best {state.metric} {_number(score)} ({where})")


def _rate(state: ProgressState) -> str:
    return f"{state.images_per_second:,.0f} images/s" if state.images_per_second else ""


def _time_left(state: ProgressState, now: float, early_stopping: bool) -> str:
    seconds, limit = state.seconds_left(now), state.seconds_to_the_limit(now)
    if limit is not None and (seconds is None or seconds > limit):
        return f"{_duration(limit)} to the time limit"
    if not seconds:
        return ""
    return f"at most ~{_duration(seconds)} left" if early_stopping else f"about {_duration(seconds)} left"


def _failure(update: TrialUpdate) -> str:
    if not update.status.bad:
        return ""
    reason = f": {update.error.strip().splitlines()[0]}" if update.error and update.error.strip() else ""
    return _plain(f"trial {update.trial_id} {update.status}{reason}")


def _pairs(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in params.items())


def _number(value: float) -> str:
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 1000 else f"{value:.3g}"


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _plain(text: str) -> str:
    """`text` on one line, without control characters for a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
