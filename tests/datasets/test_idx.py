from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from infogan_bench.datasets import DatasetError
from infogan_bench.datasets.idx import read_idx

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
PLAIN = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4) + bytes(range(24))
ZIPPED = gzip.compress(PLAIN, mtime=0)


def fault(path: Path, content: bytes, ndim: int = 3) -> str:
    """The message for a file of this content; it must name the file."""
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_idx(path, ndim)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train-images-idx3-ubyte"


@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "gzip"])
def test_values_are_read_whatever_the_file_is_called(path: Path, content: bytes) -> None:
    for name in ("a", "a.gz"):
        file = path.with_name(name)
        file.write_bytes(content)
        values = read_idx(file, ndim=3)
        assert values.dtype == np.uint8
        assert values.flags.writeable
        np.testing.assert_array_equal(values, IMAGES)


def test_gzip_files_of_several_members_are_read(path: Path) -> None:
    path.write_bytes(gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]))
    np.testing.assert_array_equal(read_idx(path, ndim=3), IMAGES)


def test_missing_file(path: Path) -> None:
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte: no such file"):
        read_idx(path, ndim=3)


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be read: Is a directory"):
        read_idx(tmp_path, ndim=3)


def test_empty_file(path: Path) -> None:
    assert "the file is empty" in fault(path, b"")
    assert "expected it to begin with 0x00000803, found 0x" in fault(path, gzip.compress(b""))


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html>quota</html>", b"\n  <html>", b"<?xml version='1.0'?><Error/>"]
)
def test_web_page_saved_under_that_name(path: Path, page: bytes) -> None:
    for content in (page + b" " * 3000, gzip.compress(page + b" " * 3000)):
        assert "not an IDX file but an HTML page (was a web page saved" in fault(path, content)


def test_wrong_magic(path: Path) -> None:
    message = fault(path, b"PK\x03\x04" + PLAIN)
    assert (
        "not an IDX file but a zip archive: expected it to begin with 0x00000803, found 0x504b0304" in message
    )


def test_wrong_type_code(path: Path) -> None:
    message = fault(path, b"\0\0\x0d\x03" + PLAIN[4:])  # 0x0D: float32
    assert "expected unsigned bytes (type code 0x08), found type code 0x0d" in message


def test_wrong_rank(path: Path) -> None:
    assert "expected 1 dimension(s), found 3; are two files swapped?" in fault(path, PLAIN, ndim=1)


@pytest.mark.parametrize("length", [2, 11])
def test_truncated_header(path: Path, length: int) -> None:
    assert "found" in fault(path, PLAIN[:length])


def test_truncated_data(path: Path) -> None:
    assert "truncated: the header announces 2 x 3 x 4 = 24 bytes" in fault(path, PLAIN[:-1])
    assert "truncated: the header announces 2 x 3 x 4 = 24 bytes of data, found 23" in fault(
        path, gzip.compress(PLAIN[:-1])
    )


@pytest.mark.parametrize("extra", [1, 5000])
def test_too_long(path: Path, extra: int) -> None:
    for content in (PLAIN + bytes(extra), gzip.compress(PLAIN + bytes(extra))):
        assert "too long: the header announces 2 x 3 x 4 = 24 bytes of data, and more follow" in fault(
            path, content
        )


@pytest.mark.parametrize("kept", [3, 12, len(ZIPPED) // 2, len(ZIPPED) - 9, len(ZIPPED) - 1])
def test_truncated_gzip(path: Path, kept: int) -> None:
    assert "truncated: the gzip stream ends before its data does" in fault(path, ZIPPED[:kept])


def test_wrong_checksum_of_gzip(path: Path) -> None:
    flipped = bytes([ZIPPED[-8] ^ 1])  # the checksum is the last eight bytes but four
    assert "damaged gzip file: CRC check failed" in fault(path, ZIPPED[:-8] + flipped + ZIPPED[-7:])


def test_damaged_gzip_data(path: Path) -> None:
    assert "damaged gzip file: " in fault(path, ZIPPED[:10] + b"\xff" * 8 + ZIPPED[18:])


def peak_bytes(path: Path, content: bytes, expected: str) -> int:
    """The most memory that was held at once while the file was being refused."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=expected):
            read_idx(path, ndim=3)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("side", [1024, 2**32 - 1])  # 1 GiB, and more than there is
def test_header_that_cannot_be_true_allocates_nothing(path: Path, side: int) -> None:
    header = b"\0\0\x08\x03" + struct.pack(">3I", side, side, side)
    for content in (header + bytes(100), gzip.compress(header + bytes(100))):
        assert peak_bytes(path, content, "which the file is too small to hold") < 1 << 20


def test_decompression_stops_after_what_the_header_announces(path: Path) -> None:
    bomb = gzip.compress(PLAIN + bytes(1 << 26))  # 64 MiB of zeros behind 24 values
    assert peak_bytes(path, bomb, "too long") < 1 << 20
