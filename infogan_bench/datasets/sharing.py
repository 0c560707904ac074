"""Datasets travel between processes with their tensors as NumPy arrays.

Ray maps the arrays of a pickled object straight from its shared memory, one copy for all processes of a node; tensors
it would copy into each of them.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor


class PickledAsArrays:
    """Base of a dataclass with tensors on the CPU. Where it is unpickled from shared memory they are read-only, which
    torch does not know: writing to one ends the process."""

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value.numpy() if isinstance(value, Tensor) else value for name, value in vars(self).items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(
            {
                name: _tensor(value) if isinstance(value, np.ndarray) else value
                for name, value in state.items()
            }
        )


def _tensor(array: np.ndarray[Any, Any]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
