"""A check that this process can run kernels written in Triton."""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec

import torch

log = logging.getLogger(__name__)


@cache
def triton_works() -> bool:
    """Compile and run a kernel on the GPU; if that fails, say why in the log, once.

    Triton comes with torch's builds for CUDA, but it also needs a C compiler and a folder to write to.
    """
    if find_spec("triton") is None:
        return False
    try:
        from infogan_bench.networks import spectral_kernel

        matrices = torch.ones(1, 2, 3, device="cuda")
        spectral_kernel.normalise(matrices, matrices[:, :, 0].contiguous(), matrices[:, 0].contiguous())
    except Exception as error:  # Triton, its compiler and the system raise what they like
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        log.warning("Triton cannot compile kernels here, so training takes slower ones of torch: %s", reason)
        return False
    return True
