"""The meaning of the latent codes of the best trials: pictures, the explorer, and Q's codes on the test set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records import CodeRecord, EvaluationRecord
from infogan_reports.explorer import (
    MAX_EXPLORERS,
    Explorer,
    Gallery,
    Generator,
    Pictures,
    best_explorers,
    read_explorer_generator,
    read_gallery,
    read_pictures,
)
from infogan_reports.factor_codes import (
    CategoryTable,
    CorrelationTable,
    ShownFactor,
    category_table,
    correlation_table,
    shown_factors,
)
from infogan_reports.folder import SeedFiles, read_seed_evaluation, read_seed_files
from infogan_reports.matrices import ConfusionTable, FactorMatrix, confusion, factor_matrix
from infogan_reports.ranked import RankedSweep
from infogan_reports.ranking import RankedTrial
from infogan_reports.section import Section

_HERE = Path(__file__).parent
_COLUMN = 400  # pixels that a sheet is at least wide on a wide screen
_SCRIPTS = ("generator", "explorer_controls", "explorer_pictures", "explorer_generator", "explorer")


@dataclass(frozen=True)
class Sheet:
    """A picture of many images, and how wide it stands on the page."""

    png: bytes
    share: float  # of the width of the widest sheet, so that an image has the same size on all sheets
    smooth: bool  # whether the page makes it smaller than it is


@dataclass(frozen=True)
class CodeSummary:
    """A latent code of the best trial. Entropy and bounds of information are in nats; an unknown number is None."""

    name: str
    kind: str
    size: int
    entropy: float | None
    mi_bound: float | None  # L_I
    gaussian_mi_bound: float | None  # L_I with the best Gaussian deviation
    r2: float | None  # share of the code that Q reads
    traversal: Sheet | None


@dataclass(frozen=True)
class Meaning:
    """The codes of one seed of the best trial."""

    trial_id: str
    seed: int
    n_seeds: int
    has_folder: bool  # False if the trial's name cannot be that of a folder
    step: int | None
    value: float | None  # of the goal
    samples: Sheet | None
    codes: tuple[CodeSummary, ...]
    confusion: ConfusionTable | None
    factor_matrix: FactorMatrix | None
    shown_factors: tuple[ShownFactor, ...]
    correlations: CorrelationTable | None
    categories: CategoryTable | None
    gallery: Gallery | None


@dataclass(frozen=True)
class CodesContent:
    """The best trial's codes (None: no trial can be ranked) and the explorers of the best trials that have one."""

    meaning: Meaning | None
    explorers: tuple[Explorer, ...]


def codes(sweep: RankedSweep) -> CodesContent:
    """Compute the section."""
    found = (
        None
        if sweep.best is None or sweep.best_files is None
        else _meaning(sweep, sweep.best, sweep.best_files)
    )
    explorers = best_explorers(_explorers(sweep, trial) for trial in sweep.ranked[:MAX_EXPLORERS])
    return CodesContent(found, explorers)


def _meaning(sweep: RankedSweep, best: RankedTrial, files: SeedFiles) -> Meaning:
    """Collect the content of `files`, those of the first seed of the best trial."""
    row = sweep.data.trials[sweep.data.trials["trial"] == best.trial_id].iloc[0]
    evaluation, place = files.evaluation, files.place
    found = {name: png for name, png in (("", files.samples), *files.traversals.items()) if png is not None}
    widest = max(map(_width, found.values()), default=1)
    sheets = {name: Sheet(png, _width(png) / widest, widest > _COLUMN) for name, png in found.items()}
    return Meaning(
        trial_id=best.trial_id,
        seed=int(row["seed"]),
        n_seeds=best.n_seeds,
        has_folder=files.place is not None,
        step=evaluation.step if evaluation else None,
        value=row["scores"].get(sweep.metric),
        samples=sheets.get(""),
        codes=tuple(_code(code, sheets) for code in (evaluation.codes if evaluation else ())),
        confusion=confusion(evaluation.confusion) if evaluation else None,
        factor_matrix=factor_matrix(evaluation.factor_matrix) if evaluation else None,
        shown_factors=shown_factors(evaluation, _other_seeds(sweep, best)),
        correlations=correlation_table(evaluation),
        categories=category_table(evaluation.category_codes) if evaluation else None,
        gallery=None
        if place is None
        else sweep.data.read_or_leave_out(lambda: read_gallery(place, evaluation), None),
    )


def _other_seeds(sweep: RankedSweep, best: RankedTrial) -> list[EvaluationRecord]:
    """Read the evaluations of all seeds of the best trial but the first, without missing and damaged ones."""
    seeds = sweep.data.trials.loc[sweep.data.trials["trial"] == best.trial_id, "seed"].tolist()[1:]
    return [
        found
        for seed in seeds
        if (found := read_seed_evaluation(sweep.data, best.trial_id, int(seed))) is not None
    ]


def _width(png: bytes) -> int:
    """The width of a PNG picture in pixels, from its first block; 1 where the file is cut short."""
    return max(1, int.from_bytes(png[16:20], "big"))


def _code(record: CodeRecord, sheets: Mapping[str, Sheet]) -> CodeSummary:
    return CodeSummary(
        name=record.name,
        kind=record.kind,
        size=record.size,
        entropy=_finite(record.entropy),
        mi_bound=_finite(record.mi_bound),
        gaussian_mi_bound=_finite(record.gaussian_mi_bound),
        r2=_finite(record.r2),
        traversal=sheets.get(record.name),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _explorers(sweep: RankedSweep, trial: RankedTrial) -> tuple[Generator | None, Pictures | None]:
    """Read G and the sheet of pictures of the trial's first seed, if it has them."""
    seed = sweep.first_seed(trial.trial_id)
    files = sweep.best_files if trial is sweep.best else read_seed_files(sweep.data, trial.trial_id, seed)
    if files is None or files.place is None:
        return None, None
    of_seed = files.place, trial.trial_id, seed, files.evaluation
    read = sweep.data.read_or_leave_out
    generator = read(lambda: read_explorer_generator(*of_seed), None)
    return generator, read(lambda: read_pictures(*of_seed), None)


SECTION = Section(
    id="codes",
    title="What the codes mean",
    template=_HERE / "codes.html.j2",
    compute=codes,
    styles=(_HERE / "codes.css",),
    scripts=tuple(_HERE / f"{name}.js" for name in _SCRIPTS),
)
