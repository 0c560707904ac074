"""Modules of the user's own that register architectures and datasets."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from infogan_bench.errors import InputError


def load_extensions(names: Sequence[str]) -> None:
    """Import each module (a dotted name, or the path of a .py file), once a process.

    Raises:
        InputError: if a module is not found or raises while it is imported.
    """
    for name in names:
        try:
            if name.endswith(".py"):
                _import_file(Path(name).resolve())
            else:
                importlib.import_module(name)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # a module that calls exit() must not end a sweep in silence
            raise InputError(f"extensions: {name!r} cannot be imported: {error}") from error


def _import_file(path: Path) -> None:
    module_name = f"infogan_bench_extension_{path.stem}_{abs(hash(str(path)))}"
    if module_name in sys.modules:
        return
    if not path.is_file():
        raise InputError(f"extensions: no such file: {path}")
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"extensions: not a Python file: {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
