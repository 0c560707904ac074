from __future__ import annotations

import pytest
import torch

from infogan_bench.datasets import to_float, to_uint8

ALL_VALUES = torch.arange(256, dtype=torch.uint8)


def test_range_and_midpoint() -> None:
    floats = to_float(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert floats.dtype == torch.float32
    torch.testing.assert_close(floats, torch.tensor([-1.0, -0.6, 1.0]))  # 51 / 127.5 - 1
    assert floats[0] == -1
    assert floats[2] == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_value_survives_the_round_trip(dtype: torch.dtype) -> None:
    assert torch.equal(to_uint8(to_float(ALL_VALUES).to(dtype)), ALL_VALUES)


def test_values_outside_the_range_are_clamped() -> None:
    outside = torch.tensor([-7.0, -1.01, 1.01, 7.0, torch.inf])
    assert to_uint8(outside).tolist() == [0, 0, 255, 255, 255]


def test_arguments_are_left_as_they_were() -> None:
    floats = torch.tensor([0.5])
    to_uint8(floats)
    to_float(ALL_VALUES)
    assert floats.item() == 0.5
    assert torch.equal(ALL_VALUES, torch.arange(256, dtype=torch.uint8))


def test_images_already_scaled_are_refused() -> None:
    with pytest.raises(TypeError, match=r"must be uint8, but is torch\.float32"):
        to_float(torch.zeros(1))
    with pytest.raises(TypeError, match=r"must be floating point, but is torch\.uint8"):
        to_uint8(ALL_VALUES)
