"""The comparison of sweeps, and the sweep that is better beyond the noise. Nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infogan_bench.records import mean_over_seeds, std_over_seeds, trial_order
from infogan_reports.compared import ABSENT, Compared, uses_in
from infogan_reports.curves import Curve, training_panels
from infogan_reports.folder import ReportError, SweepData
from infogan_reports.leaderboard import direction_of
from infogan_reports.matched import CommonParameter, Matches, common_parameters, matches
from infogan_reports.noise import Lead, lead
from infogan_reports.ranking import ranking
from infogan_reports.text import counted, number
from infogan_reports.unfair import cautions, differences


@dataclass(frozen=True)
class CommonScore:
    """A score that all compared sweeps have: that of each best trial, which may be None, and those of all trials.

    `leader` is the place of the sweep whose best trial is ahead of the other best trials beyond the noise, if there is
    one.
    """

    name: str
    supervision: str
    direction: str | None  # None: not known, or the sweeps disagree
    means: tuple[float | None, ...]
    spreads: tuple[float | None, ...]
    all_trials: tuple[tuple[tuple[str, float], ...], ...]  # for each sweep: trial and its mean
    best_place: int | None  # place of the sweep with the best mean
    leads: tuple[tuple[int, Lead], ...]  # place of each other sweep, and how far the best one is ahead of it

    @property
    def leader(self) -> int | None:
        """The place of the sweep whose best trial is ahead of all others."""
        clear = self.leads and all(each.beyond_the_noise for _, each in self.leads)
        return self.best_place if clear else None


@dataclass(frozen=True)
class BestSoFar:
    """The best value of a score so far, at each improvement and at the end.

    `trials` counts those that have ended, in the order of the plan, `hours` adds up their training and evaluation.
    """

    trials: tuple[int, ...]
    hours: tuple[float, ...]
    best: tuple[float, ...]


@dataclass(frozen=True)
class BestCurves:
    """A metric over the training of each sweep's best trial; None where it was not reported."""

    title: str
    metric: str
    curves: tuple[Curve | None, ...]


@dataclass(frozen=True)
class Comparison:
    """All content of the page of a comparison. `ranked` are the places of the sweeps that have a ranked trial."""

    sweeps: tuple[Compared, ...]
    ranked: tuple[int, ...]
    cautions: tuple[str, ...]
    answer: str
    others: str  # on the scores beside the main one
    scores: tuple[CommonScore, ...]  # the main one first
    differences: tuple[tuple[str, tuple[str, ...]], ...]  # key, and its value in each sweep
    progress: tuple[BestSoFar | None, ...]
    at_equal_trials: str
    parameters: tuple[CommonParameter, ...]
    matches: tuple[Matches, ...]  # the first sweep with each other
    curves: tuple[BestCurves, ...]


def compare(folders: Sequence[SweepData]) -> Comparison:
    """Compare sweeps in the scores and parameters that they have in common.

    Raises:
        ReportError: if there are fewer than two, or one is given twice.
    """
    _refuse_repeats(folders)
    sweeps = tuple(Compared(data, ranking(data), letter=_letter(place)) for place, data in enumerate(folders))
    ranked = tuple(place for place, sweep in enumerate(sweeps) if sweep.best)
    scores = _common_scores(sweeps, ranked)
    main = scores[0] if scores else None
    found = tuple(differences(sweeps))
    return Comparison(
        sweeps=sweeps,
        ranked=ranked,
        cautions=tuple(cautions(sweeps, ranked, dict(found))),
        answer=_answer(sweeps, ranked, main),
        others=_others(sweeps, scores[1:]),
        scores=scores,
        differences=found,
        progress=tuple(_progress(sweep, main) for sweep in sweeps),
        at_equal_trials=_at_equal_trials(sweeps, ranked, main),
        parameters=common_parameters(sweeps, ranked, main.name) if main else (),
        matches=tuple(matches(sweeps[0], sweep, main.name) for sweep in sweeps[1:]) if main else (),
        curves=_best_curves(sweeps),
    )


def _refuse_repeats(folders: Sequence[SweepData]) -> None:
    if len(folders) < 2:
        raise ReportError(f"a comparison takes two sweep folders or more, but got {len(folders)}.")
    paths = [data.folder.resolve() for data in folders]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise ReportError(
                f"{folders[place].folder} is given twice: a sweep compared with itself says nothing."
            )


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"S{place + 1}"


