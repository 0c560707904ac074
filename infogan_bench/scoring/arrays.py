"""Scores of arrays that any program may have written: codes, factors, labels, features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from infogan_metrics import METRICS, Metric, NotDefinedError, Score, bin_factors, bootstrap
from infogan_metrics.files import FileError, read_arrays
from numpy.typing import NDArray

from infogan_bench.config.names import nearest
from infogan_bench.errors import InputError
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.outcome import ScoreOutcome

Arrays = Mapping[str, NDArray[Any]]


def score_arrays(
    path: Path, names: Sequence[str] = (), *, n_resamples: int = 0, factor_bins: int = 0
) -> list[ScoreOutcome]:
    """Score the arrays in a file. Their names are those of the scores' inputs (`infogan-bench metrics`).

    Args:
        path: an .npz, .npy, .csv or .parquet file, as `infogan_metrics.files.read_arrays` takes it; pickled objects in
            it are refused.
        names: of scores; none: all cheap ones that the arrays suffice for.
        n_resamples: of a bootstrap that gives each score a 95% interval; 0 for none.
        factor_bins: bins that continuous factors are cut into, for the scores that need discrete ones; 0 for
            none, and then such scores have no value.

    Returns:
        The outcomes in the order of `names`; one without a value says why.

    Raises:
        InputError: if the file cannot be read, a name is unknown, an array is missing that a named score needs, or
            arrays are malformed so that no score has a value.
    """
    inputs = ArrayInputs(_read(path), factor_bins)
    if names:
        asked = {name: _metric(name) for name in names}
    else:
        at_hand = [m for m in METRICS.values() if m.cost == "cheap" and set(m.inputs) <= inputs.arrays.keys()]
        asked = {metric.name: metric for metric in at_hand}
        if not asked:
            raise InputError(
                f"{path}: holds {_listed(inputs.arrays)}, which no score is computed from alone; {_HINT}"
            )
    for name, metric in asked.items():
        if absent := [each for each in metric.inputs if each not in inputs.arrays]:
            are = "is" if len(absent) == 1 else "are"
            raise InputError(
                f"{path}: `{name}` needs {_listed(metric.inputs)}, "
                f"but {_listed(absent)} {are} missing; there is {_listed(inputs.arrays)}"
            )
        if n_resamples and not set(metric.inputs) <= _GROUPS.keys():
            raise InputError(f"--bootstrap: `{name}` has no rows of samples that could be drawn anew")
    outcomes = [_in_our_words(each) for each in compute_scores(asked, inputs, asked.get).values()]
    if outcomes and all(isinstance(each.fault, Exception) and not _is_sound(each) for each in outcomes):
        raise InputError(f"{path}: {outcomes[0].name}: {outcomes[0].not_defined}")
    if not n_resamples:
        return outcomes
    return [_with_interval(path, each, asked[each.name], inputs, n_resamples) for each in outcomes]


class ArrayInputs:
    """Arrays that any program may have written, as inputs of scores.

    Args:
        arrays: by the names that scores call them.
        factor_bins: bins that continuous factors are cut into; 0 for none.
    """

    def __init__(self, arrays: Arrays, factor_bins: int = 0) -> None:
        self.arrays = arrays
        self._factor_bins = factor_bins
        self._constant = _constant_columns(arrays)

    def lacking(self, metric: Metric) -> str | None:
        """Return None: a score's function says what its arrays lack."""
        return None

    def arguments(self, metric: Metric) -> Sequence[Any]:
        """Return the arrays that `metric.inputs` names; factors without constant ones, and cut into bins."""
        return [
            self._factors(name, metric) if name in _FACTORS else self.arrays[name] for name in metric.inputs
        ]

    def options(self, metric: Metric) -> Mapping[str, Any]:
        """Return none: all options have their defaults."""
        return {}

    def facts(self, metric: Metric) -> Mapping[str, Any]:
        """Return the numbers of samples, and the bins that continuous factors were cut into."""
        first = self.arrays[metric.inputs[0]]
        n = {"n": len(first)} if first.ndim else {}
        held_out = {"n_held_out": len(self.arrays["test_codes"])} if metric.splits else {}
        return n | held_out | ({"factor_bins": self._factor_bins} if self._bins(metric) else {})

    def notes(self, metric: Metric) -> Sequence[str]:
        """Return which factors are left out, and the bins of continuous ones."""
        notes = []
        if metric.uses_factors and self._constant:
            columns = ", ".join(map(str, self._constant))
            notes.append(f"left out, constant: column {columns} of `factors`")
        if self._bins(metric):
            notes.append(f"continuous factors are cut into {self._factor_bins} bins")
        return notes

    def names_of(self, metric: Metric) -> Sequence[str]:
        """Return numbers as names, since codes in arrays have no names."""
        return [str(k) for k in range(self.arrays["codes"].shape[1])]

    def _bins(self, metric: Metric) -> bool:
        return bool(self._factor_bins) and metric.uses_factors and "continuous" not in metric.factor_kinds

    def _factors(self, name: str, metric: Metric) -> NDArray[Any]:
        values = self.arrays[name]
        if self._bins(metric):
            values = bin_factors(values, self._factor_bins, like=self.arrays["factors"])
        return np.delete(values, self._constant, axis=1) if self._constant else values


