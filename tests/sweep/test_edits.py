"""A sweep whose file was changed, and a trial that is trained again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.config import parse_sweep, plan
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status
from infogan_bench.sweep import SweepFolder, resume
from infogan_bench.sweep.record.edits import accepted_edits
from infogan_bench.sweep.rerun import rerun
from infogan_bench.training import load_checkpoint
from infogan_bench.trial import Trial, TrialSpec
from tests.sweep.three_trials import digests, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]


# The file was changed --------------------------------------------------------------------------------------


def edits(was: dict[str, object], now: dict[str, object]) -> list[str]:
    common = tiny(Path("runs"))
    changed = parse_sweep({**common, **now})
    return accepted_edits(parse_sweep({**common, **was}), changed, plan(changed), Path("sweep.yaml"))


TWO_KEYS = {"objective.lambda_cat": [0.1, 1], "optimiser.lr_d": [0.001, 0.01]}


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({}, {}, []),
        ({"output": "a"}, {"output": "b"}, ['output: "a" -> "b"']),
        ({}, {"resources": {"cpus": 1}}, ["resources.cpus: 2.0 -> 1.0", 'resources.gpus: 0.0 -> "auto"']),
        (
            {"tracking": {"uri": "http://a", "tags": {"by": "me"}}},
            {"tracking": {"uri": "http://a", "tags": {"by": "you"}, "note": "second half"}},
            ['tracking.tags.by: "me" -> "you"', 'tracking.note: null -> "second half"'],
        ),
        (
            {"space": {"objective.lambda_cat": [0.1, 1]}},
            {"space": {"objective.lambda_cat": [0.1, 1, 3]}},
            ['space.objective.lambda_cat: {"choice": [0.1, 1.0]} -> {"choice": [0.1, 1.0, 3.0]}'],
        ),
        (
            {"space": TWO_KEYS},
            {"space": {**TWO_KEYS, "objective.lambda_cat": [0.1, 1, 3]}},
            ['space.objective.lambda_cat: {"choice": [0.1, 1.0]} -> {"choice": [0.1, 1.0, 3.0]}'],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "random", "trials": 3},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "random", "trials": 5, "time_limit": "1h"},
            },
            ["search.trials: 3 -> 5", "search.time_limit: null -> 3600.0"],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 3},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 5},
            },
            ["search.trials: 3 -> 5"],
        ),
    ],
)
def test_what_adds_trials_or_changes_no_result_is_accepted(
    was: dict[str, object], now: dict[str, object], told: list[str]
) -> None:
    assert edits(was, now) == told


@pytest.mark.parametrize(
    ("was", "now", "shown"),
    [
        ({}, {"base": {"steps": 80}}, ["base.steps: 40 -> 80", 'base.architecture.name: "mlp" -> "paper"']),
        ({"seeds": 1}, {"seeds": 2}, ["seeds: [0] -> [0, 1]"]),
        ({}, {"space": {}}, ['space.objective.lambda_cat: {"choice": [0.1, 1.0, 3.0]} -> nothing']),
        (
            {"space": {"objective.lambda_cat": [0.1, 1]}},
            {"space": {"objective.lambda_cat": [0.1, 3, 1]}},
            ['{"choice": [0.1, 1.0]} -> {"choice": [0.1, 3.0, 1.0]}'],
        ),
        (  # the last key varies fastest: a value more of it renumbers the trials
            {"space": TWO_KEYS},
            {"space": {**TWO_KEYS, "optimiser.lr_d": [0.001, 0.01, 0.1]}},
            ['space.optimiser.lr_d: {"choice": [0.001, 0.01]} -> {"choice": [0.001, 0.01, 0.1]}'],
        ),
        (
            {"space": TWO_KEYS},
            {"space": dict(reversed(TWO_KEYS.items()))},
            [
                "space: the keys are in another order, objective.lambda_cat, optimiser.lr_d -> optimiser.lr_d, "
            ],
        ),
        (
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 5},
            },
            {
                "space": {"objective.lambda_cat": {"uniform": [0, 1]}},
                "search": {"algorithm": "tpe", "trials": 3},
            },
            ["search.trials: 5 -> 3"],
        ),
        (
            {},
            {"scheduler": "asha", "evaluation": {"every": 10}},
            ['scheduler.name: "none" -> "asha"', "evaluation.every"],
        ),
    ],
)
def test_any_other_change_is_refused_with_the_difference(
    was: dict[str, object], now: dict[str, object], shown: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        edits(was, now)
    for difference in shown:
        assert difference in str(refused.value)


def edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change a folder's sweep.yaml as a person would in an editor."""
    tree = yaml.safe_load((folder / "sweep.yaml").read_text())
    change(tree)
    (folder / "sweep.yaml").write_text(yaml.safe_dump(tree))


