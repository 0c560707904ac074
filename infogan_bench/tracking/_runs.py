"""The runs of one sweep in an MLflow store: found again by their tags, told what is in a record."""

from __future__ import annotations

import functools
import itertools
import json
import logging
import operator
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from infogan_bench.errors import InputError
from infogan_bench.records import RecordError, SeedPaths, Status
from infogan_bench.tracking import _store
from infogan_bench.tracking._names import (
    PICTURES,
    experiment_name,
    legal_key,
    stepped_name,
    without_passwords,
)
from infogan_bench.tracking._pictures import confusion_picture
from infogan_bench.tracking._record import Artifact, BestModel, Measurement, Record, milliseconds

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")

SWEEP = ""  # the key of the sweep's own run; a trial's key is its name, `0003`
OBJECTIVE = "objective"
SWEEP_ID_TAG = "infogan.sweep_id"
TRIAL_TAG = "infogan.trial"
STATUS_TAG = "infogan.status"
RANK_TAG = "infogan.rank"
SEEDS_TAG = "infogan.n_seeds"
MODEL_TAG, MODEL_OF_TAG = "infogan.best_model", "infogan.best_model_of"
REGISTERED_TAG = "infogan.registered_model"
BEST = "best"  # name of the logged model, and alias of the registered one
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
COLOUR_TAG = "mlflow.runColor"
_MLFLOW_STATUS = {
    Status.FINISHED: "FINISHED",
    Status.STOPPED: "FINISHED",
    Status.DIVERGED: "FAILED",
    Status.FAILED: "FAILED",
    Status.INTERRUPTED: "KILLED",
}
# Of curves: those of Okabe and Ito, which colour-blind readers tell apart, but for yellow; and a grey. MLflow's own
# choice, by the run's identifier, gives two trials of four the same colour as often as not.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444")
_ENDED = frozenset(status.value for status in Status if status.ended)
_PARAMS_OR_TAGS_A_BATCH = 100
_METRICS_A_BATCH = 1000
_RUNS_A_PAGE = 1000
_SWEPT_COLUMNS = 12
_SECTIONS = ("Model metrics", PICTURES, "L_I", "loss")  # of charts, those that come first
_KEPT_TAGS = frozenset((STATUS_TAG, RANK_TAG))


@dataclass
class _Run:
    id: str
    status: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    last_step: dict[str, int] = field(default_factory=dict)  # by metric
    in_store: bool = False  # the store may know steps that `last_step` does not

    def forget(self) -> None:
        """Keep of a run that has ended what little is asked of it later: a sweep may have 10,000."""
        self.params, self.last_step, self.in_store = {}, {}, True
        self.tags = {key: value for key, value in self.tags.items() if key in _KEPT_TAGS}


