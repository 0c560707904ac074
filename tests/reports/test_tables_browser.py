"""The leaderboard and what mattered in a real Chromium: sorted, searched, saved, brushed, with mouse and keyboard."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
HOSTILE = "<script>alert(1)</script>"
TRIAL = "<img src=x onerror=alert(1)>"  # the name of a folder, so without a slash


def column(page: Page, label: str) -> list[str]:
    """The texts of a column of the leaderboard, from its first row on."""
    heads = page.locator("#ranked thead th button").all_text_contents()
    place = next(i for i, head in enumerate(heads) if label in head) + 1
    cells = page.locator(f"#ranked tbody tr > :nth-child({place})")
    return [text.strip() for text in cells.all_inner_texts()]


def sort_by(page: Page, label: str) -> None:
    """By the keyboard."""
    page.locator("#ranked").get_by_role("button", name=label).focus()
    page.keyboard.press("Enter")


def saved(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    return download.value.path().read_bytes().decode()


# Leaderboard ----------------------------------------------------------------------------------------------


def test_a_header_sorts_both_ways_and_blanks_stay_last(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    assert column(page, "trial") == ["0001", "0000", "0002", "0003", "0004", "0005"]
    sort_by(page, "optimiser.lr_g")
    assert column(page, "optimiser.lr_g") == ["0.0001", "0.001", "0.002", "0.005", "0.008", "0.009"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    sort_by(page, "optimiser.lr_g")
    assert column(page, "optimiser.lr_g")[0] == "0.009"
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    sort_by(page, "cluster_accuracy")
    assert column(page, "cluster_accuracy") == [
        "0.3000 ± 0.0000 ≈", "0.6000 ± 0.1414 ≈", "0.6000 ± 0.0000 ≈", "0.8500 ± 0.0707", "–", "NaN",
    ]  # fmt: skip
    assert page.locator("#count").inner_text() == "6 trials, by cluster_accuracy ascending"
    assert page.locator("th[aria-sort]").count() == 1


def test_status_and_words_filter(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    page.get_by_label("finished (3)").uncheck()
    assert column(page, "trial") == ["0003", "0004", "0005"]
    page.get_by_label("finished (3)").check()
    page.get_by_label("Search names").fill("NAME=mlp  lr_g=0.00")
    assert column(page, "trial") == ["0002", "0003", "0005"]
    assert page.locator("#count").inner_text() == "3 of 6 trials"
    page.get_by_label("Search names").fill("stopped early")
    assert column(page, "trial") == ["0003"]


def test_the_reader_chooses_the_columns(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    page.get_by_text("Columns", exact=True).click()
    page.locator("#columns").get_by_label("architecture.name").uncheck()
    heads = page.locator("#ranked thead th button").all_text_contents()
    assert not any("architecture.name" in head for head in heads)
    assert "architecture.name" not in saved(page).splitlines()[0]


def test_only_a_clear_lead_is_bold(sweep: Callable[..., Path], written_trial: type, opened: Opened) -> None:
    page = opened(sweep(written_trial("a", {}, (0.7, 0.71, 0.73)), written_trial("b", {}, (0.8, 0.81, 0.82))))
    assert page.locator("#ranked b").all_inner_texts() == ["0.8100"]
    assert r"\textbf{\boldmath 0.8100} $\pm$ 0.0100" in (page.locator("#latex").text_content() or "")


@pytest.fixture
def hostile(sweep: Callable[..., Path], written_trial: type) -> Path:
    """Names and values that a page, a spreadsheet or TeX would take for its own."""
    key = "a_b%&$#{}~^\\"
    return sweep(
        written_trial(TRIAL, {key: '=1+1,"x"'}, (0.5, 0.7)),
        written_trial("@b", {key: "two\nlines"}, (-0.25, -0.25)),
        written_trial("-c", {key: HOSTILE}, (0.00012345678, 0.00012345678)),
        config={"name": HOSTILE},
        files=False,
    )


def test_the_csv_is_quoted_exact_and_no_formula(hostile: Path, opened: Opened) -> None:
    page = opened(hostile)
    text = saved(page)
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert text.count("\r\n") == 4
    assert head[:6] == ["rank", "trial", "cluster_accuracy", "cluster_accuracy std", "seeds", "a_b%&$#{}~^\\"]
    assert [row[:3] for row in rows] == [
        ["1", TRIAL, "0.6"], ["2", "'-c", "0.00012345678"], ["3", "'@b", "-0.25"],  # a number keeps its sign
    ]  # fmt: skip
    assert float(rows[0][3]) == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert [row[5] for row in rows] == ['\'=1+1,"x"', HOSTILE, "two\nlines"]


def test_the_latex_table_is_escaped(hostile: Path, opened: Opened) -> None:
    page = opened(hostile)
    lines = (page.locator("#latex").text_content() or "").splitlines()
    assert lines[0] == r"\begin{tabular}{rlrrllrr}"
    assert lines[1:4:2] == [r"\toprule", r"\midrule"]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    assert r"a\_b\%\&\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in lines[2]
    assert r"\textless{}img src=x onerror=alert(1)\textgreater{}" in lines[4]
    assert r"\textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{}" in lines[5]
    assert r"$1.23 \times 10^{-4}$" in lines[5]
    assert r"$-$0.2500" in lines[6]
    assert "two lines" in lines[6]


def test_the_copy_button_copies(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("LaTeX table", exact=True).click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#latex").text_content()


def test_names_show_as_they_are(hostile: Path, opened: Opened) -> None:
    page = opened(hostile)  # a dialog would fail the test
    assert column(page, "trial") == [TRIAL, "-c", "@b"]
    assert HOSTILE in column(page, "a_b%")
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("img[src=x]").count() == 0


# What mattered --------------------------------------------------------------------------------------------


@pytest.fixture
def ten(sweep: Callable[..., Path], written_trial: type) -> Path:
    """Ten trials: lambda 1 to 10, accuracy rising with it, L_I falling but for one step."""
    information = [9, 8, 7, 6, 7, 4, 3, 2, 1, 0]
    return sweep(
        *(
            written_trial(f"{i}", {"objective.lambda_cat": i + 1, "m": ("x", "y")[i % 2]}, (i / 10,),
                          scores={"L_I": information[i], "mine": float(i)})
            for i in range(10)
        ),
        config={"space": {"objective.lambda_cat": {"int": [1, 10]}, "m": ["x", "y"]}},
    )  # fmt: skip


def test_handles_brush_by_the_keyboard(ten: Path, opened: Opened) -> None:
    page = opened(ten)
    assert page.locator("#brushed").inner_text() == "10 of 10 ranked trials"
    handle = page.get_by_role("slider", name="objective.lambda_cat, lower end")
    handle.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")  # a tenth of the axis from 1 to 10
    assert handle.get_attribute("aria-valuetext") == "5.5"
    assert page.locator("#brushed").inner_text() == "5 of 10 ranked trials"
    page.get_by_role("slider", name="m, upper end").focus()
    page.keyboard.press("ArrowDown")  # from y to x, one category
    assert page.locator("#brushed").inner_text() == "2 of 10 ranked trials"
    page.get_by_role("button", name="Show these in the leaderboard").click()
    assert column(page, "trial") == ["8", "6"]
    page.get_by_role("button", name="Show all").click()
    assert len(column(page, "trial")) == 10
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#brushed").inner_text() == "10 of 10 ranked trials"


def test_a_drag_along_an_axis_brushes(ten: Path, opened: Opened) -> None:
    page = opened(ten)
    page.locator("#parallel").scroll_into_view_if_needed()
    area = page.locator("#parallel .catch").first.bounding_box()
    assert area is not None
    middle = area["x"] + area["width"] / 2
    page.mouse.move(middle, area["y"] + area["height"] / 2)  # at 5.5
    page.mouse.down()
    page.mouse.move(middle, area["y"] + area["height"] - 1, steps=4)  # to the foot
    page.mouse.up()
    assert page.locator("#brushed").inner_text() == "5 of 10 ranked trials"
    page.get_by_role("button", name="Show these in the leaderboard").click()
    assert column(page, "trial") == ["4", "3", "2", "1", "0"]


def test_the_front_is_what_no_trial_beats_in_both(ten: Path, opened: Opened) -> None:
    page = opened(ten)
    words = page.locator("#pareto-words")
    page.wait_for_function("() => document.getElementById('pareto-words').textContent")
    # L_I 7 at accuracies 0.2 and 0.4: trial 4 beats trials 2 and 3
    expected = [0, 1, 4, 5, 6, 7, 8, 9]
    information = [9, 8, 7, 6, 7, 4, 3, 2, 1, 0]
    listed = ", ".join(f"trial {i} ({information[i]:.4f}, {i / 10:.4f})" for i in expected)
    assert words.inner_text() == f"On the front: {listed}."
    page.get_by_label("Score across").select_option("mine")
    page.wait_for_function("() => document.querySelector('#pareto .xtitle').textContent === 'mine'")
    assert words.inner_text() == "On the front: trial 9 (9.0000, 0.9000)."
    page.locator("#pareto-x-low").check()  # a score without a known direction: the reader says
    page.wait_for_function(
        "() => document.getElementById('pareto-words').textContent.split('trial ').length > 5"
    )
    assert words.inner_text().count("trial ") == 10


def test_lambda_has_a_panel_for_each_score(ten: Path, opened: Opened) -> None:
    page = opened(ten)
    assert page.locator("#lambda-0 .xtitle").text_content() == "objective.lambda_cat"
    assert page.locator("#lambda-0 .ytitle").text_content() == "cluster_accuracy"
    assert page.locator("#lambda-0 .y2title").text_content() == "L_I"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_have_the_contrast_of_wcag_aa_and_names(mixed: Path, opened: Opened, scheme: str) -> None:
    page = opened(mixed, color_scheme=scheme)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('input, select, button')].filter((control) =>
            !(control.labels?.length || control.textContent.trim() || control.getAttribute('aria-label')))
            .map((control) => control.outerHTML)"""
    )
    assert unnamed == []
    contrast = """(selector) => {
        const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const style = getComputedStyle(document.querySelector(selector));
        const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    }"""
    assert page.evaluate(contrast, "#csv") >= 4.5
    assert page.evaluate(contrast, "#find") >= 4.5


