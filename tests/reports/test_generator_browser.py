"""G in the page, in a real Chromium: its images are those of torch, and the explorer shows those that were chosen."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import infogan_reports
import numpy as np
import pytest
import torch
from infogan_reports.explorer import MAX_GENERATORS
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page
from torch import nn

from infogan_bench.codes import Latents
from infogan_bench.config import RunConfig, apply
from infogan_bench.networks import InfoGAN, Model
from infogan_bench.networks.layers import ToImages
from infogan_bench.pictures.generator import write_generator
from infogan_bench.records import (
    GeneratorCode,
    GeneratorRecord,
    LayerRecord,
    pack_numbers,
    write_generator_record,
)

pytestmark = pytest.mark.browser
SCRIPT = Path(infogan_reports.__file__).parent / "sections" / "generator.js"
TOLERANCE = 1e-2  # of a pixel in [-1, 1]


# The interpreter ------------------------------------------------------------------------------------------


def every_kind() -> nn.Module:
    """Each layer that the page knows, with odd sizes and unequal sides."""
    return nn.Sequential(
        nn.Linear(20, 42),
        nn.BatchNorm1d(42),
        nn.Sigmoid(),
        nn.Unflatten(1, (7, 2, 3)),
        nn.ConvTranspose2d(7, 5, (3, 4), stride=(2, 3), padding=(1, 0), output_padding=(1, 2)),
        nn.ReLU(),
        nn.BatchNorm2d(5),
        nn.Conv2d(5, 6, (3, 2), stride=(1, 2), padding=(2, 1), bias=False),
        nn.LeakyReLU(0.2),
        nn.ZeroPad2d((1, 0, 2, 3)),
        nn.BatchNorm2d(6),
        nn.ConvTranspose2d(6, 2, 2, stride=3),
        nn.Conv2d(2, 3, 1),
        nn.Tanh(),
    )


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 15), nn.Tanh(), ToImages(3, 5, 1))


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "paper": {"architecture.name": "paper", "architecture.width": 0.25},
    "dcgan": {"architecture.name": "dcgan", "architecture.width": 0.125},
    "infogan-cr": {"architecture.name": "infogan-cr", "architecture.width": 0.25},
    "mlp": {"architecture.name": "mlp", "architecture.width": 0.25},
}


def generators(run: RunConfig) -> dict[str, Model]:
    """A model of each architecture, and two of layers in other orders."""
    models: dict[str, Model] = {}
    for name, changes in ARCHITECTURES.items():
        shape = (3, 64, 64) if name == "infogan-cr" else (3, 32, 32) if name == "dcgan" else (1, 28, 28)
        models[name] = model_of(apply(run, changes), shape)
    for name, make in (("every kind", every_kind), ("plain", plain)):
        torch.manual_seed(1)
        models[name] = model_of(run, (1, 28, 28), make())
    return models


def model_of(run: RunConfig, shape: tuple[int, int, int], G: nn.Module | None = None, seed: int = 0) -> Model:
    """A model whose BatchNorms have seen data, and whose images use the whole range."""
    model = InfoGAN(run, shape, torch.Generator().manual_seed(seed))
    model.networks.G = G or model.networks.G
    with torch.no_grad():
        for name, parameter in model.G.named_parameters():
            if parameter.dim() > 1 or name.endswith("bias"):
                parameter.mul_(6).add_(
                    torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) / 20
                )
        for batch in range(20):
            model.G.train()(model.codes.flatten(latents_of(model, 64, batch)))
    return model


def latents_of(model: Model, n: int, seed: int) -> Latents:
    return model.codes.sample(n, torch.Generator().manual_seed(seed))


def test_its_images_are_those_of_torch(tiny_run: RunConfig, tmp_path: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.add_script_tag(content=SCRIPT.read_text())
    for name, model in generators(tiny_run).items():
        write_generator(model, tmp_path)
        layers = json.loads((tmp_path / "generator.json").read_text())["layers"]
        weights = base64.b64encode((tmp_path / "generator.bin").read_bytes()).decode()
        latents = latents_of(model, 5, seed=7)
        rows = model.codes.flatten(latents)
        size, *found = page.evaluate(
            """async ([layers, width, weights, rows]) => {
                const G = await Generator.read(layers, width, weights);
                const batches = [rows, rows.slice(0, width), rows.slice(0, 2 * width), rows];
                return [G.size, ...batches.map((batch) => [...G.images(batch)])];
            }""",
            [layers, model.codes.latent_dim, weights, rows.flatten().tolist()],
        )
        images = model.generate(latents).permute(0, 2, 3, 1)
        assert images.std() > 10 * TOLERANCE, name  # so that the difference means something
        assert tuple(size) == tuple(images.shape[1:])
        for values in found:
            expected = images[: len(values) // images[0].numel()].flatten()
            assert (torch.tensor(values) - expected).abs().max() <= TOLERANCE, name
    page.close()


# The explorer ---------------------------------------------------------------------------------------------


@pytest.fixture
def explored(mixed: Path, models: dict[str, Model]) -> Path:
    """The sweep `mixed`, with G of its best two trials."""
    for trial, model in models.items():
        write_generator(model, mixed / "trials" / trial / "seed-0")
    return mixed


@pytest.fixture
def models(tiny_run: RunConfig) -> dict[str, Model]:
    """By trial, the best first."""
    return {trial: model_of(tiny_run, (1, 28, 28), seed=seed) for seed, trial in enumerate(("0001", "0000"))}


def widget(page: Page) -> Locator:
    return page.locator("#explorer")


def ready(page: Page) -> Page:
    page.wait_for_selector("#explorer-controls input")
    return page


def pixels(page: Page, canvas: str) -> NDArray[np.int64]:
    """(H, W, 3) of a canvas, after all work on it."""
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    drawn = page.evaluate("(id) => document.getElementById(id).toDataURL('image/png').split(',')[1]", canvas)
    with Image.open(io.BytesIO(base64.b64decode(drawn))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int64)


def expected(page: Page, model: Model, seed: int, category: int, *continuous: float) -> NDArray[np.float64]:
    """(H, W, 3): torch's image of the explorer's noise and these codes, in the units of a canvas."""
    codes = model.codes
    z = page.evaluate(
        "([seed, n, distribution]) => explorerNoise(seed, n, distribution)",
        [seed, codes.config.noise, codes.config.noise_distribution],
    )
    latents = Latents(torch.tensor([z]), torch.tensor([[category]]), torch.tensor([continuous]))
    image = model.generate(latents)[0].permute(1, 2, 0)
    return np.asarray(((image + 1) * 127.5).expand(-1, -1, 3), dtype=np.float64)


def same(shown: NDArray[np.int64], image: NDArray[np.float64]) -> bool:
    return shown.shape == image.shape and bool(np.abs(shown - image).max() <= TOLERANCE * 127.5 + 0.5)


def test_every_code_and_any_noise_is_chosen_by_mouse_and_keyboard(
    explored: Path, models: dict[str, Model], opened: Callable[..., Page]
) -> None:
    page = ready(opened(explored, viewport={"width": 360, "height": 800}))
    model = models["0001"]
    assert same(pixels(page, "explorer-image"), expected(page, model, 1, 0, 0, 0))
    widget(page).get_by_role("slider", name="uniform_0").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    widget(page).get_by_role("slider", name="gaussian_0").fill("-2.5")
    widget(page).get_by_role("group", name="Category of cat_0").locator("input").nth(7).click()
    assert same(pixels(page, "explorer-image"), expected(page, model, 1, 7, 0.99, -2.5))
    said = page.locator("#explorer-said").inner_text()
    assert said.startswith("cat_0 = 7")
    assert said.endswith("uniform_0 = 0.99, gaussian_0 = -2.5, noise 1")
    number = widget(page).get_by_label("Noise, by its number")
    number.fill("4000000000")
    number.press("Enter")
    assert same(pixels(page, "explorer-image"), expected(page, model, 4_000_000_000, 7, 0.99, -2.5))
    seeds = [number.input_value()]
    for press in (
        lambda: page.keyboard.press("n"),
        lambda: widget(page).get_by_role("button", name="New noise").click(),
    ):
        press()
        seeds.append(number.input_value())
        assert same(pixels(page, "explorer-image"), expected(page, model, int(seeds[-1]), 7, 0.99, -2.5))
    assert len(set(seeds)) == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_grid_varies_any_two_codes_and_a_click_chooses_from_it(
    explored: Path, models: dict[str, Model], opened: Callable[..., Page]
) -> None:
    page = ready(opened(explored))
    model = models["0001"]
    grid = pixels(page, "explorer-plane")
    assert grid.shape == (9 * 28, 9 * 28, 3)  # the two continuous codes, at full size
    assert same(grid[28 : 2 * 28, 28 * 8 :], expected(page, model, 1, 0, -0.75, 2))
    widget(page).get_by_label("from top to bottom").select_option("noise")
    widget(page).get_by_label("from left to right").select_option("cat_0")
    grid = pixels(page, "explorer-plane")
    assert grid.shape == (8 * 28, 10 * 28, 3)
    assert same(grid[28 * 2 : 28 * 3, 28 * 6 : 28 * 7], expected(page, model, 3, 6, 0, 0))
    page.locator("#explorer-plane").scroll_into_view_if_needed()
    box = page.locator("#explorer-plane").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.65, box["y"] + box["height"] * 0.3)
    assert same(pixels(page, "explorer-image"), expected(page, model, 3, 6, 0, 0))
    assert widget(page).locator("input[name=explorer-code-0]").nth(6).is_checked()
    frame = page.locator("#explorer-frame").evaluate("e => [e.style.left, e.style.top, e.style.width]")
    assert frame == ["60%", "25%", "10%"]

    other = widget(page).get_by_label("Trial")
    other.select_option(index=1)
    page.wait_for_function("() => document.activeElement.id === 'explorer-choose-trial'")
    model = models["0000"]
    assert same(pixels(page, "explorer-plane")[:28, :28], expected(page, model, 1, 0, -1, -2))
    text = page.locator("#codes").inner_text()
    assert text.count("the page runs G itself") == 2
    assert page.locator("#explorer .sheet").count() == 0


def test_several_categorical_codes_in_colour_are_explored(
    mixed: Path, opened: Callable[..., Page], tiny_run: RunConfig
) -> None:
    codes = {"codes.categorical": (10, 4, 10), "codes.uniform": 0, "codes.gaussian": 0}
    run = apply(tiny_run, codes | {"architecture.width": 0.05, "codes.noise_distribution": "normal"})
    model = InfoGAN(run, (3, 12, 20), torch.Generator().manual_seed(3))
    write_generator(model, mixed / "trials" / "0001" / "seed-0")
    page = ready(opened(mixed))
    for code, category in (("cat_0", 9), ("cat_1", 2), ("cat_2", 5)):
        group = widget(page).get_by_role("group", name=f"Category of {code}")
        group.locator("input").nth(category).check(force=True)
    z = page.evaluate("() => explorerNoise(1, 8, 'normal')")
    image = model.generate(Latents(torch.tensor([z]), torch.tensor([[9, 2, 5]]), torch.empty(1, 0)))[0]
    assert same(pixels(page, "explorer-image"), np.asarray((image.permute(1, 2, 0) + 1) * 127.5, np.float64))
    many = np.array(page.evaluate("() => explorerNoise(5, 20000, 'normal')"))
    assert abs(many.mean()) < 0.03
    assert many.std() == pytest.approx(1, abs=0.02)


def test_what_is_too_large_for_the_page_is_pictures(mixed: Path, opened: Callable[..., Page]) -> None:
    """Three generators of 4 MB, whose code has a hostile name: the page has room for two."""
    name = "</script><img src=x onerror=alert(1)>"
    layers = (
        LayerRecord("linear", (1000, 1)),
        LayerRecord("linear", (2000, 1000), halves=True),
        LayerRecord("images", (1, 20, 100)),
    )
    record = GeneratorRecord(
        (1, 20, 100), 0, "normal", (GeneratorCode(name, "uniform", 1),), None, layers, 0.0
    )
    content = pack_numbers(np.random.default_rng(0).bytes(record.n_bytes))
    assert 2 * len(content) < MAX_GENERATORS == 10_000_000 < 3 * len(content)
    for trial in ("0001", "0000", "0002"):
        write_generator_record(mixed / "trials" / trial / "seed-0", record, content)
    page = ready(opened(mixed))
    options = widget(page).get_by_label("Trial").locator("option").all_inner_texts()
    assert options == ["0001", "0000"]
    assert page.locator("img[src=x]").count() == 0
    assert widget(page).get_by_role("slider", name=name).count() == 1
