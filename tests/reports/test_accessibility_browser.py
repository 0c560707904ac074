"""The page for everyone, in a real Chromium: axe-core, the keyboard, paper, and reduced motion."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from infogan_bench.pictures.for_report import write_report_pictures

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
A4 = 703  # CSS pixels between margins of 12 mm


@pytest.fixture
def explored(trained_sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real sweep, of two trials of six steps, with its explorers."""
    monkeypatch.setattr("infogan_bench.pictures.for_report._LEAST_STEPS", 6)
    folder = Path(shutil.copytree(trained_sweep, tmp_path / "tiny"))
    assert write_report_pictures(folder) == []
    return folder


def serious(page: Page) -> list[str]:
    """What axe-core (WCAG 2.2 and good practice) calls serious or critical: the rule and the first element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(explored: Path, mixed: Path, opened: Opened, scheme: str) -> None:
    for folder in (explored, mixed):  # `mixed` has failures and stopped trials
        page = opened(folder, color_scheme=scheme, viewport={"width": 360, "height": 800}, bypass_csp=True)
        if folder == explored:
            page.wait_for_selector("#explorer-controls input")
        for details in page.locator("details").all():
            details.evaluate("(element) => { element.open = true; }")
        for width in (360, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_would_find_a_fault(mixed: Path, opened: Opened) -> None:
    page = opened(mixed, bypass_csp=True)
    page.locator("#csv").evaluate("(element) => { element.style.color = '#ccc'; }")
    page.locator(".codes img").first.evaluate("(element) => element.removeAttribute('alt')")
    assert sorted(fault.partition(":")[0] for fault in serious(page)) == ["color-contrast", "image-alt"]


def test_tab_reaches_every_control_and_shows_where_it_is(explored: Path, opened: Opened) -> None:
    page = opened(explored)
    page.wait_for_selector("#explorer-controls input")
    expected = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
            .filter((e) => e.tabIndex === 0 && !e.disabled && e.checkVisibility() && (e.type !== 'radio' || e.checked))
            .map((e, place) => (e.dataset.place = place))"""
    )
    reached, hidden = [], []
    for _ in range(len(expected) + 5):
        page.keyboard.press("Tab")
        place, visible = page.evaluate(
            """() => {
                const element = document.activeElement;
                const styles = [element, element.nextElementSibling].filter(Boolean).map((e) => getComputedStyle(e));
                const wide = (s) => parseFloat(s.outlineWidth) >= 2 || parseFloat(s.strokeWidth) >= 3;
                return [element.dataset.place, styles.some(wide)];
            }"""
        )
        if place is None:
            break
        reached.append(int(place))
        if not visible:
            hidden.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    assert sorted(reached) == expected
    assert hidden == []


def test_nothing_is_cut_on_paper(explored: Path, mixed: Path, opened: Opened) -> None:
    for folder in (explored, mixed):
        page = opened(folder, viewport={"width": 1280, "height": 800})
        page.emulate_media(media="print")
        page.evaluate(
            "(width) => { document.body.style.width = `${width}px`; }", A4
        )  # paper is no resized window
        cut = page.evaluate(
            """(width) => [...document.querySelectorAll('main :is(figure, table, img, canvas, pre, svg)')]
                .filter((e) => e.checkVisibility())
                .filter((e) => e.getBoundingClientRect().right > width + 0.5
                    || (e.matches('figure, pre') && e.scrollWidth > e.clientWidth + 1))
                .map((e) => e.outerHTML.slice(0, 100))""",
            A4,
        )
        assert cut == []
        for control in ("#csv", "#find", "#explorer-controls"):
            assert page.locator(control).count() == 0 or not page.locator(control).is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF-")


def test_reduced_motion_is_respected(mixed: Path, opened: Opened) -> None:
    moving = "getComputedStyle(document.documentElement).scrollBehavior"
    assert opened(mixed).evaluate(moving) == "smooth"
    assert opened(mixed, reduced_motion="reduce").evaluate(moving) == "auto"
