"""Layers as products of matrices against torch's own, and what vmap makes of them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional as F

from infogan_bench.training.batched import BatchedLayers, batch_norm, conv2d, conv_transpose2d

SHAPES = {
    "as in InfoGAN": ((4, 4), {"stride": 2, "padding": 1}),
    "the defaults": ((1, 1), {}),
    "3x3": ((3, 3), {"stride": 1, "padding": 1}),
    "nothing overlaps": ((2, 3), {"stride": (3, 4)}),
    "unequal sides": ((5, 2), {"stride": (2, 1), "padding": (2, 0)}),
}


def normal(*shape: int) -> Tensor:
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    ).requires_grad_()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("kernel", "how"), SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize(("ours", "torch_s"), [(conv2d, F.conv2d), (conv_transpose2d, F.conv_transpose2d)])
def test_values_and_gradients_of_every_replica_are_torch_s(
    ours: Any, torch_s: Any, kernel: tuple[int, int], how: dict[str, Any], bias: bool
) -> None:
    x, b = normal(3, 2, 4, 8, 7), normal(3, 5)
    weight = normal(3, 5, 4, *kernel) if ours is conv2d else normal(3, 4, 5, *kernel)
    inputs = (x, weight, b) if bias else (x, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # vmap warns where it goes on in a loop
        found = vmap(lambda *each: ours(*each, **how))(*inputs)
    expected = torch.stack([torch_s(*each, **how) for each in zip(*inputs, strict=True)])
    torch.testing.assert_close(found, expected)
    outward = normal(*expected.shape)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, outward), torch.autograd.grad(expected, inputs, outward)
    )


@pytest.mark.parametrize("how", [{"dilation": 2}, {"groups": 2}, {"padding": "same"}])
def test_what_is_not_defined_is_left_to_torch(how: dict[str, Any]) -> None:
    x, weight = normal(2, 4, 8, 8), normal(4, 4 // how.get("groups", 1), 3, 3)
    assert conv2d(x, weight, **how) is NotImplemented
    with BatchedLayers():
        found = F.conv2d(x, weight, **how)
    torch.testing.assert_close(found, F.conv2d(x, weight, **how), rtol=0, atol=0)


@pytest.mark.parametrize("how", [{"dilation": 2}, {"groups": 2}, {"output_padding": 1, "stride": 2}])
def test_so_are_transposed_ones(how: dict[str, Any]) -> None:
    x, weight = normal(2, 4, 8, 8), normal(4, 4 // how.get("groups", 1), 3, 3)
    assert conv_transpose2d(x, weight, **how) is NotImplemented
    with BatchedLayers():
        found = F.conv_transpose2d(x, weight, **how)
    torch.testing.assert_close(found, F.conv_transpose2d(x, weight, **how), rtol=0, atol=0)


def test_modules_call_them() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 4, stride=2, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1),
    )
    x = normal(2, 1, 8, 8).float()
    expected = layers(x)
    with BatchedLayers(), torch.profiler.profile() as profile:
        found = layers(x)
    torch.testing.assert_close(found, expected)
    called = {event.key for event in profile.key_averages()}
    assert "aten::native_batch_norm" in called
    assert not {"aten::convolution", "aten::cudnn_batch_norm"} & called


def test_batch_norm_moves_its_statistics() -> None:
    x, mean, var = normal(6, 3), torch.zeros(3).double(), torch.ones(3).double()
    with torch.no_grad():
        batch_norm(x, mean, var, training=True, momentum=0.25)
    torch.testing.assert_close(mean, 0.25 * x.mean(0).detach())
    torch.testing.assert_close(var, 0.75 + 0.25 * x.var(0).detach())
