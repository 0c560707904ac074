"""Sweeps by Ray Tune: `start` begins one, `resume` finishes one that was stopped, `check` finds faults beforehand."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infogan_bench.sweep.check import check
    from infogan_bench.sweep.record.folder import SweepFolder
    from infogan_bench.sweep.record.outcome import SweepOutcome
    from infogan_bench.sweep.search.warm_start import read_warm_start
    from infogan_bench.sweep.session import resume, start

__all__ = ["SweepFolder", "SweepOutcome", "check", "read_warm_start", "resume", "start"]

_HOMES = {
    "SweepOutcome": "record.outcome",
    "SweepFolder": "record.folder",
    "check": "check",
    "read_warm_start": "search.warm_start",
    "resume": "session",
    "start": "session",
}


def __getattr__(name: str) -> Any:
    """Import on first use: Ray's workers, which take `trainable` from here, need no driver and none of its packages."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
