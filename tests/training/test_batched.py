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
    with BatchedLayers(convolutions=True):
        found = F.conv2d(x, weight, **how)
    torch.testing.assert_close(found, F.conv2d(x, weight, **how), rtol=0, atol=0)


@pytest.mark.parametrize("how", [{"dilation": 2}, {"groups": 2}, {"output_padding": 1, "stride": 2}])
def test_so_are_transposed_ones(how: dict[str, Any]) -> None:
    x, weight = normal(2, 4, 8, 8), normal(4, 4 // how.get("groups", 1), 3, 3)
    assert conv_transpose2d(x, weight, **how) is NotImplemented
    with BatchedLayers(convolutions=True):
        found = F.conv_transpose2d(x, weight, **how)
    torch.testing.assert_close(found, F.conv_transpose2d(x, weight, **how), rtol=0, atol=0)


@pytest.mark.parametrize("sides", [(), (5, 4)])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_batch_norm_of_every_replica_is_torch_s(sides: tuple[int, ...], affine: bool, training: bool) -> None:
    x = normal(3, 6, 4, *sides)
    ours, theirs = (
        {
            "mean": torch.linspace(0, 1, 12).view(3, 4).double(),
            "var": torch.linspace(1, 2, 12).view(3, 4).double(),
        }
        for _ in range(2)
    )
    scales = (normal(3, 4), normal(3, 4)) if affine else ()

    def normalise(
        function: Any, x: Tensor, statistics: tuple[Tensor, Tensor], scales: tuple[Tensor, ...]
    ) -> Any:
        return function(x, *statistics, *scales, training=training, momentum=0.25)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = vmap(lambda *each: normalise(batch_norm, *each))(x, (ours["mean"], ours["var"]), scales)
    expected = torch.stack(
        [
            normalise(F.batch_norm, x[r], (theirs["mean"][r], theirs["var"][r]), tuple(s[r] for s in scales))
            for r in range(3)
        ]
    )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours, theirs)
    inputs, outward = (x, *scales), normal(*expected.shape)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, outward), torch.autograd.grad(expected, inputs, outward)
    )


def test_modules_call_them() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 4, stride=2, padding=1),
        torch.nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1),
        torch.nn.BatchNorm2d(1),
    )
    x = normal(2, 1, 8, 8).float()
    expected = layers(x)
    with BatchedLayers(convolutions=True), torch.profiler.profile() as profile:
        found = layers(x)
        stacked = vmap(layers, in_dims=1, out_dims=1)(x[:, None].expand(2, 3, 1, 8, 8)[:, :1])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(stacked[:, 0], expected)
    called = {event.key for event in profile.key_averages()}
    assert "aten::convolution" not in called
