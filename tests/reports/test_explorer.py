"""The latent explorer and the gallery: what is read, what fits, and the widget in a real Chromium."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.explorer import MAX_GENERATORS, MAX_SHEETS, Generator, Pictures, best_explorers
from infogan_reports.sections import codes
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page

from infogan_bench.records import GeneratorRecord, LayerRecord, PlaneRecord

TILE = (2, 3)  # height, width
COLUMNS = 7


def write_explorer(place: Path, planes: Sequence[Any], n_categories: int = 3, n_noises: int = 2) -> None:
    """A sheet on which every pixel of tile k is k * 5 + 1 + (its place in the tile), so that all tiles differ."""
    per_setting = sum(int(np.prod([len(values) for values in plane["values"]])) for plane in planes)
    n = n_categories * n_noises * per_setting
    rows = -(-n // COLUMNS)
    sheet = np.zeros((rows * TILE[0], COLUMNS * TILE[1]), np.uint8)
    for k in range(n):
        y, x = k // COLUMNS * TILE[0], k % COLUMNS * TILE[1]
        sheet[y : y + TILE[0], x : x + TILE[1]] = tile(k)
    Image.fromarray(sheet).save(place / "explorer.webp", lossless=True)
    index = {
        "tile": TILE, "columns": COLUMNS, "category": "cat_0" if n_categories > 1 else None,
        "n_categories": n_categories, "n_noises": n_noises, "planes": planes, "encoding": "rounded to 32 greys",
    }  # fmt: skip
    (place / "explorer.json").write_text(json.dumps(index))


def tile(k: int) -> NDArray[np.uint8]:
    return ((k * 5 + np.arange(6)) % 251 + 1).astype(np.uint8).reshape(TILE)


def write_gallery(place: Path, labels: Sequence[int | None] = (0, 1, 1)) -> None:
    """Three images of categories 0, 0 and 1, and the second again as a mistake."""
    entries = [
        {"image": 40 + k, "category": category, "label": label, "confidence": 0.9 - k / 10}
        for k, (category, label) in enumerate(zip((0, 0, 1), labels, strict=True))
    ]
    mistakes = [] if labels[1] is None else [entries[1]]
    index = {"code": "cat_0", "tile": TILE, "columns": 2, "images": entries, "mistakes": mistakes}
    (place / "categories.json").write_text(json.dumps(index))
    Image.new("L", (2 * TILE[1], 2 * TILE[0]), 90).save(place / "categories.png")


PLANES = [
    {"codes": ["uniform_0", "uniform_1"], "values": [[-1.0, 0.0, 1.0], [-1.0, -0.5, 0.0, 0.5]]},
    {"codes": ["gaussian_0"], "values": [[-1.96, 0.0, 1.96]]},
]
PER_SETTING = 3 * 4 + 3


@pytest.fixture
def explored(mixed: Path) -> Path:
    """The sweep `mixed`, whose best two trials (0001 and 0000 by mean) have an explorer and a gallery."""
    for trial in ("0001", "0000"):
        place = mixed / "trials" / trial / "seed-0"
        write_explorer(place, PLANES)
        write_gallery(place)
    return mixed


# What is read ----------------------------------------------------------------------------------------------


def test_the_best_trials_that_have_an_explorer_are_read_in_their_order(explored: Path) -> None:
    report = summarise(load(explored))
    assert [trial.trial_id for trial in report.sweep.trials[:3]] == ["0001", "0000", "0002"]
    assert [explorer.trial_id for explorer in report.of(codes.SECTION).explorers] == ["0001", "0000"]
    first = report.of(codes.SECTION).explorers[0]
    assert isinstance(first, Pictures)
    assert (first.tile, first.columns, first.category, first.n_noises) == (TILE, COLUMNS, "cat_0", 2)
    assert first.matches == ("zero", "one", None)
    assert first.planes[1] == PlaneRecord(("gaussian_0",), ((-1.96, 0.0, 1.96),))


def test_sheets_are_chosen_by_rank_as_long_as_they_fit() -> None:
    def pictures(trial_id: str, size: int) -> tuple[None, Pictures]:
        plane = PlaneRecord((), ())
        return None, Pictures(trial_id, 0, bytes(size), TILE, 1, None, (None,), 1, (plane,), "", "")

    half = MAX_SHEETS // 2
    found = [pictures("a", half), (None, None), pictures("b", half + 1), pictures("c", half)]
    assert [each.trial_id for each in best_explorers(found)] == ["a", "c"]
    found = [pictures(name, 1) for name in "abcd"]
    assert [each.trial_id for each in best_explorers(found)] == ["a", "b", "c"]


def test_a_generator_is_preferred_as_long_as_it_fits() -> None:
    layers = (LayerRecord("linear", (4, 1)), LayerRecord("images", (1, 2, 2)))
    record = GeneratorRecord((1, 2, 2), 1, "normal", (), None, layers, 0.0)
    pictures = Pictures("p", 0, b"x", TILE, 1, None, (None,), 1, (PlaneRecord((), ()),), "", "")

    def generator(trial_id: str, size: int) -> Generator:
        return Generator(trial_id, 0, record, bytes(size), ())

    most = MAX_GENERATORS - 1
    found = [(generator("a", most), pictures), (generator("b", 2), pictures), (generator("c", 1), pictures)]
    assert [each.trial_id for each in best_explorers(found)] == ["a", "p", "c"]


def test_pictures_are_at_their_place_and_known_to_be_right_or_wrong(explored: Path) -> None:
    meaning = summarise(load(explored)).of(codes.SECTION).meaning
    assert meaning is not None
    gallery = meaning.gallery
    assert gallery is not None
    assert [(index, match) for index, match, _ in gallery.categories] == [(0, "zero"), (1, "one")]
    pictures = [picture for *_, pictures in gallery.categories for picture in pictures]
    assert [(p.x, p.y, p.label, p.wrong) for p in pictures] == [
        (0, 0, "zero", False), (3, 0, "one", True), (0, 2, "one", False)
    ]  # fmt: skip
    (mistake,) = gallery.mistakes
    assert (mistake.x, mistake.y, mistake.label, mistake.match, mistake.confidence) == (
        3,
        2,
        "one",
        "zero",
        0.8,
    )


def test_older_folders_have_neither(mixed: Path) -> None:
    report = summarise(load(mixed))
    assert report.of(codes.SECTION).explorers == ()
    assert report.of(codes.SECTION).meaning is not None
    assert report.of(codes.SECTION).meaning.gallery is None
    page = build_report(mixed).read_text(encoding="utf-8")
    assert "No explorer: none of the best trials has a generator.bin or an explorer.webp" in page
    assert 'id="explorers"' not in page


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("explorer.webp", b"RIFF....JPEG", "explorer.webp is not a WebP file"),
        ("explorer.json", b"{", "explorer.json: is not JSON"),
        ("explorer.json", b'{"tile": 28}', "explorer.json: `tile` must be a list, but is 28"),
        ("categories.png", b"GIF89a", "categories.png is not a PNG file"),
        ("categories.json", b"[]", "categories.json: must hold an object, but holds []"),
    ],
)
def test_a_damaged_file_is_left_out_and_named(
    explored: Path, name: str, content: bytes, message: str
) -> None:
    (explored / "trials" / "0001" / "seed-0" / name).write_bytes(content)
    page = html.unescape(build_report(explored).read_text(encoding="utf-8"))
    assert message in page.partition('id="left-out"')[2].partition("</ul>")[0]


def test_the_gallery_on_the_page(explored: Path) -> None:
    page = build_report(explored).read_text(encoding="utf-8")
    assert re.findall(r'<svg( class="wrong")? aria-hidden="true" viewBox="([^"]*)">', page) == [
        ("", "0 0 3 2"), (' class="wrong"', "3 0 3 2"), ("", "0 2 3 2"), (' class="wrong"', "3 2 3 2")
    ]  # fmt: skip
    assert 'aria-label="Category 0: 2 images of the classes zero, one"' in page
    assert "one taken for zero<br>q = 0.800" in page


def test_without_labels_there_are_no_mistakes(mixed: Path) -> None:
    place = mixed / "trials" / "0001" / "seed-0"
    evaluation = json.loads((place / "evaluation.json").read_text()) | {"confusion": None}
    (place / "evaluation.json").write_text(json.dumps(evaluation))
    write_gallery(place, labels=(None, None, None))
    page = build_report(mixed).read_text(encoding="utf-8")
    assert "Test images by category of cat_0" in page
    assert "Worst mistakes" not in page
    assert 'aria-label="Category 0: 2 images"' in page


# In Chromium -----------------------------------------------------------------------------------------------


@pytest.fixture
def explorer(explored: Path, opened: Callable[..., Page]) -> Page:
    return ready(opened(explored, viewport={"width": 360, "height": 800}))


def ready(page: Page) -> Page:
    page.wait_for_function("() => document.querySelector('#explorer-controls input') !== null")
    return page


def widget(page: Page) -> Locator:
    return page.locator("#explorer")


def shown(page: Page, canvas: str = "explorer-image") -> NDArray[np.uint8]:
    """The first channel of a canvas's pixels."""
    height, width, pixels = page.evaluate(
        """(id) => {
            const canvas = document.getElementById(id);
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return [canvas.height, canvas.width, [...data].filter((_, k) => k % 4 === 0)];
        }""",
        canvas,
    )
    return np.array(pixels, np.uint8).reshape(height, width)


