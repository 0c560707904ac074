"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from infogan_bench.datasets import to_float


@pytest.fixture
def double_precision(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All of training in float64: Adam makes a full step of a gradient that is all rounding, so that in float32 two
    right implementations drift apart within a few steps."""

    def to_double(images: Tensor) -> Tensor:
        return to_float(images).double()

    for module in ("trainer", "fused"):
        monkeypatch.setattr(f"infogan_bench.training.{module}.to_float", to_double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
