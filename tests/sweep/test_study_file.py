"""The study's file: what Optuna reads from it is what Optuna itself would have written."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from infogan_bench.sweep.search.study_file import StudyFile

optuna.logging.set_verbosity(optuna.logging.WARNING)
SPACE = {
    "lambda_cat": FloatDistribution(0.01, 100, log=True),
    "batch": IntDistribution(1, 4),
    "codes": CategoricalDistribution(["json:[10]", "json:[10, 2]", 3]),
}
DIRECTIONS = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]


def trial(number: int, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    values = [number / 7, math.inf if number % 5 else -math.inf] if state is TrialState.COMPLETE else None
    params = {
        "lambda_cat": 0.01 + number % 9,
        "batch": 1 + number % 4,
        "codes": SPACE["codes"].choices[number % 3],
    }
    return create_trial(state=state, values=values, params=params, distributions=SPACE,
                        user_attrs={"trial": f"{number:04d}"}, system_attrs={"generation": number})  # fmt: skip


def of_optuna(file: Path) -> list[FrozenTrial]:
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{file}")
    assert study.directions == DIRECTIONS
    return study.trials


def all_of(one: FrozenTrial) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("number", "state", "values", "params", "distributions",
            "user_attrs", "system_attrs", "datetime_start", "datetime_complete")}  # fmt: skip


def test_many_trials_at_once_are_written_as_optuna_writes_each(tmp_path: Path) -> None:
    states = (TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE, TrialState.RUNNING)
    trials = [trial(number, states[number % 4]) for number in range(12)]
    file = StudyFile(tmp_path / "ours.db", "s", DIRECTIONS)
    file.add(trial(99))  # which the new beginning forgets
    file.replace(trials)
    study = optuna.create_study(
        study_name="s", storage=f"sqlite:///{tmp_path / 'theirs.db'}", directions=DIRECTIONS
    )
    study.add_trials(trials)
    ours, theirs = of_optuna(tmp_path / "ours.db"), of_optuna(tmp_path / "theirs.db")
    assert [all_of(one) for one in ours] == [all_of(one) for one in theirs]
    file.end(3, TrialState.COMPLETE, [0.5, 0.25])  # it goes on with them
    file.add(trial(12))
    ours = of_optuna(tmp_path / "ours.db")
    assert (ours[3].state, ours[3].values) == (TrialState.COMPLETE, [0.5, 0.25])
    assert [one.number for one in ours] == list(range(13))
    file.close()


@pytest.mark.parametrize("count", [5, 60])
def test_a_new_beginning_is_one_transaction_however_many_trials_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    statements: Counter[str] = Counter()

    def watched(file: StudyFile) -> sqlite3.Connection:
        connection = sqlite3.connect(file._path, check_same_thread=False)
        connection.set_trace_callback(lambda text: statements.update([" ".join(text.split()[:3])]))
        return connection

    monkeypatch.setattr(StudyFile, "_connect", watched)
    file = StudyFile(tmp_path / "optuna.db", "s", DIRECTIONS)
    file.load()
    file.replace([])
    empty = statements["COMMIT"]
    statements.clear()
    file.replace([trial(number) for number in range(count)])
    file.close()
    assert statements["COMMIT"] == empty + 1
    assert statements["SELECT count(trials.trial_id) AS"] == 0  # Optuna's way to number a trial
