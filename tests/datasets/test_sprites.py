"""Sprites: what each factor does to the picture, and how the splits are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.factors import combinations, draw_split
from infogan_bench.datasets.sprites import AREA, SIZES, render

SQUARE, ELLIPSE, HEART = range(3)
CENTRE = (16, 16)
TOTAL = 3 * 6 * 40 * 32 * 32


def draw(*factors: tuple[int, int, int, int, int]) -> NDArray[np.float64]:
    """Images (n, 64, 64) with white as 1."""
    return render(np.array(factors)).squeeze(1).numpy() / 255


def centroid(image: NDArray[np.float64]) -> tuple[float, float]:
    """(x, y) in pixels, 0 being the middle of the first pixel."""
    rows, columns = np.indices(image.shape)
    return float((columns * image).sum() / image.sum()), float((rows * image).sum() / image.sum())


def test_images_are_uint8_with_one_channel() -> None:
    images = render(np.zeros((2, 5), dtype=np.int64))
    assert images.shape == (2, 1, 64, 64)
    assert images.dtype == torch.uint8
    assert (int(images.min()), int(images.max())) == (0, 255)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_the_area_grows_with_the_square_of_the_scale(shape: int) -> None:
    areas = draw(*((shape, scale, 3, *CENTRE) for scale in range(6))).sum(axis=(1, 2))
    expected = [AREA * (0.5 + 0.1 * scale) ** 2 for scale in range(6)]
    assert areas == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
@pytest.mark.parametrize("orientation", [0, 7, 20])
def test_the_centroid_is_at_pixel_16_plus_x_and_y(shape: int, orientation: int) -> None:
    for x, y in [(0, 0), (1, 0), (0, 1), (31, 5), (31, 31)]:
        (image,) = draw((shape, 4, orientation, x, y))
        assert centroid(image) == pytest.approx((16 + x, 16 + y), abs=0.05)


@pytest.mark.parametrize("corner", [(0, 0), (0, 31), (31, 0), (31, 31)])
def test_the_largest_sprites_are_whole_in_every_corner(corner: tuple[int, int]) -> None:
    for shape in range(3):
        for orientation in range(0, 40, 3):
            (image,) = draw((shape, 5, orientation, *corner))
            assert image.sum() == pytest.approx(AREA, rel=0.01)


def test_a_square_looks_the_same_after_a_quarter_turn_and_no_sooner() -> None:
    turns = draw(*((SQUARE, 5, turn, *CENTRE) for turn in range(40)))
    for turn in range(10):
        np.testing.assert_array_equal(turns[turn], turns[turn + 10])
    assert len(np.unique(turns, axis=0)) == 10


def test_an_ellipse_looks_the_same_after_half_a_turn_and_a_heart_never() -> None:
    for shape, distinct in ((ELLIPSE, 20), (HEART, 40)):
        turns = draw(*((shape, 5, turn, *CENTRE) for turn in range(40)))
        assert len(np.unique(turns, axis=0)) == distinct


def test_orientation_turns_counter_clockwise_by_a_fortieth() -> None:
    for orientation in range(40):
        (image,) = draw((ELLIPSE, 5, orientation, *CENTRE))
        x, y = centroid(image)
        rows, columns = np.indices(image.shape)
        right, up = columns - x, y - rows
        moments = [float((image * a * b).sum()) for a, b in ((right, right), (up, up), (right, up))]
        axis = 0.5 * math.atan2(2 * moments[2], moments[0] - moments[1])  # of the longest extent
        turned = 2 * math.pi * orientation / 40
        assert math.sin(axis - turned) == pytest.approx(0, abs=0.02)


def test_an_ellipse_is_0_6_as_high_as_it_is_long() -> None:
    (image,) = draw((ELLIPSE, 5, 0, *CENTRE))
    x, y = centroid(image)
    rows, columns = np.indices(image.shape)
    spread = [math.sqrt(float((image * (a**2)).sum())) for a in (columns - x, rows - y)]
    assert spread[1] / spread[0] == pytest.approx(0.6, abs=0.01)


def test_a_heart_has_its_point_at_the_bottom() -> None:
    (image,) = draw((HEART, 5, 0, *CENTRE))
    np.testing.assert_array_equal(image, image[:, ::-1][:, np.roll(np.arange(64), 1)])  # about column 32
    widths = (image > 0.5).sum(axis=1)
    rows = np.flatnonzero(widths)
    assert widths[rows[0]] > 2 * widths[rows[-1]]


def test_equal_factors_give_equal_images_and_other_factors_other_images() -> None:
    factors = np.array([[2, 3, 5, 10, 20]] * 2 + [[2, 3, 5, 10, 21], [2, 3, 6, 10, 20], [2, 4, 5, 10, 20]])
    first, again, *others = render(factors)
    assert torch.equal(first, again)
    assert not any(torch.equal(first, other) for other in others)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([[0, 0, 0, 0]], r"must be \(n, 5\), but has shape \(1, 4\)"),
        ([[0, 0, 40, 0, 0]], r"at least 0 and below \(3, 6, 40, 32, 32\)"),
        ([[0, 0, 0, 0, -1]], r"at least 0 and below"),
    ],
)
def test_other_factors_are_refused(factors: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render(np.array(factors))


# The dataset ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sprites() -> ImageDataset:
    return load_dataset(DatasetConfig(name="sprites", train_size=3000, test_size=10_000))


def test_images_are_those_of_their_factors(sprites: ImageDataset) -> None:
    assert sprites.factors is not None
    assert sprites.factors.names == ("shape", "scale", "orientation", "x", "y")
    assert sprites.factors.sizes == SIZES
    assert torch.equal(sprites.test_images, render(sprites.factors.test.numpy()))
    assert sprites.train_images.shape == (3000, 1, 64, 64)
    assert sprites.test_labels is None


def test_every_value_of_a_factor_is_about_equally_frequent(sprites: ImageDataset) -> None:
    assert sprites.factors is not None
    for column, size in zip(sprites.factors.test.T, SIZES, strict=True):
        counts = torch.bincount(column, minlength=size).double()
        expected = 10_000 / size
        chi_squared = float(((counts - expected) ** 2 / expected).sum())
        assert chi_squared < size + 5 * math.sqrt(2 * size)  # mean size - 1, standard deviation sqrt(2 size)


def test_no_combination_both_trains_and_tests() -> None:
    train, test = draw_split(TOTAL, None, None)
    assert (len(np.unique(train)), len(np.unique(test))) == (40_000, 10_000)
    assert not np.intersect1d(train, test).size


def test_a_smaller_set_is_the_beginning_of_a_larger_one(sprites: ImageDataset) -> None:
    small = load_dataset(DatasetConfig(name="sprites", train_size=100, test_size=200))
    assert sprites.factors is not None
    assert small.factors is not None
    assert torch.equal(small.train_images, sprites.train_images[:100])
    assert torch.equal(small.test_images, sprites.test_images[:200])
    assert torch.equal(small.factors.test, sprites.factors.test[:200])


def test_all_combinations_can_be_used_but_no_more() -> None:
    train, test = draw_split(TOTAL, TOTAL - 10, 10)
    assert len(np.union1d(train, test)) == TOTAL
    with pytest.raises(DatasetError, match=r"`train_size` 737,280 and `test_size` 10,000 are 747,280 images"):
        load_dataset(DatasetConfig(name="sprites", train_size=TOTAL))


def test_combinations_are_listed_with_the_last_factor_varying_fastest() -> None:
    rows = np.arange(TOTAL)
    factors = combinations(SIZES, rows)
    assert factors[[0, 1, 32, -1]].tolist() == [
        [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [2, 5, 39, 31, 31]
    ]  # fmt: skip
    np.testing.assert_array_equal(np.ravel_multi_index(tuple(factors.T), SIZES), rows)


def test_sprites_have_no_data_dir() -> None:
    with pytest.raises(DatasetError, match="sprites are drawn, not read: remove `data_dir`"):
        load_dataset(DatasetConfig(name="sprites", data_dir="anywhere"))
