"""The columns of `trials.parquet` and `history.parquet`, and the rows of the first."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from infogan_bench.records.decoding import decode, encode
from infogan_bench.records.errors import RecordError
from infogan_bench.records.files import parse_json
from infogan_bench.records.results import Mutation, SeedResult, Status, TrialUpdate

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

Kind = Literal["text", "whole", "number"]


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    kind: Kind
    nullable: bool = False
    newer: bool = False  # a table that was written before may lack it


TRIAL_COLUMNS = {
    "trial": Column("text"),
    "seed": Column("whole"),
    "status": Column("text"),
    "step": Column("whole"),
    "params": Column("text"),  # JSON object: dotted key of the base run -> swept value
    "scores": Column("text"),  # JSON object: metric -> value at the last report, without what is not finite
    "seconds": Column("number"),  # training and evaluation
    "images_per_second": Column("number"),  # training, over the last interval
    "node": Column("text"),
    "device": Column("text"),
    "peak_memory": Column("whole", nullable=True, newer=True),  # bytes
    "error": Column("text", nullable=True),
    "mutations": Column("text", newer=True),  # JSON list of `Mutation`
    "ended_by": Column("text", nullable=True, newer=True),  # one of `EndedBy`; null while the trial runs
}
HISTORY_COLUMNS = {
    "trial": Column("text"),
    "seed": Column("whole"),
    "step": Column("whole"),
    "metric": Column("text"),
    "value": Column("number", nullable=True),
}
_DTYPES: Mapping[Kind, str] = {"text": "str", "whole": "int64", "number": "float64"}


def trials_frame(updates: Collection[TrialUpdate]) -> pd.DataFrame:
    """Return trials.parquet as a table: a row for each trial and seed."""
    import pandas as pd

    rows = [_row(update, seed) for update in updates for seed in update.seeds]
    dtypes = {name: _DTYPES[column.kind] for name, column in TRIAL_COLUMNS.items()}
    dtypes |= {"peak_memory": "Int64", "error": "object", "ended_by": "object"}
    return pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)).astype(dtypes)


def read_updates(path: Path) -> dict[str, TrialUpdate]:
    """Read the last update of each trial from trials.parquet.

    Raises:
        RecordError: if the table cannot be read, or a row is not of a trial.
    """
    rows_of: dict[str, list[Mapping[Any, Any]]] = {}
    for row in read_table(path, TRIAL_COLUMNS).to_dict("records"):
        rows_of.setdefault(row["trial"], []).append(row)
    return {trial: _update(rows, path) for trial, rows in rows_of.items()}


def _row(update: TrialUpdate, seed: SeedResult) -> Mapping[str, object]:
    return {
        "trial": update.trial_id,
        "seed": seed.seed,
        "status": str(seed.status if update.status is Status.DIVERGED else update.status),
        "step": seed.step,
        "params": json.dumps(dict(update.params)),
        "scores": json.dumps({name: value for name, value in seed.metrics.items() if math.isfinite(value)}),
        "seconds": seed.seconds,
        "images_per_second": seed.images_per_second,
        "node": update.node,
        "device": update.device,
        "peak_memory": update.peak_memory,
        "error": seed.error or update.error,
        "mutations": json.dumps([encode(mutation) for mutation in update.mutations]),
        "ended_by": update.ended_by,
    }


def _update(rows: Sequence[Mapping[Any, Any]], path: Path) -> TrialUpdate:
    """Return the update that `_row` wrote, from the rows of a trial's seeds."""
    seeds = tuple(_seed(row, path) for row in rows)
    first = rows[0]
    diverged = any(seed.status is Status.DIVERGED for seed in seeds)
    peak_memory = first.get("peak_memory")
    return TrialUpdate(
        trial_id=first["trial"],
        params=json_object(first["params"], path, "params"),
        status=Status.DIVERGED if diverged else seeds[0].status,
        step=max(seed.step for seed in seeds),
        seeds=seeds,
        error=_text(first["error"]),
        node=first["node"],
        device=first["device"],
        peak_memory=None if peak_memory is None or peak_memory != peak_memory else int(peak_memory),
        mutations=read_mutations(first.get("mutations", "[]"), path),
        ended_by=_text(first.get("ended_by")),
    )


