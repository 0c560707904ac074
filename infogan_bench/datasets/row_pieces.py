"""Reading of wanted rows out of large arrays of bytes: a stream that has to be read to its end, or a mapped file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

Piece = tuple[NDArray[np.intp], NDArray[np.uint8]]
"""The places of some rows in the list of wanted rows, and these rows."""

_CHUNK = 1 << 22  # bytes read at a time


def streamed_rows(stream: IO[bytes], shape: tuple[int, ...], wanted: NDArray[np.int64]) -> Iterator[Piece]:
    """Yield the wanted rows of an array that a stream holds, in the order of the stream.

    Reading to the end lets a zip archive or a gzip file compare its checksum.

    Args:
        stream: at the array's first byte.
        shape: of the array, whose items are bytes.
        wanted: numbers of rows, each once, in any order.

    Raises:
        EOFError: if the stream ends before the array.
    """
    order = np.argsort(wanted)
    ordered = wanted[order]
    size = int(np.prod(shape[1:], dtype=object))
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        content = stream.read(count * size)
        if len(content) != count * size:
            raise EOFError(f"it ends after {start + len(content) // size:,} of {shape[0]:,} images")
        low, high = np.searchsorted(ordered, (start, start + count))
        if low < high:
            rows = np.frombuffer(content, np.uint8).reshape(count, *shape[1:])
            yield order[low:high], rows[ordered[low:high] - start]
    stream.read()


def mapped_rows(array: NDArray[np.uint8], wanted: NDArray[np.int64]) -> Iterator[Piece]:
    """Yield the wanted rows of an array that is mapped into memory, in the order of the file.

    Args:
        array: of bytes, with its first axis the rows.
        wanted: numbers of rows, in any order.
    """
    order = np.argsort(wanted)
    step = max(1, _CHUNK // max(1, array[0].size))
    for start in range(0, len(wanted), step):
        places = order[start : start + step]
        yield places, array[wanted[places]]
