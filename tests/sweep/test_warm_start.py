"""What a search learns from an earlier sweep's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infogan_bench.config import SweepConfig, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.records.results import Mutation, SeedResult, Status, TrialUpdate
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.sweep.search.warm_start import keep_warm_start, kept_earlier_trials, read_warm_start

CAT, LR = "objective.lambda_cat", "optimiser.lr_g"


def update(number: int, params: dict[str, Any], **changes: Any) -> TrialUpdate:
    seeds = tuple(
        SeedResult(seed, Status.FINISHED, 9, {"nmi": 0.1 * number + seed, "L_I": 1.0}) for seed in (0, 1)
    )
    return replace(TrialUpdate(f"{number:04d}", params, Status.FINISHED, 9, seeds), **changes)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A sweep of lambda_cat and the codes; its base run has lambda_cont 0.1, lr_g 1e-3 and 500 steps."""
    sweep = parse_sweep(
        {
            "name": "earlier",
            "output": str(tmp_path),
            "base": {"steps": 500, "objective": {"lambda_cont": 0.1}},
            "space": {CAT: [0.1, 0.5, 1, 3], "codes.categorical": [[10], [10, 2]]},
        }
    )
    folder = SweepFolder.create(sweep, {"sweep_id": "1"})
    for each in (
        update(0, {CAT: 0.1, "codes.categorical": [10]}),
        update(1, {CAT: 0.5, "codes.categorical": [10]}),
        update(2, {CAT: 3.0, "codes.categorical": [10]}),  # beyond the new range
        update(3, {CAT: 1.0, "codes.categorical": [10, 2]}),  # other codes than the new base run
        update(4, {CAT: 1.0, "codes.categorical": [10]}, status=Status.STOPPED),
        update(5, {CAT: 1.0, "codes.categorical": [10]}, seeds=(SeedResult(0, Status.FINISHED, 9, {"nmi": 1.0}),)),
        update(6, {CAT: 1.0, "codes.categorical": [10]}, mutations=(Mutation(3, "0001", {CAT: 0.2}),)),
    ):  # fmt: skip
        folder.updated(each)
    folder.flush()
    return folder.path


def new(earlier: Path, **sections: Any) -> SweepConfig:
    return parse_sweep(
        {
            "name": "new",
            "base": {"objective": {"lambda_cont": 0.1}},
            "space": {CAT: {"uniform": [0.1, 2]}, LR: {"loguniform": [1e-4, 1e-2]}},
            "search": {"algorithm": "tpe", "trials": 4, "warm_start": str(earlier)},
            "goal": [{"metric": "nmi"}, {"metric": "L_I"}],
            **sections,
        }
    )


def test_lessons_are_the_finished_trials_that_the_new_sweep_could_try(earlier: Path) -> None:
    found = read_warm_start(new(earlier))
    assert found is not None
    assert [(lesson.source, dict(lesson.params)) for lesson in found.trials] == [
        (f"{earlier} trial 0000", {CAT: 0.1, LR: 1e-3}),
        (f"{earlier} trial 0001", {CAT: 0.5, LR: 1e-3}),
    ]
    # The mean over the seeds: 0.1 number + 1/2.
    assert [lesson.values for lesson in found.trials] == [
        (pytest.approx(0.5), 1.0),
        (pytest.approx(0.6), 1.0),
    ]
    assert found.notice == (
        f"the search learns from 2 of the 7 trials of {earlier}; left out: 2 outside the space, 1 not finished, "
        "1 without L_I, 1 changed while they ran; that sweep differs in steps (500, here 5000)"
    )


def test_lessons_stay_when_the_earlier_sweep_is_gone(earlier: Path, tmp_path: Path) -> None:
    sweep = new(earlier)
    found = read_warm_start(sweep)
    assert found is not None
    keep_warm_start(tmp_path, found)
    earlier.rename(tmp_path / "elsewhere")
    assert kept_earlier_trials(tmp_path, sweep) == found.trials
    (tmp_path / "warm-start.json").write_text('{"lessons": [')
    with pytest.raises(
        InputError, match=r"what the search learned from .* cannot be read \(.*warm-start\.json: "
    ):
        kept_earlier_trials(tmp_path, sweep)


def test_a_sweep_without_a_usable_trial_is_refused(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_warm_start(new(earlier, goal={"metric": "purity"}))
    assert str(caught.value) == (
        f"search.warm_start: {earlier} has nothing to learn from: of its 7 trials, 3 without purity, "
        "2 outside the space, 1 not finished, 1 changed while they ran"
    )
    with pytest.raises(InputError, match=r"search\.warm_start: .*nowhere: no sweep folder"):
        read_warm_start(new(tmp_path / "nowhere"))


def test_a_sweep_that_names_none_learns_nothing(tmp_path: Path) -> None:
    sweep = parse_sweep({"name": "new"})
    assert read_warm_start(sweep) is None
    keep_warm_start(tmp_path, None)
    assert kept_earlier_trials(tmp_path, sweep) == ()
    assert list(tmp_path.iterdir()) == []
