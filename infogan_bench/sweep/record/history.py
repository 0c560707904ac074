"""The reported values of all trials in compact form, since a sweep may have 10,000 trials and millions of values."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from infogan_bench.records import HISTORY_COLUMNS, trial_order
from infogan_bench.records.tables import check_table, reading_parquet

_WORDS = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema(
    {"trial": _WORDS, "seed": pa.int64(), "step": pa.int64(), "metric": _WORDS, "value": pa.float64()}
)
_ROWS_A_BLOCK = 2**20  # rows of a file that are written at once; only these are in memory twice


class HistoryPoint(NamedTuple):
    """A value of one seed."""

    seed: int
    step: int
    metric: str
    value: float


class History:
    """The curves of all trials, 28 bytes a value. One thread adds to it; another one may read."""

    def __init__(self) -> None:
        self._curves: dict[str, _Curve] = {}
        self._metrics: dict[str, int] = {}  # numbers of the metrics' names, in order

    def add(self, trial_id: str, seed: int, step: int, metrics: Mapping[str, float]) -> None:
        """Add a report of a seed and drop its values from that step on, since a trial that continues from an earlier
        checkpoint reports some steps again. The time does not grow with the number of values."""
        curve = self._curves.setdefault(trial_id, _Curve())
        if metrics and curve.last.get(seed, step - 1) >= step:
            curve = self._curves[trial_id] = curve.before(seed, step)
        curve.append(seed, step, [self._number(name) for name in metrics], list(metrics.values()))

    def replace(self, trial_id: str, points: Iterable[HistoryPoint]) -> None:
        """Replace all values of a trial by `points`, of each seed in the order of steps."""
        curve = _Curve()
        for point in points:
            curve.append(point.seed, point.step, [self._number(point.metric)], [point.value])
        self._curves[trial_id] = curve

    def points(self, trial_id: str) -> list[HistoryPoint]:
        """The values that a trial has reported so far."""
        names = list(self._metrics)
        curve = self._curves.get(trial_id, _Curve())
        return [HistoryPoint(seed, step, names[metric], value) for seed, step, metric, value in curve.rows()]

    def tables(self) -> Iterator[pa.Table]:
        """trial, seed, step, metric, value, in the order of the trials' ids: one table or more, of some 2^20 rows."""
        block: list[str] = []
        rows = 0
        for trial in sorted(self._curves, key=trial_order):
            block.append(trial)
            rows += len(self._curves[trial].values)
            if rows >= _ROWS_A_BLOCK:
                yield self._table(block)
                block, rows = [], 0
        yield self._table(block)

    def write(self, path: Path) -> None:
        """Write a Parquet file, whose readers see plain text columns."""
        with pq.ParquetWriter(path, _SCHEMA, store_schema=False) as writer:
            for table in self.tables():
                writer.write_table(table)

    @classmethod
    def read(cls, path: Path) -> History:
        """The history that `write` wrote.

        Raises:
            RecordError: if it cannot be read, or is another table.
        """
        history = cls()
        check_table(path, HISTORY_COLUMNS)
        with reading_parquet(path), pq.ParquetFile(path, read_dictionary=["trial", "metric"]) as file:
            for block in file.iter_batches(columns=list(HISTORY_COLUMNS)):
                if block.num_rows:
                    block.validate(full=True)
                    history._take(block)
        return history

    def _take(self, block: pa.RecordBatch) -> None:
        """Add rows, those of a trial and seed in the order of their steps."""
        trials, metrics = (block[name].dictionary_encode() for name in ("trial", "metric"))
        numbers = np.array([self._number(name) for name in metrics.dictionary.to_pylist()])
        columns = (
            block["seed"].to_numpy(),
            block["step"].to_numpy(),
            numbers[metrics.indices.to_numpy()],
            block["value"].to_numpy(zero_copy_only=False),
        )
        codes = trials.indices.to_numpy()
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(trials.dictionary)))
        for trial, places in zip(trials.dictionary.to_pylist(), np.split(order, ends[:-1]), strict=True):
            self._curves.setdefault(trial, _Curve()).extend(*(column[places] for column in columns))

    def _number(self, metric: str) -> int:
        return self._metrics.setdefault(metric, len(self._metrics))

    def _table(self, trials: list[str]) -> pa.Table:
        curves = [self._curves[trial] for trial in trials]
        sizes = [len(curve.values) for curve in curves]
        return pa.table(
            [
                _words(np.repeat(np.arange(len(trials)), sizes), trials),
                _joined([curve.seeds for curve in curves], np.int64),
                _joined([curve.steps for curve in curves], np.int64),
                _words(_joined([curve.metrics for curve in curves], np.int32), list(self._metrics)),
                _joined([curve.values for curve in curves], np.float64),
            ],
            schema=_SCHEMA,
        )


class _Curve:
    """A trial's values in the order of their arrival, in columns."""

    __slots__ = ("last", "metrics", "seeds", "steps", "values")

    def __init__(self) -> None:
        self.seeds, self.steps, self.metrics, self.values = array("q"), array("q"), array("i"), array("d")
        self.last: dict[int, int] = {}  # the last step of each seed

    def append(self, seed: int, step: int, metrics: list[int], values: list[float]) -> None:
        self.seeds.extend(itertools.repeat(seed, len(values)))
        self.steps.extend(itertools.repeat(step, len(values)))
        self.metrics.extend(metrics)
        self.values.extend(values)  # extended last, since readers go by the length of `values`
        if values:
            self.last[seed] = step

    def extend(self, seeds: np.ndarray, steps: np.ndarray, metrics: np.ndarray, values: np.ndarray) -> None:
        self.seeds.frombytes(seeds.astype(np.int64).tobytes())
        self.steps.frombytes(steps.astype(np.int64).tobytes())
        self.metrics.frombytes(metrics.astype(np.int32).tobytes())
        self.values.frombytes(values.astype(np.float64).tobytes())
        for seed in np.unique(seeds).tolist():
            self.last[seed] = int(steps[seeds == seed][-1])

    def before(self, seed: int, step: int) -> _Curve:
        """Return the curve without the values of `seed` from `step` on."""
        columns = [np.array(column) for column in (self.seeds, self.steps, self.metrics, self.values)]
        stay = (columns[0] != seed) | (columns[1] < step)
        kept = _Curve()
        kept.extend(*(column[stay] for column in columns))
        return kept

    def rows(self) -> Iterator[tuple[int, int, int, float]]:
        count = len(self.values)
        columns = (self.seeds[:count], self.steps[:count], self.metrics[:count], self.values[:count])
        return zip(*columns, strict=True)


def _joined(columns: Sequence[array[Any]], kind: type) -> np.ndarray:
    return np.concatenate([np.empty(0, kind), *(np.frombuffer(column, kind) for column in columns)])


def _words(codes: np.ndarray, words: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words, pa.string()))
