"""Patches of images: gathered and added up."""

from __future__ import annotations

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
    images = torch.randn(1, 6, 5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: patches_of(x, window), images)
    patches = torch.randn(1, 2, 2, *window.kernel, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: images_of(x, window), patches)
