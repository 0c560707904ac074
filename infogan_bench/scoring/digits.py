"""Features of digits, real and generated, in a network that learned to read MNIST's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from infogan_metrics.digit_features import DigitFeatures, digit_features
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.codes import Latents
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import load_dataset, to_uint8
from infogan_bench.errors import InputError
from infogan_bench.networks import Model

_BATCH = 500


@dataclass(frozen=True, eq=False)
class DigitReader:
    """A network that was trained on all of MNIST, even if a run uses a part of it, and its features of the test
    images."""

    network: DigitFeatures
    real: NDArray[np.float32]  # (10,000, 64)


@cache
def digit_reader(data_dir: str | None) -> DigitReader:
    """Return the reader for MNIST in `data_dir`.

    Its network is trained once on each machine, in less than a minute, and then cached.

    Raises:
        InputError: if MNIST cannot be read.
    """
    data = load_dataset(DatasetConfig(data_dir=data_dir))
    if data.train_labels is None or data.test_labels is None:
        raise InputError("mnist: the digit network needs labels")
    arrays = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    network = digit_features(*(array.numpy() for array in arrays))
    return DigitReader(network, network(data.test_images.numpy(), pixels="0..255"))


def generated_images(model: Model, latents: Latents) -> Tensor:
    """Return G's images of the latents as uint8 (N, C, H, W) on the CPU, as a picture file holds them."""
    parts = zip(*(torch.split(part, _BATCH) for part in latents), strict=True)
    return torch.cat([to_uint8(model.generate(Latents(*part))) for part in parts]).cpu()
