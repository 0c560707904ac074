"""The runs of one sweep in an MLflow store, which are found by their tags and get the content of records."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from infogan_bench.errors import InputError
from infogan_bench.records import Status
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking import _store
from infogan_bench.tracking._ended import EndedTrials
from infogan_bench.tracking._models import ModelWriter
from infogan_bench.tracking._names import legal_key
from infogan_bench.tracking._record import Artifact, Measurement, Record, milliseconds
from infogan_bench.tracking._stored_run import StoredRun, stored_run
from infogan_bench.tracking._sweep import TrackedSweep
from infogan_bench.tracking._tags import (
    COLOUR_TAG,
    ENDED,
    MLFLOW_STATUS,
    NOTE_TAG,
    OBJECTIVE,
    PARENT_TAG,
    STATUS_TAG,
    SWEEP,
    SWEEP_ID_TAG,
    TRIAL_TAG,
)
from infogan_bench.tracking._views import colour_of, page_path, table_view
from infogan_bench.tracking._writer import RunWriter, refused_for_good

_log = logging.getLogger(__name__)
_RUNS_A_PAGE = 1000


class Runs:
    """Sends records to the run of a sweep and to those of its trials. Used by one thread at a time.

    Nothing but the tags `infogan.sweep_id` and `infogan.trial` ties a sweep to its runs.

    Args:
        uri: a store, as `resolve_uri` gives it.
        experiment: name of the experiment; made if there is none.
        sweep: the sweep of these runs.
        register_as: the registered model that gets the best one as a new version; None registers none.
    """

    def __init__(
        self, uri: str, experiment: str, sweep: TrackedSweep, register_as: str | None = None
    ) -> None:
        self._register_as = register_as
        self._uri = uri
        self._experiment = experiment
        self._sweep_id = sweep.sweep_id
        self._metric = sweep.metric
        self._view = table_view(sweep.sweep_id, sweep.metric, sweep.mode, sweep.swept)
        self._best: Callable[[list[float]], float] = max if sweep.mode == "max" else min
        self._client: Any = None
        self._experiment_id = ""
        self._runs: dict[str, StoredRun] | None = None
        self._uncertain: set[str] = set()  # runs whose creation the store did not confirm
        self._ended = EndedTrials(sweep.mode)

    def connect(self) -> None:
        """Reach the store and make the experiment; does nothing once that was done.

        Raises:
            InputError: if the store or the experiment cannot be used.
            Exception: if the store does not answer.
        """
        if self._client is None:
            client = _store.connect(self._uri)
            self._experiment_id = self._find_experiment(client)
            self._client = client
            self._writer = RunWriter(client)
            self._models = ModelWriter(client, self._writer, self._experiment_id, self._register_as)

    def send(self, key: str, record: Record) -> int:
        """Send `record` to the run `key`, and remove from it the parts that have arrived.

        Returns:
            How many values the store refused for good.
        Raises:
            Exception: if the store does not answer; the rest may be sent later.
        """
        if record.postscript and key not in self._known_runs():
            record.tags.clear()  # a trial that never started has no run to add to
            return 0
        run = self._run(key, record)
        try:
            return self._tell(key, run, record)
        except Exception as error:
            if not refused_for_good(error):
                raise
            _log.warning("MLflow refused the run %s: %s", run.id, hide_secrets(str(error)))
            return record.size

    def _tell(self, key: str, run: StoredRun, record: Record) -> int:
        if record.end is None and not record.postscript and run.status != "RUNNING":
            self._client.update_run(run.id, status="RUNNING")
            run.status = "RUNNING"
        self._add_links(run, record)
        self._note_changed_params(run, record)
        refused = self._writer.params(run, record) + self._writer.metrics(run, record)
        refused += self._writer.artifacts(run, record)
        # The end is sent last, so that a run that has ended has everything. `has_all` relies on it.
        refused += self._writer.tags(run, record) + self._send_end(key, run, record)
        return refused + self._models.send(run, record, len(self._ended))

    def has_all(self, trial_id: str, status: Status) -> bool:
        """Say whether the store knows this end of a trial. If so, it knows everything about the trial.

        Raises:
            Exception: if the store does not answer.
        """
        run = self._known_runs().get(trial_id)
        return (
            run is not None
            and status.ended
            and run.tags.get(STATUS_TAG) == status.value
            and run.status == MLFLOW_STATUS[status]
        )

    def missing_files(self, trial_id: str, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Return the files of a trial that the store does not have, even if its run says that it has all.

        Raises:
            Exception: if the store does not answer.
        """
        run = self._known_runs().get(trial_id)
        return [] if run is None else self._writer.missing(run, artifacts)

    # Finding ----------------------------------------------------------------------------------------------

    def _find_experiment(self, client: Any) -> str:
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(self._experiment)
        if experiment is None:
            try:
                # With this kind, MLflow does not ask users whether the experiment is about chat models.
                return str(
                    client.create_experiment(
                        self._experiment,
                        artifact_location=_store.artifact_location(self._uri),
                        tags={"mlflow.experimentKind": "custom_model_development"},
                    )
                )
            except MlflowException:  # another sweep may have made it in between
                experiment = client.get_experiment_by_name(self._experiment)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage != "active":
            raise InputError(
                f"The MLflow experiment `{self._experiment}` in `{hide_secrets(self._uri)}` was deleted; "
                f"restore it (`mlflow experiments restore -x {experiment.experiment_id}`), or name another "
                "one in `tracking.experiment`."
            )
        self._refuse_moved(experiment)
        return str(experiment.experiment_id)

    def _refuse_moved(self, experiment: Any) -> None:
        """Refuse an experiment whose database lies elsewhere now than when `artifact_location` named the place beside
        it: MLflow would write files to the old place."""
        here, there = _store.artifact_folder(self._uri), _store.local_folder(experiment.artifact_location)
        if here is None or there is None or there.name != here.name or there.resolve() == here.resolve():
            return
        raise InputError(
            f"The MLflow experiment `{self._experiment}` in `{self._uri}` keeps its files in {there}, where its "
            f"database was before it was moved or copied. Name another one in `tracking.experiment`, which keeps them "
            f"in {here}; or, if the old folder is gone, make a link: "
            f"`mkdir -p {shlex.quote(str(there.parent))} && ln -s {shlex.quote(str(here))} {shlex.quote(str(there))}`."
        )

    def _run(self, key: str, record: Record) -> StoredRun:
        runs = self._known_runs()
        if key not in runs:
            runs[key] = self._create(key, record)
        return runs[key]

    def _known_runs(self) -> dict[str, StoredRun]:
        self.connect()
        if self._runs is None:
            self._runs = self._find_runs()
        return self._runs

    def _find_runs(self) -> dict[str, StoredRun]:
        runs: dict[str, StoredRun] = {}
        for found in self._search():
            trial, run = stored_run(found)
            if (
                trial != SWEEP and run.status == "RUNNING"
            ):  # its process was killed before it could report the end
                self._writer.tag(run, {STATUS_TAG: Status.INTERRUPTED.value})
                self._client.set_terminated(run.id, status="KILLED")
                run.status = "KILLED"
            runs.setdefault(trial, run)
            status = run.tags.get(STATUS_TAG)
            if trial != SWEEP and status in ENDED:
                self._ended.add(trial, status, found.data.metrics.get(legal_key(f"final/{self._metric}")))
                run.forget()
        return runs

    def _search(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment_id],
                filter_string=f"tags.`{SWEEP_ID_TAG}` = '{self._sweep_id}'",
                order_by=["attributes.start_time ASC"],
                max_results=_RUNS_A_PAGE,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def _create(self, key: str, record: Record) -> StoredRun:
        if key in self._uncertain:  # the store may have made it, and its answer was lost
            for found in self._search():
                trial, run = stored_run(found)
                if trial == key:
                    self._uncertain.discard(key)
                    return run
        tags = {SWEEP_ID_TAG: self._sweep_id}
        if key != SWEEP:
            assert self._runs is not None  # noqa: S101
            if SWEEP not in self._runs:
                raise LookupError("the sweep's own run is not there yet")
            tags |= {TRIAL_TAG: key, PARENT_TAG: self._runs[SWEEP].id, COLOUR_TAG: colour_of(key)}
        self._uncertain.add(key)
        created = self._client.create_run(
            self._experiment_id, start_time=record.since, tags=tags, run_name=record.name
        )
        self._uncertain.discard(key)
        return StoredRun(created.info.run_id, "RUNNING")

    # Sending ----------------------------------------------------------------------------------------------

    def _add_links(self, run: StoredRun, record: Record) -> None:
        """Put links before the sweep's description: to its trials, best first, with the important columns, and to its
        report.

        MLflow's runs table shows no metric or parameter until somebody picks columns; a shared view, which is
        a tag of the experiment, picks them.
        """
        note = record.tags.get(NOTE_TAG)
        links = f"[**Trials, best first**](#{page_path(self._experiment_id, self._sweep_id)})"
        if note is None or note.startswith(links):
            return
        if any(artifact.source.name == "report.html" for artifact in record.artifacts):
            report = f"/experiments/{self._experiment_id}/runs/{run.id}/artifacts/report.html"
            links += f" · [**Report**](#{report})"
        self._client.set_experiment_tag(
            self._experiment_id, f"mlflow.sharedViewState.{self._sweep_id}", json.dumps(self._view)
        )
        record.tags[NOTE_TAG] = f"{links}\n\n{note}"

    def _note_changed_params(self, run: StoredRun, record: Record) -> None:
        """MLflow keeps the first value of a parameter; another one, after a resume, becomes a tag."""
        for name, value in record.params.items():
            value = hide_secrets(value)
            if run.params.get(name, value) != value:
                record.tags[legal_key(f"infogan.param_changed.{name}")] = value

    def _send_end(self, key: str, run: StoredRun, record: Record) -> int:
        end = record.end
        if end is None:
            return 0
        refused = self._send_final(run, record)
        word = MLFLOW_STATUS[end.status]
        if key != SWEEP and end.status.ended:
            self._ended.add(key, end.status.value, record.final.value if record.final else None)
        refused += self._writer.attempt(1, self._summarise)
        if run.status != word:  # a run keeps its time if the same end is sent twice
            self._client.set_terminated(run.id, status=word, end_time=end.milliseconds)
            run.status = word
        if key != SWEEP and end.status.ended:
            run.forget()
        record.final = record.end = None
        return refused

    def _send_final(self, run: StoredRun, record: Record) -> int:
        if record.final is None:
            return 0
        history = self._client.get_metric_history(run.id, OBJECTIVE)
        best = self._best([entry.value for entry in history] + [record.final.value])
        both = [
            record.final._replace(key=legal_key(f"final/{self._metric}")),
            record.final._replace(key=legal_key(f"best/{self._metric}"), value=best),
        ]
        return self._writer.metrics(run, Record(record.name, metrics=both))

    def _summarise(self) -> None:
        """Tell the sweep's run how many trials have ended in which way, and which is the best."""
        assert self._runs is not None  # noqa: S101
        run, now = self._runs[SWEEP], milliseconds()
        tags = {f"infogan.trials.{status}": str(count) for status, count in self._ended.counts.items()}
        metrics = []
        if self._ended.best is not None:
            trial, score = self._ended.best
            tags |= {"infogan.best_trial": trial, "infogan.best_score": repr(score)}
            key = legal_key(f"best_trial/{self._metric}")
            metrics = [Measurement(key, score, len(self._ended), now)]
        summary = Record("", tags=tags, metrics=metrics)
        self._writer.metrics(run, summary)
        self._writer.tags(run, summary)