def test_a_value_more_adds_its_trial_alone(tmp_path: Path, undisturbed: Path) -> None:
    folder = shutil.copytree(undisturbed, tmp_path / "edited")
    edit(folder, lambda tree: tree.update(base={**tree["base"], "steps": 80}))
    for _ in range(2):  # a refusal changes nothing
        with pytest.raises(InputError, match=r"base.steps: 40 -> 80"):
            resume(folder)
    edit(folder, lambda tree: tree.update(base={**tree["base"], "steps": 40}))
    edit(folder, lambda tree: tree["space"].update({"objective.lambda_cat": [0.1, 1, 3, 5]}))
    before = digests(folder / "trials")
    outcome = resume(folder)
    assert outcome.warnings == (
        'sweep.yaml has changed since it ran: space.objective.lambda_cat: {"choice": [0.1, 1.0, 3.0]} -> '
        '{"choice": [0.1, 1.0, 3.0, 5.0]}',
    )
    assert [trial.params["objective.lambda_cat"] for trial in outcome.trials] == [0.1, 1, 3, 5]
    assert before.items() <= digests(folder / "trials").items()
    assert resume(folder).warnings == ()  # what ran last is what the file says


# Once more -------------------------------------------------------------------------------------------------


def test_a_trial_trained_again_outside_ray_gives_the_same_bits(tmp_path: Path, undisturbed: Path) -> None:
    folder = shutil.copytree(undisturbed, tmp_path / "tiny")
    command = ["rerun", str(folder), "1", "--output", str(tmp_path / "again")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    recorded = SweepFolder.open(folder).updates["0001"].seeds[0].metrics
    accuracy = next(line.split() for line in result.stdout.splitlines() if "cluster_accuracy" in line)
    value = repr(recorded["cluster_accuracy"])
    assert accuracy == ["0", "40", "cluster_accuracy", value, value, "same"]
    assert result.stdout.splitlines()[-1] == "trial 0001: the same bit for bit, in all 2 report(s)"
    weights = "seed-0/checkpoint.safetensors"
    again, before = (
        load_checkpoint(place / weights) for place in (tmp_path / "again", folder / "trials/0001")
    )
    assert again.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in before.tensors.items())

    file = folder / "trials" / "0001" / "trial.json"
    record = json.loads(file.read_text())
    record["history"][1]["metrics"]["L_I"] += 2**-40
    file.write_text(json.dumps(record))
    result = CliRunner().invoke(app, ["rerun", str(folder), "0001", "--seed", "0"])
    assert result.exit_code == 1
    assert "trial 0001 differs, first at step 40, seed 0: L_I was " in result.stderr

    for arguments, message in [
        (["7"], "no trial '7'; there are 0000 to 0002"),
        (["0", "--seed", "5"], "trial 0000 has the seeds 0, not 5"),
        (["0", "--output", str(tmp_path)], "exists already"),
    ]:
        result = CliRunner().invoke(app, ["rerun", str(folder), *arguments])
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)


def test_a_trial_that_was_stopped_early_is_trained_to_where_it_was_stopped(tmp_path: Path) -> None:
    """Step sizes and noise depend on how long the run was to be, so 20 of 40 steps are not a run of 20."""
    base = {
        "architecture": {"name": "mlp", "width": 0.1},
        "steps": 40,
        "batch": 32,
        "optimiser": {"decay": 1.0},
        "objective": {"instance_noise": 0.5},
    }
    sweep = parse_sweep(tiny(tmp_path, base=base, space={}, seeds=2))
    folder = SweepFolder.create(sweep, {})
    spec = TrialSpec("0000", {}, sweep.base, sweep.dataset, sweep.evaluation, sweep.seeds)
    trial = Trial(spec)
    folder.updated(replace(trial.advance(), status=Status.STOPPED))
    folder.flush()
    trial.save(folder.trial_folder("0000"))

    for seed, seeds in ((None, {0, 1}), (1, {1})):
        compared = rerun(folder.path, "0000", seed=seed)
        assert compared.first_difference is None
        assert {(score.seed, score.step) for score in compared.scores} == {(each, 20) for each in seeds}

    short = Trial(replace(spec, run=sweep.base.model_copy(update={"steps": 20}))).advance()
    assert dict(short.seeds[0].metrics) != dict(trial.update.seeds[0].metrics)
