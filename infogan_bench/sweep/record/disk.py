"""Faults after which a sweep folder cannot be written: the disk or a quota is full, or the folder became read-only."""

from __future__ import annotations

import errno
import shlex
from pathlib import Path

_FAULTS = {
    errno.ENOSPC: ("no space on {}", "free some"),
    errno.EDQUOT: ("the quota on {} is used up", "free some"),
    errno.EROFS: ("{} is read-only", "make it writable"),
    errno.EACCES: ("there is no right to write to {}", "give it"),
    errno.EPERM: ("there is no right to write to {}", "give it"),
}


def is_disk_fault(error: BaseException | None) -> bool:
    """Say whether `error` means a lack of space, or of the permission to write."""
    return isinstance(error, OSError) and error.errno in _FAULTS


def disk_fault(error: OSError, folder: Path) -> str:
    """A line that says what is wrong and how the sweep in `folder` can continue.

    Args:
        error: `is_disk_fault`; it names the place if that is another one than the folder.
    """
    what, way_out = _FAULTS[error.errno or errno.ENOSPC]
    place = folder if error.filename is None else error.filename
    return f"{what.format(place)}; {way_out} and: infogan-bench resume {shlex.quote(str(folder))}"