def number(category: int, noise: int, row: int, column: int) -> int:
    """Of a tile of the first plane."""
    return (category * 2 + noise) * PER_SETTING + row * 4 + column


@pytest.mark.browser
def test_sliders_category_and_noise_choose_the_tile(explorer: Page) -> None:
    # it begins in the middle: uniform_0 = 0 is the second of 3 values, uniform_1 = 0 the third of 4
    assert np.array_equal(shown(explorer), tile(number(0, 0, 1, 2)))
    widget(explorer).get_by_role("slider", name="uniform_0").focus()
    explorer.keyboard.press("ArrowRight")
    assert np.array_equal(shown(explorer), tile(number(0, 0, 2, 2)))
    widget(explorer).get_by_role("slider", name="uniform_1").focus()
    explorer.keyboard.press("Home")
    assert np.array_equal(shown(explorer), tile(number(0, 0, 2, 0)))
    widget(explorer).get_by_role("radio", name="0 → zero").focus()
    explorer.keyboard.press("ArrowRight")
    assert np.array_equal(shown(explorer), tile(number(1, 0, 2, 0)))
    widget(explorer).get_by_role("group", name="Noise").get_by_role("radio", name="2").check()
    assert np.array_equal(shown(explorer), tile(number(1, 1, 2, 0)))
    said = "cat_0 = 1 (matched with one), uniform_0 = 1, uniform_1 = -1, noise 2 of 2"
    assert explorer.locator("#explorer-said").inner_text() == said
    assert explorer.locator("#explorer-image").get_attribute("aria-label") == f"G's image for {said}"
    assert widget(explorer).get_by_role("slider", name="uniform_0").get_attribute("aria-valuetext") == "1"


