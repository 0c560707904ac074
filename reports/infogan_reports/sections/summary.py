"""The summary: the question of the sweep, and the answer of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infogan_reports.effects import domain_of, domain_text
from infogan_reports.endings import TIME_LIMIT, Endings, endings
from infogan_reports.folder import SweepData
from infogan_reports.ranked import RankedSweep
from infogan_reports.ranking import RankedTrial
from infogan_reports.section import Section
from infogan_reports.text import STATUS_WORDS, counted, number, value_text

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class SweptParameter:
    """A dotted key of the base run and its domain in words."""

    key: str
    domain: str


@dataclass(frozen=True)
class Question:
    """The goal of the sweep, its space and its search."""

    dataset: str
    uses: str  # labels or factors that the goal compares with, else empty
    swept: tuple[SweptParameter, ...]
    seeds: tuple[int, ...]
    search: str
    scheduler: str  # empty: none
    note: str | None


@dataclass(frozen=True)
class SeedChoice:
    """The seeds of the best trial by the goal."""

    seeds: tuple[tuple[int, float], ...]  # seed, value; best first
    accuracy: float | None  # cluster_accuracy of the first one, where labels had no part in the choice


@dataclass(frozen=True)
class Summary:
    """The first section of the report."""

    question: Question
    answer: str
    caution: str | None
    seed_choice: SeedChoice | None  # where the best trial has several seeds
    running_since: datetime | None  # when the folder was read, where the sweep still ran
    endings: Endings


def summary(sweep: RankedSweep) -> Summary:
    """Compute the section."""
    return Summary(
        question=_question(sweep),
        answer=_answer(sweep.data, sweep.trials),
        caution=_caution(sweep.trials),
        seed_choice=_seed_choice(sweep.data, sweep.best.trial_id) if sweep.best else None,
        running_since=sweep.made if sweep.running else None,
        endings=endings(sweep),
    )


def _question(sweep: RankedSweep) -> Question:
    data = sweep.data
    algorithm = str(_settings(data, "search").get("algorithm", ""))
    scheduler = str(_settings(data, "scheduler").get("name", "none"))
    titles = data.environment  # a folder written before titles were recorded has none
    note = _settings(data, "tracking").get("note")
    return Question(
        dataset=str(_settings(data, "dataset").get("name", "")),
        uses=data.uses(data.metric),
        swept=tuple(
            SweptParameter(key, domain_text(domain_of(data.config, key))) for key in sweep.parameters
        ),
        seeds=tuple(sorted({int(seed) for seed in data.trials["seed"]})),
        search=str(titles.get("search_title", algorithm)),
        scheduler="" if scheduler == "none" else str(titles.get("scheduler_title", scheduler)),
        note=None if note is None else str(note),
    )


def _settings(data: SweepData, name: str) -> Mapping[str, object]:
    """Return a section of the sweep file; one that is written short, as `dataset: mnist`, is its name."""
    settings = data.config.get(name) or {}
    return settings if isinstance(settings, dict) else {"name": settings}


def _with_means(trials: Sequence[RankedTrial]) -> list[tuple[RankedTrial, float]]:
    """Return the ranked trials, best first, each with its mean."""
    return [(trial, trial.mean) for trial in trials if trial.mean is not None and trial.rank is not None]


def _answer(data: SweepData, trials: Sequence[RankedTrial]) -> str:
    ranked = _with_means(trials)
    if not ranked:
        return f"No trial has a {data.metric} for each of its seeds, so there is nothing to rank."
    best, mean = ranked[0]
    chosen = ", ".join(f"{key} = {value_text(value)}" for key, value in best.params.items())
    extreme = "highest" if data.mode == "max" else "lowest"
    spread = f" ± {number(best.std)}" if best.std is not None else ""
    moved = ""
    if data.mutations.get(best.trial_id):
        chosen = f"began with {chosen}"
        moved = " Its values changed while it trained: the score belongs to the whole schedule."
    return (
        f"Trial {best.trial_id}{f' ({chosen})' if chosen else ''} has the {extreme} mean {data.metric}: "
        f"{number(mean)}{spread} over {counted(best.n_seeds, 'seed')}{_lead(data, ranked)}.{moved}"
    )


def _lead(data: SweepData, ranked: Sequence[tuple[RankedTrial, float]]) -> str:
    """Return a clause on the distance of the best trial from the next."""
    if len(ranked) < 2:
        return ""
    next_trial = ranked[1][0].trial_id
    gap = abs(ranked[0][1] - ranked[1][1])
    if gap == 0:
        return f", level with trial {next_trial}"
    return f", {number(gap)} {'above' if data.mode == 'max' else 'below'} the next (trial {next_trial})"


def _seed_choice(data: SweepData, trial_id: str) -> SeedChoice | None:
    """Order the seeds of a ranked trial; None where there is one alone."""
    rows = data.trials[data.trials["trial"] == trial_id]
    scores = {int(seed): by_name for seed, by_name in zip(rows["seed"], rows["scores"], strict=True)}
    if len(scores) < 2:
        return None
    sign = -1.0 if data.mode == "max" else 1.0
    values = {seed: float(by_name[data.metric]) for seed, by_name in scores.items()}
    seeds = sorted(values.items(), key=lambda entry: sign * entry[1])
    accuracy = None if data.uses(data.metric) else scores[seeds[0][0]].get("cluster_accuracy")
    return SeedChoice(tuple(seeds), None if accuracy is None else float(accuracy))


def _caution(trials: Sequence[RankedTrial]) -> str | None:
    """Say why the first place is not settled; None if it is."""
    ranked = _with_means(trials)
    if not ranked:
        return None
    best, mean = ranked[0]
    if best.status != "finished":
        end = "the time limit ended it" if best.ended_by == TIME_LIMIT else STATUS_WORDS[best.status]
        return f"The best trial has not done all its steps: {end} at step {best.step}."
    if best.std is None:
        return "It has one seed, so how much of its score is chance was not measured."
    if len(ranked) > 1:
        runner_up, next_mean = ranked[1]
        if abs(mean - next_mean) < max(best.std, runner_up.std or 0.0):
            return (
                "The lead is smaller than the spread over seeds: the order of the first two is not settled."
            )
    return None


SECTION = Section(
    id="summary",
    title="Summary",
    template=_HERE / "summary.html.j2",
    compute=summary,
)
