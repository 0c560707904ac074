"""Work on many images in threads, with a bar of progress on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_CHUNK = 64  # images between two updates of the bar


def in_parallel(work: Callable[[int], None], count: int, title: str) -> None:
    """Call `work` with 0 to `count` - 1 from as many threads as there are cores. The first exception ends it.

    Work in NumPy or Pillow runs side by side, since both release Python's lock.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    starts = range(0, count, _CHUNK)

    def chunk(start: int) -> int:
        end = min(start + _CHUNK, count)
        for k in range(start, end):
            work(k)
        return end - start

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quiet = not sys.stderr.isatty()
    with Progress(console=console, transient=True, disable=quiet) as bar, ThreadPoolExecutor(cores) as pool:
        task = bar.add_task(title, total=count)
        try:
            for done in pool.map(chunk, starts):
                bar.advance(task, done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
