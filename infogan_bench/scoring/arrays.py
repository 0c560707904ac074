"""Scores of arrays that any program may have written: codes, factors, labels, features."""

from __future__ import annotations

import difflib
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from infogan_metrics import METRICS, Metric, bin_factors, bootstrap
from numpy.typing import NDArray

from infogan_bench.errors import InputError
from infogan_bench.scoring.outcome import Outcome, outcome_of

Arrays = Mapping[str, NDArray[Any]]


def score_arrays(
    path: Path, names: Sequence[str] = (), *, n_resamples: int = 0, factor_bins: int = 0
) -> list[Outcome]:
    """Score the arrays in an .npz file, each being called as the scores call it (`infogan-bench metrics`).

    Args:
        path: the file; pickled objects in it are refused.
        names: of scores; none: all cheap ones that the arrays suffice for.
        n_resamples: of a bootstrap that gives each score a 95% interval; 0 for none.
        factor_bins: bins that continuous factors are cut into, for the scores that need discrete ones; 0 for
            none, and then such factors are refused.

    Raises:
        InputError: if the file cannot be read, an array is missing or malformed, or a name is unknown.
    """
    arrays = _read(path)
    if names:
        metrics = [_metric(name) for name in dict.fromkeys(names)]
    else:
        metrics = [m for m in METRICS.values() if m.cost == "cheap" and set(m.inputs) <= arrays.keys()]
        if not metrics:
            raise InputError(
                f"{path}: holds {_listed(arrays)}, which no score is computed from alone; {_HINT}"
            )
    for metric in metrics:
        missing = [name for name in metric.inputs if name not in arrays]
        if missing:
            raise InputError(
                f"{path}: `{metric.name}` needs {_listed(metric.inputs)}, "
                f"but {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing; there is {_listed(arrays)}"
            )
    for metric in metrics:
        if n_resamples and not set(metric.inputs) <= _GROUPS.keys():
            raise InputError(f"--bootstrap: `{metric.name}` has no rows of samples that could be drawn anew")
    binned = _with_binned_factors(path, arrays, factor_bins)
    return [
        _score(path, metric, arrays if metric.name in _TAKES_CONTINUOUS else binned, n_resamples)
        for metric in metrics
    ]


_TAKES_CONTINUOUS = frozenset({"sap_continuous"})


def _with_binned_factors(path: Path, arrays: Arrays, n_bins: int) -> Arrays:
    """The arrays, continuous factors cut into bins between the smallest and largest value of `factors`."""
    if not n_bins or "factors" not in arrays:
        return arrays
    try:
        names = [name for name in ("factors", "test_factors") if name in arrays]
        return {
            **arrays,
            **{name: bin_factors(arrays[name], n_bins, like=arrays["factors"]) for name in names},
        }
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


_HINT = "`infogan-bench metrics` lists what each needs"


_GROUPS = {  # arrays of one number have rows that belong together
    **dict.fromkeys(("codes", "factors", "assignments", "labels", "real"), 0),
    **dict.fromkeys(("test_codes", "test_factors", "fake"), 1),
}


def _score(path: Path, metric: Metric, arrays: Arrays, n_resamples: int) -> Outcome:
    inputs = [arrays[name] for name in metric.inputs]
    try:
        outcome = outcome_of(metric.name, lambda: metric.function(*inputs))
        if not n_resamples or outcome.value is None:
            return outcome
        groups = [_GROUPS[name] for name in metric.inputs]
        with warnings.catch_warnings():  # what there is to warn of stands in the outcome already
            warnings.simplefilter("ignore", UserWarning)
            interval = bootstrap(metric.function, *inputs, n_resamples=n_resamples, groups=groups)
        return replace(outcome, interval=(interval.low, interval.high))
    except ValueError as error:
        raise InputError(f"{path}: {metric.name}: {error}") from None


def _metric(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    nearest = difflib.get_close_matches(name, METRICS, n=1)
    raise InputError(
        f"--score: unknown score `{name}`{f'; did you mean `{nearest[0]}`?' if nearest else ''}; {_HINT}"
    )


def _read(path: Path) -> Arrays:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: holds a single array; save named ones with numpy.savez")
        with loaded as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not an .npz file of plain arrays ({error})") from None


def _listed(names: Sequence[str] | Arrays) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
