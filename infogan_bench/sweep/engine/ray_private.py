"""The private parts of Ray that this project uses, with the reason and what breaks without them.

`tests/test_private_parts.py` holds the list, and fails where a version of Ray takes one away; the upper bound in
pyproject.toml keeps such a version out until then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

TUNE_SETTINGS = {
    # Tune's own handler hears SIGINT alone, and takes it from StopSignals: a SIGTERM would end the sweep unrecorded
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Tune would write CSV, JSON and TensorBoard files of every trial; the sweep folder is the record
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # a trial that failed reports no goal, for which Tune would end the whole sweep
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune's own tables would be printed over the progress line
    "RAY_AIR_NEW_OUTPUT": "0",
    # Tune would write all its state at every report, which nobody reads: a resume plans from the sweep folder
    "TUNE_GLOBAL_CHECKPOINT_S": str(10**9),
    # A process that does not end by itself is killed at once then; for any number below 10 the sweep would stand
    # still for the rest of 10 s
    "TUNE_FORCE_TRIAL_CLEANUP_S": "10",
}
"""Environment variables that Tune reads when a sweep begins; those that the user has set stay."""

TRIALS_AHEAD = "TUNE_MAX_PENDING_TRIALS_PG"
"""The variable for how many trials wait for a place. Without it Tune waits with one at a time where a search is given,
and 1,000 places would be filled one after the other, in hours."""

for _name, _value in TUNE_SETTINGS.items():
    os.environ.setdefault(_name, _value)

from ray import cloudpickle  # noqa: E402  after what Ray may read when it is imported
from ray.exceptions import ActorUnavailableError, RayActorError  # noqa: E402
from ray.job_config import JobConfig  # noqa: E402
from ray.tune.experiment import Trial as RayTrial  # noqa: E402
from ray.tune.schedulers import HyperBandScheduler  # noqa: E402


def set_trials_ahead(number: int) -> None:
    """Set how many trials wait for a place to run in; see `TRIALS_AHEAD` for what happens without it."""
    os.environ[TRIALS_AHEAD] = str(number)


def init_arguments(folder: str | None, *, local: bool) -> Mapping[str, object]:
    """Arguments of `ray.init` that have no public name.

    `_temp_dir` is where Ray's logs and sockets go: its own choice may be another user's folder, or too long a path for
    a socket, and Ray then does not start. `_system_config`: without it Ray starts a process for each CPU that no trial
    takes, since Tune gives ours an environment of their own, and a sweep begins seconds later.
    """
    if not local:
        return {"_temp_dir": folder}
    return {"_temp_dir": folder, "_system_config": {"prestart_worker_first_driver": False}}


def same_imports() -> JobConfig:
    """A job whose processes on this machine import what this process imports.

    Ray has no public setting for this. Without it the current folder comes first on the path of the processes, and they
    would train with an `infogan_bench` or a `torch.py` that lies there, instead of the code that is checked and
    recorded.
    """
    # Ray puts each of these before all others, so the last one comes first
    job = JobConfig(_py_driver_sys_path=[str(Path(place).absolute()) for place in reversed(sys.path)])
    job._client_job = True  # Ray would put the current folder before them
    return job


def process_starts(tune_controller: Any, trial: RayTrial) -> bool:
    """Say whether Ray starts a process for a trial that waits.

    Without it a free process goes to a trial for which another process starts already, and that process is thrown away.
    If trials end faster than processes start, a lost process would never be replaced.
    """
    controller = tune_controller._tune_controller
    actor = controller._trial_to_actor.get(trial)
    return actor is not None and bool(controller._actor_manager.is_actor_started(actor))


class RestartableHyperBand(HyperBandScheduler):  # type: ignore[misc]
    """Ray's HyperBand, with brackets that go on when one of their trials fails."""

    def _process_bracket(self, tune_controller: Any, bracket: Any) -> str:
        """Do as Ray, which marks a bracket as being processed and leaves the mark: were a trial to fail later on,
        those that are paused would wait for it for ever."""
        try:
            return str(super()._process_bracket(tune_controller, bracket))
        finally:
            bracket.is_being_processed = False

    def set_brackets(self, number: int) -> None:
        """Set how many kinds of bracket there are. Ray has no grace: its own go down to a single step."""
        self._s_max_1 = number


def error_of(trial: RayTrial) -> BaseException | None:
    """The error for which Ray stopped a trial. Without it no failed trial has a reason: Ray's own getters look on the
    storage, where the file is not yet."""
    if trial.pickled_error_file is None:
        return None
    error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    return error


def forgive_failure(trial: RayTrial) -> None:
    """Count one failure less of a trial. Without it, long trials end without a fault of their own when machines are
    taken away, since Ray counts each time against `resources.retries`."""
    trial.run_metadata.num_failures -= 1


class Preempted(TypedDict):
    """Arguments of `RayActorError`."""

    error_msg: str
    preempted: bool


def preempted_error(message: str) -> Preempted:
    """Arguments of `RayActorError` for a process that gives up its place. Without `preempted` Ray counts its end among
    those that `resources.retries` allows."""
    return {"error_msg": message, "preempted": True}


def node_was_lost(error: BaseException | None) -> bool:
    """Say whether the machine, or the connection to it, was lost, and not only the process. Ray tells
    that in its message only.

    A node that is drained is not counted by Ray itself.
    """
    if not isinstance(error, RayActorError) or error.preempted:
        return False
    return isinstance(error, ActorUnavailableError) or "node has died" in str(error)


def ends_the_process(error: BaseException) -> bool:
    """Say whether Ray raised this error to end the process. Taken for a fault of the trial, it would be caught, and the
    process would live on."""
    return hasattr(error, "ray_terminate_msg")
