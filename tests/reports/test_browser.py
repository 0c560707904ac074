"""The page in a real Chromium: it runs, fetches nothing, sorts, fits and darkens."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_figures_are_drawn(mixed: Path, opened: Callable[..., Page]) -> None:
    page = opened(mixed)
    page.wait_for_function("() => document.getElementById('pareto-words').textContent")
    assert page.locator(".plot").count() == 11
    for plot in page.locator(".plot").all():
        assert plot.locator(".scatterlayer path").count() > 0
    ticks = page.locator("#effect-1 .xtick text").all_text_contents()
    assert sorted(ticks) == ["mlp", "paper"]
    page.wait_for_selector("#curve-7 .js-line", state="attached")  # the last
    assert page.locator("#curve-2 .annotation-text").text_content() == "H(c) = 2.303"


def test_no_sideways_scroll_on_a_phone_or_a_wide_screen(mixed: Path, opened: Callable[..., Page]) -> None:
    page = opened(mixed, viewport={"width": 360, "height": 800})
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        fits = f"""() => [...document.querySelectorAll('.plot .main-svg')].every(
            (svg) => svg.getBoundingClientRect().right <= {width})"""
        page.wait_for_function(fits)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def _luminance(page: Page, selector: str, style: str) -> float:
    """Relative luminance (WCAG) of a colour in force."""
    colour = page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{style}")
    channels = [int(channel) / 255 for channel in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_light_and_dark_have_the_contrast_of_wcag_aa(mixed: Path, opened: Callable[..., Page]) -> None:
    page = opened(mixed, color_scheme="light")
    assert _luminance(page, "body", "backgroundColor") > 0.9
    _assert_contrast(page)
    page.emulate_media(color_scheme="dark")
    assert _luminance(page, "body", "backgroundColor") < 0.02
    _assert_contrast(page)


def _assert_contrast(page: Page) -> None:
    ground = _luminance(page, "body", "backgroundColor")
    panel = _luminance(page, ".figures figure", "backgroundColor")
    texts = [
        (_luminance(page, "body", "color"), ground),
        (_luminance(page, ".lede", "color"), ground),
        (_luminance(page, "nav a", "color"), ground),
        (_luminance(page, ".plot .xtick text", "fill"), panel),
        (_luminance(page, ".plot .xtitle", "fill"), panel),
        (_luminance(page, ".badge", "color"), _luminance(page, ".badge", "backgroundColor")),
        (_luminance(page, "td.s1", "color"), _luminance(page, "td.s1", "backgroundColor")),
        (_luminance(page, "td.s5", "color"), _luminance(page, "td.s5", "backgroundColor")),
        (_luminance(page, "tr.bad td", "color"), panel),
    ]
    for text, behind in texts:
        assert (max(text, behind) + 0.05) / (min(text, behind) + 0.05) >= 4.5


def test_hostile_names_do_nothing(
    sweep: Callable[..., Path], written_trial: type, opened: Callable[..., Page]
) -> None:
    payload = "<img src=x onerror=alert(1)>"
    folder = sweep(
        *(written_trial(f"{i}", {payload: value}, (0.5,)) for i, value in enumerate([payload, "plain"])),
        config={
            "name": "</script><script>alert(1)</script>",
            "objective": {"metric": payload, "mode": "max"},
        },
    )
    page = opened(folder)
    assert page.locator("h1").inner_text() == "</script><script>alert(1)</script>"
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("#effect-0 .xtitle").text_content() == payload
