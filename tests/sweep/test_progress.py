"""What the progress display says, on exact lines and a clock that is set by hand."""

from __future__ import annotations

import errno
import io
import math

import pytest
from rich.console import Console

from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep.progress import ProgressDisplay, ProgressState, status_line, status_table

PARAMS = {"objective.lambda_cat": 0.5}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def update(trial, status=Status.RUNNING, step=0, scores=(), rate=0.0, params=PARAMS, error=None):
    seeds = tuple(
        SeedResult(number, status, step, {"cluster_accuracy": score}, images_per_second=rate)
        for number, score in enumerate(scores)
    )
    return TrialUpdate(trial, params, status, step, seeds, error)


def state_of(*updates, total=18, mode="max", earlier=(), steps=1000):
    state = ProgressState("cluster_accuracy", mode, steps, earlier)
    state.begin(total, 0.0)
    for one in updates:
        state.update(one)
    return state


@pytest.fixture
def clock():
    return Clock()


def plain(clock, **options):
    stream = io.StringIO()
    progress = ProgressDisplay("cluster_accuracy", "max", 1000, stream=stream, clock=clock, **options)
    return progress, lambda: stream.getvalue().splitlines()


def started_then(*updates):
    """Every trial is first seen at its start, as the engine tells it."""
    return [*(update(one.trial_id) for one in updates), *updates]


def test_a_line_says_everything_that_is_known():
    state = state_of(
        *started_then(
            *(update(f"000{n}", Status.FINISHED, 1000, [0.5]) for n in range(4)),
            update("0004", Status.FINISHED, 1000, [0.6, 0.624]),
            update("0005", Status.FAILED, 300, [0.9]),
            update("0006", step=400, scores=[0.2, 0.2], rate=1500.0),
            update("0007", step=100, scores=[0.2], rate=1600.0),
        )
    )
    # Done: 5 x 1000 + 300 + 400 + 100 = 5800 steps in 151 s. Left: 10 x 1000 + 600 + 900 = 11500, so 299.4 s.
    assert status_line(state, 151.0) == (
        "[02:31] 5/18 done, 2 running, 1 failed"
        " | best cluster_accuracy 0.612 (trial 0004: objective.lambda_cat=0.5)"
        " | 3,100 images/s | about 5 min left"
    )
    assert state.seconds_left(151.0) == pytest.approx(151 * 11500 / 5800)


def test_with_early_stopping_the_time_left_is_an_upper_bound():
    state = state_of(*started_then(update("0000", Status.STOPPED, 250, [0.3])), total=2)
    # 250 steps in 5 s; the stopped trial needs no more, the other one 1000: 20 s.
    assert status_line(state, 5.0, early_stopping=True) == (
        "[00:05] 0/2 done, 1 stopped"
        " | best cluster_accuracy 0.300 (trial 0000: objective.lambda_cat=0.5) | at most ~20 s left"
    )


def test_an_unknown_number_of_trials_leaves_the_end_open():
    state = state_of(*started_then(update("0000", Status.FINISHED, 1000, [0.3])), total=None)
    assert state.waiting is None
    assert status_line(state, 3700.0) == (
        "[1:01:40] 1 done | best cluster_accuracy 0.300 (trial 0000: objective.lambda_cat=0.5)"
    )


def test_a_resumed_sweep_counts_what_was_done_but_not_its_time():
    earlier = [
        update("0000", Status.FINISHED, 1000, [0.7]),
        update("0001", Status.INTERRUPTED, 500, [0.4]),
    ]
    state = state_of(total=3, earlier=earlier)
    assert (state.finished, state.waiting) == (1, 2)
    state.update(update("0001", step=500, scores=[0.4]))
    state.update(update("0001", step=750, scores=[0.5]))
    # 250 steps in 10 s; 250 + 1000 are left: 50 s.
    assert state.seconds_left(10.0) == pytest.approx(50.0)
    assert state.best is not None
    assert state.best[0] == 0.7


def test_a_swept_number_of_steps_is_a_trials_own():
    short = {"steps": 200}
    state = state_of(update("0000", params=short), update("0000", step=100, params=short), total=1)
    assert state.seconds_left(7.0) == pytest.approx(7.0)


