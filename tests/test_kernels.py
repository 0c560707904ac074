"""Kernels in Triton, run without a GPU by Triton's interpreter; tests/training/test_cuda.py runs them on a card."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).with_name("interpreted_kernels.py")
_OF_TRITON_WITH_NUMPY_2_5 = "only 0-dimensional arrays can be converted to Python scalars"


def test_kernels_compute_what_torch_s_operations_compute() -> None:
    pytest.importorskip("triton")
    env = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(_PROGRAM)], env=env, capture_output=True, text=True)
    if _OF_TRITON_WITH_NUMPY_2_5 in done.stderr:
        versions = " and ".join(f"{name} {importlib.metadata.version(name)}" for name in ("triton", "numpy"))
        pytest.skip(f"Triton's interpreter cannot run a loop with {versions}")
    assert done.stdout == "equal\n", done.stderr
