"""Arrays of MATLAB's files. scipy reads them; a damaged file is named as what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogan_bench.datasets.errors import DatasetError


def read_matlab(path: Path, *names: str) -> dict[str, NDArray[np.number[Any]]]:
    """Return these arrays of numbers of a file.

    Raises:
        DatasetError: if the file cannot be read, is damaged or no MATLAB file, or lacks one of them.
    """
    from scipy.io import loadmat  # here, since it takes time

    try:
        with path.open("rb") as file:
            arrays = loadmat(file, variable_names=names)
    except OSError as error:
        if error.errno is not None:
            raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
        raise DatasetError(f"{path}: truncated: it ends before its arrays do") from None
    except Exception as error:  # scipy raises many kinds for damaged files
        from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

        raise DatasetError(f"{path}: not a sound MATLAB file but {what_it_is(path)}: {error}") from None
    for name in names:
        if name not in arrays or not np.issubdtype(arrays[name].dtype, np.number):
            raise DatasetError(f"{path}: holds no array `{name}` of numbers")
    return {name: arrays[name] for name in names}
