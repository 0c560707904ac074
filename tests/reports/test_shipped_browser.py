"""The reports of real sweeps, quick.yaml's and sprites.yaml's with fewer steps, as a reader in Chromium finds them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from playwright.sync_api import Page

from infogan_bench.config import shipped_sweeps
from tests.command_line import infogan_bench

Opened = Callable[..., Page]
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.usefixtures("two_cpus")]


def swept(name: str, place: Path, base: dict[str, Any], **changes: Any) -> Path:
    """The folder of a sweep that ships, its base run and sections changed, run by the command."""
    sweep = yaml.safe_load(shipped_sweeps()[name].read_text())
    sweep |= {"base": sweep["base"] | base, "seeds": 1, "scheduler": "none", "tracking": "none", **changes}
    sweep["resources"] = {"cpus": 2, "gpus": 0}  # one trial at a time
    (place / f"{name}.yaml").write_text(yaml.safe_dump(sweep))
    done = infogan_bench("sweep", f"{name}.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "runs" / name


def its_report(folder: Path) -> Path:
    return folder / "report.html"


def trials(page: Page) -> list[str]:
    """The trials of the leaderboard, in its order."""
    return [text.strip() for text in page.locator("#ranked tbody tr > :nth-child(2)").all_inner_texts()]


def test_quick(tmp_path: Path, opened: Opened) -> None:
    folder = swept(
        "quick",
        tmp_path,
        {"architecture": {"name": "paper", "width": 0.05}, "steps": 100, "batch": 32},
        dataset={"name": "mnist", "train_size": 512, "test_size": 500},
        evaluation={"every": 50},
    )
    page = opened(folder, build=its_report, color_scheme="dark")
    assert (
        sum(map(int, page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)"))) < 150
    )

    rows = pd.read_parquet(folder / "trials.parquet").set_index("trial")
    accuracy = rows["scores"].map(lambda scores: json.loads(scores)["cluster_accuracy"])
    ranked = list(accuracy.sort_values(ascending=False, kind="stable").index)
    assert trials(page) == ranked
    page.locator("#ranked").get_by_role("button", name="cluster_accuracy").click()
    assert [accuracy[trial] for trial in trials(page)] == sorted(accuracy)
    page.get_by_label("Search names").fill("name=mlp")
    mlp = {
        trial for trial, params in rows["params"].items() if json.loads(params)["architecture.name"] == "mlp"
    }
    assert set(trials(page)) == mlp
    assert page.locator("#brushed").inner_text() == "4 of 4 ranked trials"

    explorer = page.locator("#explorer")
    assert explorer.get_by_role("combobox", name="Trial").locator("option").all_inner_texts() == ranked[:3]
    before = page.locator("#explorer-image").evaluate("canvas => canvas.toDataURL()")
    explorer.locator("input[type=radio]").nth(7).check(force=True)
    assert "cat_0 = 7" in page.locator("#explorer-said").inner_text()
    assert page.locator("#explorer-image").evaluate("canvas => canvas.toDataURL()") != before


def test_sprites(tmp_path: Path, opened: Opened) -> None:
    folder = swept(
        "sprites",
        tmp_path,
        {"architecture": {"name": "infogan-cr", "width": 0.1}, "steps": 100, "batch": 16},
        dataset={"name": "sprites", "train_size": 512, "test_size": 2000},
        space={"objective.lambda_cont": [0, 1], "codes.uniform": [4]},
        search={"algorithm": "grid"},
        evaluation={"every": 100, "scores": ["mig", "dci_disentanglement"], "dci_estimator": "forest"},
    )
    page = opened(folder, build=its_report)
    best = trials(page)[0]
    evaluation = json.loads((folder / "trials" / best / "seed-0" / "evaluation.json").read_text())
    matrix = evaluation["factor_matrix"]
    table = page.get_by_role("region", name="What each code knows of each factor")
    heads = [head.split("\n")[0] for head in table.locator("thead th").all_inner_texts()]
    assert heads == ["code", *matrix["factors"]]
    shown = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert shown == [[f"{value:.2f}" for value in row] for row in matrix["mutual_information"]]
    assert "uses factors" in page.locator("#ranked thead").inner_text()
    found = json.loads((folder / "trials" / best / "seed-0" / "generator.json").read_text())["codes"]
    assert [code["name"] for code in found] == ["uniform_0", "uniform_1", "uniform_2", "uniform_3"]
    assert all(page.get_by_role("slider", name=code["name"]).is_visible() for code in found)
