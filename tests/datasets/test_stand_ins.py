"""The made-up stand-ins for SVHN and CelebA: the same bytes everywhere, and pixels that follow from the factors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.config.datasets import DATASETS
from infogan_bench.datasets import DatasetError, load_dataset
from infogan_bench.drawing.avatars import FACTORS, GROUNDS, SKINS, draw_avatars, draw_small_avatars
from infogan_bench.drawing.street_digits import GROUNDS as STREETS
from infogan_bench.drawing.street_digits import draw_street_digits
from tests.command_line import infogan_bench

DIGIT, FONT, GROUND, INK, LIGHT, BLUR, NEIGHBOURS = range(7)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "cache"))


def streets(n: int, **fixed: float) -> NDArray[np.float64]:
    """Rows of factors, some with one value in all rows."""
    random = np.random.default_rng(0)
    columns = [random.integers(0, size, n) for size in (10, 24, 10, 2)]
    columns += [random.uniform(0.5, 1, n), random.uniform(0.3, 1.3, n), random.integers(0, 4, n)]
    rows = np.column_stack(columns).astype(np.float64)
    for name, value in fixed.items():
        rows[:, globals()[name]] = value
    return rows


def faces(n: int, **fixed: str) -> NDArray[np.float64]:
    random = np.random.default_rng(0)
    rows = np.column_stack([random.integers(0, len(values), n) for values in FACTORS.values()]).astype(
        np.float64
    )
    for name, value in fixed.items():
        rows[:, list(FACTORS).index(name)] = FACTORS[name].index(value)
    return rows


def digest(images: NDArray[np.uint8]) -> str:
    return hashlib.sha256(images.tobytes()).hexdigest()[:16]


def test_the_bytes_are_the_same_on_every_machine() -> None:
    k = np.arange(64)
    rows = [k % 10, k % 24, k % 7, k % 2, 0.5 + k / 128, 0.3125 + k / 128, k // 16]
    assert digest(draw_street_digits(np.column_stack(rows).astype(float))) == "37ed2bdced041ea8"
    rows = [(k // (place + 1)) % len(values) for place, values in enumerate(FACTORS.values())]
    assert digest(draw_avatars(np.column_stack(rows).astype(float))) == "8e353801c2186a95"


def test_an_image_follows_from_its_own_row_alone() -> None:
    for draw, rows in ((draw_street_digits, streets(40)), (draw_avatars, faces(40))):
        whole = draw(rows)
        np.testing.assert_array_equal(draw(rows[7:9]), whole[7:9])
        assert whole.dtype == np.uint8


def test_a_street_digit_has_the_ground_s_colour_and_light() -> None:
    corners = (slice(None), slice(None), slice(0, 4), slice(0, 32, 31))
    for number, colour in enumerate(STREETS.values()):
        rows = streets(60, GROUND=number, LIGHT=0.8, NEIGHBOURS=0)
        found = draw_street_digits(rows)[corners].mean(axis=(0, 2, 3))
        assert found == pytest.approx(0.8 * np.array(colour), abs=6)  # shades differ by up to 14 x 0.8
    rows = streets(400, GROUND=9, NEIGHBOURS=0)
    brightness = draw_street_digits(rows)[corners].mean(axis=(1, 2, 3))
    assert spearmanr(brightness, rows[:, LIGHT])[0] > 0.9


def test_ink_and_blur_show() -> None:
    for ink, brighter in ((0, True), (1, False)):
        images = draw_street_digits(streets(60, INK=ink, LIGHT=1, NEIGHBOURS=0)).astype(float)
        centre, edge = images[:, :, 10:22, 12:20].mean(), images[:, :, :4].mean()
        assert (centre > edge) == brighter
    rows = streets(300, BLUR=0.3)
    sharp = np.abs(np.diff(draw_street_digits(rows).astype(float), axis=3)).mean()
    rows[:, BLUR] = 1.3
    assert np.abs(np.diff(draw_street_digits(rows).astype(float), axis=3)).mean() < 0.75 * sharp


def test_neighbours_stand_where_they_are_said_to() -> None:
    def ink(neighbours: int) -> tuple[float, float]:
        images = draw_street_digits(streets(200, INK=0, LIGHT=1, GROUND=6, NEIGHBOURS=neighbours)).astype(
            float
        )
        return images[:, 0, 10:22, :6].mean(), images[:, 0, 10:22, 26:].mean()

    none, left, right, both = map(ink, range(4))
    assert left[0] > none[0] + 20 and abs(left[1] - none[1]) < 5  # noqa: PT018
    assert right[1] > none[1] + 20 and abs(right[0] - none[0]) < 5  # noqa: PT018
    assert both == pytest.approx((left[0], right[1]), abs=8)


def test_the_label_of_a_street_digit_is_its_digit(tmp_path: Path) -> None:
    dataset = load_dataset(DatasetConfig(name="street-digits", train_size=60, test_size=40))
    assert dataset.factors is not None
    assert dataset.test_labels is not None
    assert dataset.train_labels is not None
    assert dataset.test_labels.tolist() == dataset.factors.test[:, 0].tolist()
    assert dataset.train_labels.bincount().tolist() == [6] * 10
    assert dataset.factors.sizes == (10, 24, 10, 2, None, None, 4)
    assert dataset.factors.ranges[5] == (0.3, 1.3, "pixels")
    larger = load_dataset(DatasetConfig(name="street-digits", train_size=80, test_size=40))
    assert (larger.train_images[:60] == dataset.train_images).all()


def test_a_face_has_the_colours_of_its_factors() -> None:
    for name, colour in SKINS.items():
        rows = faces(
            80, skin=name, hair="none", beard="none", glasses="none", mouth="serious", clothes="shirt"
        )
        images = draw_avatars(rows)
        forehead = images[:, :, 24:28, 28:36].mean(axis=(0, 2, 3))
        assert forehead == pytest.approx(0.95 * np.array(colour), abs=10)  # brightness 0.85 to 1.05
    for name, colour in GROUNDS.items():
        corner = draw_avatars(faces(80, ground=name, hair="short"))[:, :, :4, :4].mean(axis=(0, 2, 3))
        assert corner == pytest.approx(0.95 * np.array(colour), abs=8)


def test_glasses_and_beards_change_their_own_part_of_a_face() -> None:
    bare = draw_parts(glasses="none", beard="none")
    assert bare["eyes"] < 0.06
    glasses, beard = draw_parts(glasses="sunglasses", beard="none"), draw_parts(glasses="none", beard="full")
    assert glasses["eyes"] > 0.4
    assert glasses["chin"] < 0.02
    assert beard["chin"] > 0.4
    assert beard["eyes"] < 0.06


def draw_parts(**fixed: str) -> dict[str, float]:
    """The share of dark pixels around the eyes and at the chin of pale, bald or fair faces."""
    same = {"skin": "pale", "hair": "none", "hair_colour": "black", "ground": "white", "eyes": "closed"}
    images = draw_avatars(faces(60, **same, brows="plain", mouth="slight smile", **fixed))
    dark = images.max(axis=1) < 70
    return {"eyes": dark[:, 30:36, 21:43].mean(), "chin": dark[:, 48:52, 28:36].mean()}


def test_small_avatars_are_means_of_four_pixels() -> None:
    large = draw_avatars(faces(6)).astype(int)
    means = (
        large[:, :, ::2, ::2] + large[:, :, 1::2, ::2] + large[:, :, ::2, 1::2] + large[:, :, 1::2, 1::2]
    ) / 4
    assert np.abs(draw_small_avatars(faces(6)) - means).max() <= 0.5


def test_avatars_come_in_two_sizes_with_whole_factors() -> None:
    for size in (32, 64):
        dataset = load_dataset(
            DatasetConfig(name="avatars", train_size=3, test_size=120, options={"size": size})
        )
        assert dataset.image_shape == (3, size, size)
        assert dataset.factors is not None
        assert dataset.factors.names == tuple(FACTORS)
        assert dataset.factors.sizes == tuple(map(len, FACTORS.values()))
        assert dataset.factors.test[:, 0].bincount().tolist() == [30] * 4
        assert dataset.test_labels is None
    with pytest.raises(ConfigError, match=r"dataset\.options\.size: expected `32` or `64`"):
        parse_sweep({"name": "x", "dataset": {"name": "avatars", "options": {"size": 48}}})


@pytest.mark.parametrize("name", ["street-digits", "avatars"])
def test_a_stand_in_is_called_one(name: str, tmp_path: Path) -> None:
    assert "made up in the place of" in DATASETS[name].title
    with pytest.raises(DatasetError, match=f"{name} is drawn, not read: remove `data_dir`"):
        load_dataset(DatasetConfig(name=name, data_dir=str(tmp_path)))
    line = next(x for x in infogan_bench("data", "list").stdout.splitlines() if x.startswith(name))
    assert "made up in the place of" in line


@pytest.mark.parametrize("name", ["street-digits", "avatars", "faces3d", "chairs3d"])
def test_a_process_holds_the_images_of_a_drawn_set_once(name: str) -> None:
    first, second = (load_dataset(DatasetConfig(name=name, train_size=6, test_size=3)) for _ in range(2))
    assert first.train_images is second.train_images
    assert first.test_images is second.test_images