def test_the_best_is_the_lowest_where_low_is_good_and_never_of_a_failed_trial():
    updates = (
        update("0000", Status.FINISHED, 1000, [0.5]),
        update("0001", Status.FINISHED, 1000, [0.4]),
        update("0002", Status.DIVERGED, 10, [0.1]),
        update("0003", step=10, scores=[math.nan]),
    )
    low, high = state_of(*updates, mode="min").best, state_of(*updates).best
    assert low is not None
    assert high is not None
    assert (low[1].trial_id, high[1].trial_id) == ("0001", "0000")


def test_a_seed_without_the_score_leaves_the_trial_unranked():
    half = TrialUpdate(
        "0000", PARAMS, Status.RUNNING, 10,
        (SeedResult(0, Status.RUNNING, 10, {"cluster_accuracy": 0.9}), SeedResult(1, Status.RUNNING, 10)),
    )  # fmt: skip
    assert state_of(half).best is None


def test_off_a_terminal_there_is_at_most_a_line_in_ten_seconds_and_none_without_change(clock):
    progress, lines = plain(clock)
    progress.started(2)
    progress.updated(update("0000"))
    for _ in range(95):  # 9.5 s
        clock.now += 0.1
        progress.tick()
    assert lines() == []
    clock.now += 0.6
    progress.tick()
    assert lines() == ["[00:10] 0/2 done, 1 running"]
    clock.now += 60
    progress.tick()
    assert len(lines()) == 1
    progress.updated(update("0000", step=500))
    progress.tick()
    assert lines()[1:] == ["[01:10] 0/2 done, 1 running | about 4 min left"]  # 1500 steps at 500 in 70.1 s


def test_every_end_of_a_trial_gives_a_line_at_once_and_a_failure_its_reason(clock):
    progress, lines = plain(clock)
    progress.started(2)
    progress.updated(update("0000"))
    progress.updated(update("0001"))
    progress.updated(update("0000", Status.FINISHED, 1000, [0.25]))
    progress.updated(update("0001", Status.DIVERGED, 20, error="the loss of D is nan\nat step 20"))
    progress.ended(Status.FINISHED)
    best = "best cluster_accuracy 0.250 (trial 0000: objective.lambda_cat=0.5)"
    assert lines() == [
        f"[00:00] 1/2 done, 1 running | {best}",
        f"[00:00] 1/2 done, 1 failed | {best} | trial 0001 diverged: the loss of D is nan",
    ]


def test_an_interrupted_sweep_ends_with_its_last_state(clock):
    progress, lines = plain(clock)
    progress.started(1)
    progress.updated(update("0000", step=10))
    progress.updated(update("0000", Status.INTERRUPTED, 10))
    progress.ended(Status.INTERRUPTED)
    assert lines() == ["[00:00] 0/1 done"]


def test_control_characters_of_a_user_do_not_reach_the_stream(clock):
    progress, lines = plain(clock)
    progress.started(1)
    progress.updated(update("0000", Status.FINISHED, 1000, [0.5], params={"name": "a\n\x1b[2Jb"}))
    assert lines() == ["[00:00] 1/1 done | best cluster_accuracy 0.500 (trial 0000: name=a  [2Jb)"]


def rendered(state, now=10.0):
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(status_table(state, now))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_table_has_a_row_for_each_running_trial():
    state = state_of(
        *started_then(
            update("0000", Status.FINISHED, 1000, [0.5]),
            update("0001", step=250, scores=[0.1234], rate=1234.5),
        ),
        total=4,
    )
    # 1250 steps in 10 s; 2 x 1000 + 750 are left: 22 s.
    assert rendered(state) == [
        "1/4 done, 1 running, 2 waiting",
        "trial  parameters                     step  cluster_accuracy  images/s",
        "0001   objective.lambda_cat=0.5  250/1,000             0.123     1,234",
        "best cluster_accuracy 0.500 (trial 0000: objective.lambda_cat=0.5)",
        "00:10 | 1,234 images/s | about 22 s left",
    ]


def test_markup_in_a_users_text_is_shown_as_it_is():
    state = state_of(update("0000", step=1, scores=[0.5], params={"name": "[red]x[/red] [/]"}))
    assert any("name=[red]x[/red] [/]" in line for line in rendered(state))


