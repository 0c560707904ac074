"""Memory that a training process keeps for itself, and gives back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from infogan_bench.config import RunConfig
from infogan_bench.training import Trainer
from infogan_bench.training.memory import free_memory

MIB = 2**20

def pages_handed_out() -> int:
    "by Linux while 64 MiB are taken, filled and freed, ten times over; 163,840 would be all of them"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.zeros(16 * MIB).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident() -> int:
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024

print(pages_handed_out())
Trainer(RunConfig(batch=2), torch.zeros(2, 1, 28, 28, dtype=torch.uint8), 0)
pages_handed_out()
print(pages_handed_out())
kept = resident()
free_memory()
print(kept - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_trainer_s_process_takes_memory_from_linux_once_and_can_give_it_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, after, given_back = map(int, done.stdout.split())
    assert before > 100_000
    assert after < 1_000
    assert given_back >= 60  # MiB
