"""Ray: the cluster with its nodes and cards, the process that trains a trial, the schedulers, and Tune's loop."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    Path.home()
except RuntimeError:  # a user without a name, and no HOME
    os.environ["HOME"] = (
        "/"  # as containers have it: Ray asks for a home when it is imported, and writes nothing there
    )


@contextmanager
def uncollected() -> Iterator[None]:
    """Import large packages without the garbage collector.

    It would look again and again at all the objects that they make, which takes a fifth of a process's start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
