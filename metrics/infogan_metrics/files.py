"""Arrays by name from files that any program may have written: .npz, .npy, .csv, .parquet."""

from __future__ import annotations

import csv
import fnmatch
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

UNKNOWN = "a file of an unknown kind"
_HEAD = 4096  # bytes that tell what a file is
_FLAT = ("assignments", "labels", "fixed")  # one value per sample
_IN_COLUMNS = ("codes", "factors", "test_codes", "test_factors")
_MAGIC = (
    (b"\x93NUMPY", "a single array (.npy)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PAR1", "a Parquet table"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x80", "a Python pickle"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file it stands for (`git lfs pull` fetches that)",
    ),
)
_EXPECTED = {".npz": b"PK\x03\x04", ".npy": b"\x93NUMPY", ".parquet": b"PAR1"}


class FileError(ValueError):
    """A file cannot be read, or lacks what is asked of it. The message names the file."""


def read_arrays(paths: Sequence[Path], names: Mapping[str, str] | None = None) -> Arrays:
    """Read arrays from files, named as the scores call them.

    An .npz file holds arrays by name, an .npy file one array that is called as the file is. In a table (.csv with
    a header, .parquet), the columns `codes`, `codes_0`, `codes_1`, ... make up the array `codes`.

    Args:
        paths: the files; no two may hold an array of the same name.
        names: {name that the scores use: name in the files}. For a table, the latter may also be columns
            separated by commas, or a pattern such as `z*`. Without an entry a name stands for itself.
    Returns:
        {name: array}, `assignments`, `labels` and `fixed` with one dimension; `codes` and `factors` with two.
    Raises:
        FileError: if a file is missing, is not what its name says, holds pickled objects, or lacks an array.
        ModuleNotFoundError: if a .parquet file is given and pyarrow is not installed.
    """
    return read_named(paths, names)[0]


def read_named(
    paths: Sequence[Path], names: Mapping[str, str] | None = None
) -> tuple[Arrays, dict[str, tuple[str, ...]]]:
    """Read arrays as `read_arrays` does, and return the names of the columns of those that are from tables."""
    wanted = dict(names or {})
    found: Arrays = {}
    tables: dict[str, NDArray[Any]] = {}
    for path in paths:
        for name, array in _read(path).items():
            if name in found or name in tables:
                raise FileError(f"{path}: `{name}` is in another of the files as well")
            (tables if _is_table(path) else found)[name] = array
    where = ", ".join(map(str, paths))
    arrays = {name: array for name, array in found.items() if name not in wanted.values()}
    columns = {name: group for name, group in _grouped(tables).items() if name not in wanted.values()}
    for name, source in wanted.items():
        if source in found:
            arrays[name] = found[source]
        else:
            columns[name] = _columns(tables, name, source, found, where)
    arrays.update({name: _joined(tables, group) for name, group in columns.items()})
    return {name: _shaped(name, array) for name, array in arrays.items()}, columns


def names_in(paths: Sequence[Path]) -> list[str]:
    """Return the names that `read_arrays` can be given: those of arrays, and of the columns of tables.

    Raises:
        FileError: as `read_arrays` does.
    """
    names: list[str] = []
    for path in paths:
        held = _read(path)
        names += _grouped(held) if _is_table(path) else held
    return names


def what_it_is(path: Path) -> str:
    """Say in words what a file is, by its first bytes: `an HTML page`, `a Python pickle`, `text`, ..."""
    with path.open("rb") as file:
        return what_bytes_are(file.read(_HEAD))


def what_bytes_are(head: bytes) -> str:
    """Say in words what a file is that begins with `head`, as `what_it_is`."""
    if not head:
        return "an empty file"
    for magic, words in _MAGIC:
        if head.startswith(magic):
            return words
    if re.match(rb"\s*<(!doctype html|html|head|\?xml)", head, re.IGNORECASE):
        return "an HTML page (was a web page saved in place of the file?)"
    if b"\0" not in head and not head.translate(None, bytes(range(0x20, 0x100)) + b"\t\r\n\f"):
        return "JSON text" if head.lstrip()[:1] in (b"{", b"[") else "text"
    return UNKNOWN


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".parquet")


def _read(path: Path) -> Arrays:
    if not path.is_file():
        raise FileError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    suffix = path.suffix.lower()
    if suffix not in (*_EXPECTED, ".csv"):
        raise FileError(
            f"{path}: arrays are read from .npz, .npy, .csv and .parquet files; this one is {what_it_is(path)}"
        )
    try:
        kind = what_it_is(path)
        with path.open("rb") as file:
            right = file.read(8).startswith(_EXPECTED[suffix]) if suffix in _EXPECTED else "text" in kind
        if not right:
            raise FileError(f"{path}: not {_a(suffix)} file but {kind}")
        return {".npz": _npz, ".npy": _npy, ".csv": _csv, ".parquet": _parquet}[suffix](path)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from None


def _a(suffix: str) -> str:
    return f"an {suffix}" if suffix.startswith(".n") else f"a {suffix}"


