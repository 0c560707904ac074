"""Arrays in an .npz archive, of which rows are read one piece at a time. Pickled objects are refused."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.row_pieces import Piece, mapped_rows, streamed_rows

_LOCAL_HEADER = (
    30  # bytes before the name of a member; its last two numbers are the lengths of name and extra field
)


class NpzFile:
    """An .npz archive that is open for reading.

    Args:
        path: of the archive.
        name: of the data set, for messages.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, name: str) -> None:
        self._path, self._archive, self._name = path, archive, name

    @contextmanager
    def array(self, name: str) -> Iterator[NpzArray]:
        """Open an array.

        Raises:
            DatasetError: if there is no such array, or its header does not fit the data.
        """
        try:
            member = self._archive.getinfo(f"{name}.npy")
        except KeyError:
            raise DatasetError(f"not {self._name}: it holds no array `{name}`") from None
        with self._archive.open(member) as stream:
            yield NpzArray(self._path, member, stream, name)


class NpzArray:
    """An array of an archive, of which the header is read and nothing else.

    Attributes:
        shape: of the array.
        dtype: of its items.
    """

    def __init__(self, path: Path, member: zipfile.ZipInfo, stream: IO[bytes], name: str) -> None:
        self._path, self._member, self._stream = path, member, stream
        self.shape, self.dtype = _read_header(stream, member, name)
        self._start = stream.tell()

    def whole(self) -> NDArray[Any]:
        """Return the whole array, read-only."""
        return np.frombuffer(self._stream.read(), self.dtype).reshape(self.shape)

    def rows(self, wanted: NDArray[np.int64]) -> Iterator[Piece]:
        """Yield the wanted rows of an array of bytes: see `streamed_rows`.

        An array that is not compressed is mapped into memory, so that only the wanted rows are read; its checksum is
        then not compared.
        """
        if self._member.compress_type != zipfile.ZIP_STORED:
            return streamed_rows(self._stream, self.shape, wanted)
        with self._path.open("rb") as file:
            file.seek(self._member.header_offset)
            lengths = struct.unpack("<HH", file.read(_LOCAL_HEADER)[-4:])
        offset = self._member.header_offset + _LOCAL_HEADER + sum(lengths) + self._start
        return mapped_rows(np.memmap(self._path, np.uint8, "r", offset, self.shape), wanted)


@contextmanager
def open_npz(path: Path, name: str, how_to_get: str) -> Iterator[NpzFile]:
    """Open an archive. Errors within the context name its path.

    Args:
        path: of the archive.
        name: of the data set that it should hold, for messages.
        how_to_get: a sentence that says where the right file comes from.

    Raises:
        DatasetError: if it is no archive, is damaged, or cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield NpzFile(path, archive, name)
    except DatasetError as fault:
        raise DatasetError(f"{path}: {fault}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

        if (kind := what_it_is(path)) != "a zip archive":
            raise DatasetError(f"{path}: not an .npz archive but {kind}; {how_to_get}") from None
        raise DatasetError(f"{path}: truncated or damaged: {error}; {how_to_get}") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _read_header(
    stream: IO[bytes], member: zipfile.ZipInfo, name: str
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the shape and dtype of an array. A header that does not fit the data is refused."""
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, column_order, dtype = read(stream)
    except ValueError as error:
        raise DatasetError(f"`{name}` is no numpy array: {error}") from None
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    present = member.file_size - stream.tell()
    if column_order or dtype.hasobject or size != present:
        raise DatasetError(
            f"`{name}`: the header announces {dtype} {shape} = {size:,} bytes, but there are {present:,}"
        )
    return shape, dtype
