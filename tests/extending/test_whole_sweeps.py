"""A part of each kind from outside, each in one file, followed through whole sweeps.

From the YAML over training, search and report to MLflow. The parts of InfoGAN go together, so that they share one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from infogan_reports import load, section, summarise
from infogan_reports.sections import metrics
from typer.testing import CliRunner

from infogan_bench import Sweep
from infogan_bench.cli import app
from infogan_bench.config import load_sweep
from infogan_bench.config.searches import SEARCHES
from infogan_bench.records import read_evaluation, read_quantities
from infogan_bench.scoring.checkpoint import score_checkpoint
from infogan_bench.training import load_checkpoint
from tests.extending.support import Followed, follow

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]

CODES: dict[str, Any] = {"categorical": [], "uniform": 0, "gaussian": 3, "noise": 0}
MLP: dict[str, Any] = {"architecture": {"name": "mlp", "width": 0.05}, "steps": 6, "batch": 16}


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """What other modules could see of the parts is gone after this one."""
    yield
    section._registered.pop("seconds", None)
    SEARCHES.pop("near-the-best", None)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Two trials with a data set, an architecture, a term, two scores and a section of one's own."""
    tree = {
        "dataset": "bars",
        "base": {
            "architecture": {"width": 0.1},
            "codes": {"noise": 4},
            "objective": {"terms": {"darkness": {"target": -0.9}}},
            "steps": 6,
            "batch": 16,
        },
        "space": {"architecture.name": ["small", "mlp"], "objective.terms.darkness.weight": [0.5, 2]},
        "evaluation": {"every": 3, "scores": ["evenness", "hits", "cluster_accuracy"]},
        "goal": {"metric": "evenness"},
    }
    names = ["dataset", "architecture", "term", "score", "section"]
    return follow(tmp_path_factory.mktemp("extended"), names, tree)


def reports(found: Followed, metric: str) -> pd.Series[float]:
    return found.history.loc[found.history["metric"] == metric, "value"]


def seed_0(found: Followed, trial_id: str) -> Path:
    return found.folder / "trials" / trial_id / "seed-0"


def test_a_data_set_is_trained_on_scored_reported_and_tracked(extended: Followed) -> None:
    assert len(reports(extended, "cluster_accuracy")) == 8  # 4 trials, 2 reports
    assert "bars" in extended.page
    assert "cluster_accuracy" in extended.logged
    confusion = read_evaluation(seed_0(extended, "0001")).confusion
    assert confusion is not None
    assert confusion.classes == ("dim row", "bright row", "dim column", "bright column")
    assert sum(map(sum, confusion.counts)) == 64


def test_an_architecture_is_trained_reported_tracked_and_sampled_from(extended: Followed) -> None:
    assert "small" in extended.page
    assert extended.logged["architecture.name"] == {"small", "mlp"}
    small = load_checkpoint(seed_0(extended, "0000") / "checkpoint.safetensors")
    assert small.run.architecture.name == "small"
    assert Sweep.load(extended.folder).best().sample(3).shape == (3, 1, 8, 8)


def test_a_term_is_trained_searched_by_reported_and_tracked(extended: Followed) -> None:
    terms = load_sweep(extended.folder / "sweep.yaml").base.objective.terms
    assert terms == {"darkness": {"target": -0.9}}
    assert len(reports(extended, "loss/darkness")) == 8
    assert "loss/darkness" in extended.page
    assert "loss/darkness" in extended.logged
    assert extended.logged["objective.terms.darkness.weight"] == {"0.5", "2.0"}
    checkpoint = load_checkpoint(seed_0(extended, "0001") / "checkpoint.safetensors")
    assert checkpoint.run.objective.terms["darkness"] == {"target": -0.9, "weight": 2.0}


