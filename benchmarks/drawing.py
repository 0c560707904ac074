"""Measure how many images a core draws in a second, and how long a whole set takes with all cores.

python benchmarks/drawing.py            # images a second on one core
python benchmarks/drawing.py --whole    # the default sets too, into an empty cache
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import load_dataset
from infogan_bench.datasets.chairs3d import chairs3d
from infogan_bench.datasets.drawn import DrawnSet
from infogan_bench.datasets.faces3d import faces3d

SETS = (faces3d(200), chairs3d(100))
N = 512
REPEATS = 5


def per_second(drawn: DrawnSet) -> tuple[float, float]:
    """Return images a second of one process: the best of `REPEATS` by the clock, and by the processor's time."""
    values = drawn.values(0, N)
    drawn.draw(values)  # reads meshes
    clock, processor = [], []
    for _ in range(REPEATS):
        began = time.perf_counter(), time.process_time()
        drawn.draw(values)
        clock.append(time.perf_counter() - began[0])
        processor.append(time.process_time() - began[1])
    return N / min(clock), N / min(processor)


def main() -> None:
    """Print a line for each set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--whole", action="store_true", help="draw the default sets")
    whole = parser.parse_args().whole
    for drawn in SETS:
        clock, processor = per_second(drawn)
        print(f"{drawn.name}: {clock:.0f} images/s by the clock, {processor:.0f} by processor time, one core")
        if whole:
            with tempfile.TemporaryDirectory() as cache:
                os.environ["INFOGAN_BENCH_CACHE"] = cache
                began = time.perf_counter()
                load_dataset(DatasetConfig(name=drawn.name))
                print(f"{drawn.name}: {sum(drawn.sizes):,} images in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
