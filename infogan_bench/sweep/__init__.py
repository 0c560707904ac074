"""Sweeps by Ray Tune: `start` begins one, `resume` finishes what is left, `check` tells what would go wrong."""

from infogan_bench.sweep.folder import SweepFolder
from infogan_bench.sweep.outcome import Outcome
from infogan_bench.sweep.session import check, resume, start
from infogan_bench.sweep.warm_start import read_warm_start

__all__ = ["Outcome", "SweepFolder", "check", "read_warm_start", "resume", "start"]