def test_a_score_is_computed_searched_by_reported_and_tracked(extended: Followed) -> None:
    assert len(reports(extended, "evenness")) == 8
    assert reports(extended, "evenness").between(0, 1).all()
    assert "Does the encoder use all categories alike?" in extended.page  # and not the name alone
    quantities = {each.name: each for each in read_quantities(extended.folder / "quantities.json")}
    assert (quantities["evenness"].uses, quantities["hits"].uses) == (None, "labels")
    assert quantities["loss/d"].unit == "nats"
    assert quantities["hits"].range == (0.0, 1.0)
    explained = {each.name: each for each in summarise(load(extended.folder)).of(metrics.SECTION).scores}
    assert (explained["evenness"].range, explained["hits"].range) == ("0 to 1", "0 to 1")
    assert {"evenness", "hits"} <= extended.logged.keys()
    document = json.loads((seed_0(extended, "0001") / "evaluation.json").read_text())
    assert document["protocols"]["evenness"] == {"n": 64, "base": 10}
    (outcome,) = score_checkpoint(seed_0(extended, "0001") / "checkpoint.safetensors", ["evenness"])
    assert outcome.value == pytest.approx(document["scores"]["evenness"])
    ranked = Sweep.load(extended.folder).ranking()
    assert ranked["evenness"].is_monotonic_decreasing


def test_a_section_is_on_the_page_and_on_one_that_is_made_again(extended: Followed, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    done = CliRunner().invoke(app, ["report", str(extended.folder), "--output", str(again)])
    assert done.exit_code == 0, done.stderr
    rows = pd.read_parquet(extended.folder / "trials.parquet")
    for page in (extended.page, again.read_text(encoding="utf-8")):
        assert re.findall(r'<li><a href="#(\w+)">', page)[-2:] == ["seconds", "reproduce"]
        assert f"4 trials of extended took\n{rows['seconds'].sum():.0f} s." in page
        plots = json.loads(page.partition('id="plots">')[2].partition("</script>")[0])
        [bars] = plots["seconds-by-trial"]["data"]
        shown = dict(zip(bars["x"], bars["y"], strict=True))
        assert shown == {f"trial {row.trial}": pytest.approx(row.seconds) for row in rows.itertuples()}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Five trials of a method and a search of one's own."""
    tree = {
        "base": {**MLP, "codes": CODES, "method": "autoencoder"},
        "space": {"method.options.noise": {"uniform": [0, 1]}},
        "search": {"algorithm": "near-the-best", "trials": 5},
        "goal": {"metric": "loss/error", "mode": "min"},
    }
    return follow(tmp_path_factory.mktemp("searched"), ["method", "search"], tree)


def test_a_method_is_trained_searched_by_reported_tracked_and_sampled_from(searched: Followed) -> None:
    assert load_sweep(searched.folder / "sweep.yaml").base.method.name == "autoencoder"
    assert len(reports(searched, "loss/error")) == 10  # 5 trials, 2 reports
    assert "loss/error" in searched.page
    assert searched.logged["method.name"] == {"autoencoder"}
    assert len(searched.logged["method.options.noise"]) >= 5
    assert Sweep.load(searched.folder).best().sample(3).shape == (3, 1, 28, 28)


def test_a_search_proposes_learns_is_reported_and_tracked(searched: Followed) -> None:
    table = pd.read_parquet(searched.folder / "trials.parquet")
    tried = [json.loads(params)["method.options.noise"] for params in table.params]
    goals = [json.loads(scores)["loss/error"] for scores in table.scores]
    # the last proposal was made when three trials at least had ended, and lies within 0.1 of the best of some of them
    assert min(abs(tried[4] - tried[place]) for place in range(4)) <= 0.1
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{searched.folder / 'optuna.db'}")
    assert [trial.value for trial in study.trials] == goals
    assert "<dd>steps from the best trial</dd>" in searched.page
    assert {float(value) for value in searched.logged["method.options.noise"]} >= set(tried)


def test_method_itself_is_swept(tmp_path: Path) -> None:
    """A VAE and an InfoGAN side by side, ranked by a score that both have."""
    tree = {
        "base": {**MLP, "codes": CODES},
        "space": {"method.name": ["vae", "infogan"]},
        "goal": {"metric": "irs"},
        "dataset": {"name": "mnist", "train_size": 64, "test_size": 257},
        "evaluation": {"every": 3, "scores": ["irs"]},
    }
    found = follow(tmp_path, [], tree)
    metrics = found.history.groupby("trial")["metric"].agg(set)
    assert {"loss/reconstruction", "loss/kl", "irs"} <= metrics["0000"]
    assert {"loss/d", "loss/g", "L_I/gaussian_0", "irs"} <= metrics["0001"]
    for trial in ("0000", "0001"):
        assert (seed_0(found, trial) / "traversal-gaussian_2.png").is_file()
