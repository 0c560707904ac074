"""Reading a sweep folder: its YAML, its two tables, and what one seed of a trial left behind."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

TRIAL_COLUMNS = (
    "trial", "seed", "status", "step", "params", "scores", "seconds", "images_per_second", "node", "device",
    "error",
)  # fmt: skip
NEWER_COLUMNS = ("peak_memory",)  # of trials.parquet, which an older one lacks
HISTORY = "history.parquet"
HISTORY_COLUMNS = ("trial", "seed", "step", "metric", "value")
STATUSES = ("pending", "running", "finished", "stopped", "diverged", "failed", "interrupted")
EXPECTED = "a sweep folder holds sweep.yaml, trials.parquet, history.parquet and trials/"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST_FILE_NAME = 200  # bytes; file systems take 255, and a code's picture is called `traversal-CODE.png`


class ReportError(ValueError):
    """The folder cannot be reported on; the message says what was found and what was expected."""


@dataclass(frozen=True)
class SweepData:
    """A sweep folder in memory.

    `trials` has a row per trial and seed with the columns of trials.parquet, ordered by trial and seed; its
    `params` and `scores` are dictionaries, and a score that is not finite is absent. It may be empty, as `history`
    may: a sweep that has just begun has neither.
    """

    folder: Path
    text: str  # sweep.yaml up to `environment:`
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    metric: str  # of the objective
    mode: str  # max or min
    trials: pd.DataFrame
    mutations: Mapping[
        str, Sequence[Mapping[str, Any]]
    ]  # trial -> its step, from_trial, params; population based

    @cached_property
    def history(self) -> pd.DataFrame:
        """trial, seed, step, metric, value of all trials, read when it is asked for; see `read_history`."""
        return read_history(self.folder)

    @property
    def goals(self) -> tuple[tuple[str, str], ...]:
        """Metric and mode of each objective, the one that ranks first."""
        others = ((str(goal["metric"]), str(goal["mode"])) for goal in _goal(self.config).get("also", ()))
        return ((self.metric, self.mode), *(goal for goal in others if goal[0] != self.metric))


@dataclass(frozen=True)
class SeedFiles:
    """What the evaluation of one seed wrote; None or {} where there is no such file.

    `place` is None where the trial's name cannot be that of a folder, so that there is none to read.
    """

    place: Path | None
    evaluation: Mapping[str, Any]
    samples: bytes | None  # PNG
    traversals: Mapping[str, bytes]  # code name -> PNG


def load(folder: Path) -> SweepData:
    """Read a sweep folder.

    Raises:
        ReportError: if `folder` is no sweep folder, or one of its files cannot be read as what it should be.
    """
    path = folder / "sweep.yaml"
    if not path.is_file():
        found = "it has no sweep.yaml" if folder.is_dir() else "there is no such folder"
        raise ReportError(f"{folder} is no sweep folder: {found} ({EXPECTED}).")
    text = path.read_text(encoding="utf-8")
    config = _yaml_mapping(text, path)
    metric, mode = _objective(config, path)
    _check_columns(folder / HISTORY, HISTORY_COLUMNS)
    return SweepData(
        folder=folder,
        text=_before_environment(text),
        config={key: value for key, value in config.items() if key != "environment"},
        environment=config.get("environment") or {},
        metric=metric,
        mode=mode,
        trials=_read_trials(folder),
        mutations=_read_mutations(folder / "trials.parquet"),
    )


def read_history(folder: Path, trials: Collection[str] | None = None) -> pd.DataFrame:
    """trial, seed, step, metric, value: what was reported and is a number, of all trials or of some.

    Those of some are picked while the file is read, piece by piece: all of 10,000 trials would take a gibibyte.

    Raises:
        ReportError: if the table cannot be read.
    """
    some = None if trials is None else pc.field("trial").isin(pa.array(trials, pa.string()))
    frame = _read_table(folder / HISTORY, HISTORY_COLUMNS, some, dictionary=["trial", "metric"])
    return frame[frame["value"].notna()]


def read_seed_files(folder: Path, trial: str, seed: int) -> SeedFiles:
    """The evaluation and the pictures of one seed of a trial, as far as they have been written."""
    if not _is_file_name(trial):
        return SeedFiles(place=None, evaluation={}, samples=None, traversals={})
    place = folder / "trials" / trial / f"seed-{seed}"
    path = place / "evaluation.json"
    evaluation = _json_object(path.read_text(encoding="utf-8"), path) if path.is_file() else {}
    names = (str(code["name"]) for code in evaluation.get("codes", ()))
    pictures = {name: _read_png(place / f"traversal-{name}.png") for name in names if _is_file_name(name)}
    return SeedFiles(
        place=place,
        evaluation=evaluation,
        samples=_read_png(place / "samples.png"),
        traversals={name: png for name, png in pictures.items() if png is not None},
    )


def _yaml_mapping(text: str, path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReportError(f"{path} is not YAML: {error}") from error
    if not isinstance(config, dict):
        raise ReportError(
            f"{path} must hold a mapping (the resolved sweep), but holds a {type(config).__name__}."
        )
    return config


def _goal(config: Mapping[str, Any]) -> Any:
    return config.get("goal", config.get("objective"))  # its name in folders written before


def _objective(config: Mapping[str, Any], path: Path) -> tuple[str, str]:
    objective = _goal(config)
    if not isinstance(objective, dict) or not {"metric", "mode"} <= objective.keys():
        raise ReportError(
            f"{path} must say `goal: {{metric: ..., mode: max or min}}`, but says {objective!r}."
        )
    if objective["mode"] not in ("max", "min"):
        raise ReportError(f"{path}: `goal.mode` must be max or min, but is {objective['mode']!r}.")
    return str(objective["metric"]), str(objective["mode"])


def _before_environment(text: str) -> str:
    """The sweep alone, which is what a person would run again."""
    lines = text.splitlines(keepends=True)
    end = next((i for i, line in enumerate(lines) if line.startswith("environment:")), len(lines))
    return "".join(lines[:end]).rstrip() + "\n"


def _read_trials(folder: Path) -> pd.DataFrame:
    frame = _read_table(folder / "trials.parquet", TRIAL_COLUMNS, newer=NEWER_COLUMNS)
    unknown = sorted(set(frame["status"]) - set(STATUSES))
    if unknown:
        raise ReportError(
            f"trials.parquet: a status must be one of {', '.join(STATUSES)}, but there is {unknown}."
        )
    params = _decode(frame["params"], folder / "trials.parquet")
    scores = [_finite(scores) for scores in _decode(frame["scores"], folder / "trials.parquet")]
    errors = [None if pd.isna(error) else str(error) for error in frame["error"]]
    frame = frame.assign(
        params=pd.Series(params, dtype=object),
        scores=pd.Series(scores, dtype=object),
        error=pd.Series(errors, dtype=object),
    )
    waiting = list(_rows_not_reported(folder, set(frame["trial"])))
    if waiting:
        frame = pd.DataFrame([*frame.to_dict("records"), *waiting], columns=frame.columns)
    return frame.sort_values(["trial", "seed"], kind="stable", ignore_index=True)


def _rows_not_reported(folder: Path, reported: set[str]) -> Iterator[dict[str, Any]]:
    """A pending row for each seed of a trial that has a folder but, so far, no row in the table."""
    for path in sorted((folder / "trials").glob("*/trial.json")):
        if path.parent.name in reported:
            continue
        described = _json_object(path.read_text(encoding="utf-8"), path)
        for seed in described.get("seeds", ()):
            yield {
                "trial": path.parent.name, "seed": seed, "status": "pending", "step": 0,
                "params": described.get("params", {}), "scores": {}, "seconds": 0.0, "images_per_second": 0.0,
                "node": "", "device": "", "error": None,
            }  # fmt: skip


def _read_mutations(path: Path) -> dict[str, list[dict[str, Any]]]:
    """How the values of each trial changed while it trained; a table may lack the column."""
    if not path.is_file() or "mutations" not in pq.read_schema(path).names:
        return {}
    rows = _read_table(path, ("trial", "mutations")).drop_duplicates("trial")
    found = {}
    for trial, text in zip(rows["trial"], rows["mutations"], strict=True):
        mutations = json.loads(text)
        if not all(
            isinstance(each, dict) and {"step", "from_trial", "params"} <= each.keys() for each in mutations
        ):
            raise ReportError(
                f"{path}: mutations must be a list of {{step, from_trial, params}}, but hold {text!r:.60}."
            )
        found[trial] = mutations
    return found


def _read_table(
    path: Path,
    columns: tuple[str, ...],
    rows: pc.Expression | None = None,
    dictionary: list[str] | None = None,
    newer: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Read `columns` of a Parquet file, and those of `newer` that are there, or no rows where the sweep has not
    written it yet.

    Args:
        rows: which to keep; None: all.
        dictionary: text columns to keep as categories, since a history repeats few words millions of times.
    """
    if not path.is_file():
        return pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
    found = _check_columns(path, columns)
    try:
        # one piece after the other: read ahead and side by side, the pieces would add up
        table = pq.read_table(
            path,
            columns=[*columns, *(column for column in newer if column in found)],
            filters=rows,
            read_dictionary=dictionary,
            use_threads=False,
            pre_buffer=False,
        )
    except (pa.ArrowException, OSError) as error:
        raise ReportError(f"{path} cannot be read as Parquet: {error}") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _check_columns(path: Path, columns: tuple[str, ...]) -> list[str]:
    """The columns of a file; refuse one that is no Parquet, or lacks some of `columns`. It may not be there yet."""
    if not path.is_file():
        return []
    try:
        found: list[str] = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise ReportError(f"{path} cannot be read as Parquet: {error}") from error
    missing = [column for column in columns if column not in found]
    if missing:
        raise ReportError(
            f"{path} must have the columns {', '.join(columns)}, but lacks {', '.join(missing)}."
        )
    return found


def _decode(column: pd.Series[Any], path: Path) -> list[dict[str, Any]]:
    """JSON objects of a column; the seeds of a trial share their text, so each text is parsed once."""
    parsed = {text: _json_object(text, path) for text in set(column)}
    return [parsed[text] for text in column]


def _json_object(text: str, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, json.JSONDecodeError) as error:
        raise ReportError(f"{path} holds {text!r:.60}, which is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ReportError(f"{path} must hold a JSON object, but holds {text!r:.60}.")
    return value


def _finite(scores: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in scores.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _is_file_name(name: str) -> bool:
    """Whether `name` can be the name of a file, so that it stays inside the folder that it is looked for in."""
    plain = name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    return plain and len(name.encode()) <= LONGEST_FILE_NAME


def _read_png(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    if not content.startswith(PNG_SIGNATURE):
        raise ReportError(f"{path} is not a PNG file.")
    return content
