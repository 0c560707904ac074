"""Names and texts of a user that look like markup, in every section of the page: shown as they are, and never run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from infogan_reports import build_comparison
from PIL import Image
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MARKUP = '</script><img src=x onerror="window.hit=1">'
QUOTE = '" onmouseover="window.hit=1" x="'
TRIAL = "<img src=x onerror=window.hit=1>"  # the name of a folder, so without a slash
TEMPLATE = "{{7*7}} {% raw %} [link](javascript:window.hit=1)"
LONG = f"{MARKUP}{'x' * 300}"
INJECTED = "[onerror], [onmouseover], [onload], img[src=x], a[href^=javascript]"

CONFIG: dict[str, Any] = {
    "name": MARKUP,
    "dataset": {"name": MARKUP},
    "base": {MARKUP: QUOTE},
    "space": {MARKUP: [1.0, 2.0], LONG: [MARKUP, QUOTE]},
    "search": {"algorithm": MARKUP},
    "objective": {"metric": MARKUP, "mode": "max", "also": [{"metric": QUOTE, "mode": "min"}]},
    "tracking": {"note": TEMPLATE, "experiment": MARKUP, "tags": {QUOTE: MARKUP}},
    "output": "../../x",
}
EVALUATION: dict[str, Any] = {
    "step": 100,
    "scores": {MARKUP: 0.9},
    "codes": [
        {"name": TRIAL, "kind": "categorical", "size": 2, "entropy": 0.69, "mi_bound": 0.1},
        {"name": QUOTE, "kind": MARKUP, "size": 1, "mi_bound": 0.1},
    ],
    "confusion": {"code": TRIAL, "classes": [MARKUP, QUOTE], "counts": [[2, 1], [0, 1]], "match": [0, 1]},
    "factor_matrix": {
        "codes": [TRIAL, QUOTE], "factors": [MARKUP, QUOTE], "mutual_information": [[0.1, 0.2], [0.3, 0.1]],
        "factor_entropy": [0.7, 0.7], "n": 4, "n_bins": 2,
    },
    "protocols": {"nmi": {MARKUP: QUOTE}},
    "not_defined": {MARKUP: MARKUP, "mig": MARKUP},
}  # fmt: skip
METRICS = (MARKUP, "L_I", f"L_I/{MARKUP}", f"loss/{MARKUP}", "nmi", QUOTE)
SECTIONS = ("summary", "leaderboard", "mattered", "curves", "codes", "metrics", "failures", "reproduce")


def write_hostile(
    folder: Path, write_folder: Callable[..., Path], written_trial: type, scheduler: str
) -> Path:
    """A sweep in which all that a user can name is markup; one by `pbt` takes values over from trial to trial."""
    values = {"0": 0.5, TRIAL: 0.9, QUOTE.replace("/", ""): 0.4}
    choices = [MARKUP, QUOTE, MARKUP]
    scores = {"L_I": 0.1, "nmi": 0.2, QUOTE: 0.3, f"loss/{MARKUP}": 0.1}

    def params(place: int) -> dict[str, Any]:
        return {MARKUP: 1.0 + place} | ({} if scheduler == "pbt" else {LONG: choices[place]})

    trials = [
        written_trial(name, params(place), (value, value + 0.01), scores=scores)
        for place, (name, value) in enumerate(values.items())
    ]
    trials.append(written_trial("9", params(0), (None,), status="failed", error=f"{MARKUP}<b>{QUOTE}"))
    write_folder(
        folder,
        trials,
        config=CONFIG | {"scheduler": {"name": scheduler}},
        evaluation=EVALUATION,
        environment={MARKUP: QUOTE, "commit": MARKUP, "command": MARKUP},
        files=False,
    )
    rows = pd.read_parquet(folder / "trials.parquet")
    takeover = [{"step": 50, "from_trial": "0", "params": {MARKUP: 1.0}}] if scheduler == "pbt" else []
    rows["mutations"] = [json.dumps(takeover if trial == TRIAL else []) for trial in rows["trial"]]
    rows.assign(node=MARKUP, device=QUOTE).to_parquet(folder / "trials.parquet")
    history = [
        (name, seed, step, metric, value * step / 100)
        for name, value in values.items()
        for seed in (0, 1)
        for step in (20, 100)
        for metric in METRICS
    ]
    pd.DataFrame(history, columns=["trial", "seed", "step", "metric", "value"]).to_parquet(
        folder / "history.parquet"
    )
    began = [{"began": began, "seconds": 5, "status": "finished", "request": {}} for began in (MARKUP, QUOTE)]
    (folder / "sessions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in began))
    _write_pictures(folder / "trials" / TRIAL / "seed-0")
    return folder


def _write_pictures(place: Path) -> None:
    """Explorer and gallery, of four tiles of one pixel."""
    place.mkdir(parents=True)
    (place / "evaluation.json").write_text(json.dumps(EVALUATION))
    Image.fromarray(np.full((2, 2), 90, np.uint8)).save(place / "explorer.webp", lossless=True)
    Image.fromarray(np.full((2, 2), 90, np.uint8)).save(place / "categories.png")
    layout = {"tile": [1, 1], "columns": 2}
    plane = {"codes": [QUOTE], "values": [[0.0, 1.0]]}
    explorer = {"category": MARKUP, "n_categories": 2, "n_noises": 1, "planes": [plane], "encoding": MARKUP}
    (place / "explorer.json").write_text(json.dumps(layout | explorer))
    entries = [{"image": k, "category": 0, "label": k % 2, "confidence": 0.9 - k / 10} for k in range(4)]
    gallery = {"code": MARKUP, "images": entries[:3], "mistakes": entries[3:]}
    (place / "categories.json").write_text(json.dumps(layout | gallery))


def assert_nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    assert page.locator(INJECTED).count() == 0


@pytest.mark.parametrize("scheduler", ["none", "pbt"])
def test_every_section_shows_it_and_nothing_runs(
    tmp_path: Path,
    write_folder: Callable[..., Path],
    written_trial: type,
    opened: Callable[..., Page],
    scheduler: str,
) -> None:
    folder = write_hostile(tmp_path / "x", write_folder, written_trial, scheduler)
    page = opened(folder, viewport={"width": 360, "height": 800})
    page.wait_for_function("() => document.querySelector('#explorer-controls input') !== null")
    for section in SECTIONS:
        shown = page.locator(f"#{section}").inner_text()
        assert MARKUP in shown or TRIAL in shown, section
    for texts in (page.locator("body").inner_text(), page.content()):
        assert TEMPLATE.partition(" ")[0] in texts
        assert "49 {% raw" not in texts
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    for header in page.locator("#leaderboard thead button").all():
        header.click()
    for box in page.locator("#leaderboard tbody input[type=checkbox]").all()[:3]:
        box.set_checked(not box.is_checked())
    page.locator("#leaderboard input[type=search]").fill(TRIAL)
    for menu in page.locator("#pareto-x, #pareto-y").all():
        menu.select_option(QUOTE)
    page.wait_for_function("() => document.getElementById('pareto-words')?.textContent !== ''")
    for plot in page.locator(".plot").all():  # hover texts and ticks are a figure's own kind of markup
        point = plot.locator(".scatterlayer .point").first
        if point.count():
            point.hover(force=True)
    assert_nothing_ran(page)


def test_a_comparison_shows_it_and_nothing_runs(
    tmp_path: Path, write_folder: Callable[..., Path], written_trial: type, opened: Callable[..., Page]
) -> None:
    folders = [
        write_hostile(tmp_path / name, write_folder, written_trial, "none")
        for name in ("<b>a", QUOTE.replace("/", ""))
    ]
    (folders[1] / "sweep.yaml").write_text((folders[1] / "sweep.yaml").read_text().replace("mnist", MARKUP))
    page = opened(tmp_path, build=lambda place: build_comparison(folders, place / "c.html"))
    assert page.locator("h1").inner_text() == f"A: {MARKUP}, B: {MARKUP}"
    for section in ("summary", "sweeps", "scores", "progress", "parameters", "curves"):
        shown = page.locator(f"#{section}").inner_text()
        assert MARKUP in shown or TRIAL in shown, section
    for plot in page.locator(".plot").all():
        point = plot.locator(".scatterlayer .point").first
        if point.count():
            point.hover(force=True)
    assert_nothing_ran(page)
