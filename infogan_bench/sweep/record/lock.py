"""The lock of a sweep folder, on which only one process at a time may work."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from infogan_bench.errors import InputError
from infogan_bench.sweep.record.disk import disk_fault, is_disk_fault

LOCK = "sweep.lock"
_BEAT_SECONDS = 10.0
_STALE_SECONDS = 120.0  # since the file was last touched; file servers may show a touch a minute late


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold `folder/sweep.lock`, which says which process works on the sweep and since when.

    The system frees the lock of a process that dies. Another machine may not see that. There the lock counts as long as
    its file is touched, which its holder does every ten seconds.

    Raises:
        InputError: if another process holds it, or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        file = _take(path)
    except OSError as error:
        what = disk_fault(error, folder) if is_disk_fault(error) else f"{folder} cannot be used: {error}"
        raise InputError(what) from None
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, done), name="sweep-lock", daemon=True)
    heart.start()
    try:
        yield
    finally:
        done.set()
        heart.join()
        with suppress(OSError):  # a folder that became read-only keeps the file, but the lock is free
            path.unlink()
        file.close()


def _take(path: Path) -> TextIO:
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
        try:
            _require_free(file, path)
            if not _is_at(file, path):  # its holder removed the file after we had opened it
                file.close()
                continue
            holder = {"host": socket.gethostname(), "pid": os.getpid()}
            since = datetime.now(UTC).isoformat(timespec="seconds")
            file.seek(0)
            file.truncate()
            file.write(json.dumps({**holder, "since": since}))
            file.flush()
        except BaseException:
            with suppress(OSError):
                file.close()
            raise
        return file


def _require_free(file: TextIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locks_here = True
    except BlockingIOError:
        raise InputError(_in_use(path, _holder(file))) from None
    except OSError:  # a file system without locks
        locks_here = False
    holder = _holder(file)
    elsewhere = holder.get("host") != socket.gethostname()
    if holder and (elsewhere or not locks_here) and _silence(path) < _STALE_SECONDS:
        raise InputError(_in_use(path, holder))


def _holder(file: TextIO) -> dict[str, object]:
    """The process that the file names; none if the file is empty or was not written whole."""
    file.seek(0)
    try:
        holder = json.loads(file.read())
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _in_use(path: Path, holder: dict[str, object]) -> str:
    who = "process {pid} on {host} (since {since})".format_map(
        {"pid": "?", "host": "?", "since": "?", **holder}
    )
    return (
        f"{path.parent} is in use by {who}; wait for it or stop it. If it is no longer there, the folder is free "
        f"{_STALE_SECONDS:g} seconds after its end"
    )


def _is_at(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _silence(path: Path) -> float:
    """Seconds since the file was touched, by the clock of its file system."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as now:
        return os.fstat(now.fileno()).st_mtime - path.stat().st_mtime


def _beat(path: Path, done: threading.Event) -> None:
    while not done.wait(_BEAT_SECONDS):
        with suppress(OSError):  # if the disk is full, the next write to the folder reports it
            os.utime(path)