@pytest.mark.browser
def test_the_plane_shows_all_its_tiles_and_a_drag_chooses_one(explorer: Page) -> None:
    tiles = np.block([[tile(number(0, 0, row, column)) for column in range(4)] for row in range(3)])
    assert np.array_equal(shown(explorer, "explorer-plane"), tiles)
    plane = explorer.locator("#explorer-plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box is not None
    explorer.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    explorer.mouse.down()
    assert np.array_equal(shown(explorer), tile(number(0, 0, 0, 0)))
    explorer.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.5)
    explorer.mouse.up()
    assert np.array_equal(shown(explorer), tile(number(0, 0, 1, 3)))
    assert widget(explorer).get_by_role("slider", name="uniform_1").input_value() == "3"
    frame = explorer.locator("#explorer-frame").evaluate("e => [e.style.left, e.style.top, e.style.width]")
    assert frame == ["75%", f"{100 / 3:.4f}%", "25%"]


@pytest.mark.browser
def test_another_plane_and_another_trial_can_be_chosen(explorer: Page) -> None:
    widget(explorer).get_by_label("Vary").select_option("gaussian_0")
    assert widget(explorer).get_by_role("slider").count() == 1
    widget(explorer).get_by_role("slider", name="gaussian_0").focus()
    explorer.keyboard.press("End")
    assert np.array_equal(shown(explorer), tile(12 + 2))
    assert shown(explorer, "explorer-plane").shape == (TILE[0], 3 * TILE[1])
    widget(explorer).get_by_label("Trial").select_option("0000")
    assert np.array_equal(shown(explorer), tile(number(0, 0, 1, 2)))
    assert explorer.evaluate("document.activeElement.id") == "explorer-choose-trial"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("planes", "n_categories", "roles"),
    [
        ([{"codes": [], "values": []}], 3, {"radio": 3 + 2, "slider": 0}),
        ([{"codes": ["uniform_0"], "values": [[-1.0, 0.0, 1.0]]}], 1, {"radio": 2, "slider": 1}),
    ],
)
def test_a_model_without_one_kind_of_code(
    mixed: Path, opened: Callable[..., Page], planes: list[Any], n_categories: int, roles: dict[str, int]
) -> None:
    write_explorer(mixed / "trials" / "0001" / "seed-0", planes, n_categories)
    page = ready(opened(mixed))
    assert {role: widget(page).get_by_role(role).count() for role in roles} == roles  # type: ignore[arg-type]
    assert widget(page).get_by_role("combobox").count() == 0
    assert page.locator("#explorer-map").is_visible() == bool(roles["slider"])
    assert np.array_equal(shown(page), tile(1 if roles["slider"] else 0))


