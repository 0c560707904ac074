"""Drawn images in a cache: a file for each array of parameters, whole or not there at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.drawing.workers import draw_with_all_cores
from infogan_bench.errors import InputError

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]
Draw = Callable[[Floats], Images]

CACHE_VARIABLE = "INFOGAN_BENCH_CACHE"


def cache_folder() -> Path:
    """Return the folder of the cache: INFOGAN_BENCH_CACHE, else the platform's folder for caches."""
    if override := os.environ.get(CACHE_VARIABLE):
        return Path(override).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "infogan-bench"


def cached_file(draw: Draw, parameters: Floats, name: str, version: int) -> Path:
    """Return the file that holds, or will hold, these images. Its name follows from all that the images follow from."""
    key = hashlib.sha256(f"{_address(draw)} {version} {parameters.shape} ".encode())
    key.update(np.ascontiguousarray(parameters, dtype="<f8").tobytes())
    return cache_folder() / "drawn" / f"{name}-{key.hexdigest()[:20]}.npy"


def drawn(draw: Draw, parameters: Floats, name: str, version: int) -> Images:
    """Return the images of these parameters; draw them if the cache does not have them.

    Of several processes that ask for the same images at once, one draws and the others wait for it.

    Args:
        draw: a function at the top level of a module, so that other processes can import it. It turns parameters
            (n, n_parameters) into images (n, C, H, W), and each image follows from its own row alone.
        parameters: (n, n_parameters), n above 0.
        name: of the set, for the file and the progress bar.
        version: of the drawing. Whoever changes what is drawn raises it.
    Returns:
        (n, C, H, W), mapped into memory; processes that only read share it. Writing changes this process's copy.
    Raises:
        InputError: if the folder of the cache cannot be written.
    """
    path = cached_file(draw, parameters, name, version)
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path.with_suffix(".lock")):
                if not path.is_file():
                    _draw(draw, parameters, name, path)
        images: Images = np.load(path, mmap_mode="c", allow_pickle=False)
    except OSError as error:
        raise InputError(
            f"{path}: drawn images cannot be cached here ({error.strerror or error}); "
            f"set {CACHE_VARIABLE} to a folder that can be written"
        ) from None
    return images


def _draw(draw: Draw, parameters: Floats, name: str, path: Path) -> None:
    """Draw into a file of another name, and give it its own name when it is whole. The caller holds the lock."""
    partial = path.with_suffix(".partial")  # one that a killed process left is written over
    shape = draw(parameters[:1]).shape[1:]
    images = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(parameters), *shape))
    try:
        draw_with_all_cores(_address(draw), parameters, images, partial, name)
        images.flush()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _address(draw: Draw) -> str:
    return f"{draw.__module__}:{draw.__qualname__}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, which ends with the process that has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