# Scores ---------------------------------------------------------------------------------------------------


def _common_scores(sweeps: Sequence[Compared], ranked: Sequence[int]) -> tuple[CommonScore, ...]:
    """Return the scores that a ranked trial of every ranked sweep has, the main one (a goal, if common) first."""
    if len(ranked) < 2:
        return ()
    compared = [sweeps[place] for place in ranked]
    names = [
        {sweep.metric, *sweep.scores} & {name for trial in sweep.ranked for name in trial.scores}
        for sweep in compared
    ]
    common = set.intersection(*names)
    wanted = [*(sweep.data.metric for sweep in compared), *sorted(common)]
    return tuple(_common_score(sweeps, name) for name in dict.fromkeys(wanted) if name in common)


def _common_score(sweeps: Sequence[Compared], name: str) -> CommonScore:
    seeds = [_of_best(sweep, name) for sweep in sweeps]
    means = tuple(mean_over_seeds(each.values()) for each in seeds)
    directions = {direction for sweep in sweeps if (direction := direction_of(sweep.data, name))}
    direction = directions.pop() if len(directions) == 1 else None
    present = [(mean, place) for place, mean in enumerate(means) if mean is not None]
    best_place = None
    if direction and len(present) > 1:
        best_place = (max if direction == "max" else min)(present, key=lambda entry: entry[0])[1]
    return CommonScore(
        name=name,
        supervision=uses_in(sweeps, name),
        direction=direction,
        means=means,
        spreads=tuple(std_over_seeds(each.values()) for each in seeds),
        all_trials=tuple(
            tuple((trial.trial_id, trial.scores[name]) for trial in sweep.ranked if name in trial.scores)
            for sweep in sweeps
        ),
        best_place=best_place,
        leads=tuple(
            (place, lead(seeds[best_place], seeds[place], higher_is_better=direction == "max"))
            for _, place in present
            if best_place is not None and place != best_place
        ),
    )


def _of_best(sweep: Compared, name: str) -> dict[int, float]:
    """Return a score of each seed of the best trial, empty unless all of them have it."""
    if sweep.best is None or name not in sweep.best.scores:
        return {}
    return sweep.by_seed(sweep.best.trial_id, name)


# The answer -----------------------------------------------------------------------------------------------


def _answer(sweeps: Sequence[Compared], ranked: Sequence[int], main: CommonScore | None) -> str:
    if len(ranked) < 2:
        return "Fewer than two of the sweeps have a trial that can be ranked, so there is nothing to compare."
    if main is None:
        return "The sweeps have no score in common, so there is nothing to compare."
    if main.direction is None:
        means = ", ".join(_mean_text(sweeps, main, place) for place in ranked)
        return f"Which way {main.name} is better is not settled, so none is better in it ({means})."
    if main.best_place is None:
        return (
            f"The best trials do not all have a {main.name}, so there is nothing to hold against each other."
        )
    ahead = sweeps[main.best_place]
    better = "higher" if main.direction == "max" else "lower"
    assert ahead.best is not None  # noqa: S101  (it has a mean)
    clauses = "; ".join(_clause(sweeps, main, place, each) for place, each in main.leads)
    return (
        f"On {main.name} ({better} is better), the best trial of {ahead.letter} ({ahead.best.trial_id}) is first with "
        f"{_mean_text(sweeps, main, main.best_place)[3:]}: {clauses}."
    )


def _clause(sweeps: Sequence[Compared], score: CommonScore, place: int, found: Lead) -> str:
    """Return `0.0500 ahead of B: 0.8000 ± 0.0300 over 3 seeds, beyond the noise (...)`."""
    other = sweeps[place]
    assert other.best is not None  # noqa: S101
    best = f"the best of {other.letter} ({other.best.trial_id}, {_mean_text(sweeps, score, place)[3:]})"
    if found.least is None:
        return (
            f"{number(found.mean)} ahead of {best}, and whether that is noise is not known, since {found.how}"
        )
    if found.beyond_the_noise:
        return f"{number(found.mean)} ahead of {best}, beyond the noise (at least {number(found.least)} {_sure(found)})"
    may_be = f"its lead of {number(found.mean)} may be {number(found.least)} {_sure(found)}"
    return f"it cannot be told apart from {best}: {may_be}"


