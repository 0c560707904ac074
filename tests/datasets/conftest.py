"""Small files in true IDX format, written by this code and not by the package's."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

WriteSet = Callable[..., Path]


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Write a set of 30 training and 12 test images of 5x4 pixels; `change` replaces the bytes of a file."""

    def write(folder: str = "data", *, zipped: bool = True, change: dict[str, bytes] | None = None) -> Path:
        random = np.random.default_rng(0)
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for split, count in (("train", 30), ("t10k", 12)):
            images = random.integers(0, 256, (count, 5, 4), dtype=np.uint8)
            labels = np.arange(count, dtype=np.uint8) % 10
            for file, values in (
                (f"{split}-images-idx3-ubyte", images),
                (f"{split}-labels-idx1-ubyte", labels),
            ):
                content = (change or {}).get(file, idx_bytes(values))
                path = place / (f"{file}.gz" if zipped else file)
                path.write_bytes(gzip.compress(content) if zipped else content)
        return place

    return write
