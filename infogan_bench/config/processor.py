"""The processor of this machine: its name, and whether it computes in bfloat16."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86-64: AVX512 and AMX; ARM


def processor_name() -> str:
    """The processor's name, such as `AMD EPYC 9R14`; its architecture where the system does not tell it."""
    return _line("model name") or platform.processor() or platform.machine()


def computes_in_bfloat16() -> bool | None:
    """Say whether the processor has instructions for products in bfloat16; None where the system does not tell.

    torch emulates such products on other processors, which takes up to hundreds of times as long as float32.
    """
    features = _line("flags") or _line("Features")
    return None if features is None else not _BFLOAT16.isdisjoint(features.split())


@cache
def _line(key: str) -> str | None:
    """The value of the first line `key : value` that Linux has for the processor."""
    with suppress(OSError):
        found = re.search(rf"^{key}\s*:\s*(.+)$", _CPUINFO.read_text(), re.MULTILINE)
        return found[1].strip() if found else None
    return None
