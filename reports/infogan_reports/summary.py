"""Every number and sentence of the report, computed from a sweep folder; nothing here draws."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infogan_reports.cost import Cost, cost
from infogan_reports.curves import Panel, rows_with_curves, training_panels
from infogan_reports.effects import ParameterEffect, domain_of, parameter_effects
from infogan_reports.explained import Explained, explain, other_quantities
from infogan_reports.explorer import (
    MAX_EXPLORERS,
    Explorer,
    Gallery,
    best_explorers,
    read_explorer,
    read_gallery,
)
from infogan_reports.folder import STATUSES, SeedFiles, SweepData, read_seed_files
from infogan_reports.leaderboard import Leaderboard, leaderboard
from infogan_reports.lineage import Lineage, lineage
from infogan_reports.mattered import Mattered, what_mattered
from infogan_reports.ranking import UNRANKED, RankedTrial, ranking, supervision
from infogan_reports.text import counted, number, value_text

SHADES = 5  # of the confusion matrix and of the factor matrix
LONGEST_REASON = 1000  # characters of a failure's reason; the log has all of it
STATUS_WORDS = {
    "finished": "finished",
    "stopped": "stopped early",
    "diverged": "diverged",
    "failed": "failed",
    "interrupted": "interrupted",
    "running": "running",
    "pending": "pending",
}
_SEARCHES = {"grid": "a full grid", "random": "random search", "tpe": "TPE"}
_SCHEDULERS = {
    "none": "", "asha": "ASHA", "median": "the median rule", "hyperband": "HyperBand",
    "pbt": "population based training",
}  # fmt: skip


@dataclass(frozen=True)
class SweptParameter:
    """A dotted key of the base run and what it was swept over, in words."""

    key: str
    domain: str


@dataclass(frozen=True)
class Question:
    """What the sweep asked."""

    name: str
    dataset: str
    metric: str
    mode: str
    uses_labels: bool
    uses_factors: bool
    swept: tuple[SweptParameter, ...]
    seeds: tuple[int, ...]
    search: str
    scheduler: str  # empty: none
    note: str | None


@dataclass(frozen=True)
class Cell:
    """One count of the confusion matrix; `shade` in 0..SHADES is its share of the category."""

    count: int
    shade: int
    matched: bool


@dataclass(frozen=True)
class Category:
    """One value of the categorical code: the class it was matched with, and its images by class."""

    index: int
    match: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Confusion:
    """Test images by category of Q's posterior and by class. `matched` of `total` lie in a matched cell."""

    code: str
    classes: tuple[str, ...]
    categories: tuple[Category, ...]
    matched: int
    total: int


@dataclass(frozen=True)
class Information:
    """What a code knows of a factor, in nats; `shade` in 0..SHADES is its share of the factor's entropy.

    `best` marks the code that knows the factor best, if any knows it.
    """

    nats: float
    shade: int
    best: bool


@dataclass(frozen=True)
class FactorMatrix:
    """Mutual information of every code (rows) and ground-truth factor (columns) on `n` test images."""

    factors: tuple[str, ...]
    entropies: tuple[float, ...]  # nats, the ceiling of each column
    rows: tuple[tuple[str, tuple[Information, ...]], ...]  # code, and a cell for each factor
    n: int
    n_bins: int


@dataclass(frozen=True)
class Code:
    """One latent code of the best trial. Entropy and L_I are in nats; an unknown one is None."""

    name: str
    kind: str
    size: int
    entropy: float | None
    mi_bound: float | None
    traversal: bytes | None  # PNG


@dataclass(frozen=True)
class Meaning:
    """What the codes of one seed of the best trial do."""

    trial: str
    seed: int
    n_seeds: int
    has_folder: bool  # no: the trial's name cannot be that of a folder
    step: int | None
    objective: float | None
    samples: bytes | None  # PNG
    codes: tuple[Code, ...]
    confusion: Confusion | None
    factor_matrix: FactorMatrix | None
    gallery: Gallery | None


@dataclass(frozen=True)
class Failure:
    """Seeds of a trial that diverged or failed at one step for one reason."""

    trial: str
    seeds: tuple[int, ...]
    status: str
    step: int
    params: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class SeedChoice:
    """The seeds of the best trial by the objective."""

    seeds: tuple[tuple[int, float], ...]  # seed, objective; best first
    accuracy: float | None  # cluster_accuracy of the first one, where labels had no part in the choice