def _npz(path: Path) -> Arrays:
    arrays: Arrays = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            members = file.files
            if not members or any(name.endswith((".pkl", "/version")) for name in members):
                what = (
                    "an empty archive"
                    if not members
                    else "a zip archive of another program (a torch checkpoint?)"
                )
                raise FileError(f"{path}: not an .npz file but {what}")
            for name in members:
                arrays[name] = _plain(file[name], path, name)
    except FileError:
        raise
    except ValueError:
        raise FileError(_pickled(path, next((n for n in members if n not in arrays), ""))) from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise FileError(f"{path}: a damaged .npz file: it ends early, or its contents were changed") from None
    return arrays


def _npy(path: Path) -> Arrays:
    try:
        return {path.stem: np.load(path, allow_pickle=False)}
    except EOFError:
        raise FileError(f"{path}: a damaged .npy file: it ends early") from None
    except ValueError as error:
        if "pickle" in str(error):
            raise FileError(_pickled(path, "")) from None
        raise FileError(f"{path}: a damaged .npy file: it ends early, or its header was changed") from None


def _plain(array: object, path: Path, name: str) -> NDArray[Any]:
    if not isinstance(array, np.ndarray):  # numpy hands over the bytes of members that are not arrays
        raise FileError(f"{path}: `{name}` is not an array")
    return array


def _pickled(path: Path, name: str) -> str:
    what = f"`{name}` holds" if name else "it holds"
    return (
        f"{path}: {what} Python objects (a pickle), which are not read, since a pickle can run any program; "
        "save an array of numbers or of text"
    )


def _csv(path: Path) -> Arrays:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: cannot be read as comma-separated text ({error})") from None
    if len(rows) < 2:
        raise FileError(f"{path}: a table needs a line of column names and a line of values or more")
    header = [name.strip() for name in rows[0]]
    if all(_is_number(name) for name in header):
        raise FileError(f"{path}: the first line must name the columns, but holds numbers")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise FileError(
                f"{path}: row {number} has {len(row)} entries, but there are {len(header)} columns"
            )
    _check_distinct(header, path)
    return {name: _column(values) for name, values in zip(header, zip(*rows[1:], strict=True), strict=True)}


def _parquet(path: Path) -> Arrays:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{path}: Parquet needs pyarrow, which is not installed: pip install pyarrow"
        ) from None
    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise FileError(f"{path}: a damaged .parquet file ({str(error).splitlines()[0]})") from None
    _check_distinct(table.column_names, path)
    arrays = {}
    for name in table.column_names:
        column = table.column(name)
        if column.null_count:
            raise FileError(f"{path}: column `{name}` has {column.null_count} missing values")
        arrays[name] = np.asarray(column.to_pylist())
    return arrays


def _check_distinct(header: Sequence[str], path: Path) -> None:
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    if twice:
        raise FileError(f"{path}: two columns are called `{twice[0]}`")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(values: Iterable[str]) -> NDArray[Any]:
    text = np.array([value.strip() for value in values])
    for kind in (np.int64, np.float64):
        try:
            return text.astype(kind)
        except ValueError:
            continue
    return text


def _grouped(tables: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, ...]]:
    """Return {NAME: its columns NAME, NAME_0, NAME_1, ... in the order of the numbers}."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for column in tables:
        numbered = re.fullmatch(r"(.*?[^\d\W])[ _.\-\[(]?(\d+)[\])]?", column)
        base, number = (numbered[1].rstrip("_"), int(numbered[2])) if numbered else (column, -1)
        groups.setdefault(base, []).append((number, column))
    return {base: tuple(column for _, column in sorted(group)) for base, group in groups.items()}


def _joined(tables: Mapping[str, NDArray[Any]], columns: Sequence[str]) -> NDArray[Any]:
    arrays = [tables[column] for column in columns]
    if len({len(array) for array in arrays}) > 1:
        named = ", ".join(f"`{column}` ({len(tables[column])} rows)" for column in columns)
        raise FileError(f"columns of one array differ in length: {named}")
    if len({array.dtype.kind in "US" for array in arrays}) > 1:  # numpy would make the numbers text
        return np.column_stack([array.astype(object) for array in arrays])
    return np.column_stack(arrays)


def _columns(
    tables: Mapping[str, NDArray[Any]], name: str, source: str, found: Mapping[str, NDArray[Any]], where: str
) -> tuple[str, ...]:
    """Return the names of the columns that `source` names: a group, columns separated by commas, or a pattern."""
    groups = _grouped(tables)
    if source in groups:
        return groups[source]
    columns: list[str] = []
    for item in (part.strip() for part in source.split(",")):
        matching = [column for column in tables if fnmatch.fnmatchcase(column, item)]
        if not matching:
            there = ", ".join(f"`{each}`" for each in (*found, *groups)) or "nothing"
            raise FileError(f"{where}: `{item}`, wanted for `{name}`, is not there; there is {there}")
        columns += [column for column in matching if column not in columns]
    return tuple(columns)


def _shaped(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if name in _FLAT:
        return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    return array[:, None] if array.ndim == 1 and name in _IN_COLUMNS else array
