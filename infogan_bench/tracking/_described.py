"""Trials in the form that MLflow takes: tags, values, parameters and files."""

from __future__ import annotations

import getpass
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from infogan_bench.records import (
    Mutation,
    RecordError,
    SeedPaths,
    TrialPaths,
    TrialUpdate,
    encode,
    read_not_defined,
    std_over_seeds,
)
from infogan_bench.tracking._names import MAX_TAG, cut, legal_key, value_text
from infogan_bench.tracking._record import Artifact, milliseconds
from infogan_bench.tracking._tags import NOT_FINITE_TAG, SEEDS_TAG, STATUS_TAG

_OF_A_SEED = (
    "*.png",
    "evaluation.json",
)  # the checkpoint is left out: it is large, and the sweep folder has it


def trial_tags(update: TrialUpdate, not_finite: Sequence[str]) -> dict[str, str]:
    """Return the tags that say how a trial stands."""
    tags = {
        STATUS_TAG: update.status.value,
        "infogan.seeds": ", ".join(str(seed.seed) for seed in update.seeds),
        SEEDS_TAG: str(len(update.seeds)),
        "infogan.node": update.node,
        "infogan.device": update.device,
        "infogan.peak_memory": "" if update.peak_memory is None else str(update.peak_memory),
        "infogan.error": update.error or "",
        "infogan.ended_by": update.ended_by or "",
        "infogan.mutations": _mutations_text(update.mutations),
    }
    described = {key: cut(value, MAX_TAG) for key, value in tags.items() if value}
    # The tag is empty if all values are finite now, so that it replaces what an earlier report said.
    return described | {NOT_FINITE_TAG: cut(", ".join(not_finite), MAX_TAG)}


def values_of(update: TrialUpdate) -> dict[str, float]:
    """Return the means over the seeds; with several seeds also the spread (`std/NAME`) and each seed's value, except of
    `param/KEY`, which they share."""
    names = dict.fromkeys(name for seed in update.seeds for name in seed.metrics)
    means = {name: update.mean(name) for name in names}
    values = {name: mean for name, mean in means.items() if mean is not None}
    if len(update.seeds) == 1:
        return values
    scores = [name for name in values if not name.startswith("param/")]
    spreads = {f"std/{name}": _spread([seed.metrics[name] for seed in update.seeds]) for name in scores}
    own = {
        f"seed-{seed.seed}/{name}": value
        for seed in update.seeds
        for name, value in seed.metrics.items()
        if not name.startswith("param/")
    }
    return values | spreads | own


def _mutations_text(mutations: Sequence[Mutation]) -> str:
    """Return the mutations as a JSON list, as many of the newest as fit into a tag; empty where there is none."""
    for start in range(len(mutations)):
        text = json.dumps([encode(mutation) for mutation in mutations[start:]])
        if len(text) <= MAX_TAG:
            return text
    return ""


def not_finite_text(name: str, value: float, step: int) -> str:
    """Return how a value that MLflow does not take stands in a tag: `loss/d NaN at step 20`."""
    kind = "NaN" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return f"{name} {kind} at step {step}"


def never_reported_text(update: TrialUpdate, metric: str, folder: Path) -> str:
    """Return the scores without a value at a trial's end, with the reasons in its evaluations.

    `metric`, which ranks, is named even where no evaluation has a reason.
    """
    reasons: dict[str, str] = {}
    for seed in update.seeds:
        with suppress(RecordError):
            reasons |= read_not_defined(TrialPaths(folder).seed(seed.seed).folder)
    names = [name for name in dict.fromkeys((metric, *reasons)) if update.mean(name) is None]
    return "; ".join(f"{name}: {reasons[name]}" if name in reasons else name for name in names)


def _spread(values: Sequence[float]) -> float:
    """Return the sample standard deviation; NaN if a value is not finite."""
    std = std_over_seeds(values)
    return math.nan if std is None else std


def legal_params(values: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as MLflow takes them."""
    return {legal_key(key): value_text(value) for key, value in values.items()}


def trial_files(folder: Path) -> list[Artifact]:
    """Return the files of a trial's folder that go to MLflow."""
    record = TrialPaths(folder).record
    files = [Artifact(record, None)] if record.is_file() else []
    for seed in sorted(folder.glob("seed-*")):
        files += [Artifact(file, seed.name) for pattern in _OF_A_SEED for file in sorted(seed.glob(pattern))]
        files += [Artifact(steps, None) for steps in [SeedPaths(seed).steps] if steps.is_dir()]
    return files


def modified(file: Path) -> int:
    """Return the time at which a file was written, in milliseconds since the epoch; now, if it is not there."""
    try:
        return round(file.stat().st_mtime * 1000)
    except OSError:
        return milliseconds()


def user_name() -> str:
    """Return the name of the user who runs the sweep."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"
