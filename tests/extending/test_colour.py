"""A data set in colour, 64 x 64 pixels, and a generator whose pixels are known, in every picture made of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from infogan_reports import build_report
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from infogan_bench.config import parse_sweep
from infogan_bench.extensions import load_extensions
from infogan_bench.pictures.for_report import write_report_pictures
from infogan_bench.scoring.checkpoint import score_checkpoint
from infogan_bench.sweep.track import track
from infogan_bench.training import load_checkpoint, restore_model
from tests.without_ray import train

EXAMPLE = Path(__file__).with_name("colour_example.py")
COLOURS = np.array([[255, 0, 0], [0, 160, 40], [20, 60, 255], [250, 200, 0]])
SIDE, CELL = 64, 65  # pixels of an image, and with the gap beside it
LEFT, RIGHT = 16, 48  # columns inside the two halves of an image
LOSS = 30  # of a channel, in WebP with loss


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of one trial of three steps."""
    load_extensions([str(EXAMPLE)])
    sweep = parse_sweep(
        {
            "name": "colours",
            "output": str(tmp_path_factory.mktemp("runs")),
            "dataset": "colours",
            "extensions": [str(EXAMPLE)],
            "base": {
                "architecture": {"name": "painter"},
                "codes": {"categorical": [4], "uniform": 1, "noise": 2},
                "steps": 3,
                "batch": 16,
            },
            "evaluation": {"every": 3},
        }
    )
    place = train(sweep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infogan_bench.pictures.for_report._LEAST_STEPS", 3)
        assert write_report_pictures(place) == []
    return place


def seed_of(folder: Path) -> Path:
    return folder / "trials" / "0000" / "seed-0"


def pixels(picture: Path) -> NDArray[np.int64]:
    """(H, W, 3) of a picture in colour."""
    with Image.open(picture) as image:
        assert image.mode == "RGB"
        return np.asarray(image, dtype=np.int64)


def close(found: ArrayLike, expected: ArrayLike, tolerance: float = 0) -> bool:
    return bool((np.abs(np.asarray(found) - np.asarray(expected)) <= tolerance).all())


def cells(picture: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    """(rows, columns, 3): the pixel at column `at` in the middle of each cell."""
    return picture[1 + SIDE // 2 :: CELL, 1 + at :: CELL]


def reds(n: int) -> NDArray[np.float64]:
    """(n, 3): the right halves along a traversal of the uniform code."""
    return np.stack([np.linspace(0, 255, n).round(), np.full(n, 128), np.zeros(n)], axis=1)


def test_samples_and_traversals(folder: Path) -> None:
    place = seed_of(folder)
    model = restore_model(load_checkpoint(place / "checkpoint.safetensors"))
    category = model.codes.sample(100, torch.Generator().manual_seed(0)).categories.view(10, 10)
    samples = pixels(place / "samples.png")
    assert samples.shape == (10 * CELL + 1, 10 * CELL + 1, 3)
    assert close(cells(samples, LEFT), COLOURS[category])
    categories = pixels(place / "traversal-cat_0.png")
    assert categories.shape == (8 * CELL + 1, 4 * CELL + 1, 3)
    assert close(cells(categories, LEFT), COLOURS[None])
    uniform = pixels(place / "traversal-uniform_0.png")
    assert close(cells(uniform, RIGHT), reds(10)[None], 0.5)
    for name, exact in (("samples", samples), ("traversal-cat_0", categories)):
        assert close(cells(pixels(place / "steps" / "3" / f"{name}.webp"), 8), cells(exact, 8), LOSS)


def test_the_gallery_has_the_colours_of_the_test_images(folder: Path) -> None:
    gallery = json.loads((seed_of(folder) / "categories.json").read_text())
    sheet = pixels(seed_of(folder) / "categories.png")
    assert gallery["tile"] == [SIDE, SIDE]
    shown = gallery["images"] + gallery["mistakes"]
    assert len({image["label"] for image in shown}) > 1
    for k, image in enumerate(shown):
        y, x = k // gallery["columns"] * SIDE, k % gallery["columns"] * SIDE
        assert image["label"] == image["image"] % 4  # the test set begins with image 200
        assert close(sheet[y : y + SIDE, x : x + SIDE], COLOURS[image["label"]])


def test_the_explorer_s_sheet(folder: Path) -> None:
    index = json.loads((seed_of(folder) / "explorer.json").read_text())
    sheet = pixels(seed_of(folder) / "explorer.webp")
    assert index["reason"] == "the page does not know its layer Painter"
    (height, width), columns = index["tile"], index["columns"]
    for category in range(4):
        for step, red in enumerate(reds(9)):
            k = category * index["n_noises"] * 9 + step
            tile = sheet[k // columns * height :, k % columns * width :][:height, :width]
            assert close(tile[height // 2, width // 4], COLOURS[category], LOSS)
            assert close(tile[height // 2, 3 * width // 4], red, LOSS)


def test_a_checkpoint_in_colour_is_scored(folder: Path) -> None:
    outcomes = score_checkpoint(seed_of(folder) / "checkpoint.safetensors", ["cluster_accuracy"])
    assert [0 <= outcome.value <= 1 for outcome in outcomes] == [True]


def test_mlflow_has_the_same_pictures(folder: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert track(folder, uri).warning is None
    client = MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'colours'")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`infogan.trial` = '0000'")
    place = seed_of(folder)
    got = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    for name in ("samples.png", "traversal-cat_0.png", "traversal-uniform_0.png", "categories.png"):
        assert (got / "seed-0" / name).read_bytes() == (place / name).read_bytes()
    steps = list((got / "images").glob("*traversal-cat_0*.webp"))
    assert steps
    for picture in steps:
        assert close(cells(pixels(picture), 8), COLOURS[None], LOSS)


@pytest.fixture
def page(folder: Path, browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(build_report(folder).as_uri())
    page.wait_for_selector("#explorer-controls input")
    return page


@pytest.mark.browser
def test_the_report_shows_them(page: Page) -> None:
    sheets = page.locator(".codes img")
    assert sheets.count() == 3  # samples, cat_0, uniform_0
    assert close(cells(_drawn(page, ".codes figure:nth-child(2) img"), LEFT), COLOURS[None])
    assert close(cells(_drawn(page, ".codes figure:nth-child(3) img"), RIGHT), reds(10)[None], 0.5)
    widths = [sheet.evaluate("image => image.clientWidth") for sheet in sheets.all()]
    assert widths[1] / (4 * CELL + 1) == pytest.approx(widths[0] / (10 * CELL + 1), rel=0.02)
    assert widths[2] == widths[0]
    page.locator("#explorer").get_by_role("group", name="Category").locator("input").nth(3).check(force=True)
    image = _drawn(page, "#explorer-image")
    assert close(image[len(image) // 2, len(image[0]) // 4], COLOURS[3], LOSS)
    page.close()


def _drawn(page: Page, selector: str) -> NDArray[np.int64]:
    """(H, W, 3): a picture or a canvas of the page at its own size."""
    drawn = page.locator(selector).evaluate(
        """(source) => {
            const canvas = document.createElement("canvas");
            canvas.width = source.naturalWidth ?? source.width;
            canvas.height = source.naturalHeight ?? source.height;
            canvas.getContext("2d").drawImage(source, 0, 0);
            return canvas.toDataURL("image/png").split(",")[1];
        }"""
    )
    with Image.open(io.BytesIO(base64.b64decode(drawn))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int64)
