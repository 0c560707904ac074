"""Keys and tags of MLflow that identify a sweep and its trials, and their values."""

from __future__ import annotations

from infogan_bench.records import Status

SWEEP = ""  # the key of the sweep's own run; a trial's key is its name, `0003`
OBJECTIVE = "objective"
SWEEP_ID_TAG = "infogan.sweep_id"
TRIAL_TAG = "infogan.trial"
STATUS_TAG = "infogan.status"
RANK_TAG = "infogan.rank"
NOT_FINITE_TAG = "infogan.not_finite"
NEVER_REPORTED_TAG = "infogan.never_reported"
SEEDS_TAG = "infogan.n_seeds"
MODEL_TAG, MODEL_OF_TAG = "infogan.best_model", "infogan.best_model_of"
REGISTERED_TAG = "infogan.registered_model"
BEST = "best"  # name of the logged model, and alias of the registered one
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
COLOUR_TAG = "mlflow.runColor"
MLFLOW_STATUS = {
    Status.FINISHED: "FINISHED",
    Status.STOPPED: "FINISHED",
    Status.DIVERGED: "FAILED",
    Status.FAILED: "FAILED",
    Status.INTERRUPTED: "KILLED",
}
ENDED = frozenset(status.value for status in Status if status.ended)