class Runs:
    """Sends records to the run of a sweep and to those of its trials. Used by one thread at a time.

    Nothing but the tags `infogan.sweep_id` and `infogan.trial` ties a sweep to its runs.

    Args:
        uri: a store, as `resolve_uri` gives it.
        experiment: name of the experiment; made if there is none.
        sweep_id: letters, digits, `_` and `-`.
        metric: the objective; `mode` is its direction.
        swept: keys that differ between trials: the columns of the view of the sweep's trials.
        register: the registered model that gets the best one as a new version; None registers none.
    """

    def __init__(
        self,
        uri: str,
        experiment: str,
        sweep_id: str,
        metric: str,
        mode: Literal["max", "min"],
        swept: Sequence[str],
        register: str | None = None,
    ) -> None:
        self._register_as = register
        self._uri = uri
        self._experiment = experiment
        self._sweep_id = sweep_id
        self._metric = metric
        self._view = _view(sweep_id, metric, mode, swept)
        self._best: Callable[[list[float]], float] = max if mode == "max" else min
        self._client: Any = None
        self._unfinished: Any = None  # a logged model whose files have not all arrived
        self._experiment_id = ""
        self._runs: dict[str, _Run] | None = None
        self._uncertain: set[str] = set()  # runs that were being made when the store stopped to answer
        self._ended = _Ended(mode)

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

    def send(self, key: str, record: Record) -> int:
        """Tell the run `key` what is in `record`; what has arrived is taken out of it.

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
            _log.warning("MLflow refused the run %s: %s", run.id, without_passwords(str(error)))
            return record.size

    def _tell(self, key: str, run: _Run, record: Record) -> int:
        if record.end is None and not record.postscript and run.status != "RUNNING":
            self._client.update_run(run.id, status="RUNNING")
            run.status = "RUNNING"
        self._add_links(run, record)
        self._note_changed_params(run, record)
        refused = self._send_params(run, record) + self._send_metrics(run, record)
        refused += self._send_artifacts(run, record)
        # The end comes last: a trial that is said to have ended has all. See `has_all`.
        refused += self._send_tags(run, record) + self._send_end(key, run, record)
        return refused + self._send_model(run, record)

    def has_all(self, trial: str, status: Status) -> bool:
        """Whether the store knows that a trial has ended so, and with that everything about it.

        Raises:
            Exception: if the store does not answer.
        """
        run = self._known_runs().get(trial)
        return (
            run is not None
            and status.ended
            and run.tags.get(STATUS_TAG) == status.value
            and run.status == _MLFLOW_STATUS[status]
        )

    # Finding ----------------------------------------------------------------------------------------------

    def _find_experiment(self, client: Any) -> str:
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(self._experiment)
        if experiment is None:
            try:
                # The kind spares people MLflow's question whether this is about chat models.
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
                f"The MLflow experiment `{self._experiment}` in `{without_passwords(self._uri)}` was deleted; "
                f"restore it (`mlflow experiments restore -x {experiment.experiment_id}`), or name another "
                "one in `tracking.experiment`."
            )
        return str(experiment.experiment_id)

    def _run(self, key: str, record: Record) -> _Run:
        runs = self._known_runs()
        if key not in runs:
            runs[key] = self._create(key, record)
        return runs[key]

    def _known_runs(self) -> dict[str, _Run]:
        self.connect()
        if self._runs is None:
            self._runs = self._find_runs()
        return self._runs

    def _find_runs(self) -> dict[str, _Run]:
        runs: dict[str, _Run] = {}
        for found in self._search():
            trial, run = _found(found)
            if trial != SWEEP and run.status == "RUNNING":  # killed before it could say that it ended
                self._tag(run, {STATUS_TAG: Status.INTERRUPTED.value})
                self._client.set_terminated(run.id, status="KILLED")
                run.status = "KILLED"
            runs.setdefault(trial, run)
            status = run.tags.get(STATUS_TAG)
            if trial != SWEEP and status in _ENDED:
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

    def _create(self, key: str, record: Record) -> _Run:
        if key in self._uncertain:  # the store may have made it, and its answer was lost
            for found in self._search():
                trial, run = _found(found)
                if trial == key:
                    self._uncertain.discard(key)
                    return run
        tags = {SWEEP_ID_TAG: self._sweep_id}
        if key != SWEEP:
            assert self._runs is not None  # noqa: S101
            if SWEEP not in self._runs:
                raise LookupError("the sweep's own run is not there yet")
            tags |= {TRIAL_TAG: key, PARENT_TAG: self._runs[SWEEP].id, COLOUR_TAG: _colour(key)}
        self._uncertain.add(key)
        created = self._client.create_run(
            self._experiment_id, start_time=record.since, tags=tags, run_name=record.name
        )
        self._uncertain.discard(key)
        return _Run(created.info.run_id, "RUNNING")

    # Sending: each part is taken out of the record when it has arrived or was refused -----------------------

    def _send_params(self, run: _Run, record: Record) -> int:
        from mlflow.entities import Param

        refused = 0
        new = {name: value for name, value in record.params.items() if name not in run.params}
        for batch in _batches(list(new.items()), _PARAMS_OR_TAGS_A_BATCH):
            params = [Param(name, value) for name, value in batch]
            refused += self._attempt(len(batch), functools.partial(self._batch, run, params=params))
            run.params.update(batch)
        record.params.clear()
        return refused

    def _add_links(self, run: _Run, record: Record) -> None:
        """Head the sweep's description with links to its trials, best first, in the columns that matter, and to its
        report.

        MLflow's runs table shows no metric or parameter until somebody picks columns; a shared view, which is
        a tag of the experiment, picks them.
        """
        note = record.tags.get(NOTE_TAG)
        links = f"[**Trials, best first**](#{_view_path(self._experiment_id, self._sweep_id)})"
        if note is None or note.startswith(links):
            return
        if any(artifact.source.name == "report.html" for artifact in record.artifacts):
            report = f"/experiments/{self._experiment_id}/runs/{run.id}/artifacts/report.html"
            links += f" · [**Report**](#{report})"
        self._client.set_experiment_tag(
            self._experiment_id, f"mlflow.sharedViewState.{self._sweep_id}", json.dumps(self._view)
        )
        record.tags[NOTE_TAG] = f"{links}\n\n{note}"

    def _note_changed_params(self, run: _Run, record: Record) -> None:
        """MLflow keeps the first value of a parameter; another one, after a resume, becomes a tag."""
        for name, value in record.params.items():
            if run.params.get(name, value) != value:
                record.tags[legal_key(f"infogan.param_changed.{name}")] = value

    def _send_metrics(self, run: _Run, record: Record) -> int:
        from mlflow.entities import Metric

        refused = 0
        record.metrics = self._new_steps(run, record.metrics)
        while record.metrics:
            batch = record.metrics[:_METRICS_A_BATCH]
            metrics = [Metric(m.key, m.value, m.milliseconds, m.step) for m in batch]
            refused += self._attempt(len(batch), functools.partial(self._batch, run, metrics=metrics))
            run.last_step.update((m.key, m.step) for m in batch)
            del record.metrics[: len(batch)]
        return refused

    def _new_steps(self, run: _Run, metrics: Sequence[Measurement]) -> list[Measurement]:
        """Those that go beyond the last step of their metric: steps increase, and none is there twice."""
        new = []
        last: dict[str, int] = {}
        for metric in metrics:
            if metric.key not in last:
                last[metric.key] = self._last_step(run, metric.key)
            if metric.step > last[metric.key]:
                last[metric.key] = metric.step
                new.append(metric)
        return new

    def _last_step(self, run: _Run, key: str) -> int:
        if run.in_store and key not in run.last_step:
            history = self._client.get_metric_history(run.id, key)
            run.last_step[key] = max((entry.step for entry in history), default=-1)
        return run.last_step.get(key, -1)

    def _send_tags(self, run: _Run, record: Record) -> int:
        refused = 0
        if record.tags.get(RANK_TAG) == "":  # it has none, or no longer one
            del record.tags[RANK_TAG]
            if RANK_TAG in run.tags:
                self._client.delete_tag(run.id, RANK_TAG)
                del run.tags[RANK_TAG]
        new = [(key, value) for key, value in record.tags.items() if run.tags.get(key) != value]
        for batch in _batches(new, _PARAMS_OR_TAGS_A_BATCH):
            refused += self._attempt(len(batch), functools.partial(self._tag, run, dict(batch)))
        record.tags.clear()
        return refused

    def _send_end(self, key: str, run: _Run, record: Record) -> int:
        end = record.end
        if end is None:
            return 0
        refused = self._send_final(run, record)
        word = _MLFLOW_STATUS[end.status]
        if key != SWEEP and end.status.ended:
            self._ended.add(key, end.status.value, record.final.value if record.final else None)
        refused += self._attempt(1, self._summarise)
        if run.status != word:  # a trial that is told to have ended twice keeps its time
            self._client.set_terminated(run.id, status=word, end_time=end.milliseconds)
            run.status = word
        if key != SWEEP and end.status.ended:
            run.forget()
        record.final = record.end = None
        return refused

    def _send_final(self, run: _Run, record: Record) -> int:
        if record.final is None:
            return 0
        history = self._client.get_metric_history(run.id, OBJECTIVE)
        best = self._best([entry.value for entry in history] + [record.final.value])
        both = [
            record.final._replace(key=legal_key(f"final/{self._metric}")),
            record.final._replace(key=legal_key(f"best/{self._metric}"), value=best),
        ]
        return self._send_metrics(run, Record(record.name, metrics=both))

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
        self._send_metrics(run, summary)
        self._send_tags(run, summary)

    def _send_artifacts(self, run: _Run, record: Record) -> int:
        refused = 0
        while record.artifacts:
            artifact = record.artifacts[0]
            refused += self._attempt(1, functools.partial(self._upload, run, artifact))
            del record.artifacts[0]
        return refused

    def _upload(self, run: _Run, artifact: Artifact) -> None:
        if artifact.source.is_dir():
            self._upload_steps(run, artifact.source)
            return
        self._client.log_artifact(run.id, str(artifact.source), artifact.folder)
        if artifact.source != SeedPaths(artifact.source.parent).evaluation:
            return
        try:
            picture = confusion_picture(artifact.source.parent)
        except RecordError as error:
            _log.warning("no confusion matrix: %s", error)
            return
        if picture is not None:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "confusion.png"
                picture.save(file)
                self._client.log_artifact(run.id, str(file), artifact.folder)

    def _upload_steps(self, run: _Run, steps: Path) -> None:
        """Log pictures by their step: MLflow's page steps through what lies in `images` under such names."""
        with tempfile.TemporaryDirectory() as folder:
            images = Path(folder) / "images"
            images.mkdir()
            for picture in steps.glob("*/*.webp"):
                for size in ("", "+compressed"):  # MLflow wants a small one as well, and ours are
                    name = stepped_name(picture.stem, int(picture.parent.name), size)
                    shutil.copy(picture, images / name)
            self._client.log_artifacts(run.id, folder)
        self._tag(run, {"mlflow.loggedImages": "True"})

    def _send_model(self, run: _Run, record: Record) -> int:
        """Log the model, and register it; a resume that changed nothing does neither once more."""
        best = record.model
        if best is None:
            return 0
        refused = 0
        of = f"trial {best.trial}, seed {best.seed}, step {best.step}"
        if run.tags.get(MODEL_OF_TAG) != of:
            refused = self._attempt(1, functools.partial(self._log_model, run, best, of))
        if self._register_as is not None and not refused:
            refused = self._attempt(1, functools.partial(self._register, self._register_as, run))
        record.model = None
        return refused

    def _log_model(self, run: _Run, best: BestModel, of: str) -> None:
        """Log the model, and name it in tags of the sweep's run."""
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        from infogan_bench.tracking.pyfunc import save

        if self._unfinished is None:  # else an earlier attempt has begun it
            tags = {
                "infogan.trial": best.trial,
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
        self._client.log_outputs(run.id, [LoggedModelOutput(logged.model_id, step=len(self._ended))])
        self._tag(run, {MODEL_TAG: f"models:/{logged.model_id}", MODEL_OF_TAG: of})
        self._unfinished = None

    def _register(self, name: str, run: _Run) -> None:
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
        self._tag(run, {REGISTERED_TAG: f"models:/{name}/{version} of {uri}"})

    def _tag(self, run: _Run, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        self._batch(run, tags=[RunTag(name, value) for name, value in tags.items()])
        run.tags.update(tags)

    def _batch(self, run: _Run, **parts: Any) -> None:
        self._client.log_batch(run.id, synchronous=True, **parts)

    def _attempt(self, size: int, call: Callable[[], object]) -> int:
        """0 if `call` worked, `size` if the store refused it for good; raises if it may work later."""
        try:
            call()
        except Exception as error:
            if not refused_for_good(error):
                raise
            _log.warning("MLflow refused %d values: %s", size, without_passwords(str(error)))
            return size
        return 0


class _Ended:
    """The trials that have ended: how many in which way, and the best of them. Adding one takes no longer when there
    are many."""

    def __init__(self, mode: Literal["max", "min"]) -> None:
        self._better: Callable[[float, float], bool] = operator.gt if mode == "max" else operator.lt
        self._trials: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.best: tuple[str, float] | None = None  # the first of equals

    def __len__(self) -> int:
        return len(self._trials)

    def add(self, trial: str, status: str, score: float | None) -> None:
        """Take in how a trial ended, with what objective if it has one; once."""
        if trial in self._trials:
            return
        self._trials.add(trial)
        self.counts[status] += 1
        if score is not None and (self.best is None or self._better(score, self.best[1])):
            self.best = trial, score


def _colour(trial: str) -> str:
    """Neighbours in the plan differ."""
    number = int(trial) if trial.isdecimal() else sum(trial.encode())
    return _COLOURS[number % len(_COLOURS)]


def _found(run: Any) -> tuple[str, _Run]:
    """A run that the store had already, and its key."""
    tags = dict(run.data.tags)
    known = _Run(run.info.run_id, run.info.status, dict(run.data.params), tags, in_store=True)
    return tags.get(TRIAL_TAG, SWEEP), known


def refused_for_good(error: Exception) -> bool:
    """Whether another attempt would fail as well: the store understood us and said no."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        code = error.get_http_status_code()
        return 400 <= code < 500 and code not in (408, 429)
    return isinstance(error, FileNotFoundError | ImportError | LookupError | TypeError | ValueError)


def _batches(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def view_path(uri: str, experiment: str, sweep_id: str) -> str | None:
    """The page of MLflow's UI (what follows the `#`) with a sweep's trials, best first; None if it is not there."""
    from mlflow.tracking import MlflowClient

    found = MlflowClient(uri).get_experiment_by_name(experiment_name(experiment))
    return None if found is None else _view_path(found.experiment_id, sweep_id)


def _view_path(experiment_id: str, sweep_id: str) -> str:
    # The workflow hides what MLflow's pages have for chat models.
    return f"/experiments/{experiment_id}/runs?viewStateShareKey={sweep_id}&workflowType=machine_learning"


def _view(sweep_id: str, metric: str, mode: str, swept: Sequence[str]) -> dict[str, Any]:
    """The state of MLflow's runs table that shows this sweep's trials."""
    scores = [legal_key(name) for name in (f"final/{metric}", f"best/{metric}", f"std/{metric}")]
    return {
        "compareRunCharts": [],  # MLflow draws one for each metric and picture, but in the sections that are set here
        "compareRunSections": [
            {"uuid": name, "name": name, "display": True, "isReordered": False, "isGenerated": True}
            for name in _SECTIONS
        ],
        "isAccordionReordered": True,
        "searchFilter": f"tags.`{SWEEP_ID_TAG}` = '{sweep_id}' and tags.`{TRIAL_TAG}` != ''",
        "orderByKey": f"metrics.`{scores[0]}`",
        "orderByAsc": mode == "min",
        "selectedColumns": [
            "attributes.`Created`",
            "attributes.`Duration`",
            *(f"params.`{legal_key(key)}`" for key in swept[:_SWEPT_COLUMNS]),
            *(f"metrics.`{score}`" for score in scores),
            *(f"tags.`{tag}`" for tag in (RANK_TAG, STATUS_TAG, SEEDS_TAG)),
        ],
    }
