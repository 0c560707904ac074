"""Arrays that took long to make, kept in files: the same key gives the same arrays, in any process."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.datasets.pixel_range import DataWarning
from infogan_bench.drawing.cache import cache_folder

Arrays = Mapping[str, NDArray[np.generic]]


def cached_arrays(name: str, key: Mapping[str, object], make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays of this key from the cache, else make and keep them.

    Args:
        name: of the data set; the beginning of the folder's name.
        key: everything that the arrays depend on, as JSON.
        make: returns them.

    Returns:
        The arrays; those from the cache are mapped into memory and read-only.

    Warns:
        DataWarning: if kept arrays are damaged, or new ones cannot be kept; they are made all the same.
    """
    folder = cached_place(name, key)
    if folder.is_dir():
        try:
            return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
        except (OSError, ValueError, EOFError) as error:
            warnings.warn(f"{folder}: damaged, and made anew: {error}", DataWarning, stacklevel=2)
            shutil.rmtree(folder, ignore_errors=True)
    arrays = make()
    try:
        _keep(arrays, folder)
    except OSError as error:
        warnings.warn(f"{folder}: cannot be kept for the next time: {error}", DataWarning, stacklevel=2)
    return arrays


def cached_place(name: str, key: Mapping[str, object]) -> Path:
    """Return the folder that holds the arrays of this key, if they were kept."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "datasets" / f"{name}-{digest[:16]}"


def _keep(arrays: Arrays, folder: Path) -> None:
    """Write the arrays under another name first, then rename: a reader finds all of them or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        partial.rename(folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not (isinstance(error, OSError) and folder.is_dir()):  # another process was first
            raise
