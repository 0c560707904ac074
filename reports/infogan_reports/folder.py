"""A sweep folder in memory: its YAML, its two tables, and the files of one seed of a trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from infogan_bench.records import (
    HISTORY_COLUMNS,
    TRIAL_COLUMNS,
    EvaluationRecord,
    Mutation,
    Quantity,
    RecordError,
    SeedPaths,
    Status,
    SweepPaths,
    is_file_name,
    read_quantities,
    read_table,
    read_text,
    read_trial,
    trial_order,
)
from infogan_bench.records.tables import Column, json_object, read_mutations
from infogan_bench.secrets import hide_secrets
from infogan_reports.evaluations import read_whole_evaluation
from infogan_reports.quantities import Quantities

STATUSES = tuple(map(str, Status))
EXPECTED = "a sweep folder holds sweep.yaml, trials.parquet, history.parquet and trials/"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLUMNS = {"ended_by": Column("text", nullable=True, newer=True), **TRIAL_COLUMNS}
_ORDER = (
    "trial",
    "seed",
    "status",
    "step",
    "params",
    "scores",
    "seconds",
    "images_per_second",
    "node",
    "device",
)
Read = TypeVar("Read")
Otherwise = TypeVar("Otherwise")

ReportError = RecordError
"""A folder or one of its files cannot be reported on; the message says what was found and what was expected."""


@dataclass(frozen=True)
class SweepData:
    """A sweep folder in memory.

    `trials` has a row per trial and seed with the columns of trials.parquet, ordered by trial and seed; its
    `params` and `scores` are dictionaries, and a score that is not finite is absent (see `not_finite`). Both `trials`
    and `history` may be empty, since a sweep that has just begun has neither.
    """

    folder: Path
    text: str  # sweep.yaml up to `environment:`
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    metric: str  # that of the goal, by which trials are ranked
    mode: str  # max or min
    trials: pd.DataFrame
    mutations: Mapping[str, tuple[Mutation, ...]]  # of each trial, by population based training
    quantities: Quantities = field(default_factory=Quantities)
    left_out: list[str] = field(
        default_factory=list
    )  # why a file could not be read; grows while the folder is read

    @cached_property
    def history(self) -> pd.DataFrame:
        """trial, seed, step, metric, value of all trials; see `read_history`."""
        return read_history(self.folder)

    @cached_property
    def reports_not_finite(self) -> pd.DataFrame:
        """The rows of the history whose value is NaN or infinite, in the order of their steps."""
        return self.read_or_leave_out(lambda: _not_finite(self.folder), pd.DataFrame())

    @cached_property
    def not_finite(self) -> Mapping[tuple[str, int, str], float]:
        """(trial, seed, metric) -> NaN or infinity, for scores whose last report is not finite."""
        rows = self.reports_not_finite
        last = {
            (str(trial), int(seed), str(metric)): float(value)
            for trial, seed, metric, value in zip(*_columns_of(rows), strict=True)
        }
        scores = {
            (trial, int(seed)): by_name
            for trial, seed, by_name in self.trials[["trial", "seed", "scores"]].itertuples(index=False)
        }
        return {key: value for key, value in last.items() if key[2] not in scores.get(key[:2], {})}

    @property
    def goals(self) -> tuple[tuple[str, str], ...]:
        """Metric and mode of each goal, the one that ranks first."""
        others = ((str(goal["metric"]), str(goal["mode"])) for goal in _goal(self.config).get("also", ()))
        return ((self.metric, self.mode), *(goal for goal in others if goal[0] != self.metric))

    def uses(self, metric: str) -> str:
        """Return `labels` or `factors` if a metric compares with them, else an empty text."""
        return self.quantities.uses(metric)

    def read_or_leave_out(self, read: Callable[[], Read], otherwise: Otherwise) -> Read | Otherwise:
        """Return the result of `read`. For a damaged file, note it in `left_out` and return `otherwise`."""
        try:
            return read()
        except RecordError as error:
            if str(error) not in self.left_out:
                self.left_out.append(str(error))
            return otherwise


@dataclass(frozen=True)
class SeedFiles:
    """The evaluation and the pictures of one seed; None or {} where there is no such file.

    `place` is None where the trial's name cannot be that of a folder, so that there is none to read.
    """

    place: SeedPaths | None
    evaluation: EvaluationRecord | None
    samples: bytes | None  # PNG
    traversals: Mapping[str, bytes]  # code name -> PNG


def load(folder: Path, known: Iterable[Quantity] = ()) -> SweepData:
    """Read a sweep folder.

    Args:
        known: the quantities that runs report, for a folder without `quantities.json`.

    Raises:
        ReportError: if `folder` is no sweep folder, or its YAML or its table of trials is damaged. Any other damaged
            file is left out, and named in `left_out`.
    """
    paths = SweepPaths(folder)
    if not paths.sweep.is_file():
        found = "it has no sweep.yaml" if folder.is_dir() else "there is no such folder"
        raise ReportError(f"{folder} is no sweep folder: {found} ({EXPECTED}).")
    text = hide_secrets(read_text(paths.sweep))  # older folders may hold secrets
    config = _yaml_mapping(text, paths.sweep)
    metric, mode = _ranking_goal(config, paths.sweep)
    left_out: list[str] = []
    trials = _read_trials(paths, left_out)
    data = SweepData(
        folder=folder,
        text=_before_environment(text),
        config={key: value for key, value in config.items() if key != "environment"},
        environment=_environment(config, paths.sweep),
        metric=metric,
        mode=mode,
        trials=trials.drop(columns="mutations", errors="ignore"),
        mutations={},
        left_out=left_out,
    )
    named: Sequence[Quantity] = data.read_or_leave_out(lambda: read_quantities(paths.quantities), ())
    mutations: Mapping[str, tuple[Mutation, ...]] = data.read_or_leave_out(
        lambda: _mutations(trials, paths.trials_table), {}
    )
    return replace(data, quantities=Quantities.of(named or known), mutations=mutations)


def read_history(folder: Path, trials: Collection[str] | None = None) -> pd.DataFrame:
    """Read trial, seed, step, metric, value: every report that is a number (infinity included), of all trials or some.

    For some trials, their rows are selected while the file is read in pieces: all of 10,000 trials would take a
    gibibyte.

    Raises:
        ReportError: if the table cannot be read.
    """
    some = None if trials is None else pc.field("trial").isin(pa.array(trials, pa.string()))
    frame = read_table(SweepPaths(folder).history, HISTORY_COLUMNS, some, dictionary=["trial", "metric"])
    return frame[frame["value"].notna()]


def _columns_of(rows: pd.DataFrame) -> list[list[Any]]:
    names = ("trial", "seed", "metric", "value")
    return [rows[name].tolist() if name in rows else [] for name in names]


def _not_finite(folder: Path) -> pd.DataFrame:
    """Read the reports that are NaN or infinite."""
    value = pc.field("value")
    rows = value.is_null(nan_is_null=True) | ~pc.is_finite(value)
    return read_table(SweepPaths(folder).history, HISTORY_COLUMNS, rows).sort_values("step", kind="stable")


def read_seed_files(data: SweepData, trial_id: str, seed: int) -> SeedFiles:
    """Read the evaluation and the pictures of one seed of a trial, without missing and damaged files."""
    if not is_file_name(trial_id):
        return SeedFiles(place=None, evaluation=None, samples=None, traversals={})
    place = SweepPaths(data.folder).trial(trial_id).seed(seed)
    evaluation = read_seed_evaluation(data, trial_id, seed)
    pictures = {
        code.name: _picture(data, place.traversal(code.name))
        for code in (evaluation.codes if evaluation else ())
        if is_file_name(code.name)
    }
    return SeedFiles(
        place=place,
        evaluation=evaluation,
        samples=_picture(data, place.samples),
        traversals={name: png for name, png in pictures.items() if png is not None},
    )


def read_seed_evaluation(data: SweepData, trial_id: str, seed: int) -> EvaluationRecord | None:
    """Read the evaluation of one seed of a trial; None where it is missing or damaged."""
    if not is_file_name(trial_id):
        return None
    place = SweepPaths(data.folder).trial(trial_id).seed(seed)
    if not place.evaluation.is_file():
        return None
    return data.read_or_leave_out(lambda: read_whole_evaluation(place), None)


def _picture(data: SweepData, path: Path) -> bytes | None:
    return data.read_or_leave_out(lambda: _read_png(path), None)


def _read_png(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    content = read_bytes(path)
    if not content.startswith(PNG_SIGNATURE):
        raise ReportError(f"{path} is not a PNG file.")
    return content


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        ReportError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or error}") from None


# sweep.yaml -----------------------------------------------------------------------------------------------


def _yaml_mapping(text: str, path: Path) -> Mapping[str, Any]:
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that there is not
        raise ReportError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict):
        raise ReportError(
            f"{path} must hold a mapping (the resolved sweep), but holds a {type(config).__name__}."
        )
    return config


def _goal(config: Mapping[str, Any]) -> Any:
    return config.get("goal", config.get("objective"))  # its name in folders written before


def _ranking_goal(config: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """Return the metric and the mode of the goal that ranks.

    Raises:
        ReportError: if the sweep file has none.
    """
    goal = _goal(config)
    if not isinstance(goal, dict) or not {"metric", "mode"} <= goal.keys():
        raise ReportError(
            f"{path} must say `goal: {{metric: ..., mode: max or min}}`, but says {goal!r:.60}."
        )
    if goal["mode"] not in ("max", "min"):
        raise ReportError(f"{path}: `goal.mode` must be max or min, but is {goal['mode']!r:.60}.")
    others = goal.get("also") or ()
    if not isinstance(others, list | tuple) or not all(
        isinstance(each, dict) and "metric" in each and each.get("mode") in ("max", "min") for each in others
    ):
        raise ReportError(f"{path}: `goal.also` must be a list of {{metric, mode}}, but is {others!r:.60}.")
    return str(goal["metric"]), str(goal["mode"])


def _environment(config: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    environment = config.get("environment") or {}
    if not isinstance(environment, dict):
        raise ReportError(f"{path}: `environment` must have keys of its own, but is {environment!r:.60}.")
    return environment


def _before_environment(text: str) -> str:
    """Return the sweep alone, which is what a person would run again."""
    lines = text.splitlines(keepends=True)
    end = next((i for i, line in enumerate(lines) if line.startswith("environment:")), len(lines))
    return "".join(lines[:end]).rstrip() + "\n"


# trials.parquet -------------------------------------------------------------------------------------------


def _read_trials(paths: SweepPaths, left_out: list[str]) -> pd.DataFrame:
    path = paths.trials_table
    frame = read_table(path, _COLUMNS)
    if "mutations" not in frame:
        frame["mutations"] = None
    unknown = sorted(set(map(str, frame["status"])) - set(STATUSES))
    if unknown:
        raise ReportError(f"{path}: a status must be one of {', '.join(STATUSES)}, but there is {unknown}.")
    scores = [_finite(scores) for scores in _objects(frame["scores"], path, "scores")]
    frame = frame.assign(
        params=pd.Series(_objects(frame["params"], path, "params"), dtype=object),
        scores=pd.Series(scores, dtype=object),
        error=pd.Series(_texts(frame["error"]), dtype=object),
    )
    if "ended_by" in frame:
        frame = frame.assign(ended_by=pd.Series(_texts(frame["ended_by"]), dtype=object))
    frame = frame[[*_ORDER, *(name for name in frame if name not in _ORDER)]]
    waiting = list(_rows_not_reported(paths, set(frame["trial"]), left_out))
    if waiting:
        frame = pd.DataFrame([*frame.to_dict("records"), *waiting], columns=frame.columns)
    order = sorted(range(len(frame)), key=lambda row: (trial_order(frame["trial"][row]), frame["seed"][row]))
    return frame.iloc[order].reset_index(drop=True)


def _rows_not_reported(
    paths: SweepPaths, reported: Collection[str], left_out: list[str]
) -> Iterator[Mapping[str, object]]:
    """Yield a pending row for each seed of a trial that has a folder but, so far, no row in the table."""
    for path in paths.trial_records():
        trial = path.parent.name
        if trial in reported:
            continue
        try:
            record = read_trial(path.parent)
        except RecordError as error:
            left_out.append(str(error))
            continue
        for seed in record.seeds:
            yield {
                "trial": trial, "seed": seed, "status": "pending", "step": 0, "params": dict(record.params),
                "scores": {}, "seconds": 0.0, "images_per_second": 0.0, "node": "", "device": "", "error": None,
                "ended_by": None, "mutations": None,
            }  # fmt: skip


def _mutations(trials: pd.DataFrame, path: Path) -> Mapping[str, tuple[Mutation, ...]]:
    """Read the changes of each trial's values while it trained; a table may lack the column."""
    rows = trials.drop_duplicates("trial")
    pairs = zip(rows["trial"], rows["mutations"], strict=True)
    return {trial: read_mutations(text, path) for trial, text in pairs if isinstance(text, str)}


def _objects(column: pd.Series[Any], path: Path, name: str) -> list[Mapping[str, Any]]:
    """Read the JSON objects of a column; the seeds of a trial share their text, so each text is parsed once."""
    parsed = {text: json_object(text, path, name) for text in set(column)}
    return [parsed[text] for text in column]


def _texts(column: pd.Series[Any]) -> list[str | None]:
    """Return texts, with the secrets hidden that older folders may hold, and None for anything else."""
    return [hide_secrets(text) if isinstance(text, str) else None for text in column]


def _finite(scores: Mapping[str, Any]) -> Mapping[str, float]:
    return {
        name: float(value)
        for name, value in scores.items()
        if isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**1000)
        if math.isfinite(value)
    }
