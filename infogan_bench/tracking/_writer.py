"""The parts of a record on their way to one run: parameters, metrics, tags, files."""

from __future__ import annotations

import functools
import itertools
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from infogan_bench.records import RecordError, SeedPaths
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._names import stepped_name
from infogan_bench.tracking._pictures import confusion_picture
from infogan_bench.tracking._record import Artifact, Measurement, Record
from infogan_bench.tracking._stored_run import StoredRun
from infogan_bench.tracking._tags import NOT_FINITE_TAG, RANK_TAG

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")
_PARAMS_OR_TAGS_A_BATCH = 100
_METRICS_A_BATCH = 1000


class RunWriter:
    """Sends a part of a record to a run, and removes it from the record when it has arrived or was refused.

    Each method returns how many values the store refused for good, and raises if it does not answer.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def params(self, run: StoredRun, record: Record) -> int:
        from mlflow.entities import Param

        refused = 0
        new = {name: value for name, value in record.params.items() if name not in run.params}
        for batch in _batches(list(new.items()), _PARAMS_OR_TAGS_A_BATCH):
            params = [Param(name, hide_secrets(value)) for name, value in batch]
            refused += self.attempt(len(batch), functools.partial(self._batch, run, params=params))
            run.params.update(batch)
        record.params.clear()
        return refused

    def metrics(self, run: StoredRun, record: Record) -> int:
        from mlflow.entities import Metric

        refused = 0
        record.metrics = self._new_steps(run, record.metrics)
        while record.metrics:
            batch = record.metrics[:_METRICS_A_BATCH]
            metrics = [Metric(m.key, m.value, m.milliseconds, m.step) for m in batch]
            refused += self.attempt(len(batch), functools.partial(self._batch, run, metrics=metrics))
            run.last_step.update((m.key, m.step) for m in batch)
            del record.metrics[: len(batch)]
        return refused

    def _new_steps(self, run: StoredRun, metrics: Sequence[Measurement]) -> list[Measurement]:
        """Return the values that go beyond the last step of their metric: steps increase, and none is there twice."""
        new = []
        last: dict[str, int] = {}
        for metric in metrics:
            if metric.key not in last:
                last[metric.key] = self._last_step(run, metric.key)
            if metric.step > last[metric.key]:
                last[metric.key] = metric.step
                new.append(metric)
        return new

    def _last_step(self, run: StoredRun, key: str) -> int:
        if run.in_store and key not in run.last_step:
            history = self._client.get_metric_history(run.id, key)
            run.last_step[key] = max((entry.step for entry in history), default=-1)
        return run.last_step.get(key, -1)

    def tags(self, run: StoredRun, record: Record) -> int:
        refused = 0
        for tag in (RANK_TAG, NOT_FINITE_TAG):
            if record.tags.get(tag) == "":  # it has none, or no longer one
                del record.tags[tag]
                if tag in run.tags:
                    self._client.delete_tag(run.id, tag)
                    del run.tags[tag]
        tags = {key: hide_secrets(value) for key, value in record.tags.items()}
        new = [(key, value) for key, value in tags.items() if run.tags.get(key) != value]
        for batch in _batches(new, _PARAMS_OR_TAGS_A_BATCH):
            refused += self.attempt(len(batch), functools.partial(self.tag, run, dict(batch)))
        record.tags.clear()
        return refused

    def artifacts(self, run: StoredRun, record: Record) -> int:
        refused = 0
        while record.artifacts:
            artifact = record.artifacts[0]
            refused += self.attempt(1, functools.partial(self._upload, run, artifact))
            del record.artifacts[0]
        return refused

    def missing(self, run: StoredRun, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Return those of `artifacts` that are not among the files of the run."""
        there: dict[str | None, set[str]] = {}

        def has(folder: str | None, name: str) -> bool:
            if folder not in there:
                found = self._client.list_artifacts(run.id, folder)
                there[folder] = {PurePosixPath(each.path).name for each in found}
            return name in there[folder]

        # The pictures of steps lie in one folder, under names that `stepped_name` makes.
        return [
            each
            for each in artifacts
            if not has(each.folder, "images" if each.source.is_dir() else each.source.name)
        ]

    def _upload(self, run: StoredRun, artifact: Artifact) -> None:
        if artifact.source.is_dir():
            self._upload_steps(run, artifact.source)
            return
        if artifact.source.suffix == ".yaml":
            self._upload_without_secrets(run, artifact)
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

    def _upload_without_secrets(self, run: StoredRun, artifact: Artifact) -> None:
        """Log a sweep file that a user may have put a whole URI into."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / artifact.source.name
            text = artifact.source.read_bytes().decode(errors="surrogateescape")
            file.write_bytes(hide_secrets(text).encode(errors="surrogateescape"))
            self._client.log_artifact(run.id, str(file), artifact.folder)

    def _upload_steps(self, run: StoredRun, steps: Path) -> None:
        """Log pictures by their step: MLflow's page steps through what lies in `images` under such names."""
        with tempfile.TemporaryDirectory() as folder:
            images = Path(folder) / "images"
            images.mkdir()
            for picture in steps.glob("*/*.webp"):
                for size in ("", "+compressed"):  # MLflow wants a small one as well, and ours are
                    name = stepped_name(picture.stem, int(picture.parent.name), size)
                    shutil.copy(picture, images / name)
            self._client.log_artifacts(run.id, folder)
        self.tag(run, {"mlflow.loggedImages": "True"})

    def tag(self, run: StoredRun, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        self._batch(run, tags=[RunTag(name, value) for name, value in tags.items()])
        run.tags.update(tags)

    def _batch(self, run: StoredRun, **parts: Any) -> None:
        self._client.log_batch(run.id, synchronous=True, **parts)

    def attempt(self, size: int, call: Callable[[], object]) -> int:
        """0 if `call` worked, `size` if the store refused it for good; raises if it may work later."""
        try:
            call()
        except Exception as error:
            if not refused_for_good(error):
                raise
            _log.warning("MLflow refused %d values: %s", size, hide_secrets(str(error)))
            return size
        return 0


def refused_for_good(error: Exception) -> bool:
    """Say whether another attempt would fail as well, because the store understood the request and refused it."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        code = error.get_http_status_code()
        return 400 <= code < 500 and code not in (408, 429)
    return isinstance(error, FileNotFoundError | ImportError | LookupError | TypeError | ValueError)


def _batches(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