@dataclass(frozen=True)
class ReportData:
    """Everything `render` draws."""

    question: Question
    counts: Mapping[str, int]  # status -> trials; every status is there
    cost: Cost
    trials: tuple[RankedTrial, ...]
    best: RankedTrial | None
    answer: str
    caution: str | None
    seed_choice: SeedChoice | None  # where the best trial has several seeds
    leaderboard: Leaderboard
    effects: tuple[ParameterEffect, ...]
    mattered: Mattered
    lineage: Lineage | None
    panels: tuple[Panel, ...]
    meaning: Meaning | None
    explorers: tuple[Explorer, ...]  # of the best trials that have one
    explained: tuple[Explained, ...]
    other_quantities: tuple[tuple[str, str], ...]  # name, meaning
    failures: tuple[Failure, ...]
    sweep_yaml: str
    command: str
    environment: tuple[tuple[str, str], ...]

    @property
    def running(self) -> bool:
        """Whether the sweep had trials left to run."""
        return self.counts["pending"] + self.counts["running"] > 0


def summarise(data: SweepData) -> ReportData:
    """Compute the report of a sweep: the answer, the ranking, effects, curves, codes and failures.

    Raises:
        ReportError: if a file of the best trial cannot be read as what it should be.
    """
    trials = ranking(data)
    best = trials[0] if trials and trials[0].rank is not None else None
    parameters = _parameters(data, trials)
    ancestry = lineage(data, trials)
    effects = parameter_effects(data, trials, parameters) if ancestry is None else ()
    scores = score_columns(data, trials)
    table = leaderboard(data, trials, parameters, scores)
    seed = _first_seed(data, best.trial) if best else None
    files = None if best is None or seed is None else read_seed_files(data.folder, best.trial, seed)
    return ReportData(
        question=_question(data, parameters),
        counts=dict.fromkeys(STATUSES, 0) | Counter(trial.status for trial in trials),
        cost=cost(data, trials),
        trials=trials,
        best=best,
        answer=_answer(data, trials),
        caution=_caution(trials),
        seed_choice=_seed_choice(data, best.trial) if best else None,
        leaderboard=table,
        effects=effects,
        mattered=what_mattered(data, trials, effects, table),
        lineage=ancestry,
        panels=training_panels(data, trials, rows_with_curves(len(trials))),
        meaning=None if best is None or files is None else _meaning(data, best, files),
        explorers=best_explorers(_explorer(data, trial) for trial in trials[:MAX_EXPLORERS] if trial.rank),
        explained=explain(data, trials, scores, files, seed),
        other_quantities=other_quantities(trials),
        failures=_failures(data),
        sweep_yaml=data.text,
        command=f"infogan-bench sweep {shlex.quote(f'{data.folder.resolve().name}/sweep.yaml')}",
        environment=tuple(_flat(data.environment)),
    )


# The question and its answer ------------------------------------------------------------------------------


