"""Which trials are stopped, by the definitions of the schedulers; without Ray's loop."""

from __future__ import annotations

from typing import Any

import pytest
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from infogan_bench.config import parse_sweep
from infogan_bench.sweep.engine.schedulers import SchedulerRequest, make_scheduler
from infogan_bench.sweep.engine.searcher import trials_ahead
from infogan_bench.sweep.engine.trainable import GOAL, STEP

CONTINUE, STOP, PAUSE = TrialScheduler.CONTINUE, TrialScheduler.STOP, TrialScheduler.PAUSE


class Trial:
    """What Ray's schedulers look at."""

    def __init__(self, name: str) -> None:
        self.trial_id, self.status, self.is_saving = name, "RUNNING", False
        self.pickled_error_file = None


class Controller:
    """Does what a scheduler asks for, as Ray's would, and keeps it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.stopped: list[str] = []
        # Ray's own notes, and what it knows of processes
        self._tune_controller, self._actor_manager = self, self
        self._trial_to_actor: dict[Trial, str] = {}
        self.starting: set[str] = set()

    def is_actor_started(self, actor: str) -> bool:
        return actor in self.starting

    def stop_trial(self, trial: Trial) -> None:
        self._bench.scheduler.on_trial_remove(self, trial)
        self.stopped.append(trial.trial_id)
        trial.status = "TERMINATED"

    def get_live_trials(self) -> list[Trial]:
        return list(self._bench.trials.values())


class Bench:
    """A scheduler of a sweep of `steps` steps, its trials by name, and what they report."""

    def __init__(self, *names: str, steps: int, mode: str = "max", **config: Any) -> None:
        sweep = {"name": "s", "base": {"steps": steps}, "scheduler": config, "goal": {"mode": mode}}
        self.scheduler = make_scheduler(SchedulerRequest(parse_sweep(sweep)))
        self.controller = Controller(self)
        self.trials: dict[str, Trial] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self.trials[name] = Trial(name)
        self.scheduler.on_trial_add(self.controller, self.trials[name])

    def report(self, name: str, step: int, score: float | None) -> str:
        result: dict[str, Any] = {STEP: step} | ({} if score is None else {GOAL: score})
        decision = self.scheduler.on_trial_result(self.controller, self.trials[name], result)
        if decision == PAUSE:
            self.trials[name].status = "PAUSED"
        return str(decision)

    def next(self) -> str | None:
        chosen = self.scheduler.choose_trial_to_run(self.controller)
        if chosen is not None:
            chosen.status = "RUNNING"
        return chosen and chosen.trial_id


def test_none_stops_nothing() -> None:
    assert (
        type(make_scheduler(SchedulerRequest(parse_sweep({"name": "s"})))).on_trial_result
        is FIFOScheduler.on_trial_result
    )


@pytest.mark.parametrize(("mode", "sign"), [("max", 1), ("min", -1)])
def test_asha_stops_what_is_below_the_best_half_of_its_rung_so_far(mode: str, sign: int) -> None:
    """Rungs at 10 and 20 of 40 steps; with reduction 2 a trial goes on that is not below the median there."""
    bench = Bench("a", "b", "c", "d", steps=40, mode=mode, name="asha", grace=10, reduction=2)
    assert bench.report("a", 10, sign * 0.5) == CONTINUE  # the first one there
    assert bench.report("b", 10, sign * 0.4) == STOP
    assert bench.report("c", 5, sign * 0.0) == CONTINUE  # no trial is stopped before step 10
    assert bench.report("c", 10, sign * 0.6) == CONTINUE
    assert bench.report("d", 10, sign * 0.45) == STOP  # below 0.5, the median of 0.4, 0.5 and 0.6
    assert bench.report("a", 20, sign * 0.5) == CONTINUE
    assert bench.report("c", 20, sign * 0.4) == STOP


def test_median_stops_what_never_came_to_the_median_of_the_others_means() -> None:
    """From step 20 on the means of the others are 0.4, 0.5 and 0.6; what counts is a trial's best so far (Golovin et
    al., 2017)."""
    bench = Bench("a", "b", "c", "low", "high", steps=100, name="median", grace=20)
    for name, mean in (("a", 0.4), ("b", 0.5), ("c", 0.6)):
        assert bench.report(name, 10, 0.0) == CONTINUE
        assert bench.report(name, 20, mean - 0.1) == CONTINUE
        assert bench.report(name, 40, mean + 0.1) == CONTINUE
    assert bench.report("low", 10, 0.1) == CONTINUE  # no trial is stopped before step 20
    assert bench.report("low", 40, 0.49) == STOP
    assert bench.report("high", 20, 0.51) == CONTINUE
    assert bench.report("high", 40, 0.2) == CONTINUE


# HyperBand: 80 steps, 20 of them granted, the best half: s_max = log2(80 / 20) = 2. Bracket 0 takes 3 trials and
# compares none; bracket 1 takes ceil(3/2 * 2) = 3 from step 40 on; bracket 2 takes ceil(3/3 * 4) = 4 from step 20 on.
HYPERBAND = {"name": "hyperband", "grace": 20, "reduction": 2}
NAMES = ["0a", "0b", "0c", "1a", "1b", "1c", "2a", "2b", "2c", "2d"]


def test_hyperband_fills_bracket_after_bracket() -> None:
    bench = Bench(*NAMES, steps=80, **HYPERBAND)
    assert bench.scheduler.state()["num_brackets"] == 3
    bench.add("a fourth bracket")
    assert bench.scheduler.state()["num_brackets"] == 4
    assert [bench.report(name, 20, 0.5) for name in NAMES] == [CONTINUE] * 6 + [PAUSE] * 3 + [CONTINUE]
    assert bench.report("1a", 40, 0.5) == PAUSE
    assert bench.report("0a", 79, 0.1) == CONTINUE


@pytest.mark.parametrize(("mode", "sign"), [("max", 1), ("min", -1)])
def test_hyperband_halves_a_bracket_once_all_its_trials_are_there(mode: str, sign: int) -> None:
    bench = Bench(*NAMES, steps=80, mode=mode, **HYPERBAND)
    for name in NAMES[:6]:
        bench.trials[name].status = "TERMINATED"
        bench.scheduler.on_trial_complete(bench.controller, bench.trials[name], {})
    assert bench.report("2a", 20, sign * 0.3) == PAUSE
    assert bench.report("2b", 20, sign * 0.6) == PAUSE
    assert bench.report("2c", 20, sign * 0.1) == PAUSE
    assert bench.next() is None  # 2d runs still
    assert bench.report("2d", 10, sign * 0.9) == CONTINUE
    assert bench.report("2d", 20, sign * 0.4) == CONTINUE  # the second of four
    assert sorted(bench.controller.stopped) == ["2a", "2c"]
    assert bench.next() == "2b"
    assert bench.report("2b", 40, sign * 0.7) == PAUSE
    assert bench.report("2d", 40, sign * 0.5) == STOP
    assert bench.next() == "2b"
    assert bench.report("2b", 60, sign * 0.0) == CONTINUE  # alone, to the end of its run


def test_hyperband_does_not_wait_for_a_trial_that_failed_after_the_first_rung() -> None:
    bench = Bench(*NAMES, steps=80, **HYPERBAND)
    for name, score in (("2a", 0.1), ("2b", 0.2), ("2c", 0.3), ("2d", 0.4)):
        bench.report(name, 20, score)
    assert bench.next() == "2c"
    assert bench.report("2c", 40, 0.3) == PAUSE
    bench.trials["2d"].status = "ERROR"
    bench.scheduler.on_trial_error(bench.controller, bench.trials["2d"])
    for name in NAMES[:6]:
        bench.trials[name].status = "TERMINATED"
        bench.scheduler.on_trial_complete(bench.controller, bench.trials[name], {})
    assert bench.next() == "2c"


def test_hyperband_takes_a_report_without_a_value_for_the_worst() -> None:
    bench = Bench(*NAMES, steps=80, **HYPERBAND)
    for name, score in (("2a", None), ("2b", -5.0), ("2c", -6.0)):
        assert bench.report(name, 20, score) == PAUSE
    assert bench.report("2d", 20, None) == STOP
    assert bench.controller.stopped == ["2a"]


def test_a_grace_of_the_whole_run_compares_nothing() -> None:
    bench = Bench("a", "b", "c", steps=80, name="hyperband", grace=80)
    assert [bench.report(name, 79, 0.1) for name in "abc"] == [CONTINUE] * 3
    assert bench.scheduler.state()["num_brackets"] == 3  # of one trial each


@pytest.mark.parametrize("name", ["none", "asha", "median"])
def test_trials_start_in_order_but_for_those_whose_process_starts_already(name: str) -> None:
    """Given the free process, such a trial would have its own thrown away: where trials end faster than processes
    start, one that was lost would never be replaced. Of the sweep's trials only those that live are looked at: the
    controller has no others."""
    bench = Bench("0", "1", "2", "3", "4", steps=40, name=name)
    controller = bench.controller
    for trial in ("1", "2", "3", "4"):
        bench.trials[trial].status = "PENDING"
        controller._trial_to_actor[bench.trials[trial]] = f"process of {trial}"  # asked for
    controller.starting = {"process of 1", "process of 3"}
    assert [bench.next() for _ in range(5)] == ["2", "4", "1", "3", None]


@pytest.mark.parametrize(
    ("slots", "learns", "ahead"),
    [
        (0, False, 1),
        (2, False, 2),
        (1000, False, 1000),
        (0, True, 1),
        (7, True, 1),
        (8, True, 2),
        (1000, True, 250),
    ],
)
def test_the_trials_that_wait_grow_with_the_slots_a_quarter_as_many_of_a_search_that_learns(
    slots: int, learns: bool, ahead: int
) -> None:
    assert trials_ahead(slots, learns) == ahead
