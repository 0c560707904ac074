"""Reading and writing of files: they are written whole, and any fault of a file that is read gives one sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infogan_bench.records.decoding import JsonObject, Record, decode, encode
from infogan_bench.records.errors import RecordError

VERSION = 1
"""The version of the files of a sweep folder. A file without one was written before there were versions and reads as
version 1; a file of a higher version is refused."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` at the end. After a failure the file is removed."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part. Text is UTF-8."""
    with replacing(path) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a new folder beside `path`, and replace `path` by it at the end, whole.

    A process that is killed meanwhile leaves `.NAME.saving`, from which `recover_folder` restores the folder.
    """
    recover_folder(path)
    new, old = _saving(path)
    new.mkdir(parents=True)
    try:
        yield new
        if path.exists():
            path.rename(old)
        new.rename(path)
    except BaseException:
        if not old.exists():  # if it exists, `new` is whole
            shutil.rmtree(new, ignore_errors=True)
        raise
    finally:
        recover_folder(path)


def recover_folder(path: Path) -> None:
    """Put the newest complete folder at `path`, and remove what a killed process left of `replacing_folder`."""
    _recover(path, *_saving(path))


def recover_older_folder(path: Path) -> None:
    """Do as `recover_folder` does with what versions before it left: `.NAME-` and eight random characters."""
    random = re.compile(re.escape(f".{path.name}-") + "[a-z0-9_]{8}")
    beside = list(path.parent.iterdir()) if path.parent.is_dir() else []
    for scratch in sorted(each for each in beside if random.fullmatch(each.name) and each.is_dir()):
        if {each.name for each in scratch.iterdir()} <= {"new", "old"}:
            _recover(path, scratch / "new", scratch / "old")


def _recover(path: Path, new: Path, old: Path) -> None:
    if not path.exists():
        # The old folder goes away only once the new one is whole.
        if old.exists() and new.exists():
            new.rename(path)
        elif old.exists():
            old.rename(path)
    shutil.rmtree(new.parent, ignore_errors=True)


def _saving(path: Path) -> tuple[Path, Path]:
    """Return the places of the new folder and of the old one while `path` is replaced."""
    scratch = path.with_name(f".{path.name}.saving")
    return scratch / "new", scratch / "old"


def read_text(path: Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        RecordError: if it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: is not UTF-8 text (byte {error.start})") from None


def parse_json(text: str, source: Path | str) -> object:
    """Read JSON text.

    Raises:
        RecordError: if it is not JSON.
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{source}: is not JSON, or cut short: {error}") from None
    return value


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read the JSON file of a record.

    Raises:
        RecordError: if the file cannot be read, is not JSON, is of a newer version, or is not such a record.
    """
    document = parse_json(read_text(path), path)
    if isinstance(document, dict):
        check_version(document.get("version", VERSION), path)
    return decode(kind, document, path)


def write_record(path: Path, record: object) -> None:
    """Write the JSON file of a record whole, with the version."""
    write_whole(path, json.dumps(versioned(record), indent=1))


def versioned(record: object) -> JsonObject:
    """Return a record as the document of its file."""
    return {"version": VERSION} | encode(record)


def check_version(version: object, source: Path | str) -> None:
    """Refuse a file of a newer version.

    Raises:
        RecordError: if `version` is higher than `VERSION`, or no version.
    """
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RecordError(f"{source}: `version` must be a whole number from 1 on, but is {version!r:.60}")
    if version > VERSION:
        raise RecordError(
            f"{source}: was written by a newer infogan-bench (version {version} of the files; this one reads up to "
            f"{VERSION})"
        )
