"""Convolutions in other forms: the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from infogan_bench.config import RunConfig, apply
from infogan_bench.training import Trainer
from infogan_bench.training.convolutions import FORMS, Convolutions, channels_first

RUN = apply(RunConfig(), {"architecture.width": 0.0625, "batch": 8, "steps": 6})


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("form", FORMS)
def test_a_trainer_computes_the_same_in_every_form(form: str) -> None:
    images = torch.randint(
        256, (24, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    plain, other = (Trainer(RUN, images, 0) for _ in range(2))
    other.layers = Convolutions(form)
    for _ in range(2):
        assert other.train(2).metrics == pytest.approx(plain.train(2).metrics, rel=1e-5)
    for name, tensor in plain.state().items():
        torch.testing.assert_close(other.state()[name], tensor, rtol=1e-6, atol=1e-9)


def test_what_a_form_does_not_compute_is_left_to_torch() -> None:
    x, weight = torch.randn(2, 4, 8, 8), torch.randn(4, 2, 3, 3)
    with Convolutions("products"):
        found = F.conv2d(x, weight, groups=2)
    assert torch.equal(found, F.conv2d(x, weight, groups=2))


def test_images_of_one_channel_get_the_strides_of_their_order() -> None:
    images = torch.randn(2, 1, 3, 4).to(memory_format=torch.channels_last)
    assert images.stride() == (12, 1, 4, 1)
    assert channels_first(images).stride() == (12, 12, 4, 1)
    assert torch.equal(channels_first(images), images)
