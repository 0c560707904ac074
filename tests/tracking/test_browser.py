"""MLflow's own pages on a tracked sweep, in a real Chromium."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from infogan_bench import Sweep
from infogan_bench.sweep.track import track as send_folder
from infogan_bench.tracking import free_port, view_path
from tests.tracking.support import run_id, serving

SECONDS = 100_000  # milliseconds; MLflow's server takes its time on a machine that has other things to do


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 2600, "height": 1000})
    page.set_default_timeout(SECONDS)
    yield page
    page.close()


@pytest.mark.browser
def test_the_table_the_charts_and_the_comparison_show_what_was_swept_and_found(place, finished, page):
    uri = f"sqlite:///{place}/mlflow.db"
    assert send_folder(finished, uri).warning is None
    best, other = Sweep.load(finished).ranking().to_dict("records")
    port = free_port(0)
    view = view_path(uri, "tiny", "tiny-1")
    with serving(place, port):
        address = f"http://127.0.0.1:{port}/#"
        page.goto(address + view)
        expect(page.get_by_text("trial 0001 lr_d=0.02")).to_be_visible(timeout=SECONDS)
        heads = dict.fromkeys(page.locator("[role=columnheader]").all_inner_texts())
        assert sorted(head for head in heads if "." in head or "/" in head) == [
            "best/cluster_accuracy",
            "final/cluster_accuracy",
            "infogan.n_seeds",
            "infogan.rank",
            "infogan.status",
            "optimiser.lr_d",
            "std/cluster_accuracy",
        ]
        names = page.get_by_role("link", name="trial 000").all_inner_texts()
        assert [name.split()[1] for name in names] == [best["trial"], other["trial"]]

        page.goto(f"{address}{view}&compareRunsMode=CHART")
        curve = page.locator(".js-plotly-plot", has=page.locator(".scatterlayer")).first
        expect(curve.locator("path.js-line").nth(1)).to_be_attached(timeout=SECONDS)
        strokes = curve.locator("path.js-line").evaluate_all(
            "lines => lines.map(line => getComputedStyle(line).stroke)"
        )
        assert set(strokes) == {"rgb(0, 114, 178)", "rgb(213, 94, 0)"}  # both trials, on the same axes
        expect(page.get_by_text("pictures").first).to_be_visible(timeout=SECONDS)

        ids = json.dumps([run_id(place, trial) for trial in ("0000", "0001")])
        page.goto(f'{address}/compare-runs?runs={ids}&experiments=["{view.split("/")[2]}"]')
        expect(page.get_by_role("heading", name="Comparing 2 Runs")).to_be_visible(timeout=SECONDS)
        row = page.get_by_role("row", name="optimiser.lr_d")
        expect(row).to_contain_text("0.02", timeout=SECONDS)
        assert row.inner_text().split() == ["optimiser.lr_d", "0.002", "0.02"]
