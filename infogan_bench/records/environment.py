"""`environment:` at the end of sweep.yaml: the machine and the versions of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from infogan_bench.records.decoding import JsonObject, decode, encode
from infogan_bench.records.errors import RecordError
from infogan_bench.records.files import VERSION, check_version, read_text


@dataclass(frozen=True)
class Environment:
    """The environment of a sweep. A folder written before may lack any of it."""

    version: int = VERSION  # of the folder's files
    sweep_id: str | None = None  # names this sweep and no other
    started: str | None = None  # UTC, ISO 8601
    command: str | None = None
    search_title: str | None = None  # of `search.algorithm`, in words; None in folders written before
    scheduler_title: str | None = None  # of `scheduler.name`, likewise; None for `none` as well
    base: str | None = None  # the folder that relative paths of the sweep start from, and
    base_from_here: str | None = None  # the way to it from the sweep folder, so that a moved project finds it
    infogan_bench: str | None = None
    commit: str | None = None  # of the source, marked if it was changed since; None where it is no checkout
    python: str | None = None
    system: str | None = None
    cpus: int | None = None
    gpus: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(
        default_factory=dict
    )  # version of each; in the file beside the other keys

    @classmethod
    def from_mapping(cls, block: object, source: Path | str) -> Environment:
        """Read the block.

        Raises:
            RecordError: if it is not such a block, or of a newer version.
        """
        if not isinstance(block, Mapping):
            raise RecordError(f"{source}: `environment` must have keys of its own, but is {block!r:.60}")
        check_version(block.get("version", VERSION), source)
        known = {each.name for each in fields(cls)}
        packages = {str(key): str(value) for key, value in block.items() if key not in known}
        return decode(cls, {**block, "packages": packages}, source)

    def to_mapping(self) -> JsonObject:
        """Return the block as plain values for YAML, without unknown ones."""
        known = encode(self)
        del known["packages"]
        return {key: value for key, value in known.items() if value is not None or key == "commit"} | dict(
            self.packages
        )


def read_environment(path: Path) -> Environment:
    """Read the block of a sweep.yaml; an empty one where there is none.

    Raises:
        RecordError: if the file cannot be read, is not YAML, or its block is damaged or of a newer version.
    """
    import yaml  # not every reader of records needs it

    try:
        document = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise RecordError(f"{path}: must hold the resolved sweep, but holds {document!r:.60}")
    return Environment.from_mapping(document.get("environment") or {}, path)
