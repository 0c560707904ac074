"""What a search that learns proposes; without Ray."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from infogan_bench.config import SweepConfig, parse_sweep
from infogan_bench.records import EarlierTrial
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.search.proposals import Proposals

optuna.logging.set_verbosity(optuna.logging.WARNING)

RANGES = {
    "objective.lambda_cat": {"loguniform": [0.1, 10]},
    "codes.uniform": {"int": [1, 4]},
    "batch": {"qint": [32, 128, 32]},
    "optimiser.lr_g": {"quniform": [0.0005, 0.002, 0.0005]},
}
MIXED = {**RANGES, "codes.categorical": [[10], [10, 2]]}
BOTH = [{"metric": "cluster_accuracy"}, {"metric": "loss/d", "mode": "min"}]
ALGORITHMS = ["tpe", "cmaes", "gp", "nsga2"]


def sweep_of(algorithm: str, trials: int = 20, *, seed: int = 0, **sections: Any) -> SweepConfig:
    """A sweep over lists and ranges, of ranges alone for cmaes; nsga2 has two objectives and generations of 4."""
    search: dict[str, Any] = {"algorithm": algorithm, "trials": trials, "seed": seed}
    defaults: dict[str, Any] = {"name": "s", "space": RANGES if algorithm == "cmaes" else MIXED}
    if algorithm == "nsga2":
        search["population"], defaults["goal"] = 4, BOTH
    return parse_sweep({**defaults, "search": search, **sections})


def ended(planned: PlannedTrial, status: Status = Status.FINISHED, **scores: float) -> TrialUpdate:
    """A trial that is best at lambda 1 with four uniform codes, and whose second objective asks for a large batch."""
    params = planned.params
    score = params["codes.uniform"] / 4 - abs(math.log10(params["objective.lambda_cat"]))
    metrics = {"cluster_accuracy": score, "loss/d": score - params["batch"] / 128, **scores}
    seeds = (SeedResult(0, status, 9, metrics),)
    return TrialUpdate(planned.trial_id, params, status, 9, seeds)


def run(
    proposals: Proposals, record: dict[str, TrialUpdate], number: int | None = None
) -> list[Mapping[str, Any]]:
    """Run `number` trials, one at a time, or all that are left: their parameters."""
    found = []
    for _ in range(proposals.left if number is None else number):
        planned = proposals.propose()
        record[planned.trial_id] = ended(planned)
        proposals.observe(planned.trial_id, record[planned.trial_id])
        found.append(planned.params)
    return found


def study_in(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=None, storage=f"sqlite:///{folder / 'optuna.db'}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_proposals_are_inside_the_space_and_named_by_their_place(tmp_path: Path, algorithm: str) -> None:
    sweep = sweep_of(algorithm)
    record: dict[str, TrialUpdate] = {}
    proposals = Proposals(sweep, tmp_path, 20, record)
    for params in run(proposals, record):
        assert list(params) == list(sweep.space)
        assert all(domain.holds(params[key]) for key, domain in sweep.space.items())
    assert list(record) == [f"{number:04d}" for number in range(20)]
    assert proposals.left == 0


def sequences() -> dict[str, list[Mapping[str, Any]]]:
    """What each algorithm proposes in a sweep of 16 trials."""
    from tempfile import TemporaryDirectory

    found = {}
    for algorithm in ALGORITHMS:
        with TemporaryDirectory() as folder:
            proposals = Proposals(sweep_of(algorithm), Path(folder), 16, {})
            found[algorithm] = run(proposals, {})
            proposals.close({})
    return found


def test_equal_seeds_and_results_give_equal_proposals_in_any_process(tmp_path: Path) -> None:
    script = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['sequences']()))"
    other = subprocess.run(
        [sys.executable, "-c", script, __file__],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = sequences()
    assert json.loads(other.stdout) == here
    for algorithm in ALGORITHMS:
        other_seed = Proposals(sweep_of(algorithm, seed=1), tmp_path / algorithm, 16, {})
        assert run(other_seed, {}, 1) != here[algorithm][:1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_that_was_interrupted_goes_on_as_it_would_have(tmp_path: Path, algorithm: str) -> None:
    """The driver dies after trial 10 was proposed and never started, trial 9 being half done: with one trial at a
    time and one proposed ahead, as Ray runs them."""

    def ahead(proposals: Proposals, record: dict[str, TrialUpdate], first: list[PlannedTrial]) -> list[Any]:
        found, waiting = [], list(first)
        while waiting or proposals.left:
            if len(waiting) < 2 and proposals.left:
                waiting.append(proposals.propose())
                continue
            planned = waiting.pop(0)
            found.append(planned)
            record[planned.trial_id] = ended(planned)
            proposals.observe(planned.trial_id, record[planned.trial_id])
        return found

    sweep = sweep_of(algorithm)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = ahead(Proposals(sweep, tmp_path / "whole", 20, {}), {}, [])

    record: dict[str, TrialUpdate] = {}
    proposals = Proposals(sweep, tmp_path / "cut", 20, record)
    waiting = [proposals.propose(), proposals.propose()]
    for _ in range(9):
        done = waiting.pop(0)
        record[done.trial_id] = ended(done)
        proposals.observe(done.trial_id, record[done.trial_id])
        waiting.append(proposals.propose())
    record["0009"] = ended(waiting[0], Status.INTERRUPTED)
    (tmp_path / "cut").rename(tmp_path / "moved")
    resumed = Proposals(sweep, tmp_path / "moved", 20, record)
    assert resumed.left == 10
    rest = ahead(resumed, record, [PlannedTrial("0009", record["0009"].params)])
    assert rest == whole[9:]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_record_is_right_where_the_study_says_more(tmp_path: Path, algorithm: str) -> None:
    """The driver died between telling the study of a trial's end and recording it: the trial ends once more."""
    sweep = sweep_of(algorithm)
    record: dict[str, TrialUpdate] = {}
    whole = run(Proposals(sweep, tmp_path, 20, {}), {})
    (tmp_path / "optuna.db").unlink()
    proposals = Proposals(sweep, tmp_path, 20, record)
    run(proposals, record, 12)
    proposals.close(record)
    record["0011"] = replace(record["0011"], status=Status.RUNNING)
    resumed = Proposals(sweep, tmp_path, 20, record)
    assert study_in(tmp_path).trials[11].state is optuna.trial.TrialState.RUNNING
    record["0011"] = ended(PlannedTrial("0011", record["0011"].params))
    resumed.observe("0011", record["0011"])
    assert run(resumed, record) == whole[12:]


