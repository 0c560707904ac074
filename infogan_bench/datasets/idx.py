"""The reader of IDX files, the format of MNIST and its relatives.

A file is two zero bytes, a type code, the number of dimensions, each dimension as a big-endian uint32, and
then the values. Only unsigned bytes (type code 0x08) are read, which is all that the MNIST family uses.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.datasets.errors import DatasetError

UINT8 = 0x08
_GZIP_MAGIC = b"\x1f\x8b"
_HEAD = 4096  # bytes that tell what another file is
_MAX_DEFLATE_RATIO = 1032  # deflate cannot expand further, so a header that announces more is wrong


class _Fault(Exception):  # noqa: N818 - becomes a DatasetError once the file's name is known
    pass


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes.

    Args:
        path: the file, gzipped or not; its first bytes decide, not its name.
        ndim: how many dimensions it must have: 1 for labels, 3 for images.
    Returns:
        A writable uint8 array with `ndim` dimensions.
    Raises:
        DatasetError: if the file is missing, damaged, or not such a file. No more is decompressed than the
            header announces plus one byte, and nothing is allocated for a header that cannot be true.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.peek(512)
            if not start:
                raise _Fault("the file is empty; an IDX file was expected")
            if not start.startswith(_GZIP_MAGIC):
                return _read(file, ndim, most=size)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(unpacked, ndim, most=size * _MAX_DEFLATE_RATIO)
    except _Fault as fault:
        raise DatasetError(f"{path}: {fault}") from None
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file; an IDX file was expected") from None
    except EOFError:
        raise DatasetError(f"{path}: truncated: the gzip stream ends before its data does") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{path}: damaged gzip file: {error}") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _read(stream: BufferedIOBase, ndim: int, most: int) -> NDArray[np.uint8]:
    """Read header and values from a stream that cannot hold more than `most` bytes."""
    shape = _read_header(stream, ndim)
    size = math.prod(shape)
    announced = f"the header announces {' x '.join(map(str, shape))} = {size:,} bytes of data"
    if size > most:
        raise _Fault(f"truncated: {announced}, which the file is too small to hold")
    values = np.empty(size, dtype=np.uint8)
    found = _fill(values.data, stream)
    if found < size:
        raise _Fault(f"truncated: {announced}, found {found:,}")
    if stream.read(1):  # at the end of its stream, this is also where gzip compares the checksum
        raise _Fault(f"too long: {announced}, and more follow")
    return values.reshape(shape)


def _read_header(stream: BufferedIOBase, ndim: int) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        from infogan_metrics.files import what_bytes_are  # here, since it takes time and is seldom wanted

        kind = what_bytes_are(magic + stream.read(_HEAD))
        expected = bytes([0, 0, UINT8, ndim]).hex()
        raise _Fault(
            f"not an IDX file but {kind}: expected it to begin with 0x{expected}, found 0x{magic.hex()}"
        )
    if magic[2] != UINT8:
        raise _Fault(f"expected unsigned bytes (type code 0x{UINT8:02x}), found type code 0x{magic[2]:02x}")
    if magic[3] != ndim:
        reason = "images in colour are not read" if (ndim, magic[3]) == (3, 4) else "are two files swapped?"
        raise _Fault(f"expected {ndim} dimension(s), found {magic[3]}; {reason}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise _Fault(f"truncated: expected {4 + 4 * ndim} bytes of header, found {4 + len(sizes)}")
    return struct.unpack(f">{ndim}I", sizes)


def _fill(buffer: memoryview, stream: BufferedIOBase) -> int:
    """Read until `buffer` is full or the stream ends; return how many bytes were read."""
    found = 0
    while found < len(buffer) and (chunk := stream.read(min(len(buffer) - found, 1 << 20))):
        buffer[found : found + len(chunk)] = chunk
        found += len(chunk)
    return found
