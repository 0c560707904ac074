"""Training curves in a real Chromium: trials are chosen in the leaderboard, by mouse and keyboard, and overlaid."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]


def drawn(page: Page, expected: Sequence[str], panel: int = 0) -> list[dict[str, Any]]:
    """The lines of a panel as Plotly holds them, once they are of the `expected` trials, in this order."""
    lines = f"document.getElementById('curve-{panel}').data.filter((d) => d.mode === 'lines' && d.name)"
    page.wait_for_function(
        f"(names) => {lines}.map(({{ name }}) => name).join() === names", arg=",".join(expected)
    )
    return list(page.evaluate(f"{lines}.map(({{ name, x, y, line }}) => ({{ name, x, y, line }}))"))


def box(page: Page, trial_id: str) -> Any:
    return page.get_by_role("checkbox", name=f"Curves of trial {trial_id}")


def test_the_best_are_drawn_first_and_rows_and_boxes_choose(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    lines = drawn(page, ["0001", "0000", "0002", "0003", "0004"])
    assert lines[0]["x"] == [20, 40, 60, 80, 100]
    assert lines[0]["y"] == pytest.approx([0.85 * step / 100 for step in lines[0]["x"]])
    page.locator("#ranked tbody tr", has=box(page, "0002")).locator("td").nth(1).click()
    drawn(page, ["0001", "0000", "0003", "0004"])
    assert not box(page, "0002").is_checked()
    box(page, "0001").uncheck()
    drawn(page, ["0000", "0003", "0004"])
    box(page, "0005").check()  # it failed before it had a score, and has losses
    drawn(page, ["0000", "0003", "0004", "0005"], panel=5)
    assert page.locator("#curves-said").inner_text() == "4 of 6 trials drawn."


def test_the_keyboard_chooses(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    drawn(page, ["0001", "0000", "0002", "0003", "0004"])
    box(page, "0001").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    drawn(page, ["0001", "0000", "0003", "0004"])
    assert page.locator("#ranked tbody input[tabindex='0']").count() == 1  # one stop of Tab for all boxes
    page.get_by_role("button", name="Draw none").focus()
    page.keyboard.press("Enter")
    drawn(page, [])
    assert page.locator("#curves-said").inner_text() == "No trial is chosen."
    assert page.locator("#ranked input:checked").count() == 0
    page.get_by_role("button", name="The best 5").press("Enter")
    drawn(page, ["0001", "0000", "0002", "0003", "0004"])


def test_the_choice_outlives_sorting_and_filtering(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    page.get_by_role("button", name="Draw none").click()
    box(page, "0003").check()
    page.locator("#ranked").get_by_role("button", name="trial").click()
    assert [each.get_attribute("aria-label") for each in page.locator("#ranked input:checked").all()] == [
        "Curves of trial 0003"
    ]
    page.get_by_label("Search names").fill("paper")
    drawn(page, ["0003"])
    assert page.locator("#ranked input:checked").count() == 0
    page.get_by_label("Search names").fill("")
    assert box(page, "0003").is_checked()


def test_what_did_not_finish_ends_with_a_mark_and_its_words(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    drawn(page, ["0001", "0000", "0002", "0003", "0004"])
    marks = page.evaluate(
        """document.getElementById('curve-0').data.filter(({ mode }) => mode === 'markers')
            .map(({ name, x, marker }) => [name, x, marker.symbol])"""
    )
    assert marks == [["0003", [100], "diamond-open"], ["0004", [100], "x"]]
    key = page.locator("#curves-key li").all_inner_texts()
    assert "trial 0003 (optimiser.lr_g = 0.005, architecture.name = mlp), stopped early at step 40" in key[3]
    alternative = page.locator("#curve-0").get_attribute("aria-label") or ""
    assert "trial 0001 ends at 0.8500; " in alternative
    assert "trial 0003 ends at 0.3000, stopped early at step 40" in alternative


def test_a_code_is_drawn_below_the_ceilings_of_the_chosen_trials(mixed: Path, opened: Opened) -> None:
    page = opened(mixed)
    drawn(page, ["0001", "0000", "0002", "0003", "0004"], panel=2)
    shapes = "document.getElementById('curve-2').layout.shapes.map(({ y0 }) => y0)"
    assert page.evaluate(shapes) == pytest.approx([math.log(10)], abs=1e-4)
    page.get_by_role("button", name="Draw none").click()
    page.wait_for_function(f"() => {shapes}.length === 0")


def test_a_trial_is_taken_away_in_the_key_and_ten_are_the_most(
    sweep: Callable[..., Path], written_trial: type, opened: Opened
) -> None:
    page = opened(sweep(*(written_trial(f"{i:02d}", {}, (1 - i / 20,)) for i in range(12))))
    for i in range(5, 10):
        box(page, f"{i:02d}").check()
    lines = drawn(page, [f"{i:02d}" for i in range(10)])
    assert len({(line["line"]["color"], line["line"]["dash"]) for line in lines}) == 10
    box(page, "10").click()
    assert not box(page, "10").is_checked()
    assert page.locator("#curves-full").inner_text() == "10 trials are drawn at most: take one away first."
    page.get_by_role("button", name="Take trial 03 away").click()
    box(page, "10").check()
    lines = drawn(page, [*(f"{i:02d}" for i in range(10) if i != 3), "10"])
    assert (
        len({(line["line"]["color"], line["line"]["dash"]) for line in lines}) == 10
    )  # of the one that left
    assert page.locator("#curves-full").inner_text() == ""


def test_a_trial_without_curves_has_no_box(tmp_path: Path, mixed: Path, opened: Opened) -> None:
    (mixed / "history.parquet").unlink()
    page = opened(mixed)
    assert page.locator("#ranked input").count() == 0
    page.locator("#ranked tbody tr").first.click()
    assert "No curves" in page.locator("#curves").inner_text()
