"""The memory of a training process: its peak, the lack of it, and what happens to memory that was freed."""

from __future__ import annotations

import ctypes
import gc
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

from infogan_bench.errors import TrialFault

# Besides torch's own allocator: the CUDA driver, and libraries that allocate on their own. cuBLAS says ALLOC_FAILED,
# cuDNN 9 DEVICE_ALLOCATION_FAILED.
_OUT_OF_MEMORY = re.compile(
    r"CUDA (driver )?error: out of memory|CUDA ran out of memory|CU[A-Z]+_STATUS_\w*ALLOC\w*_FAILED"
)
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CLEAR_PEAK = "5"  # proc(5): reset the peak resident set size
_M_MMAP_MAX, _M_TRIM_THRESHOLD = -4, -1  # mallopt(3)


class PeakMemory:
    """The peak of the memory on one device since this object was made.

    On a card it is what torch allocated there in this process (`torch.cuda.max_memory_allocated`), without CUDA's own
    context. On the CPU it is the resident set size of the process, with its libraries and the images that it shares
    with others; only Linux can tell the peak since a moment. A second object in the same process resets the first one's
    peak.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known = device.type == "cuda"
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        elif device.type == "cpu":
            free_memory()  # memory that the process keeps from an earlier trial would count as well
            with suppress(OSError):  # no Linux, or a container that hides it
                _CLEAR.write_text(_CLEAR_PEAK)
                self._known = True

    @property
    def bytes(self) -> int | None:
        """The peak in bytes; None if the system does not tell."""
        if not self._known:
            return None
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        peak = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
        return int(peak[1]) * 1024 if peak else None


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a card had no memory left, whichever library raised it."""
    if isinstance(error, TrialFault):
        return error.out_of_memory
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))


def free_memory() -> None:
    """Give back memory that nothing uses any more; memory of a card goes to the other processes on it."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        gc.collect()
        torch.cuda.empty_cache()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def reuse_memory() -> None:
    """Let this process keep memory that it freed, for its next allocations; `free_memory` gives it back.

    glibc returns large blocks to Linux at once. Training frees and takes the same blocks at every step, and Linux would
    spend up to a tenth of the time on zeroing pages.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)  # never return memory to the system


@contextmanager
def no_garbage_collection(*, first: bool = True) -> Iterator[None]:
    """A context without garbage collection; `first`: it collects once at the start."""
    was_enabled = gc.isenabled()
    if first:
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@cache
def _glibc() -> ctypes.CDLL | None:
    """The process's own C library, where it is glibc."""
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