# Ten thousand trials --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ten_thousand_trials(tmp_path: Path, opened: Opened) -> None:
    n = 10_000
    rng = np.random.default_rng(0)
    rates, widths, values = 10 ** rng.uniform(-4, -2, n), rng.choice([0.25, 0.5], n), rng.uniform(size=(n, 2))
    names = ["purity", "nmi", "ari", "L_I", "L_I/cat_0", "H", "loss/d", "loss/g"]
    rows = [
        {
            "trial": f"{i:05d}", "seed": seed, "status": "finished", "step": 100,
            "params": json.dumps({"optimiser.lr_g": rates[i], "architecture.width": widths[i]}),
            "scores": json.dumps({"cluster_accuracy": values[i, seed], **dict.fromkeys(names, rates[i])}),
            "seconds": 1.0, "images_per_second": 1.0, "node": "", "device": "", "error": None,
        }
        for i in range(n)
        for seed in range(2)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "trials.parquet")
    history = {
        "trial": np.repeat([f"{i:05d}" for i in range(n)], 2),
        "seed": 0,
        "step": np.tile([50, 100], n),
        "metric": "cluster_accuracy",
        "value": values.ravel(),
    }
    pd.DataFrame(history).to_parquet(tmp_path / "history.parquet")
    sweep = {
        "name": "large",
        "space": {"optimiser.lr_g": {"loguniform": [1e-4, 1e-2]}, "architecture.width": [0.25, 0.5]},
        "objective": {"metric": "cluster_accuracy", "mode": "max"},
    }
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    page = opened(tmp_path)
    assert Path(page.url.removeprefix("file://")).stat().st_size < 25e6
    assert page.locator("#ranked tbody tr").count() == 100
    assert page.locator("#count").inner_text() == "1 to 100 of 10,000 trials"
    assert "500 of 10,000 trials" in page.locator("#mattered").inner_text()
    assert "the curves of 200 of the 10,000 trials" in page.locator("#curves").inner_text()
    assert page.locator("#ranked input").count() == 100  # the best hundred
    sort_by(page, "trial")
    page.get_by_role("button", name="Last").click()
    assert column(page, "trial") == [f"{i:05d}" for i in range(9900, 10_000)]
    page.get_by_label("Search names").fill("09999")
    assert "09999" in column(page, "trial")  # beside those with these digits in a value
    assert page.locator("#count").inner_text().endswith("of 10,000 trials, by trial ascending")
    page.get_by_label("Search names").fill("")
    assert len(saved(page).splitlines()) == n + 1
