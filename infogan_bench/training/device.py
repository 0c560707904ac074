"""The device of a training: which one it is, its name, and how it computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from infogan_bench.config.processor import computes_in_bfloat16, processor_name
from infogan_bench.config.run import Precision
from infogan_bench.errors import InputError


def pick_device(name: str) -> str:
    """`name`, or for "auto" the GPU where there is one.

    Raises:
        InputError: if torch cannot use the device.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device: torch cannot use {name!r}: {str(error).splitlines()[0]}") from None
    return name


def device_name(device: torch.device) -> str:
    """The card's name, such as `NVIDIA H100 80GB HBM3`; for the CPU `cpu` and the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu {processor_name()}" if device.type == "cpu" else str(device)


def check_precision(precision: Precision, device: torch.device | str) -> None:
    """Refuse what a device would only emulate.

    Raises:
        InputError: for bf16 on a processor without instructions for it.
    """
    if precision == "bf16" and torch.device(device).type == "cpu" and computes_in_bfloat16() is False:
        raise InputError(
            f"precision: bf16 needs a GPU, or a processor that computes in bfloat16 (AVX512_BF16 or AMX). "
            f"{processor_name()} would emulate it, up to hundreds of times slower: use float32"
        )


@contextmanager
def arithmetic(precision: Precision) -> Iterator[None]:
    """Set how a GPU computes inside this context.

    Float32 products are exact, or have their factors rounded to the 10 bits of TF32. torch's own default mixes both:
    products of matrices are exact, convolutions use TF32.

    cuDNN measures its algorithms for each size of convolution once and takes the fastest, unless torch or cuDNN is set
    to be deterministic: a step of `infogan-cr` then takes 2.59 ms instead of 3.04 on an H100.
    """
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
    exact = precision == "float32"
    torch.set_float32_matmul_precision("highest" if exact else "high")
    cudnn.allow_tf32 = not exact
    if not (cudnn.deterministic or torch.are_deterministic_algorithms_enabled()):
        cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        _, cudnn.allow_tf32, cudnn.benchmark = before