def test_the_study_is_in_the_folder_as_optuna_reads_it(tmp_path: Path) -> None:
    sweep = sweep_of("nsga2")
    proposals = Proposals(sweep, tmp_path, 4, {})
    first, second, third = (proposals.propose() for _ in range(3))
    proposals.observe(first.trial_id, ended(first))
    proposals.observe(second.trial_id, ended(second, Status.DIVERGED))
    proposals.close({"0002": ended(third, Status.STOPPED)})  # the time limit came

    study = study_in(tmp_path)
    assert study.study_name == "s"
    assert study.metric_names == ["cluster_accuracy", "loss/d"]
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [trial.user_attrs["trial"] for trial in study.trials] == ["0000", "0001", "0002"]
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    for trial, planned in zip(study.trials, (first, second, third), strict=True):
        params = planned.params
        assert trial.params["objective.lambda_cat"] == pytest.approx(params["objective.lambda_cat"], rel=1e-5)
        assert trial.params["batch"] * 32 == params["batch"]
        metrics = ended(planned).seeds[0].metrics
        if trial.values is not None:
            assert trial.values == [metrics["cluster_accuracy"], metrics["loss/d"]]


def test_a_study_that_cannot_be_read_is_made_anew_from_the_record(tmp_path: Path) -> None:
    sweep = sweep_of("tpe", 80)
    record: dict[str, TrialUpdate] = {}
    run(Proposals(sweep, tmp_path, 80, record), record, 40)
    (tmp_path / "optuna.db").write_bytes(b"no database" * 100)
    resumed = Proposals(sweep, tmp_path, 80, record)
    proposed = [params["codes.uniform"] for params in run(resumed, record)]
    assert proposed.count(4) > 20  # TPE knows by then that four are best: one in four by chance
    assert [trial.user_attrs["trial"] for trial in study_in(tmp_path).trials] == sorted(record)


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "optuna.db").mkdir()
    record: dict[str, TrialUpdate] = {}
    assert len(run(Proposals(sweep_of("tpe"), tmp_path, 6, record), record)) == 6


def test_trial_ids_that_are_taken_are_not_proposed(tmp_path: Path) -> None:
    """With several at a time, a later trial may have started where an earlier one had not."""
    record = {name: ended(PlannedTrial(name, PARAMS)) for name in ("0000", "0002")}
    proposals = Proposals(sweep_of("tpe"), tmp_path, 5, record)
    assert [proposals.propose().trial_id for _ in range(proposals.left)] == ["0001", "0003", "0004"]


@pytest.mark.parametrize(
    "update",
    [
        None,
        ended(
            PlannedTrial("0000", {"codes.uniform": 1, "objective.lambda_cat": 1, "batch": 32}), Status.FAILED
        ),
        ended(
            PlannedTrial("0000", {"codes.uniform": 1, "objective.lambda_cat": 1, "batch": 32}),
            **{"loss/d": math.nan},
        ),
    ],
)
def test_a_trial_without_a_finite_value_of_each_objective_teaches_nothing(
    tmp_path: Path, update: Any
) -> None:
    proposals = Proposals(sweep_of("nsga2"), tmp_path, 4, {})
    proposals.propose()
    proposals.observe("0000", update)
    assert [trial.state.name for trial in study_in(tmp_path).trials] == ["FAIL"]


