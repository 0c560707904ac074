"""The best model of a sweep in MLflow: logged beside the sweep's run, and registered where that is asked for."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from infogan_bench.tracking._record import BestModel, Record
from infogan_bench.tracking._stored_run import StoredRun
from infogan_bench.tracking._tags import BEST, MODEL_OF_TAG, MODEL_TAG, REGISTERED_TAG
from infogan_bench.tracking._writer import RunWriter


class ModelWriter:
    """Logs and registers the best model of a sweep.

    Args:
        client: of MLflow.
        writer: of the same client.
        experiment_id: the experiment of the sweep.
        register_as: the registered model that gets it as a new version; None registers none.
    """

    def __init__(self, client: Any, writer: RunWriter, experiment_id: str, register_as: str | None) -> None:
        self._client = client
        self._writer = writer
        self._experiment_id = experiment_id
        self._register_as = register_as
        self._unfinished: Any = None  # a logged model whose files have not all arrived

    def send(self, run: StoredRun, record: Record, n_ended: int) -> int:
        """Log the model, and register it; a resume that changed nothing does neither once more."""
        best = record.model
        if best is None:
            return 0
        refused = 0
        of = f"trial {best.trial_id}, seed {best.seed}, step {best.step}"
        if not self._is_logged(run, of):
            refused = self._writer.attempt(1, functools.partial(self._log_model, run, best, of, n_ended))
        if self._register_as is not None and not refused:
            refused = self._writer.attempt(1, functools.partial(self._register, self._register_as, run))
        record.model = None
        return refused

    def _is_logged(self, run: StoredRun, of: str) -> bool:
        """Say whether the store has this model with its files."""
        if run.tags.get(MODEL_OF_TAG) != of:
            return False
        return bool(self._client.list_logged_model_artifacts(run.tags[MODEL_TAG].removeprefix("models:/")))

    def _log_model(self, run: StoredRun, best: BestModel, of: str, n_ended: int) -> None:
        """Log the model, and name it in tags of the sweep's run."""
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        from infogan_bench.tracking.pyfunc import save

        if self._unfinished is None:  # otherwise an earlier attempt has begun the model
            tags = {
                "infogan.trial": best.trial_id,
                "infogan.seed": str(best.seed),
                "infogan.step": str(best.step),
            }
            self._unfinished = self._client.create_logged_model(
                self._experiment_id, BEST, source_run_id=run.id, tags=tags
            )
        logged = self._unfinished
        with tempfile.TemporaryDirectory() as folder:
            described = Model(
                artifact_path=logged.artifact_location,
                model_uuid=logged.model_id,
                run_id=run.id,
                model_id=logged.model_id,
            )
            save(Path(folder) / "model", best.checkpoint, best.extensions, described)
            self._client.log_model_artifacts(logged.model_id, str(Path(folder) / "model"))
        self._client.finalize_logged_model(logged.model_id, "READY")
        self._client.log_outputs(run.id, [LoggedModelOutput(logged.model_id, step=n_ended)])
        self._writer.tag(run, {MODEL_TAG: f"models:/{logged.model_id}", MODEL_OF_TAG: of})
        self._unfinished = None

    def _register(self, name: str, run: StoredRun) -> None:
        """Make the model the newest version of the registered model `name`, which is made if there is none."""
        from mlflow.exceptions import MlflowException

        uri = run.tags[MODEL_TAG]
        if run.tags.get(REGISTERED_TAG, "").endswith(uri):
            return
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
                raise
        logged = self._client.get_logged_model(uri.removeprefix("models:/"))
        version = self._client.create_model_version(
            name, logged.artifact_location, run_id=run.id, model_id=logged.model_id
        ).version
        self._client.set_registered_model_alias(name, BEST, version)
        self._writer.tag(run, {REGISTERED_TAG: f"models:/{name}/{version} of {uri}"})
