"""Sweeps whose trials train together: to the sweep folder, to schedulers and to searches they are ordinary trials."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infogan_bench.config import ConfigError, apply, describe, parse_sweep, plan
from infogan_bench.config.packing import packing_of
from infogan_bench.errors import InputError
from infogan_bench.records import TrialUpdate, read_trial
from infogan_bench.records.results import Status
from infogan_bench.sweep import SweepOutcome, resume, start
from infogan_bench.sweep.engine.packing import unstackable
from infogan_bench.sweep.rerun import rerun
from tests.sweep.three_trials import UNRULY, tiny
from tests.without_ray import train

TWO_AT_ONCE = {"cpus": 1, "gpus": 0, "trials_together": "packed"}


def packed(output: Path, **changes: Any) -> dict[str, Any]:
    """Four trials of two intervals of 20 steps of a small MLP; two of them diverge."""
    base = {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32}
    space = {"objective.lambda_cat": [0.1, 1], "optimiser.lr_d": [2e-4, 3e38]}
    return tiny(output, **{"base": base, "space": space, "resources": TWO_AT_ONCE, **changes})


class Watcher:
    """A listener that shows each update to `see`."""

    def __init__(self, see: Callable[[TrialUpdate], object]) -> None:
        self.updated = see

    def started(self, total: int | None) -> None: ...
    def tick(self) -> None: ...
    def ended(self, status: Status) -> None: ...


def statuses(outcome: SweepOutcome) -> list[Status]:
    return [trial.status for trial in outcome.trials]


def losses(folder: Path) -> pd.DataFrame:
    """The losses of all reports, by trial and step."""
    history = pd.read_parquet(folder / "history.parquet")
    wanted = history[history["metric"].str.match("loss/|L_I")]
    return wanted.pivot_table(index=["trial", "step"], columns="metric", values="value").sort_index()


# On Ray ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("two_cpus")
def test_interrupted_and_resumed_trials_report_as_they_do_apart(tmp_path: Path) -> None:
    interrupted = False

    def interrupt(update: TrialUpdate) -> None:
        nonlocal interrupted
        if update.step >= 20 and not interrupted:
            interrupted = True
            signal.raise_signal(signal.SIGTERM)

    first = start(parse_sweep(packed(tmp_path / "packed")), listeners=[Watcher(interrupt)])
    assert first.exit_code() == 143
    outcome = resume(first.folder)
    apart = train(parse_sweep(packed(tmp_path / "apart")))
    good, bad = Status.FINISHED, Status.DIVERGED
    assert statuses(outcome) == [good, bad, good, bad]
    assert "is not finite" in (outcome.trials[1].error or "")
    # in float32 the last bits grow over 40 steps; tests/training/test_packed.py compares in float64
    pd.testing.assert_frame_equal(losses(outcome.folder), losses(apart), rtol=1e-2, atol=5e-3)
    assert (outcome.folder / "report.html").is_file()
    for name in ("0000", "0002"):
        ours, theirs = (read_trial(folder / "trials" / name) for folder in (outcome.folder, apart))
        assert (ours.packed, theirs.packed) == (True, False)
        assert ours.params == theirs.params
        assert [report.step for report in ours.history] == [20, 40]
        ours_there, theirs_there = (
            {file.name for file in (folder / "trials" / name / "seed-0").iterdir()}
            for folder in (outcome.folder, apart)
        )
        assert theirs_there <= ours_there
    again = rerun(outcome.folder, "0")
    assert {value.name: value.now for value in again.last if value.name.startswith("loss")} == pytest.approx(
        {value.name: value.recorded for value in again.last if value.name.startswith("loss")}, rel=1e-2
    )
    assert any("in one stack with other trials" in why for why in again.elsewhere)


@pytest.mark.slow
@pytest.mark.usefixtures("two_cpus")
def test_trials_whose_process_dies_go_on_apart(tmp_path: Path) -> None:
    base = {"architecture": {"name": "kills-its-process-once", "width": 0.1}, "steps": 40, "batch": 32}
    changes = {"base": base, "space": {"objective.lambda_cat": [0.1, 1]}, "extensions": [UNRULY]}
    resources = {**TWO_AT_ONCE, "retries": 0}  # none of them is to blame
    outcome = start(parse_sweep(packed(tmp_path, resources=resources, **changes)))
    assert statuses(outcome) == [Status.FINISHED, Status.FINISHED]
    assert [trial.step for trial in outcome.trials] == [40, 40]
    assert "so it trains apart" in (outcome.folder / "sweep.log").read_text()
    records = [read_trial(outcome.folder / "trials" / trial.trial_id) for trial in outcome.trials]
    assert [record.packed for record in records] == [False, False]


@pytest.mark.slow
@pytest.mark.usefixtures("two_cpus")
def test_a_population_takes_over_in_a_stack(tmp_path: Path) -> None:
    space = {"objective.lambda_cat": [0.001, 3]}
    scheduler = {"name": "pbt", "every": 20, "quantile": 0.5}
    outcome = start(parse_sweep(packed(tmp_path, space=space, scheduler=scheduler)))
    assert statuses(outcome) == [Status.FINISHED] * 2
    taken = [mutation for trial in outcome.trials for mutation in trial.mutations]
    assert [mutation.step for mutation in taken] == [20]
    for trial in outcome.trials:
        assert read_trial(outcome.folder / "trials" / trial.trial_id).packed
        values = [mutation.params["objective.lambda_cat"] for mutation in trial.mutations]
        last = values[-1] if values else trial.params["objective.lambda_cat"]
        assert trial.seeds[0].metrics["param/objective.lambda_cat"] == pytest.approx(last)


@pytest.mark.slow
@pytest.mark.usefixtures("two_cpus")
def test_a_search_that_learns_fills_the_stack_and_trials_stop_one_by_one(tmp_path: Path) -> None:
    started: set[str] = set()
    before_the_first_end = 0

    def see(update: TrialUpdate) -> None:
        nonlocal before_the_first_end
        started.add(update.trial_id)
        if update.status.ended and not before_the_first_end:
            before_the_first_end = len(started)

    sweep = packed(
        tmp_path,
        space={
            "objective.lambda_cat": {"loguniform": [0.1, 3]},
            "optimiser.lr_g": {"loguniform": [1e-4, 1e-2]},
        },
        search={"algorithm": "tpe", "trials": 4},
        scheduler={"name": "median", "grace": 20},
    )
    outcome = start(parse_sweep(sweep), listeners=[Watcher(see)])
    assert len(outcome.trials) == 4
    assert set(statuses(outcome)) <= {Status.FINISHED, Status.STOPPED}
    assert before_the_first_end >= 2
    assert len({json.dumps(trial.params) for trial in outcome.trials}) == 4
    for trial in outcome.trials:
        record = read_trial(outcome.folder / "trials" / trial.trial_id)
        assert record.packed
        assert record.step == trial.step


@pytest.mark.slow
@pytest.mark.usefixtures("two_cpus")
def test_packed_is_refused_where_one_trial_runs_at_a_time(tmp_path: Path) -> None:
    sweep = parse_sweep(packed(tmp_path, resources={**TWO_AT_ONCE, "cpus": 2}))
    with pytest.raises(
        InputError, match=r"^resources\.trials_together: `packed`, but one trial takes 2 cpus"
    ):
        start(sweep)


# As the file tells -----------------------------------------------------------------------------------------


def together(**changes: Any) -> str:
    sweep = parse_sweep({"name": "x", **changes})
    (line,) = (line for line in describe(sweep, plan(sweep)).splitlines() if line.startswith("together"))
    return line.removeprefix("together   ")


LAMBDA = {"objective.lambda_cat": [0.1, 1, 3]}
LEARNS = {"algorithm": "tpe", "trials": 8}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"space": LAMBDA}, "on a GPU 3 trials in one stack, as many as run at once"),
        (
            {"space": {**LAMBDA, "architecture.width": [0.25, 0.5]}},
            "on a GPU 6 trials in 2 stacks, as many as run at once",
        ),
        (
            {"space": {"objective.balance": [0, 1, 2]}},  # without a weight it is another structure
            "on a GPU 2 trials in one stack, as many as run at once; 1 trial apart",
        ),
        (
            {"space": {"objective.r1": [0, 1], **LAMBDA}},
            "on a GPU 3 trials in one stack, as many as run at once; 3 trials apart",
        ),
        ({"space": {"batch": [32, 64]}}, "on a GPU no trials: no two have one structure"),
        ({"space": {}}, "on a GPU no trials: there is one"),
        ({"space": LAMBDA, "base": {"objective": {"r1": 1}}}, "on a GPU no trials: `objective.r1` cannot be stacked"),
        ({"space": LAMBDA, "seeds_together": "one-by-one"}, "on a GPU no trials: seeds_together is one-by-one"),
        ({"space": LAMBDA, "resources": {"trials_together": "apart"}}, "no trials: trials_together is apart"),
        (
            {"space": LAMBDA, "resources": {"trials_together": "packed"}},
            "3 trials in one stack, as many as run at once",
        ),
        (
            {"space": {"optimiser.lr_g": {"loguniform": [1e-4, 1e-2]}}, "search": LEARNS},
            "on a GPU trials of one structure as one stack, as many as run at once",
        ),
        (
            {"space": {"architecture.width": {"uniform": [0.1, 1]}}, "search": LEARNS},
            "on a GPU no trials: `architecture.width` is another in each",
        ),
    ],
)  # fmt: skip
def test_validate_says_which_trials_train_together(changes: dict[str, Any], text: str) -> None:
    assert together(**changes) == text


def test_packed_is_refused_where_no_two_trials_can() -> None:
    tree = {"name": "x", "space": {"batch": [32, 64]}, "resources": {"trials_together": "packed"}}
    message = (
        r"resources\.trials_together: `packed`, but no trials can train together: no two have one structure"
    )
    with pytest.raises(ConfigError, match=message):
        plan(parse_sweep(tree))


def test_a_trial_fits_a_stack_if_another_has_its_structure() -> None:
    sweep = parse_sweep({"name": "x", "space": {"objective.balance": [0, 1, 2]}})
    packing = packing_of(sweep, plan(sweep).assignments)
    fits = [packing.fits(apply(sweep.base, params)) for params in plan(sweep).assignments or ()]
    assert fits == [False, True, True]
    assert unstackable(sweep.base, (1, 28, 28)) is None
