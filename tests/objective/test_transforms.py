"""Random affine maps: what each number bounds, in closed form; and what they do to pixels."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from infogan_bench.config.objective import TransformConfig
from infogan_bench.objective.transforms import random_affines, warp

N = 500


def draw(seed: int = 0, **limits: float) -> Tensor:
    draws = torch.rand(N, 6, generator=torch.Generator().manual_seed(seed))
    return random_affines(TransformConfig(**limits), draws, (28, 20))


def test_nothing_is_transformed_by_default() -> None:
    assert not TransformConfig().any
    affines = draw()
    assert torch.equal(affines, torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(N, 2, 3))
    images = torch.rand(N, 2, 28, 20) * 2 - 1
    torch.testing.assert_close(warp(images, affines), images, rtol=0, atol=1e-5)


def test_a_rotation_is_a_rotation_by_angles_that_fill_the_range() -> None:
    linear = draw(rotation=30)[:, :, :2]
    torch.testing.assert_close(linear @ linear.mT, torch.eye(2).expand(N, 2, 2))
    angles = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 0, 0]))
    assert angles.abs().max() <= 30
    assert angles.min() < -29
    assert angles.max() > 29


def test_each_axis_is_scaled_on_its_own_and_as_often_up_as_down() -> None:
    linear = draw(scale=0.25)[:, :, :2]
    factors = torch.stack([linear[:, 0, 0], linear[:, 1, 1]])
    assert torch.equal(linear[:, 0, 1], torch.zeros(N))
    assert 0.8 <= float(factors.min()) < 0.81
    assert 1.24 < float(factors.max()) <= 1.25
    assert float(factors.log().mean()) == pytest.approx(0, abs=0.02)  # se: ln 1.25 / sqrt(3 * 1000) = 0.004
    assert abs(float(torch.corrcoef(factors)[0, 1])) < 0.15  # se: 1 / sqrt(500) = 0.045


def test_a_shear_moves_a_row_by_its_height_times_the_shear() -> None:
    linear = draw(shear=0.4)[:, :, :2]
    assert torch.equal(linear[:, [0, 1, 1], [0, 0, 1]], torch.tensor([1.0, 0, 1]).expand(N, 3))
    assert 0.39 < float(linear[:, 0, 1].abs().max()) <= 0.4


def test_a_shift_is_in_pixels_whatever_the_shape_of_the_image() -> None:
    shift = draw(shift=3)[:, :, 2] * torch.tensor([20, 28]) / 2  # affine_grid's unit is half a side
    assert 2.9 < float(shift.abs().max()) <= 3 + 1e-6


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-1, 4)])
def test_pixels_move_whole_and_black_comes_in(right: int, down: int) -> None:
    image = torch.rand(1, 1, 12, 10) * 2 - 1
    affine = torch.tensor([[[1, 0, -2 * right / 10], [0, 1, -2 * down / 12]]])  # from output to input
    expected = torch.roll(image, (down, right), dims=(2, 3))
    rows, columns = torch.arange(12) - down, torch.arange(10) - right
    outside = ~((rows >= 0) & (rows < 12))[:, None] | ~((columns >= 0) & (columns < 10))
    expected[0, 0, outside] = -1
    torch.testing.assert_close(warp(image, affine), expected, rtol=0, atol=1e-5)


def test_a_quarter_turn_is_torch_s_rot90() -> None:
    image = torch.rand(1, 1, 9, 9) * 2 - 1
    turn = torch.tensor([[[0.0, -1, 0], [1, 0, 0]]])
    torch.testing.assert_close(warp(image, turn), torch.rot90(image, 1, (2, 3)), rtol=0, atol=1e-5)


def test_equal_generators_draw_equal_maps() -> None:
    limits = {"rotation": 10, "scale": 0.1, "shear": 0.1, "shift": 1}
    assert torch.equal(draw(3, **limits), draw(3, **limits))
    assert not torch.equal(draw(3, **limits), draw(4, **limits))
    assert math.isclose(float(draw(3, **limits)[:, 0, 2].mean()), 0, abs_tol=0.02)
