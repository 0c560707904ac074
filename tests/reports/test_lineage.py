"""The lineage of a population: who took over from whom, and the schedule that trained the best networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.lineage import Lineage, Stretch, Takeover, lineage_figures
from playwright.sync_api import Page

KEY = "objective.lambda_cat"
HOSTILE = "</script><b>0002"


def changed(step: int, from_trial: str, value: float) -> dict[str, Any]:
    return {"step": step, "from_trial": from_trial, "params": {KEY: value}}


MUTATIONS = {
    "0001": [changed(20, "0000", 0.8), changed(60, HOSTILE, 3.0)],
    HOSTILE: [changed(40, "0001", 1.25)],
}


@pytest.fixture
def population(sweep: Callable[..., Path], written_trial: Any) -> Path:
    """0001, the best, took over from 0000 at step 20 and from the hostile one at 60, which took over from it at 40."""
    folder = sweep(
        written_trial("0000", {KEY: 1.0}, (0.5, 0.5)),
        written_trial("0001", {KEY: 10.0}, (0.9, 0.8)),
        written_trial(HOSTILE, {KEY: 0.1}, (0.7, 0.7)),
        config={"space": {KEY: {"loguniform": [0.1, 10]}}, "scheduler": {"name": "pbt", "every": 20}},
        files=False,
    )
    write_mutations(folder, {trial: json.dumps(each) for trial, each in MUTATIONS.items()})
    return folder


def write_mutations(folder: Path, texts: dict[str, str]) -> None:
    table = pd.read_parquet(folder / "trials.parquet")
    table["mutations"] = [texts.get(trial, "[]") for trial in table["trial"]]
    table.to_parquet(folder / "trials.parquet")


def lineage_of(folder: Path) -> Lineage:
    found = summarise(load(folder)).sweep.lineage
    assert found is not None
    return found


def test_takeovers_are_told_in_the_order_of_their_steps(population: Path) -> None:
    assert lineage_of(population).takeovers == (
        Takeover(20, "0001", "0000", {KEY: 10.0}, {KEY: 0.8}),
        Takeover(40, HOSTILE, "0001", {KEY: 0.1}, {KEY: 1.25}),
        Takeover(60, "0001", HOSTILE, {KEY: 0.8}, {KEY: 3.0}),
    )


def test_the_schedule_follows_the_networks_not_the_name(population: Path) -> None:
    """0000 trained the networks of 0001 up to step 20, 0001 itself up to 40, the hostile one up to 60."""
    assert lineage_of(population).schedule == (
        Stretch("0000", 0, 20, {KEY: 1.0}),
        Stretch("0001", 20, 40, {KEY: 0.8}),
        Stretch(HOSTILE, 40, 60, {KEY: 1.25}),
        Stretch("0001", 60, 100, {KEY: 3.0}),
    )


def test_colours_run_over_the_logarithm_of_the_values(population: Path) -> None:
    found = lineage_of(population)
    assert found.scales == {KEY: "log"}
    figure = lineage_figures(found)[0]
    lines = {
        trace["line"]["color"]: trace
        for trace in figure.plot["data"]
        if trace["mode"] == "lines" and "text" in trace
    }
    # 0.1 is the lowest value and blue, 10 the highest and vermillion, and 1 lies in the middle
    assert (
        lines["rgb(0, 114, 178)"]["text"][0]
        == "trial &lt;/script&gt;&lt;b&gt;0002<br>objective.lambda_cat = 0.1"
    )
    assert lines["rgb(213, 94, 0)"]["text"][0] == "trial 0001<br>objective.lambda_cat = 10"
    assert "trial 0000<br>objective.lambda_cat = 1" in lines["rgb(204, 121, 167)"]["text"]
    (bar,) = (trace for trace in figure.plot["data"] if trace.get("marker", {}).get("showscale"))
    assert bar["marker"]["colorbar"]["ticktext"] == ["0.1", "1", "10"]


def test_the_page_has_figures_and_the_same_as_a_table(population: Path) -> None:
    page = build_report(population).read_text()
    assert 'id="lineage-0"' in page
    assert 'id="schedule-0"' in page
    assert 'id="effect-0"' not in page
    assert "<td>0001</td><td>&lt;/script&gt;&lt;b&gt;0002</td><td>0.8 → 3</td>" in page.replace(
        ' class="number"', ""
    )
    assert HOSTILE not in page
    assert "Its values changed while it trained: the score belongs to the whole schedule." in page
    assert "values changed by pbt" in page


def test_a_population_without_a_takeover_and_any_other_sweep(
    sweep: Callable[..., Path], written_trial: Any
) -> None:
    folder = sweep(
        written_trial("0000", {KEY: 1.0}, (0.5, 0.5)), written_trial("0001", {KEY: 2.0}, (0.9, 0.8)),
        config={"space": {KEY: [1.0, 2.0]}, "scheduler": {"name": "pbt"}},
    )  # fmt: skip
    found = lineage_of(folder)
    assert found.takeovers == ()
    assert found.schedule == (Stretch("0001", 0, 100, {KEY: 2.0}),)
    assert "No trial took over from another." in build_report(folder).read_text()

    text = (folder / "sweep.yaml").read_text().replace("name: pbt", "name: none")
    (folder / "sweep.yaml").write_text(text)
    assert summarise(load(folder)).sweep.lineage is None
    assert "takeover" not in build_report(folder).read_text()


@pytest.mark.parametrize("text", ['[{"step": 20}]', "[3]"])
def test_mutations_that_are_none_are_left_out_and_named(population: Path, text: str) -> None:
    write_mutations(population, {"0001": text})
    [reason] = load(population).left_out
    assert "trials.parquet: mutations: " in reason


def test_chromium_draws_it(population: Path, opened: Callable[..., Page]) -> None:
    page = opened(population)
    for name in ("lineage-0", "schedule-0"):
        assert page.locator(f"#{name} .xtitle").text_content() == "step"
    labels = page.locator("#lineage-0 .ytick text").all_text_contents()
    assert sorted(labels) == ["0000", "0001", HOSTILE]
    heights = {
        label: page.locator("#lineage-0 .ytick text").nth(place).bounding_box()["y"]
        for place, label in enumerate(labels)
    }
    assert heights["0001"] < heights[HOSTILE] < heights["0000"]  # the best on top
