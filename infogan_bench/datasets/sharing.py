"""Pickling of datasets with their tensors as NumPy arrays.

Ray maps the arrays of a pickled object from its shared memory, one copy for all processes of a node. It would copy
tensors into each process.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor


class PickledAsArrays:
    """Base of a dataclass with tensors on the CPU. After unpickling from shared memory they are read-only. torch does
    not know that, and writing to one ends the process."""

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
