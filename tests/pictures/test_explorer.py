"""The explorer's sheet: each tile is G's image of the latents that the index says, pixel for pixel."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import norm

from infogan_bench.codes import Latents
from infogan_bench.config import RunConfig, apply
from infogan_bench.datasets import to_uint8
from infogan_bench.networks import InfoGAN
from infogan_bench.pictures.explorer import write_explorer


class Paint(torch.nn.Module):
    """Writes G's input into the pixels: image (C, 8, 8), each 2 x 2 block the value of one input, cut to [-1, 1]."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        blocks = torch.zeros(len(latents), 16)
        blocks[:, : latents.shape[1]] = latents[:, :16]
        image = blocks.view(-1, 1, 4, 4).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        return image.clamp(-1, 1).expand(-1, self.channels, 8, 8)


def painted(run: RunConfig, changes: dict[str, Any], channels: int = 1) -> InfoGAN:
    """A model of 2 noise dimensions with `Paint` for G."""
    run = apply(run, {"codes.noise": 2} | changes)
    model = InfoGAN(run, (1, 28, 28), torch.Generator().manual_seed(0))
    model.networks.G = Paint(channels)
    return model


def written(model: InfoGAN, folder: Path, seed: int = 0) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The index, and the tiles (n, H, W) or (n, H, W, 3) of the sheet."""
    write_explorer(model, folder, seed=seed)
    index = json.loads((folder / "explorer.json").read_text())
    with Image.open(folder / "explorer.webp") as picture:
        pixels = np.asarray(picture)
    (height, width), columns = index["tile"], index["columns"]
    rows = len(pixels) // height
    assert pixels.shape[:2] == (rows * height, columns * width)
    tiles = pixels.reshape(rows, height, columns, width, -1).swapaxes(1, 2)
    return index, tiles.reshape(rows * columns, height, width, -1)


def tile_number(index: dict[str, Any], category: int, noise: int, plane: int, *steps: int) -> int:
    """The rule of docs/architecture.md, written out once more."""
    sizes = [int(np.prod([len(values) for values in p["values"]])) for p in index["planes"]]
    shape = [len(values) for values in index["planes"][plane]["values"]]
    within = int(np.ravel_multi_index(steps, shape)) if steps else 0
    return int((category * index["n_noises"] + noise) * sum(sizes) + sum(sizes[:plane]) + within)


def greys(images: torch.Tensor) -> NDArray[np.uint8]:
    """uint8 images rounded to 32 levels."""
    return np.rint(np.rint(np.asarray(images) / 255 * 31) / 31 * 255).astype(np.uint8)


def test_every_tile_shows_the_latents_that_the_index_names(tiny_run: RunConfig, tmp_path: Path) -> None:
    # inputs: [2 noise | 3 one-hot of cat_0 | 5 of cat_1, which is scored | 2 uniform | 1 gaussian]
    model = painted(tiny_run, {"codes.categorical": (3, 5), "codes.uniform": 2, "codes.gaussian": 1})
    index, tiles = written(model, tmp_path, seed=4)
    assert (index["category"], index["n_categories"], index["n_noises"]) == ("cat_1", 5, 8)
    assert [plane["codes"] for plane in index["planes"]] == [
        ["uniform_0", "uniform_1"],
        ["gaussian_0"],
        ["cat_0"],
    ]
    assert index["planes"][0]["values"] == [[-1 + k / 4 for k in range(9)]] * 2
    quantiles = norm.ppf(np.linspace(0.025, 0.975, 9))
    assert index["planes"][1]["values"][0] == pytest.approx(quantiles.tolist(), abs=1e-4)
    assert index["planes"][2]["values"] == [[0, 1, 2]]

    z = model.codes.sample(8, torch.Generator().manual_seed(4)).z
    settings = [
        (category, noise, plane, steps)
        for category, noise in itertools.product(range(5), range(8))
        for plane, shape in enumerate([(9, 9), (9,), (3,)])
        for steps in np.ndindex(*shape)
    ]
    assert len(settings) == 5 * 8 * (81 + 9 + 3)
    for number, (category, noise, plane, steps) in enumerate(settings):
        assert tile_number(index, category, noise, plane, *steps) == number
    continuous = torch.zeros(len(settings), 3)
    categories = torch.zeros(len(settings), 2, dtype=torch.int64)
    for row, (category, _, plane, steps) in enumerate(settings):
        categories[row, 1] = category
        values = [index["planes"][plane]["values"][axis][step] for axis, step in enumerate(steps)]
        if plane == 0:
            continuous[row, :2] = torch.tensor(values)
        elif plane == 1:
            continuous[row, 2] = values[0]
        else:
            categories[row, 0] = int(values[0])
    expected = model.generate(Latents(z[[noise for _, noise, *_ in settings]], categories, continuous))
    assert np.array_equal(tiles[: len(settings), ..., 0], greys(to_uint8(expected))[:, 0])
    assert not tiles[len(settings) :].any()  # what is left over of the last row


def test_a_trained_architecture_gives_the_same_images_one_by_one(tiny_run: RunConfig, tmp_path: Path) -> None:
    model = InfoGAN(tiny_run, (1, 28, 28), torch.Generator().manual_seed(0))
    index, tiles = written(model, tmp_path)
    z = model.codes.sample(8, torch.Generator().manual_seed(0)).z
    for category, noise, i, j in [(0, 0, 0, 0), (3, 5, 8, 2), (9, 7, 4, 8)]:
        values = [[index["planes"][0]["values"][0][i], index["planes"][0]["values"][1][j]]]
        latents = Latents(z[noise : noise + 1], torch.tensor([[category]]), torch.tensor(values))
        expected = greys(to_uint8(model.generate(latents)))[0, 0].astype(int)
        found = tiles[tile_number(index, category, noise, 0, i, j), ..., 0]
        assert np.abs(found - expected).max() <= 9  # a level, where a value lies between two
        assert (found == expected).mean() > 0.99


@pytest.mark.parametrize(
    ("changes", "planes", "n_tiles"),
    [
        ({"codes.categorical": (), "codes.uniform": 1, "codes.gaussian": 0}, [["uniform_0"]], 8 * 9),
        ({"codes.categorical": (4,), "codes.uniform": 0, "codes.gaussian": 0}, [[]], 4 * 8),
        ({"codes.categorical": (4, 2), "codes.uniform": 0, "codes.gaussian": 0}, [["cat_1"]], 4 * 8 * 2),
        ({"codes.categorical": (), "codes.uniform": 1, "codes.gaussian": 1}, [["uniform_0", "gaussian_0"]], 8 * 81),
    ],
)  # fmt: skip
def test_codes_that_a_model_lacks_are_left_out(
    tiny_run: RunConfig, tmp_path: Path, changes: dict[str, Any], planes: list[list[str]], n_tiles: int
) -> None:
    index, tiles = written(painted(tiny_run, changes), tmp_path)
    assert [plane["codes"] for plane in index["planes"]] == planes
    assert index["category"] == ("cat_0" if changes["codes.categorical"] else None)
    shown = tiles.reshape(len(tiles), -1).any(axis=1)  # no image is black: its unused blocks are grey
    assert shown.sum() == n_tiles


def test_many_categories_are_shown_with_fewer_noises_and_at_most_a_hundred(
    tiny_run: RunConfig, tmp_path: Path
) -> None:
    changes = {"codes.categorical": (120,), "codes.uniform": 2, "codes.gaussian": 0}
    index, tiles = written(painted(tiny_run, changes), tmp_path)
    assert (index["n_categories"], index["n_noises"]) == (100, 1)  # 100 x 81 = 8,100 of at most 13,000 tiles
    assert tiles.reshape(len(tiles), -1).any(axis=1).sum() == 8100


def test_colour_keeps_its_colour_within_what_compression_loses(tiny_run: RunConfig, tmp_path: Path) -> None:
    model = painted(
        tiny_run, {"codes.categorical": (2,), "codes.uniform": 1, "codes.gaussian": 0}, channels=3
    )
    index, tiles = written(model, tmp_path)
    assert "with loss" in index["encoding"]
    z = model.codes.sample(8, torch.Generator().manual_seed(0)).z
    for category, noise, step in [(0, 0, 0), (1, 3, 8), (1, 7, 2)]:
        value = torch.tensor([[index["planes"][0]["values"][0][step]]])
        latents = Latents(z[noise : noise + 1], torch.tensor([[category]]), value)
        expected = to_uint8(model.generate(latents))[0].permute(1, 2, 0).numpy().astype(int)
        found = tiles[tile_number(index, category, noise, 0, step)].astype(int)
        assert np.sqrt(((found - expected) ** 2).mean()) < 20  # 2 x 2 blocks are the hardest case


@pytest.mark.parametrize(
    ("limit", "encoding", "tile"),
    [
        (600_000, "rounded to 16 greys", [28, 28]),
        (200_000, "rounded to 32 greys, at half their size", [14, 14]),
    ],
)
def test_what_cannot_be_packed_as_it_is_is_rounded_more_or_halved(
    tiny_run: RunConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    encoding: str,
    tile: list[int],
) -> None:
    changes = {"codes.categorical": (2,)}
    model = InfoGAN(apply(tiny_run, changes), (1, 28, 28), torch.Generator().manual_seed(0))
    model.networks.G = Static()
    monkeypatch.setattr("infogan_bench.pictures.explorer._MAX_BYTES", limit)
    index, tiles = written(model, tmp_path)
    assert (index["encoding"], index["tile"]) == (encoding, tile)
    assert (tmp_path / "explorer.webp").stat().st_size <= limit
    if tile == [14, 14]:
        full = np.asarray(to_uint8(Static()(torch.zeros(500, 1)))[499, 0], dtype=float)
        means = full.reshape(14, 2, 14, 2).mean(axis=(1, 3))
        assert np.abs(tiles[499, ..., 0] - means).max() <= 255 / 31 / 2 + 1


def test_colour_images_of_64_pixels_fit_with_all_their_steps_and_noises(
    tiny_run: RunConfig, tmp_path: Path
) -> None:
    changes = {"architecture.name": "infogan-cr", "codes.uniform": 3, "codes.gaussian": 0}
    model = InfoGAN(apply(tiny_run, changes), (3, 64, 64), torch.Generator().manual_seed(0))
    index, tiles = written(model, tmp_path)
    assert (index["n_categories"], index["n_noises"]) == (10, 8)
    assert [len(values) for plane in index["planes"] for values in plane["values"]] == [9, 9, 9]
    assert tiles.shape[-1] == 3
    assert (tmp_path / "explorer.webp").stat().st_size <= 1_000_000  # three of them in base64: 4 MB of 10


class Static(torch.nn.Module):
    """Noise that no code explains, the worst that can be packed."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.rand(len(latents), 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_equal_seeds_give_equal_sheets_and_the_model_stays_as_it_was(
    tiny_run: RunConfig, tmp_path: Path
) -> None:
    model = InfoGAN(
        apply(tiny_run, {"codes.categorical": (2,)}), (1, 28, 28), torch.Generator().manual_seed(0)
    )
    before = {name: value.clone() for name, value in model.networks.state_dict().items()}
    sheets = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        write_explorer(model, tmp_path / name, seed=seed)
        sheets.append((tmp_path / name / "explorer.webp").read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]
    assert all(torch.equal(model.networks.state_dict()[name], value) for name, value in before.items())
    assert model.networks.G.training
