"""Patches of images: gathered and added up, by torch's operations and by Triton's kernels."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from infogan_bench.training.patches import Window, images_of, patches_of

WINDOWS = {
    "as in InfoGAN": Window((4, 4), (2, 2), (1, 1)),
    "3x3": Window((3, 3), (1, 1), (1, 1)),
    "nothing overlaps": Window((2, 3), (3, 4), (0, 0)),
    "unequal sides": Window((5, 2), (2, 1), (2, 0)),
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_patches_are_those_of_torch_s_unfold_and_fold(window: Window) -> None:
    images = torch.randn(2, 8, 7, 3, dtype=torch.float64)
    how = {"kernel_size": window.kernel, "stride": window.stride, "padding": window.padding}
    unfolded = F.unfold(images.permute(0, 3, 1, 2), **how)  # (N, C kh kw, H' W')
    patches = patches_of(images, window)
    assert patches.shape == (2, *window.places(8, 7), *window.kernel, 3)
    as_torch = patches.permute(0, 5, 3, 4, 1, 2).reshape(unfolded.shape)
    torch.testing.assert_close(as_torch, unfolded, rtol=0, atol=0)
    made = images_of(patches, window)
    size = window.size(*window.places(8, 7))
    assert made.shape == (2, *size, 3)
    torch.testing.assert_close(made.permute(0, 3, 1, 2), F.fold(unfolded, size, **how))


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_each_is_the_gradient_of_the_other(window: Window) -> None:
    images = torch.randn(2, 8, 7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: patches_of(x, window), images)
    patches = torch.randn(2, 3, 2, *window.kernel, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: images_of(x, window), patches)


COMPARE = """
import torch
from infogan_bench.training import patches_kernel
from infogan_bench.training.patches import PatchOperations
from tests.training.test_patches import WINDOWS

for window in WINDOWS.values():
    for channels, dtype in ((3, torch.float32), (40, torch.bfloat16)):
        images = torch.randn(2, 8, 3, 7, channels).to(dtype).transpose(1, 2)[:, :2]  # beside others in memory
        images = images if channels == 3 else images.contiguous()
        patches = PatchOperations.gather(images, window)
        assert torch.equal(patches_kernel.gather(images, window), patches)
        found = patches_kernel.add_up(patches, 8, 7, window)
        expected = PatchOperations.add_up(patches.float(), 8, 7, window)
        torch.testing.assert_close(found, expected.to(dtype), rtol=1e-2 if channels == 40 else 1e-6, atol=1e-6)
print("equal")
"""


def test_triton_s_kernels_compute_what_torch_s_operations_compute() -> None:
    pytest.importorskip("triton")
    # Triton's interpreter, which needs no GPU, has to be chosen before Triton is imported
    env = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", COMPARE], env=env, capture_output=True, text=True)
    assert done.stdout == "equal\n", done.stderr
