"""Batches that pass through layers together: to the numbers of batches that pass one after another."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from infogan_bench.codes import LatentCodes
from infogan_bench.config import ArchitectureConfig, CodesConfig
from infogan_bench.networks import build_networks, initialise
from infogan_bench.networks.layers import ToImages, ToRows, each_apart

SIZES = {"real": 6, "fake": 6, "view": 3}


def trunk(name: str) -> nn.Module:
    codes = LatentCodes(CodesConfig(), fixed_std=True)
    networks = build_networks(ArchitectureConfig(name=name, width=0.0625), (1, 32, 32), codes)
    initialise(networks, torch.Generator().manual_seed(0))
    return networks.trunk


def rows(*layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(1024, 5), *layers)


TOGETHER = {"paper": lambda: trunk("paper"), "dcgan": lambda: trunk("dcgan"), "mlp": lambda: trunk("mlp")}
ONE_BY_ONE = {
    "infogan-cr": lambda: trunk("infogan-cr"),  # a power iteration every time it is called
    "spectral": lambda: nn.Sequential(nn.Flatten(), spectral_norm(nn.Linear(1024, 5))),
    "dropout": rows(nn.Dropout()),
    "cumulative": rows(nn.BatchNorm1d(5, momentum=None)),
    "unknown": rows(nn.Softmax(dim=0)),  # over the batch
}


def numbers(
    module: nn.Module, pass_all: Callable[[nn.Module, dict[str, Tensor]], dict[str, Tensor]]
) -> list[Tensor]:
    """Outputs, gradients of weights and images, and buffers afterwards, in double precision."""
    generator = torch.Generator().manual_seed(1)
    module = module.double().to(memory_format=torch.channels_last).train()
    batches = {
        name: (k + torch.randn(n, 1, 32, 32, generator=generator, dtype=torch.float64)).requires_grad_()
        for k, (name, n) in enumerate(SIZES.items())
    }
    torch.manual_seed(2)
    made = pass_all(module, batches)
    assert list(made) == list(SIZES)
    sum((k + 1) * out.square().sum() for k, out in enumerate(made.values())).backward()  # type: ignore[union-attr]
    leaves = [*module.parameters(), *batches.values()]
    buffers = [b for name, b in module.named_buffers() if not name.endswith("num_batches_tracked")]
    return [*made.values(), *(leaf.grad for leaf in leaves if leaf.grad is not None), *buffers]


@pytest.mark.parametrize("kind", [*TOGETHER, *ONE_BY_ONE])
def test_batches_do_not_see_each_other(kind: str) -> None:
    module = (TOGETHER | ONE_BY_ONE)[kind]()
    plain = copy.deepcopy(module)
    calls: list[int] = []
    module.register_forward_pre_hook(lambda _module, inputs: calls.append(len(inputs[0])))
    found = numbers(module, each_apart)
    expected = numbers(
        plain, lambda module, batches: {name: module(batch) for name, batch in batches.items()}
    )
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9 * max(1.0, float(b.detach().abs().max())))
    assert calls == ([15] if kind in TOGETHER else [6, 6, 3])


def test_rows_are_images_as_they_lie_in_memory() -> None:
    images = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    rows = ToRows()(images)
    assert rows[0, :4].tolist() == [0, 20, 40, 1]  # the channels of the first pixel, then the next pixel's
    assert rows.data_ptr() == images.data_ptr()
    back = ToImages(3, 4, 5)(rows)
    assert torch.equal(back, images)
    assert back.data_ptr() == images.data_ptr()
    assert back.stride() == images.stride()
