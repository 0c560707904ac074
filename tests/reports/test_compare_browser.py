"""The comparison in a real Chromium: it runs, fits and darkens, and what a user named does nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from infogan_reports import build_comparison
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NAME = "<script>alert(1)</script>"


@pytest.fixture
def page(
    tmp_path: Path, written_trial: type, write_folder: Callable[..., Path], opened: Callable[..., Page]
) -> Callable[..., Page]:
    """Open a comparison of two small sweeps."""

    def open_comparison(**options: Any) -> Page:
        folders = [
            write_folder(
                tmp_path / name,
                [
                    written_trial(f"{i}", {"optimiser.lr_g": 10.0**-i, "m": NAME}, (value, value + 0.01))
                    for i, value in enumerate(values)
                ],
                config={"name": name if name == "plain" else NAME, "base": {"steps": steps}},
            )
            for name, values, steps in (("plain", (0.5, 0.6, 0.4), 100), ("other", (0.7, 0.8), 200))
        ]
        return opened(tmp_path, build=lambda place: build_comparison(folders, place / "c.html"), **options)

    return open_comparison


def test_it_draws_and_shows_names_as_they_are(page: Callable[..., Page]) -> None:
    shown = page()
    assert shown.locator("h1").inner_text() == f"A: plain, B: {NAME}"
    assert shown.locator("#score-0 .boxlayer .box").count() == 2
    assert shown.locator("#score-0 .xtick text").all_text_contents() == ["A", "B"]
    assert shown.locator("#best-scores b").first.inner_text() == "0.8050"
    assert shown.locator("#progress-trials .scatterlayer .lines").count() == 2
    assert shown.locator("#parameter-0 .xtitle").text_content() == "optimiser.lr_g"
    assert shown.locator("#matches tbody tr").count() == 2


def test_it_fits_and_axe_finds_no_serious_fault(page: Callable[..., Page]) -> None:
    shown = page(viewport={"width": 360, "height": 800}, color_scheme="dark", bypass_csp=True)
    for width in (360, 1920):
        shown.set_viewport_size({"width": width, "height": 800})
        shown.wait_for_function(
            f"""() => [...document.querySelectorAll('.plot .main-svg')].every(
                (svg) => svg.getBoundingClientRect().right <= {width})"""
        )
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    for scheme in ("dark", "light"):
        shown.emulate_media(color_scheme=scheme)
        found = Axe().run(shown).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