def _parameters(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[str, ...]:
    """The swept keys in the order of the plan; before the first trial, the keys of the space."""
    by_plan = sorted(trials, key=lambda trial: trial.trial)
    keys = dict.fromkeys(key for trial in by_plan for key in trial.params)
    return tuple(keys or map(str, data.config.get("space") or {}))


def _question(data: SweepData, parameters: Sequence[str]) -> Question:
    algorithm = str(_section(data, "search").get("algorithm", ""))
    scheduler = _section(data, "scheduler").get("name", "none")
    note = _section(data, "tracking").get("note")
    return Question(
        name=str(data.config.get("name", data.folder.resolve().name)),
        dataset=str(_section(data, "dataset").get("name", "")),
        metric=data.metric,
        mode=data.mode,
        uses_labels=supervision(data.metric) == "labels",
        uses_factors=supervision(data.metric) == "factors",
        swept=tuple(SweptParameter(key, domain_text(domain_of(data.config, key))) for key in parameters),
        seeds=tuple(sorted({int(seed) for seed in data.trials["seed"]})),
        search=_SEARCHES.get(algorithm, algorithm),
        scheduler=_SCHEDULERS.get(str(scheduler), str(scheduler)),
        note=None if note is None else str(note),
    )


def _section(data: SweepData, name: str) -> Mapping[str, Any]:
    """A section of the sweep; one that is written short, as `dataset: mnist`, is its name."""
    section = data.config.get(name) or {}
    return section if isinstance(section, dict) else {"name": section}


def domain_text(domain: Any) -> str:
    """`0.1, 1` for a choice, a grid or a bare list; `loguniform [1e-05, 0.01]` for a range."""
    if isinstance(domain, dict):
        return "; ".join(
            domain_text(values) if kind in ("choice", "grid") else f"{kind} {value_text(values)}"
            for kind, values in domain.items()
        )
    if isinstance(domain, list):
        return ", ".join(map(value_text, domain))
    return "" if domain is None else value_text(domain)


def _scored(trials: Sequence[RankedTrial]) -> list[tuple[RankedTrial, float]]:
    """The ranked trials, best first, each with its mean."""
    return [(trial, trial.mean) for trial in trials if trial.mean is not None]


def _answer(data: SweepData, trials: Sequence[RankedTrial]) -> str:
    scored = _scored(trials)
    if not scored:
        return f"No trial has a {data.metric} for each of its seeds, so there is nothing to rank."
    best, mean = scored[0]
    chosen = ", ".join(f"{key} = {value_text(value)}" for key, value in best.params.items())
    extreme = "highest" if data.mode == "max" else "lowest"
    spread = f" ± {number(best.std)}" if best.std is not None else ""
    moved = ""
    if data.mutations.get(best.trial):
        chosen = f"began with {chosen}"
        moved = " Its values changed while it trained: the score belongs to the whole schedule."
    return (
        f"Trial {best.trial}{f' ({chosen})' if chosen else ''} has the {extreme} mean {data.metric}: "
        f"{number(mean)}{spread} over {counted(best.n_seeds, 'seed')}{_lead(data, scored)}.{moved}"
    )


def _lead(data: SweepData, scored: Sequence[tuple[RankedTrial, float]]) -> str:
    if len(scored) < 2:
        return ""
    gap = abs(scored[0][1] - scored[1][1])
    if gap == 0:
        return f", level with trial {scored[1][0].trial}"
    return (
        f", {number(gap)} {'above' if data.mode == 'max' else 'below'} the next (trial {scored[1][0].trial})"
    )


def _seed_choice(data: SweepData, trial: str) -> SeedChoice | None:
    """The seeds of a ranked trial; None where there is one alone."""
    rows = data.trials[data.trials["trial"] == trial]
    scores = {int(seed): of for seed, of in zip(rows["seed"], rows["scores"], strict=True)}
    if len(scores) < 2:
        return None
    sign = -1.0 if data.mode == "max" else 1.0
    seeds = sorted(
        ((seed, float(of[data.metric])) for seed, of in scores.items()), key=lambda one: sign * one[1]
    )
    accuracy = None if supervision(data.metric) else scores[seeds[0][0]].get("cluster_accuracy")
    return SeedChoice(tuple(seeds), None if accuracy is None else float(accuracy))


def _caution(trials: Sequence[RankedTrial]) -> str | None:
    """What keeps the first place from being settled, if anything does."""
    scored = _scored(trials)
    if not scored:
        return None
    best, mean = scored[0]
    if best.status != "finished":
        return f"The best trial has not done all its steps: {STATUS_WORDS[best.status]} at step {best.step}."
    if best.std is None:
        return "It has one seed, so how much of its score is chance was not measured."
    if len(scored) > 1:
        runner_up, next_mean = scored[1]
        if abs(mean - next_mean) < max(best.std, runner_up.std or 0.0):
            return (
                "The lead is smaller than the spread over seeds: the order of the first two is not settled."
            )
    return None


def score_columns(data: SweepData, trials: Sequence[RankedTrial]) -> tuple[str, ...]:
    """Scores worth a column: not the parts of a sum (`L_I/cat_0`), losses, constants (`H`) or speeds."""
    names = dict.fromkeys(name for trial in trials for name in trial.scores if "/" not in name)
    return tuple(name for name in sorted(names) if name not in (data.metric, "H", "images_per_second"))


# What the codes mean --------------------------------------------------------------------------------------


def _first_seed(data: SweepData, trial: str) -> int:
    return int(data.trials.loc[data.trials["trial"] == trial, "seed"].iloc[0])


def _meaning(data: SweepData, best: RankedTrial, files: SeedFiles) -> Meaning:
    """Of the best trial's first seed, whose files these are."""
    first = data.trials[data.trials["trial"] == best.trial].iloc[0]
    return Meaning(
        trial=best.trial,
        seed=int(first["seed"]),
        n_seeds=best.n_seeds,
        has_folder=files.place is not None,
        step=files.evaluation.get("step"),
        objective=first["scores"].get(data.metric),
        samples=files.samples,
        codes=tuple(_code(code, files.traversals) for code in files.evaluation.get("codes", ())),
        confusion=_confusion(files.evaluation.get("confusion")),
        factor_matrix=_factor_matrix(files.evaluation.get("factor_matrix")),
        gallery=None if files.place is None else read_gallery(files.place, files.evaluation),
    )


def _explorer(data: SweepData, trial: RankedTrial) -> Explorer | None:
    """The explorer of the trial's first seed, if it has one."""
    seed = _first_seed(data, trial.trial)
    files = read_seed_files(data.folder, trial.trial, seed)
    return None if files.place is None else read_explorer(files.place, trial.trial, seed, files.evaluation)


def _code(code: Mapping[str, Any], traversals: Mapping[str, bytes]) -> Code:
    return Code(
        name=str(code["name"]),
        kind=str(code.get("kind", "")),
        size=int(code.get("size", 1)),
        entropy=_nats(code.get("entropy")),
        mi_bound=_nats(code.get("mi_bound")),
        traversal=traversals.get(code["name"]),
    )


def _nats(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _confusion(found: Mapping[str, Any] | None) -> Confusion | None:
    if not found:
        return None
    classes = tuple(map(str, found["classes"]))
    counts: list[list[int]] = found["counts"]
    matches: list[int | None] = found["match"]
    return Confusion(
        code=str(found["code"]),
        classes=classes,
        categories=tuple(
            Category(index, None if match is None else classes[match], _cells(row, match))
            for index, (row, match) in enumerate(zip(counts, matches, strict=True))
        ),
        matched=sum(row[match] for row, match in zip(counts, matches, strict=True) if match is not None),
        total=sum(map(sum, counts)),
    )


def _cells(row: Sequence[int], match: int | None) -> tuple[Cell, ...]:
    total = sum(row)
    shades = [-(-SHADES * count // total) if total else 0 for count in row]  # rounded up: only 0 is blank
    return tuple(
        Cell(count, shade, index == match)
        for index, (count, shade) in enumerate(zip(row, shades, strict=True))
    )


def _factor_matrix(found: Mapping[str, Any] | None) -> FactorMatrix | None:
    if not found:
        return None
    information: list[list[float]] = found["mutual_information"]
    entropies: list[float] = found["factor_entropy"]
    best = [max(column) for column in zip(*information, strict=True)]
    rows = (
        tuple(
            Information(nats, _shade_of_share(nats / entropy if entropy else 0.0), nats == highest > 0)
            for nats, entropy, highest in zip(row, entropies, best, strict=True)
        )
        for row in information
    )
    return FactorMatrix(
        factors=tuple(map(str, found["factors"])),
        entropies=tuple(entropies),
        rows=tuple(zip(map(str, found["codes"]), rows, strict=True)),
        n=int(found["n"]),
        n_bins=int(found["n_bins"]),
    )


def _shade_of_share(share: float) -> int:
    """Rounded to the nearest: unlike a count, mutual information is never quite 0."""
    return min(round(SHADES * share), SHADES)


# Failures and the environment -----------------------------------------------------------------------------


def _failures(data: SweepData) -> tuple[Failure, ...]:
    """Diverged and failed seeds; seeds of a trial that ended alike are one entry."""
    bad = data.trials[data.trials["status"].isin(list(UNRANKED))]
    alike: dict[tuple[str, str, int, str], list[Mapping[Hashable, Any]]] = {}
    for row in bad.to_dict("records"):
        reason = _cut(row["error"] or "no reason was recorded")
        alike.setdefault((row["trial"], row["status"], int(row["step"]), reason), []).append(row)
    return tuple(
        Failure(trial, tuple(int(row["seed"]) for row in rows), status, step, rows[0]["params"], reason)
        for (trial, status, step, reason), rows in alike.items()
    )


def _cut(reason: str) -> str:
    """A long reason without its middle: a traceback says what happened in its last lines."""
    if len(reason) <= LONGEST_REASON:
        return reason
    half = LONGEST_REASON // 2
    return f"{reason[:half]}\n[{len(reason) - 2 * half} characters left out]\n{reason[-half:]}"


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings as dotted names and their values."""
    pairs: list[tuple[str, str]] = []
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        pairs += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value_text(value))]
    return pairs