def test_many_running_trials_do_not_fill_the_screen():
    lines = rendered(state_of(*(update(f"{n:04d}") for n in range(100)), total=200))
    assert len(lines) == 16  # counts, head, 12 trials, the rest, the time
    assert lines[-2] == "and 88 more that run"


def test_on_a_terminal_the_table_is_drawn_and_the_cursor_given_back(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    progress = ProgressDisplay("cluster_accuracy", "max", 1000, stream=stream, clock=clock)
    progress.started(2)
    progress.updated(update("0000", step=500, scores=[0.5]))
    clock.now += 1
    progress.tick()
    assert "500/1,000" in stream.getvalue()
    drawn = len(stream.getvalue())
    clock.now += 0.1
    progress.tick()
    assert len(stream.getvalue()) == drawn  # four frames a second are enough
    progress.ended(Status.FINISHED)
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


@pytest.mark.parametrize("ended", [10, 1000])
def test_a_line_looks_at_the_running_trials_alone(monkeypatch, ended):
    """However many have ended: a sweep of 10,000 trials prints 10,000 lines."""
    statuses = (Status.FINISHED, Status.STOPPED, Status.FAILED)
    updates = [update(f"{n:04d}", statuses[n % 3], 1000, [n / 1000]) for n in range(ended)]
    running = [update(f"{n:04d}", step=500, scores=[0.5]) for n in range(ended, ended + 3)]
    state = state_of(*started_then(*updates, *running), total=2000)
    seen = []
    mean = TrialUpdate.mean
    monkeypatch.setattr(
        TrialUpdate, "mean", lambda one, metric: seen.append(one.trial_id) or mean(one, metric)
    )
    line = status_line(state, 10.0)
    assert set(seen) == {one.trial_id for one in running}
    assert state.stopped + state.finished + state.failed == ended
    best = max([0.5, *(n / 1000 for n in range(ended) if n % 3 != 2)])
    assert f"best cluster_accuracy {best:.3f}" in line


def test_of_equals_the_best_is_the_first_in_the_plan():
    updates = (update("0001", Status.FINISHED, 9, [0.5]), update("0000", Status.FINISHED, 9, [0.5]),
               update("0002", step=1, scores=[0.5]))  # fmt: skip
    for mode in ("max", "min"):
        best = state_of(*updates, mode=mode).best
        assert best is not None
        assert best[1].trial_id == "0000"


def test_the_time_left_counts_down_to_the_limit_where_that_comes_first() -> None:
    """100 trials of 40 steps, four of which took 20 s: without a limit that is 480 s more."""
    state = ProgressState("L_I", "max", 40, time_limit=120.0)
    state.begin(100, 0.0)
    for number in range(4):
        state.update(TrialUpdate(f"{number:04d}", {}, Status.RUNNING, 0))
        state.update(TrialUpdate(f"{number:04d}", {}, Status.FINISHED, 40))
    assert state.seconds_left(20.0) == 480.0
    assert status_line(state, 20.0).endswith("2 min to the time limit")
    assert status_line(state, 90.0).endswith("30 s to the time limit")


class Lost(Terminal):
    """A terminal that was closed, a full disk, or an encoding without the character."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    flush = write


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ENOSPC, "No space left on device"),
        ValueError("I/O operation on closed file"),
        UnicodeEncodeError("charmap", "\u03bb", 0, 1, "character maps to <undefined>"),
    ],
)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_display_that_is_lost_is_told_once_and_stops_nothing(
    clock, caplog, monkeypatch, error, is_terminal
):
    monkeypatch.setattr(Terminal, "isatty", lambda stream: is_terminal)
    words = str(error)  # rich adds to them
    progress = ProgressDisplay("cluster_accuracy", "max", 1000, stream=Lost(error), clock=clock)
    progress.started(2)
    for status in (Status.RUNNING, Status.FINISHED):
        progress.updated(update("0000", status, 1000, [0.5]))
        clock.now += 60
        progress.tick()
    progress.ended(Status.FINISHED)
    (told,) = caplog.messages
    assert told.startswith("the progress cannot be shown: ")
    assert words in told