@pytest.mark.browser
def test_it_fits_a_phone_and_has_the_contrast_of_wcag_aa(explorer: Page) -> None:
    for width in (360, 1920):
        explorer.set_viewport_size({"width": width, "height": 800})
        assert explorer.evaluate("document.documentElement.scrollWidth") <= width
    for scheme in ("light", "dark"):
        explorer.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for selector in (
            "#explorer-said",
            ".choices input:checked + span",
            ".mistakes span",
            ".gallery figcaption",
        ):
            assert contrast(explorer, selector) >= 4.5, (scheme, selector)


def contrast(page: Page, selector: str) -> float:
    """Of a text with the nearest ground behind it (WCAG)."""
    colours = page.locator(selector).first.evaluate(
        """(element) => {
            const solid = (e) => getComputedStyle(e).backgroundColor;
            let behind = element;
            while (solid(behind).endsWith(", 0)")) behind = behind.parentElement;
            return [getComputedStyle(element).color, solid(behind)];
        }"""
    )
    shades = []
    for colour in colours:
        channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        shades.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(shades) + 0.05) / (min(shades) + 0.05)


@pytest.mark.browser
def test_hostile_names_do_nothing(mixed: Path, opened: Callable[..., Page]) -> None:
    payload = "</script><img src=x onerror=alert(1)>"
    place = mixed / "trials" / "0001" / "seed-0"
    write_explorer(place, [{"codes": [payload], "values": [[0.0, 1.0]]}])
    index = json.loads((place / "explorer.json").read_text()) | {"category": payload, "encoding": payload}
    (place / "explorer.json").write_text(json.dumps(index))
    write_gallery(place)
    evaluation = json.loads((place / "evaluation.json").read_text())
    evaluation["confusion"]["classes"] = [payload, payload + "2"]
    (place / "evaluation.json").write_text(json.dumps(evaluation))
    page = ready(opened(mixed))
    assert page.locator("img[src=x]").count() == 0
    assert widget(page).get_by_role("slider", name=payload).count() == 1
    assert widget(page).get_by_role("radio", name=f"0 → {payload}", exact=True).count() == 1
    assert html.escape(payload + "2 taken for " + payload).replace("&#x27;", "'") in page.content()