def _sure(found: Lead) -> str:
    return f"with 95 % confidence, {found.how}"


def _mean_text(sweeps: Sequence[Compared], score: CommonScore, place: int) -> str:
    """Return `A: 0.8500 ± 0.0200 over 3 seeds`."""
    sweep, mean, spread = sweeps[place], score.means[place], score.spreads[place]
    if mean is None or sweep.best is None:
        return f"{sweep.letter}: {ABSENT}"
    within = f" ± {number(spread)}" if spread is not None else ""
    return f"{sweep.letter}: {number(mean)}{within} over {counted(sweep.best.n_seeds, 'seed')}"


def _others(sweeps: Sequence[Compared], scores: Sequence[CommonScore]) -> str:
    """Return a sentence on the scores beside the main one."""
    judged = [score for score in scores if score.best_place is not None]
    if not judged:
        return ""
    ahead: dict[int, list[str]] = {}
    for score in judged:
        if score.leader is not None:
            ahead.setdefault(score.leader, []).append(score.name)
    level = [score.name for score in judged if score.leader is None]
    parts = [
        f"the best trial of {sweeps[place].letter} is ahead beyond the noise in {', '.join(names)}"
        for place, names in sorted(ahead.items())
    ]
    parts += [f"none is ahead beyond the noise in {', '.join(level)}"] if level else []
    return f"Of the other {counted(len(judged), 'common score')}, {'; '.join(parts)}."


# Best so far ----------------------------------------------------------------------------------------------


def _progress(sweep: Compared, main: CommonScore | None) -> BestSoFar | None:
    if main is None or main.direction is None:
        return None
    better = max if main.direction == "max" else min
    hours, best = 0.0, None
    points: list[tuple[int, float, float]] = []
    in_plan = sorted(sweep.trials, key=lambda trial: trial_order(trial.trial_id))
    begun = [trial for trial in in_plan if trial.status != "pending"]
    for n, trial in enumerate(begun, start=1):
        hours += trial.seconds / 3600
        value = trial.scores.get(main.name) if trial.rank is not None else None
        improved = value is not None and (best is None or better(value, best) != best)
        if improved:
            best = value
        if best is not None and (improved or n == len(begun)):
            points.append((n, hours, best))
    if not points:
        return None
    trials, spent_hours, values = zip(*points, strict=True)
    return BestSoFar(trials, spent_hours, values)


def _at_equal_trials(sweeps: Sequence[Compared], ranked: Sequence[int], main: CommonScore | None) -> str:
    """Say which score each sweep had after as many trials as the smallest sweep has."""
    found = {place: progress for place in ranked if (progress := _progress(sweeps[place], main))}
    if main is None or len(found) < 2:
        return ""
    n = min(progress.trials[-1] for progress in found.values())
    at_n = [
        (place, [value for count, value in zip(each.trials, each.best, strict=True) if count <= n])
        for place, each in found.items()
    ]
    words = ", ".join(
        f"{sweeps[place].letter}: {number(values[-1]) if values else 'no score yet'}"
        for place, values in at_n
    )
    return f"After {counted(n, 'trial')} each, the best {main.name} so far was {words}."


# Training -------------------------------------------------------------------------------------------------


def _best_curves(sweeps: Sequence[Compared]) -> tuple[BestCurves, ...]:
    """Return the metrics that the best trials of two sweeps or more reported over their training."""
    panels = [
        {panel.metric: panel for panel in training_panels(sweep.data, sweep.trials, [0])}
        if sweep.best
        else {}
        for sweep in sweeps
    ]
    metrics = dict.fromkeys(metric for of_sweep in panels for metric in of_sweep)
    return tuple(
        BestCurves(
            title=next(of_sweep[metric].title for of_sweep in panels if metric in of_sweep),
            metric=metric,
            curves=tuple(of_sweep[metric].curves[0] if metric in of_sweep else None for of_sweep in panels),
        )
        for metric in metrics
        if sum(metric in of_sweep for of_sweep in panels) > 1
    )