# What the searches find ---------------------------------------------------------------------------------------------

PARAMS = {
    "objective.lambda_cat": 1.0, "codes.uniform": 4, "batch": 128, "optimiser.lr_g": 0.001, "codes.categorical": [10],
}  # fmt: skip


def best(updates: Iterable[TrialUpdate]) -> float:
    return max(update.seeds[0].metrics["cluster_accuracy"] for update in updates)


@pytest.mark.parametrize("algorithm", ["tpe", "gp"])
@pytest.mark.parametrize(("search", "startup"), [({}, 4), ({"startup": 2}, 2)])
def test_what_is_learned_counts_from_the_first_proposal_after_those_at_random(
    tmp_path: Path, algorithm: str, search: dict[str, int], startup: int
) -> None:
    sweep = sweep_of(algorithm, trials=8)
    sweep = sweep.model_copy(update={"search": sweep.search.model_copy(update=search)})
    found = []
    for best in (1, -1):  # what is good in one is bad in the other
        proposals = Proposals(sweep, tmp_path / str(best), 8, {})
        found.append([])
        for _ in range(8):
            planned = proposals.propose()
            update = ended(planned)
            score = best * update.seeds[0].metrics["cluster_accuracy"]
            proposals.observe(planned.trial_id, ended(planned, cluster_accuracy=score))
            found[-1].append(planned.params)
        proposals.close({})
    # the proposal after the last of them is drawn while that one runs
    assert found[0][:startup] == found[1][:startup]
    assert found[0][startup + 1 :] != found[1][startup + 1 :]


@pytest.mark.parametrize(("algorithm", "trials"), [("tpe", 40), ("cmaes", 40), ("gp", 16), ("nsga2", 40)])
def test_later_proposals_are_better(tmp_path: Path, algorithm: str, trials: int) -> None:
    """The score's expectation over the space is 0.625 - 0.5 = 0.125, its maximum 1."""
    record: dict[str, TrialUpdate] = {}
    sweep = sweep_of(algorithm, trials, goal=BOTH[0])
    run(Proposals(sweep, tmp_path, trials, record), record)
    scores = [update.seeds[0].metrics["cluster_accuracy"] for update in record.values()]
    late = scores[-trials // 4 :]
    assert sum(late) / len(late) > 0.5
    assert best(record.values()) > 0.9


def test_with_two_objectives_the_front_is_kept(tmp_path: Path) -> None:
    """Accuracy falls with lambda's distance from 1; the loss falls with accuracy and with a large batch, so that all
    of the true front is at lambda 1 or beyond what its loss gains. NSGA-II's last generations are spread over it."""
    record: dict[str, TrialUpdate] = {}
    sweep = sweep_of("nsga2", 60)
    run(Proposals(sweep, tmp_path, 60, record), record)
    front = study_in(tmp_path).best_trials
    assert {trial.params["batch"] for trial in front} == {4}  # in ticks of 32: 128 costs no accuracy
    accuracies = [trial.values[0] for trial in front]
    assert max(accuracies) > 0.8
    assert min(accuracies) < 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_lessons_of_an_earlier_sweep_are_used_from_the_first_proposal_on(
    tmp_path: Path, algorithm: str
) -> None:
    """Twenty lessons, the best near lambda 1 with four codes. Without any, the first proposals are drawn at random:
    their expected score is 0.125."""
    lessons = []
    for number in range(20):
        params = {
            **PARAMS,
            "objective.lambda_cat": 10 ** (number / 10 - 1),
            "codes.uniform": 4 if 5 < number < 15 else 1 + number % 3,
            "batch": 32 * (1 + number % 4),
            "codes.categorical": [[10], [10, 2]][number % 2],
        }
        value = ended(PlannedTrial("", params)).seeds[0].metrics["cluster_accuracy"]
        lessons.append(EarlierTrial(f"runs/earlier trial {number:04d}", params, (value,)))
    sweep = sweep_of(algorithm, goal=BOTH[0])
    record: dict[str, TrialUpdate] = {}
    proposals = Proposals(sweep, tmp_path, 8, record, lessons)
    run(proposals, record)
    scores = [update.seeds[0].metrics["cluster_accuracy"] for update in record.values()]
    assert sum(scores) / 8 > 0.4
    assert next(iter(record)) == "0000"
    assert len(record) == 8
    proposals.close(record)
    trials = study_in(tmp_path).trials
    assert [trial.user_attrs.get("source") for trial in trials[:20]] == [lesson.source for lesson in lessons]

    again = Proposals(sweep, tmp_path, 9, record)  # what was taken is in the study, and in the sweep folder
    whole = Proposals(sweep, tmp_path / "nowhere", 9, record, lessons)
    assert again.propose().trial_id == whole.propose().trial_id == "0008"
