"""The error of a file that is damaged or is not a file of its kind."""

from __future__ import annotations

from infogan_bench.errors import InputError


class RecordError(InputError):
    """A file of a sweep folder is damaged, of a newer version, or something else; the message names file and key."""
