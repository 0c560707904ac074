"""What Ray Tune tells of a trial's faults, and what becomes of the trial."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ray import cloudpickle
from ray.exceptions import ActorUnavailableError, RayActorError

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep.engine.callback import Events
from infogan_bench.sweep.engine.time_left import TimeLeft
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, STEP
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.folder import SweepFolder

PLANNED = PlannedTrial("0003", {"objective.lambda_cat": 1})
DEAD_PROCESS = RayActorError(error_msg="The actor is dead because its worker process has died.")
DEAD_NODE = RayActorError(error_msg="The actor died because its node has died. Node Id: 12ab")
NO_ANSWER = ActorUnavailableError("the connection is down", None)


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder.create(parse_sweep({"name": "faults", "output": str(tmp_path)}), {"sweep_id": "1"})


@pytest.fixture
def events(folder: SweepFolder) -> Events:
    return Events(folder, folder.checkpoint_store(None), (0,), [], TimeLeft(None, slots=1, steps=20))


@pytest.fixture
def trial(tmp_path: Path) -> SimpleNamespace:
    """What Ray Tune shows of a trial that has reported step 20 and whose process has died twice before."""
    return SimpleNamespace(
        config={PLANNED_TRIAL: PLANNED.to_json()},
        run_metadata=SimpleNamespace(num_failures=2),
        last_result={STEP: 20},
        checkpoint=None,
        pickled_error_file=tmp_path / "error.pkl",
    )


def recover(events: Events, trial: SimpleNamespace, error: Exception, iteration: int = 7) -> None:
    """Ray Tune counts the fault, queues the trial again and tells so."""
    trial.pickled_error_file.write_bytes(cloudpickle.dumps(error))
    trial.run_metadata.num_failures += 1
    events.on_trial_recover(iteration, [], trial)


@pytest.mark.parametrize(("error", "counted"), [(DEAD_PROCESS, 3), (DEAD_NODE, 2), (NO_ANSWER, 2)])
def test_a_lost_node_does_not_count_against_a_trial(
    events: Events, trial: SimpleNamespace, error: Exception, counted: int
) -> None:
    recover(events, trial, error)
    assert trial.run_metadata.num_failures == counted


def test_a_trial_that_loses_its_node_again_and_again_got_further_or_is_counted(
    events: Events, trial: SimpleNamespace
) -> None:
    recover(events, trial, DEAD_NODE)
    recover(events, trial, DEAD_NODE)  # at step 20 as before: the trial itself may bring its node down
    assert trial.run_metadata.num_failures == 3
    trial.last_result[STEP] = 40
    recover(events, trial, DEAD_NODE)
    assert trial.run_metadata.num_failures == 3


def test_a_trial_that_tune_queues_again_and_gives_up_at_once_is_dropped_not_failed(
    events: Events, folder: SweepFolder, trial: SimpleNamespace
) -> None:
    recover(events, trial, DEAD_PROCESS)
    events.on_trial_error(7, [], trial)
    assert events.dropped == [PLANNED]
    assert folder.updates["0003"].status is Status.INTERRUPTED


def test_a_trial_that_dies_again_before_it_began_has_failed(
    events: Events, folder: SweepFolder, trial: SimpleNamespace
) -> None:
    recover(events, trial, DEAD_PROCESS)
    events.on_trial_error(8, [], trial)
    assert events.dropped == []
    assert folder.updates["0003"].status is Status.FAILED
    assert str(folder.updates["0003"].error).startswith("its process died")


def test_a_trial_says_what_ended_it(events: Events, folder: SweepFolder, trial: SimpleNamespace) -> None:
    """The scheduler, the time limit, a signal: all but the last leave it stopped; the folder keeps which it was."""
    for end, status, ended_by in (
        (lambda: events.on_trial_complete(1, [], trial), Status.STOPPED, "scheduler"),
        (lambda: events.end_all(Status.STOPPED), Status.STOPPED, "time limit"),
        (lambda: events.end_all(Status.INTERRUPTED), Status.INTERRUPTED, "interrupt"),
    ):
        events.on_trial_start(1, [], trial)
        assert folder.updates[PLANNED.trial_id].ended_by is None
        end()
        update = SweepFolder.open(folder.path).updates[PLANNED.trial_id]
        assert (update.status, update.ended_by) == (status, ended_by)
    folder.flush()
    assert SweepFolder.open(folder.path).updates[PLANNED.trial_id].ended_by == "interrupt"