_FACTORS = ("factors", "test_factors")
_HINT = "`infogan-bench metrics` lists what each needs"
_GROUPS = {  # arrays of one number have rows that belong together
    **dict.fromkeys(("codes", "factors", "assignments", "labels", "real"), 0),
    **dict.fromkeys(("test_codes", "test_factors", "fake"), 1),
}


def _constant_columns(arrays: Arrays) -> list[int]:
    """Return the columns of `factors` that hold one value, which scores leave out; none if all columns do."""
    factors = [arrays[name] for name in _FACTORS if name in arrays]
    if not factors or any(each.ndim != 2 or not each.size for each in factors):
        return []
    if len({each.shape[1] for each in factors}) > 1:
        return []
    varies = np.any([(each != factors[0][0]).any(axis=0) for each in factors], axis=0)
    return np.flatnonzero(~varies).tolist() if varies.any() else []


def _is_sound(outcome: ScoreOutcome) -> bool:
    """Return whether the arrays are sound, and the score is not defined for them."""
    return outcome.fault is None or isinstance(outcome.fault, NotDefinedError)


def _in_our_words(outcome: ScoreOutcome) -> ScoreOutcome:
    """Return the outcome, naming the option of the command line where the library names its function."""
    reason = outcome.not_defined
    return (
        replace(outcome, not_defined=reason.replace("`bin_factors`", "`--factor-bins N`"))
        if reason
        else outcome
    )


def _with_interval(
    path: Path, outcome: ScoreOutcome, metric: Metric, inputs: ArrayInputs, n_resamples: int
) -> ScoreOutcome:
    if outcome.value is None:
        return outcome
    part = metric.part(outcome.name)

    def value(*arrays: NDArray[Any]) -> Score:
        result = metric.function(*arrays)
        return getattr(result, part.attribute) if part else result

    groups = [_GROUPS[name] for name in metric.inputs]
    try:
        with warnings.catch_warnings():  # the outcome has the warnings already
            warnings.simplefilter("ignore", UserWarning)
            interval = bootstrap(value, *inputs.arguments(metric), n_resamples=n_resamples, groups=groups)
    except ValueError as error:
        raise InputError(f"{path}: {outcome.name}: {error}") from None
    return replace(outcome, interval=(interval.low, interval.high))


def _metric(name: str) -> Metric:
    rows = {each: metric for metric in METRICS.values() for each in (metric.name, *metric.names)}
    if name in rows:
        return rows[name]
    found = nearest(name, rows)
    raise InputError(
        f"--score: unknown score `{name}`{f'; did you mean `{found}`?' if found else ''}; {_HINT}"
    )


def _read(path: Path) -> Arrays:
    try:
        return read_arrays([path])
    except (FileError, ModuleNotFoundError) as error:
        raise InputError(str(error)) from None


def _listed(names: Sequence[str] | Arrays) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
