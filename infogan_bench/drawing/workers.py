"""Drawing by one process for each core.

The processes are started as commands. Forking would copy a parent with torch's or Ray's threads in an unknown state,
and Python's spawning would run the user's main script a second time.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_CHUNK = 128  # images that are drawn between two steps of the progress bar
_FEW = 512  # images that take less time than starting processes does


def draw_with_all_cores(
    address: str, parameters: NDArray[np.float64], images: NDArray[np.uint8], file: Path, name: str
) -> None:
    """Draw images into the array `images`, which is mapped from `file`.

    Args:
        address: `module:function` of the function that draws.
        parameters: (n, n_parameters).
        images: (n, C, H, W).
        file: the npy file of `images`.
        name: of the set, for the progress bar, which stands on a terminal's stderr.
    Raises:
        RuntimeError: if a process fails; the message ends with its last lines.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or len(parameters) <= _FEW:
        for start in range(0, len(parameters), _CHUNK):
            _draw_chunk(address, parameters, images, start)
        return
    n_chunks = -(-len(parameters) // _CHUNK)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "parameters.npy"
        np.save(given, parameters)
        command = [sys.executable, "-P", "-m", __name__, address, str(given), str(file)]
        _run([[*command, str(k), str(cores)] for k in range(min(cores, n_chunks))], n_chunks, name)


def _run(commands: list[list[str]], n_chunks: int, name: str) -> None:
    """Run commands at once. Each prints a line for each chunk that it has drawn."""
    from rich.console import Console
    from rich.progress import Progress

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    console = Console(stderr=True)
    with (
        tempfile.TemporaryFile("w+") as errors,
        Progress(console=console, disable=not console.is_terminal) as bar,
    ):
        read, write = os.pipe()
        workers = [subprocess.Popen(each, stdout=write, stderr=errors, env=environment) for each in commands]  # noqa: S603
        os.close(write)
        try:
            task = bar.add_task(f"drawing {name}", total=n_chunks)
            with os.fdopen(read) as lines:
                for _ in lines:
                    bar.advance(task)
            failed = max(worker.wait() for worker in workers)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        if failed:
            errors.seek(0)
            raise RuntimeError(f"drawing {name} failed: {' '.join(errors.read().splitlines()[-3:])}")


def _draw_chunk(address: str, parameters: NDArray[np.float64], images: NDArray[np.uint8], start: int) -> None:
    module, function = address.split(":")
    rows = slice(start, start + _CHUNK)
    images[rows] = getattr(importlib.import_module(module), function)(parameters[rows])


def main() -> None:
    """Draw every nth chunk: `ADDRESS PARAMETERS IMAGES FIRST N`, two npy files and two numbers."""
    address, given, file, first, step = sys.argv[1:]
    parameters, images = np.load(given), np.load(file, mmap_mode="r+")
    for start in range(int(first) * _CHUNK, len(parameters), int(step) * _CHUNK):
        _draw_chunk(address, parameters, images, start)
        images.flush()
        print(start, flush=True)


if __name__ == "__main__":
    main()
