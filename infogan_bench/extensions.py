"""Modules of the user that register parts of their own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import SourceLoader
from pathlib import Path

from infogan_bench.errors import InputError


def extension_sources(names: Sequence[str]) -> dict[str, bytes]:
    """The contents of each .py file among `names`: what a process that cannot see the files imports instead."""
    return {name: Path(name).read_bytes() for name in names if name.endswith(".py")}


def load_extensions(names: Sequence[str], sources: Mapping[str, bytes] | None = None) -> None:
    """Import each module (a dotted name, or the path of a .py file), once a process.

    Args:
        names: what to import.
        sources: what stands in the .py files, where they may not be at hand (`extension_sources`).

    Raises:
        InputError: if a module is not found or raises while it is imported.
    """
    for name in names:
        try:
            if name.endswith(".py"):
                _import_file(Path(name).resolve(), (sources or {}).get(name))
            else:
                importlib.import_module(name)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # a module that calls exit() must not end a sweep in silence
            raise InputError(f"extensions: {name!r} cannot be imported: {error}") from error


class _Source(SourceLoader):
    """Imports `source` as the file at `path`, whether that is there or not."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = str(path)
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str) -> bytes:
        return self._source


def _import_file(path: Path, source: bytes | None) -> None:
    module_name = f"infogan_bench_extension_{path.stem}_{abs(hash(str(path)))}"
    if module_name in sys.modules:
        return
    if source is None:
        if not path.is_file():
            raise InputError(f"extensions: no such file: {path}")
        source = path.read_bytes()
    loader = _Source(path, source)
    spec = importlib.util.spec_from_loader(module_name, loader)
    assert spec is not None, "the loader names a file"  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
