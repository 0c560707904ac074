"""The HTML: what is on it, that nothing can be injected into it, and that half a sweep still makes a page."""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from infogan_reports import build_report
from infogan_reports.explorer import MAX_SHEETS
from PIL import Image


class Page(HTMLParser):
    """Tags with their attributes, the text outside scripts and styles, and each script's content."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open == ["script"]:
            self.scripts[-1] += data
        elif not self._open:
            self.text += data

    def json(self, name: str) -> str:
        """The block of JSON with this id."""
        ids = [attributes.get("id") for tag, attributes in self.tags if tag == "script"]
        return self.scripts[ids.index(name)]

    def attributes(self) -> list[tuple[str, str | None]]:
        return [pair for _, attributes in self.tags for pair in attributes.items()]


@pytest.fixture
def page_of() -> Callable[[Path], Page]:
    return lambda folder: Page(build_report(folder).read_text(encoding="utf-8"))


def test_the_page_is_one_file_that_fetches_nothing(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    page = page_of(mixed)
    tags = [tag for tag, _ in page.tags]
    assert sum("plotly.js v" in script for script in page.scripts) == 1
    assert [tag for tag in tags if tag in ("iframe", "object", "embed", "base", "form")] == []
    addresses = [value or "" for name, value in page.attributes() if name in ("src", "href", "srcset")]
    assert addresses
    assert all(re.match(r"data:|#[a-z]+$", address) for address in addresses)
    styles = "".join(
        re.findall(r"<style>(.*?)</style>", build_report(mixed).read_text(encoding="utf-8"), re.S)
    )
    assert not re.search(r"url\(|@import", styles)


def test_numbers_are_on_the_page(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    text = page_of(mixed).text
    for expected in (
        "0.8500 ± 0.0707 over 2 seeds",
        "uses labels",
        "H(c) = 1.0986 nats, L_I = 1.0000 nats",
        "uniform, L_I = -0.2500 nats; with the best Gaussian deviation, images hold at least 1.5768 nats about it, "
        "and Q reads it with R² = 0.9700.",
        "seed 0 (the first of its 2 seeds",
        "16 of 17 images (94.1 %)",
        "D is not finite",
        "infogan-bench sweep demo/sweep.yaml",
        "versions.torch",
    ):
        assert expected in text


def test_every_picture_and_figure_has_an_alternative_text(
    mixed: Path, page_of: Callable[[Path], Page]
) -> None:
    page = page_of(mixed)
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    plots = [attributes for _, attributes in page.tags if attributes.get("class") == "plot"]
    assert len(pictures) == 3  # samples and two traversals, of the best trial alone
    assert len(plots) == 2 + 8 + 1  # effects, curves, and two scores at once
    assert all(picture["alt"] for picture in pictures)
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert len(plots) == len(json.loads(page.json("plots")))


ATTACKS = {
    "name": "</script><script>alert(1)</script>",
    "choice": "<img src=x onerror=alert(1)>",
    "tag": '" onmouseover="alert(1)',
    "error": "<b>bold</b> ]]> --> </pre>",
    "key": "<svg/onload=alert(2)>",
    "metric": "<i>m</i>%{y}</script>",
}


@pytest.fixture
def attacked(sweep: Callable[..., Path], written_trial: type) -> Path:
    params = [{ATTACKS["key"]: value} for value in (ATTACKS["choice"], "plain", ATTACKS["choice"])]
    evaluation = {
        "step": 1,
        "codes": [{"name": "<u>c", "kind": "<s>", "size": 2, "mi_bound": 0.1}],
        "confusion": {"code": "<u>c", "classes": ["<q>"], "counts": [[1]], "match": [0]},
    }
    return sweep(
        written_trial("<em>0", params[0], (0.5,)),
        written_trial("1", params[1], (0.4,)),
        written_trial("2", params[2], (None,), status="failed", error=ATTACKS["error"]),
        config={
            "name": ATTACKS["name"],
            "space": {ATTACKS["key"]: [ATTACKS["choice"], "plain"]},
            "dataset": "<dataset>",
            "search": {"algorithm": "<algorithm>"},
            "objective": {"metric": ATTACKS["metric"], "mode": "max"},
            "tracking": {"note": "{{7*7}} {% raw %} <a href='javascript:x'>", "tags": {"t": ATTACKS["tag"]}},
        },
        evaluation=evaluation,
        environment={"<host>": "<value>"},
        files=False,
    )


def test_no_text_of_the_user_becomes_markup(attacked: Path, page_of: Callable[[Path], Page]) -> None:
    html = build_report(attacked).read_text(encoding="utf-8")
    others = ("<em>0", "<dataset>", "<algorithm>", "<host>", "<value>", "<a href='javascript", "<u>c", "<q>")
    for payload in (*ATTACKS.values(), *others):
        assert payload not in html, payload
    page = page_of(attacked)
    known = {
        "html", "head", "meta", "title", "link", "style", "body", "a", "header", "p", "h1", "nav", "ul", "li",
        "main", "section", "h2", "span", "div", "dl", "dt", "dd", "code", "b", "table", "thead", "tr", "th",
        "button", "tbody", "td", "svg", "path", "circle", "figure", "figcaption", "h3", "pre", "footer", "script",
        "noscript", "label", "input", "fieldset", "legend", "details", "summary", "caption", "canvas", "select",
    }  # fmt: skip
    assert {tag for tag, _ in page.tags} <= known
    assert [name for name, _ in page.attributes() if name.startswith("on")] == []
    assert [value for _, value in page.attributes() if value and value.startswith("javascript:")] == []


def test_text_of_the_user_is_shown_as_it_is(attacked: Path, page_of: Callable[[Path], Page]) -> None:
    text = page_of(attacked).text
    for payload in (*ATTACKS.values(), "{{7*7}} {% raw %} <a href='javascript:x'>"):
        assert payload in text, payload
    assert "49" not in text


def test_plotly_gets_no_markup_either(attacked: Path, page_of: Callable[[Path], Page]) -> None:
    plots = json.loads(page_of(attacked).json("plots"))

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for item in value.values() for text in texts(item)]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return [value] if isinstance(value, str) else []

    found = texts(plots)
    assert "&lt;img src=x onerror=aler…" in found  # a category of an axis, cut
    assert {tag for text in found for tag in re.findall(r"<[^>]*>", text)} <= {"<br>", "<extra>", "</extra>"}


def test_the_policy_names_exactly_our_scripts(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    page = page_of(mixed)
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    ours = [
        text for text, a in zip(page.scripts, scripts, strict=True) if a.get("type") != "application/json"
    ]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in ours]
    assert policy.partition("script-src ")[2].split() == [f"'sha256-{digest}'" for digest in digests]


# Sweeps that are not whole --------------------------------------------------------------------------------


def test_nothing_has_been_written_yet(sweep: Callable[..., Path], page_of: Callable[[Path], Page]) -> None:
    page = page_of(sweep(history=False))
    assert "No trial has started yet." in page.text
    assert "optimiser.lr_g over 0.001, 0.01" in page.text
    assert not any("plotly.js v" in script for script in page.scripts)  # no figure, no plotly


def test_a_sweep_that_still_runs_says_so(
    sweep: Callable[..., Path], written_trial: type, page_of: Callable[[Path], Page]
) -> None:
    folder = sweep(
        written_trial("0000", {"steps": 1}, (0.5,)),
        written_trial("0001", {"steps": 2}, (0.7,), status="running", step=40),
        written_trial("0002", {"steps": 3}, (None,), status="pending", step=0),
    )
    text = page_of(folder).text
    assert re.search(
        r"still running when this report was made, on 20\d\d-\d\d-\d\d at \d\d:\d\d:\d\d UTC\.", text
    )
    assert "running at step 40" in text


def test_only_failures(
    sweep: Callable[..., Path], written_trial: type, page_of: Callable[[Path], Page]
) -> None:
    text = page_of(sweep(written_trial("0000", {"steps": 1}, (None, None), status="failed"))).text
    assert "there is nothing to rank" in text
    assert "No trial can be ranked" in text
    assert "no reason was recorded" in text


def test_missing_pictures_are_named(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    for picture in mixed.glob("trials/*/*/*.png"):
        picture.unlink()
    page = page_of(mixed)
    assert "No samples.png was written for this seed." in page.text
    assert "No traversal of uniform_0 was written for this seed." in page.text
    assert [tag for tag, _ in page.tags if tag == "img"] == []


def test_missing_evaluation(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    shutil.rmtree(mixed / "trials")
    assert "No confusion matrix" in page_of(mixed).text


def test_an_empty_history(mixed: Path, page_of: Callable[[Path], Page]) -> None:
    (mixed / "history.parquet").unlink()
    assert "No curves: history.parquet has no value of any trial yet." in page_of(mixed).text


def test_one_configuration(
    sweep: Callable[..., Path], written_trial: type, page_of: Callable[[Path], Page]
) -> None:
    text = page_of(sweep(written_trial("0000", {}, (0.5,)), config={"space": {}})).text
    assert "Nothing was swept" in text
    assert "0.5000 over 1 seed." in text


# Writing and scale ----------------------------------------------------------------------------------------


def test_the_report_lands_where_it_is_asked_for(mixed: Path, tmp_path: Path) -> None:
    assert build_report(mixed) == mixed / "report.html"
    output = tmp_path / "elsewhere" / "page.html"
    assert build_report(mixed, output) == output
    assert output.read_bytes() == (mixed / "report.html").read_bytes()
    assert [path.name for path in output.parent.iterdir()] == ["page.html"]  # no temporary file stays


def test_a_hundred_trials_with_the_largest_explorers_stay_below_ten_megabytes(
    tmp_path: Path, write_folder: Callable[..., Path], written_trial: type
) -> None:
    n_trials, seeds, steps = 100, range(3), np.arange(25, 5001, 25)
    rng = np.random.default_rng(0)
    metrics = ["cluster_accuracy", "purity", "nmi", "ari", "L_I", "L_I/cat_0", "L_I/uniform_0", "L_I/uniform_1",
               "H", "H/cat_0", "loss/d", "loss/g"]  # fmt: skip
    trials = [
        written_trial(
            f"{i:04d}",
            {f"section.parameter_{k}": rng.uniform() for k in range(8)},
            rng.uniform(size=len(seeds)).tolist(),
            scores={metric: rng.uniform() for metric in metrics[1:]},
        )
        for i in range(n_trials)
    ]
    write_folder(tmp_path, trials, files=False, history=False)
    keys = pd.MultiIndex.from_product([[trial.trial_id for trial in trials], seeds, steps, metrics])
    history = keys.to_frame(index=False, name=["trial", "seed", "step", "metric"])
    history.assign(value=rng.uniform(size=len(keys))).to_parquet(tmp_path / "history.parquet")
    best = sorted(trials, key=lambda trial: -np.mean(trial.values))[:3]
    code = {"name": "cat_0", "kind": "categorical", "size": 10}
    for trial in best:
        place = tmp_path / "trials" / trial.trial_id / "seed-0"
        place.mkdir(parents=True)
        (place / "evaluation.json").write_text(json.dumps({"codes": [code]}))
        noise = rng.integers(256, size=(290, 290), dtype=np.uint8)  # 10 x 10 images of 28 x 28
        for name in ("samples", "traversal-cat_0", "categories"):
            Image.fromarray(noise).save(place / f"{name}.png")
        entries = [{"image": k, "category": k // 12, "label": None, "confidence": 0.5} for k in range(100)]
        gallery = {"code": "cat_0", "tile": [28, 28], "columns": 10, "images": entries, "mistakes": []}
        (place / "categories.json").write_text(json.dumps(gallery))
        (place / "explorer.webp").write_bytes(b"RIFF....WEBP" + rng.bytes(MAX_SHEETS // 3 - 12))
        plane = {"codes": ["uniform_0", "uniform_1"], "values": [[0.0] * 9] * 2}
        explorer = {"category": "cat_0", "n_categories": 10, "n_noises": 8, "planes": [plane], "encoding": ""}
        (place / "explorer.json").write_text(json.dumps({"tile": [28, 28], "columns": 81} | explorer))
    page = build_report(tmp_path).read_text(encoding="utf-8")
    assert page.count('class="sheet"') == 3
    assert len(page.encode()) < 10e6


def test_a_thousand_trials(tmp_path: Path) -> None:
    n_trials, n_steps = 1000, 200
    scores = ["cluster_accuracy", "purity", "nmi", "ari", "L_I", "L_I/cat_0", "L_I/uniform_0", "H", "H/cat_0"]
    metrics = [*scores, "loss/d", "loss/g", "images_per_second"]
    rng = np.random.default_rng(0)
    ids = [f"{i:04d}" for i in range(n_trials)]
    rows = [
        {
            "trial": trial, "seed": 0, "status": "finished", "step": 5000,
            "params": json.dumps({f"section.parameter_{k}": rng.uniform() for k in range(8)}),
            "scores": json.dumps({metric: rng.uniform() for metric in metrics}),
            "seconds": 1.0, "images_per_second": 1.0, "node": "", "device": "", "error": None,
        }
        for trial in ids
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "trials.parquet")
    n_rows = n_trials * n_steps * len(metrics)
    history = {
        "trial": pd.Categorical(np.repeat(ids, n_steps * len(metrics))),
        "seed": np.zeros(n_rows, dtype=int),
        "step": np.tile(np.repeat(np.arange(n_steps) * 25, len(metrics)), n_trials),
        "metric": pd.Categorical(np.tile(metrics, n_trials * n_steps)),
        "value": rng.uniform(size=n_rows),
    }
    pd.DataFrame(history).to_parquet(tmp_path / "history.parquet")
    sweep = {"name": "large", "objective": {"metric": "cluster_accuracy", "mode": "max"}}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    html = build_report(tmp_path).read_text(encoding="utf-8")
    assert len(html.encode()) < 5e6 + 2e3 * n_trials
    (data,) = re.findall(r'id="trials">(.*?)</script>', html, re.S)
    named = next(column for column in json.loads(data)["columns"] if column["label"] == "trial")
    assert sorted(named["values"]) == ids  # every trial can be reached
    assert "Plotly.newPlot(figure" in html
