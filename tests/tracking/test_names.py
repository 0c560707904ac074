"""What MLflow accepts as names and values."""

from __future__ import annotations

import pytest

from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.tracking import (
    legal_key,
)
from tests.tracking.support import RUN, a_tracker, metrics, params, query, report, runs, track


@pytest.mark.parametrize("key", ["a_b", "L_I/cat_0", "loss/d", "λ_cat", "a-b.c d:e", "x" * 250, "..a/b.."])
def test_a_legal_key_is_kept(key):
    assert legal_key(key) == key


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("gen.blocks[0].ch", "gen.blocks_0_.ch-"),
        ("acc@1", "acc_1-"),
        ("a@b", "a_b-"),
        ("../x", "_/x-"),
        ("a//b", "a/_/b-"),
        ("/a", "_/a-"),
        ("a/", "a/_-"),
        (".", "_-"),
        ("", "_-"),
        ("a\nb", "a_b-"),
        ("x" * 300, "x" * 243 + "-"),
    ],
)
def test_any_other_key_is_cleaned_and_marked(key, start):
    name = legal_key(key)
    assert name.startswith(start)
    assert len(name) == len(start) + 6


def test_the_mark_is_the_start_of_the_keys_sha256():
    # printf 'a@b' | sha256sum
    assert legal_key("a@b") == "a_b-7508d8"


def test_odd_names_and_values_all_arrive(place):
    odd = ["gen.blocks[0].ch", "λ_cat", "x" * 300, "a@b", "a_b", "../x", "a//b", "/a", ""]
    values = {"none": None, "flag": True, "nested": {"a": [1, None]}, "long": list(range(2000))}
    swept = {key: number for number, key in enumerate(odd)} | values
    scores = {key: float(number) for number, key in enumerate([*odd, "acc@1"])}
    seed = SeedResult(0, Status.FINISHED, 1, scores)
    tracker = a_tracker(place, name="line\nbreak 🎉", swept=list(swept), metric="acc@1")
    track(tracker, TrialUpdate("0000", swept, Status.FINISHED, 1, (seed,)))
    logged = params(place, "0000")
    assert [logged[legal_key(key)] for key in odd] == [str(number) for number in range(len(odd))]
    assert (logged["none"], logged["flag"], logged["nested"]) == ("null", "true", '{"a": [1, null]}')
    assert len(logged["long"]) == 6000
    assert logged["long"].endswith("…")
    assert {key: value for (key, _), value in metrics(place, "0000").items()} == {
        **{legal_key(key): value for key, value in scores.items()},
        **dict.fromkeys(("objective", legal_key("best/acc@1"), legal_key("final/acc@1")), 9.0),
    }
    assert runs(place)[0][2] == "line break 🎉"
    assert len(runs(place)[1][2]) <= 250
    assert query(place, "SELECT name FROM experiments ORDER BY experiment_id")[-1] == ("line break 🎉",)
    assert {path.name for path in place.iterdir()} == {"mlflow.db", "mlartifacts", "runs"}


def test_many_params_and_metrics_are_sent_in_batches(place):
    many = {f"p{number}": number for number in range(250)}
    seed = SeedResult(0, Status.FINISHED, 1, {f"m{number}": 1.0 for number in range(1500)})
    tracker = a_tracker(place, swept=list(many), metric="m0")
    track(tracker, TrialUpdate("0000", many, Status.FINISHED, 1, (seed,)))
    assert len(params(place, "0000")) == 250 + len(RUN)
    assert len(metrics(place, "0000")) == 1500 + 3


@pytest.mark.parametrize(("wanted", "name"), [("", "mnist"), ("\n", "unnamed"), ("e" * 600, "e" * 499 + "…")])
def test_an_experiments_name_is_made_legal(tmp_path, wanted, name):
    assert a_tracker(tmp_path, config={"experiment": wanted}).experiment == name


def test_swept_keys_that_end_alike_are_told_apart_in_a_runs_name(place):
    swept = {"g.width": 1, "d.width": 2, "lr": "long" * 10}
    track(a_tracker(place, swept=list(swept)), report("0000", 1, 0.1, params=swept, status=Status.FINISHED))
    assert runs(place)[1][2] == "trial 0000 g.width=1 d.width=2 lr=longlonglonglonglon…"
