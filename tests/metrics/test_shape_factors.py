"""Slant and stroke width against closed forms, and on real digits."""

from __future__ import annotations

import numpy as np
import pytest
from infogan_metrics import slant, stroke_width
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import spearmanr

from infogan_bench.datasets import ImageDataset

Images = NDArray[np.float64]


@pytest.fixture(scope="module")
def digits(mnist: ImageDataset) -> Images:
    """(200, 28, 28) in [0, 1]."""
    return mnist.test_images[:200, 0].numpy() / 255


def bar(width: int, length: int, *, side: int = 40) -> Images:
    """An upright bar in the middle of a square image."""
    image = np.zeros((side, side))
    top, left = (side - length) // 2, (side - width) // 2
    image[top : top + length, left : left + width] = 1
    return image


def sheared(image: Images, shear: float, *, margin: int = 30) -> Images:
    """`image` with each row moved `shear` columns to the right for each row upwards, between columns linearly."""
    wide = np.pad(image, ((0, 0), (margin, margin)))
    columns = np.arange(wide.shape[1])
    middle = (len(wide) - 1) / 2
    return np.stack([np.interp(columns - shear * (middle - y), columns, row) for y, row in enumerate(wide)])


# Slant ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shear", [-1.0, -0.3, 0.0, 0.25, 2.0])
def test_a_sheared_bar_slants_by_its_shear(shear: float) -> None:
    assert slant(sheared(bar(3, 21), shear)[None]) == pytest.approx([shear])


@pytest.mark.parametrize("shear", [-0.5, 0.37])
def test_shearing_a_digit_adds_the_shear_to_its_slant(digits: Images, shear: float) -> None:
    # x' = x + s y leaves mu_02 as it is and adds s mu_02 to mu_11; interpolating linearly moves a row's mean exactly
    moved = np.stack([sheared(digit, shear) for digit in digits])
    assert slant(moved) == pytest.approx(slant(digits) + shear)


def test_slant_is_the_slope_that_predicts_a_pixel_s_column_from_its_row(digits: Images) -> None:
    rows, columns = np.indices((28, 28)).reshape(2, -1)
    slopes = [np.polyfit(-rows, columns, 1, w=np.sqrt(digit.ravel()))[0] for digit in digits[:20]]
    assert slant(digits[:20]) == pytest.approx(slopes)


def test_mirroring_turns_the_slant_around_and_place_and_contrast_leave_it(digits: Images) -> None:
    expected = slant(digits)
    assert slant(digits[:, :, ::-1]) == pytest.approx(-expected)
    assert slant(digits[:, ::-1]) == pytest.approx(-expected)
    assert slant(np.pad(digits, ((0, 0), (5, 0), (0, 9))) * 255) == pytest.approx(expected)


def test_what_has_no_height_has_no_slant() -> None:
    line = np.zeros((28, 28))
    line[9, 3:20] = 0.7
    assert np.isnan(slant(np.stack([np.zeros((28, 28)), line]))).all()


# Stroke width -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "length"), [(1, 20), (3, 20), (7, 30), (10, 10)])
@pytest.mark.parametrize("grey", [1.0, 0.4])
def test_the_width_of_a_bar_in_closed_form(width: int, length: int, grey: float) -> None:
    # Rows and columns cross the outline 2 (w + l) times; each of the w + l - 1 diagonals of either direction twice.
    sides = width + length
    outline = np.pi / 8 * (2 * sides + 2 * 2 * (sides - 1) / np.sqrt(2))
    image = grey * bar(width, length)
    assert stroke_width(np.stack([image, image.T])) == pytest.approx([2 * width * length / outline] * 2)


@pytest.mark.parametrize("angle", [0, 10, 22.5, 45, 60, 90])
@pytest.mark.parametrize("width", [2.0, 3.5, 6.0])
def test_a_long_stroke_of_any_angle_and_softness_has_its_width(width: float, angle: float) -> None:
    rows, columns = np.indices((401, 401)) - 200.0
    radians = np.deg2rad(angle)
    across = np.abs(columns * np.cos(radians) + rows * np.sin(radians))
    along = np.abs(columns * np.sin(radians) - rows * np.cos(radians))
    sharp = np.clip(width / 2 - across + 0.5, 0, 1) * (along < 150)
    # The outline is short by at most 1 - pi (1 + sqrt 2) / 8 = 5.2%, along the axes and at 45 degrees, and long by 2.6%
    # between; the ends of a stroke of length 300 make it w / 300 longer. The drawing itself is right to 2% in area.
    assert stroke_width(sharp[None])[0] == pytest.approx(width, rel=0.07)
    if width >= 6:
        blurred = ndimage.gaussian_filter(sharp, 1.0)
        assert stroke_width(blurred[None]) == pytest.approx(stroke_width(sharp[None]), rel=0.02)


def test_strokes_of_digits_are_ordered_as_by_the_distance_to_the_background(digits: Images) -> None:
    def along_the_ridge(digit: Images) -> float:
        """Morpho-MNIST's thickness, the ridge of the distance standing in for the medial axis."""
        large = ndimage.zoom(digit, 4, order=3, grid_mode=True, mode="grid-constant")
        distance = ndimage.distance_transform_edt(large >= large.max() / 2)
        ridge = (distance > 0) & (distance >= ndimage.maximum_filter(distance, 3))
        return float(2 * distance[ridge].mean() / 4)

    widths = stroke_width(digits)
    expected = np.array([along_the_ridge(digit) for digit in digits])
    assert spearmanr(widths, expected).statistic > 0.95
    assert widths.mean() == pytest.approx(expected.mean(), rel=0.1)


def test_thicker_digits_have_wider_strokes(digits: Images) -> None:
    thicker = ndimage.grey_dilation(digits, size=(1, 2, 2))
    assert (stroke_width(thicker) > stroke_width(digits) + 0.2).all()


def test_the_edge_of_the_image_is_an_edge_of_the_ink() -> None:
    inside = stroke_width(bar(3, 20)[None])
    assert stroke_width(np.ones((1, 20, 3))) == pytest.approx(inside)


def test_many_images_are_measured_each_on_its_own(digits: Images) -> None:
    many = np.concatenate([digits] * 6)
    assert stroke_width(many) == pytest.approx(np.tile(stroke_width(digits), 6))


def test_an_image_without_ink_has_no_stroke() -> None:
    widths = stroke_width(np.stack([np.zeros((9, 9)), np.ones((9, 9))]))
    assert np.isnan(widths).tolist() == [True, False]


@pytest.mark.parametrize("measure", [slant, stroke_width])
@pytest.mark.parametrize(
    ("images", "fault"),
    [
        (np.ones((28, 28)), r"\(n, H, W\) and not empty, but has shape \(28, 28\)"),
        (np.ones((0, 28, 28)), "not empty"),
        (np.full((1, 4, 4), -0.5), "no value below 0"),
        (np.full((1, 4, 4), np.nan), "must be finite"),
    ],
)
def test_what_is_no_image_is_refused(measure: object, images: Images, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        measure(images)  # type: ignore[operator]
