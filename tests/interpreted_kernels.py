"""A program that compares the kernels in Triton, interpreted on a CPU, with torch's operations; it prints "equal".

The environment variable TRITON_INTERPRET has to be 1 before Triton is imported.
"""

from __future__ import annotations

from typing import Any

import torch
import triton.language as tl
from torch import Tensor

from infogan_bench.networks import spectral, spectral_kernel
from infogan_bench.training import patches_kernel
from infogan_bench.training.patches import PatchOperations
from tests.training.test_patches import WINDOWS


def assert_close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    # `torch.testing.assert_close` imports torch.distributed, which takes longer than all comparisons
    assert torch.allclose(found, expected, rtol=tolerance, atol=tolerance)


def several_parts() -> None:
    """Let a program of `spectral_kernel` read so few numbers at a time that small matrices have several parts."""
    few = {"_ROWS": 2, "_OF_A_ROW": 4, "_COLUMNS": 4, "_OF_A_COLUMN": 2, "_OF_A_VECTOR": 2}
    for name, number in few.items():
        setattr(spectral_kernel, name, tl.constexpr(number))


def compare_normalisation() -> None:
    generator = torch.Generator().manual_seed(0)
    n, height, width = 2, 3, 5
    matrices, gradient = (torch.randn(n, height, width, generator=generator) for _ in range(2))
    u, v = (torch.randn(n, length, generator=generator) for length in (height, width))
    results = []
    for form in (spectral_kernel, spectral.SpectralOperations):
        of_form = u.clone(), v.clone()
        normalised = form.normalise(matrices, *of_form)
        results.append((*normalised, form.gradient(gradient, *normalised), *of_form))
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected)
    zero = torch.zeros(1, 2, 3)
    assert not spectral_kernel.normalise(zero, zero[:, :, 0].clone(), zero[:, 0].clone())[0].any()


def compare_stacked_layers() -> None:
    """The kernels under vmap give each layer what they give it alone."""
    spectral.on_gpu = lambda weight: True
    spectral.form_of = lambda tensor: spectral_kernel
    layers = [
        torch.nn.Sequential(spectral.spectral_norm(torch.nn.Linear(3, 2, bias=False))) for _ in range(2)
    ]
    parameters, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
    rows = torch.randn(2, 4, 3)

    def of_one(*state: Any) -> Tensor:
        made: Tensor = torch.func.functional_call(layers[0], state[:2], (state[2],))
        return made

    stacked = torch.vmap(of_one)(parameters, buffers, rows).square().sum()
    alone = torch.stack([layer(x).square().sum() for layer, x in zip(layers, rows, strict=True)]).sum()
    (found,) = torch.autograd.grad(stacked, list(parameters.values()))
    expected = torch.autograd.grad(alone, [each for layer in layers for each in layer.parameters()])
    assert_close(stacked, alone)
    assert_close(found, torch.stack(expected))
    for name, stack in buffers.items():
        assert_close(stack, torch.stack([layer.state_dict()[name] for layer in layers]))


def compare_patches() -> None:
    few, many = (3, torch.float32), (40, torch.bfloat16)  # many: several programs for the channels of a pixel
    for name, window in WINDOWS.items():
        for channels, dtype in (few, many) if name == "nothing overlaps" else (few,):
            images = (
                torch.randn(2, 8, 3, 7, channels).to(dtype).transpose(1, 2)[:, :2]
            )  # beside others in memory
            patches = PatchOperations.gather(images, window)
            assert torch.equal(patches_kernel.gather(images, window), patches)
            found = patches_kernel.add_up(patches, 8, 7, window)
            expected = PatchOperations.add_up(patches.float(), 8, 7, window)
            assert_close(found.float(), expected, 1e-5 if dtype is torch.float32 else 1e-2)


if __name__ == "__main__":
    several_parts()
    compare_normalisation()
    compare_stacked_layers()
    compare_patches()
    print("equal")
