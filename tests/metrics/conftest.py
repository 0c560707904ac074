"""Reference values: see tests/golden/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "golden"


class Golden:
    """The stored arrays, one row per sample, and the values that belong to them."""

    values: dict[str, Any] = json.loads((FOLDER / "values.json").read_text())["values"]

    def codes(self, case: str, split: str = "train") -> NDArray[np.float32]:
        """(n_samples, n_codes)"""
        codes: NDArray[np.float32] = np.load(FOLDER / "arrays" / f"{case}.npz")[f"mus_{split}"].T
        return codes

    def factors(self, split: str = "train") -> NDArray[np.int64]:
        """(n_samples, 5)"""
        factors: NDArray[np.int64] = np.load(FOLDER / "arrays" / "factors.npz")[f"ys_{split}"].T.astype(int)
        return factors

    def expected(self, case: str) -> dict[str, NDArray[Any]]:
        return dict(np.load(FOLDER / "expected" / f"{case}.npz"))

    def internals(self, case: str) -> dict[str, NDArray[Any]]:
        return dict(np.load(FOLDER / "internals" / f"{case}.npz"))


@pytest.fixture(scope="session")
def golden() -> Golden:
    return Golden()


@pytest.fixture(
    params=[
        "perfect",
        "permuted",
        "rotated",
        "noisy_0.1",
        "noisy_1.0",
        "redundant",
        "missing",
        "dead",
        "collapsed",
        "noise",
    ]
)
def case(request: pytest.FixtureRequest) -> str:
    """Each of the stored codes."""
    name: str = request.param
    return name