def _seed(row: Mapping[Any, Any], path: Path) -> SeedResult:
    document = {
        "seed": int(row["seed"]),
        "status": row["status"],
        "step": int(row["step"]),
        "metrics": json_object(row["scores"], path, "scores"),
        "seconds": row["seconds"],
        "images_per_second": row["images_per_second"],
        "error": _text(row["error"]),
    }
    return decode(SeedResult, document, path)


def read_mutations(text: str, path: Path) -> tuple[Mutation, ...]:
    """Read a cell of the column `mutations`.

    Raises:
        RecordError: if it holds something else.
    """
    values = parse_json(text, f"{path}: mutations")
    if not isinstance(values, list):
        raise RecordError(f"{path}: mutations must hold a list, but holds {text!r:.60}")
    return tuple(decode(Mutation, value, f"{path}: mutations") for value in values)


def json_object(text: str, path: Path, column: str) -> Mapping[str, Any]:
    """Read a cell that holds a JSON object.

    Raises:
        RecordError: if it holds something else.
    """
    value = parse_json(text, f"{path}: {column}")
    if not isinstance(value, dict):
        raise RecordError(f"{path}: {column} must hold a JSON object, but holds {text!r:.60}")
    return value


def _text(value: object) -> str | None:
    """Return a cell of text; a missing one comes back from Parquet as NaN."""
    return value if isinstance(value, str) else None


# Reading Parquet ------------------------------------------------------------------------------------------


def check_table(path: Path, columns: Mapping[str, Column]) -> pa.Schema:
    """Read the columns of a Parquet file.

    Returns:
        The file's schema.

    Raises:
        RecordError: if the file is no Parquet, lacks a column, or has one of another type.
    """
    import pyarrow.parquet as pq

    with reading_parquet(path):
        schema = pq.read_schema(path)
        names = list(schema.names)
    missing = [name for name, column in columns.items() if name not in names and not column.newer]
    if missing:
        raise RecordError(
            f"{path}: must have the columns {', '.join(columns)}, but lacks {', '.join(missing)}"
        )
    for name, column in columns.items():
        if name in names and not _holds(schema.field(name).type, column):
            raise RecordError(
                f"{path}: the column {name} must hold {_KIND_WORDS[column.kind]}, but holds {schema.field(name).type}"
            )
    return schema


_KIND_WORDS: Mapping[Kind, str] = {"text": "text", "whole": "whole numbers", "number": "numbers"}


def read_table(
    path: Path,
    columns: Mapping[str, Column],
    rows: pc.Expression | None = None,
    dictionary: Sequence[str] = (),
) -> pd.DataFrame:
    """Read the columns of a Parquet file that are there, or no rows where there is no file yet.

    Args:
        rows: the rows to keep; None: all.
        dictionary: text columns to keep as categories, since a history repeats few words millions of times.

    Raises:
        RecordError: if the file cannot be read, lacks a column, or has one of another type or with missing values.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    if not path.is_file():
        return pd.DataFrame(
            {name: pd.Series(dtype=object) for name, column in columns.items() if not column.newer}
        )
    names = check_table(path, columns).names
    with reading_parquet(path):
        # one piece after the other: read ahead and side by side, the pieces would add up
        table = pq.read_table(
            path,
            columns=[name for name in columns if name in names],
            filters=rows,
            read_dictionary=list(dictionary),
            use_threads=False,
            pre_buffer=False,
        )
        table.validate(full=True)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for name in table.column_names:
        if table[name].null_count and not columns[name].nullable:
            raise RecordError(f"{path}: the column {name} must have a value in each row")
    return frame


def _holds(kind: pa.DataType, column: Column) -> bool:
    """Say whether a column of a file has the type that it must have."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _holds(kind.value_type, column)
    if types.is_null(kind):  # a column without a value
        return True
    if column.kind == "text":
        return bool(types.is_string(kind) or types.is_large_string(kind))
    floats = column.kind == "number" or column.nullable
    return bool(types.is_integer(kind) or (floats and types.is_floating(kind)))


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turn Arrow's exceptions for a damaged file into a RecordError."""
    import pyarrow as pa

    try:
        yield
    except RecordError:
        raise
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        OverflowError,
        MemoryError,
    ) as error:
        text = " ".join(str(error).split())[:200]
        raise RecordError(f"{path}: cannot be read as Parquet: {text}") from None
