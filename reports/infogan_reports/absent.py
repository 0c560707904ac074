"""Scores without a value: NaN or infinite, not defined, or never reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from infogan_bench.records import SweepPaths, is_file_name, read_not_defined
from infogan_reports.folder import SweepData
from infogan_reports.ranking import RankedTrial
from infogan_reports.text import counted, not_finite_text

_NAMED = 3  # trials in a sentence
_YET_TO_REPORT = frozenset({"pending", "running"})


@dataclass(frozen=True)
class AbsentScores:
    """The scores that trials lack.

    `words` has for a score and a row of the ranking `NaN`, an infinity or `not defined`; a score without a word was
    never reported. `sentences` give the reasons, and name the trials that ended without the goal.
    """

    words: Mapping[str, Mapping[int, str]]
    sentences: tuple[str, ...]


def absent_scores(data: SweepData, trials: Sequence[RankedTrial]) -> AbsentScores:
    """Find why scores of `trials`, in the order of the ranking, have no value."""
    rows = {trial.trial_id: row for row, trial in enumerate(trials)}
    words: dict[str, dict[int, str]] = {}
    not_defined = _not_defined(data, trials)
    for name, reasons in not_defined.items():
        words[name] = dict.fromkeys(reasons, "not defined")
    for (trial, _, metric), value in data.not_finite.items():
        if trial in rows:
            words.setdefault(metric, {})[rows[trial]] = not_finite_text(value)
    without_goal = [
        trial.trial_id
        for row, trial in enumerate(trials)
        if data.metric not in trial.scores
        and trial.status not in _YET_TO_REPORT
        and row not in words.get(data.metric, {})
    ]
    sentences = [_reason_sentence(name, reasons, trials) for name, reasons in sorted(not_defined.items())]
    if without_goal:
        sentences.append(
            f"{_trials_text(without_goal).capitalize()} ended without a report of {data.metric}."
        )
    return AbsentScores(words, tuple(sentences))


def _not_defined(data: SweepData, trials: Sequence[RankedTrial]) -> dict[str, dict[int, str]]:
    """Return score -> row -> reason, from the evaluations of all seeds."""
    seeds_of = data.trials.groupby("trial")["seed"]
    seeds = {str(trial): [int(seed) for seed in of_trial] for trial, of_trial in seeds_of}
    found: dict[str, dict[int, str]] = {}
    for row, trial in enumerate(trials):
        if not is_file_name(trial.trial_id):
            continue
        paths = SweepPaths(data.folder).trial(trial.trial_id)
        for seed in seeds[trial.trial_id]:
            read = partial(read_not_defined, paths.seed(seed).folder)
            reasons: Mapping[str, str] = data.read_or_leave_out(read, {})
            for name, reason in reasons.items():
                if name not in trial.scores:
                    found.setdefault(name, {}).setdefault(row, reason)
    return found


def _reason_sentence(name: str, reasons: Mapping[int, str], trials: Sequence[RankedTrial]) -> str:
    reason, *others = dict.fromkeys(reasons.values())
    example = "for example, " if others else ""
    return f"{name} is not defined for {_trials_text([trials[row].trial_id for row in reasons])}: {example}{reason}."


def _trials_text(names: Sequence[str]) -> str:
    """Return `trial 0001`, or `2 trials (0001, 0003)`; of many, the first."""
    if len(names) == 1:
        return f"trial {names[0]}"
    more = ", ..." if len(names) > _NAMED else ""
    return f"{counted(len(names), 'trial')} ({', '.join(names[:_NAMED])}{more})"
