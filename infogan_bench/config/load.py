"""Reading and writing of sweep files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from infogan_bench.config.base import INPUTS, Base, recorded_base, with_absolute_paths, with_relative_paths
from infogan_bench.config.errors import ConfigError, Fault, code_list
from infogan_bench.config.explain import explain
from infogan_bench.config.names import nearest, suggestion
from infogan_bench.config.params import get_value, run_keys, set_value
from infogan_bench.config.plan import plan
from infogan_bench.config.run import RunConfig
from infogan_bench.config.space_file import read_space
from infogan_bench.config.sweep_config import SweepConfig
from infogan_bench.config.yaml_file import Document, KeyPath, dotted, scan_yaml, write_yaml
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.secrets import hide_secrets_in

_PACKAGE = Path(__file__).parents[1]
_IGNORED = "environment"  # the record of versions and machine at the end of a resolved sweep
_RENAMED = {"objective": "goal"}  # keys of the top level: old name -> name

log = logging.getLogger(__name__)


def load_sweep(path: Path | str) -> SweepConfig:
    """Read the sweep in a YAML file, or the sweep of that name that ships with the package.

    An old name of a key of the top level is still read, and a logged line says so.

    Raises:
        ConfigError: with every fault of the file, each with its line.
    """
    source = _source(str(path))
    try:
        document, faults = scan_yaml(source)
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(source, [Fault(_not_found(source))]) from None
        raise
    for old in _RENAMED.keys() & document.tree.keys():
        _say_renamed(f"{source}:{document.lines[old,]}", old)
    tree = document.tree
    if base := recorded_base(tree.get(_IGNORED), source.parent):  # the file of a sweep that has run
        tree = with_absolute_paths(tree, base, INPUTS)
    return _parsed(source, document, tree, faults)


def load_resolved(path: Path, base: Base | None = None) -> SweepConfig:
    """Read a sweep that `resolved_yaml` wrote, in this version or an earlier one.

    Paths below the sweep's base are looked for where the base is now, and where it was.

    Args:
        path: the file.
        base: of the paths, for a file without `environment`, which names it.

    Raises:
        ConfigError: with every fault of the file, each with its line.
    """
    document, faults = scan_yaml(path)
    base = recorded_base(document.tree.get(_IGNORED), path.parent) or base
    tree = with_absolute_paths(document.tree, base) if base else document.tree
    return _parsed(path, document, tree, faults)


def _parsed(source: Path, document: Document, tree: Mapping[str, Any], faults: list[Fault]) -> SweepConfig:
    try:
        sweep = parse_sweep(tree, lines=document.lines, folder=source.parent)
    except ConfigError as error:
        faults += error.faults
    if faults:
        raise ConfigError(source, faults)
    return sweep


def parse_sweep(
    tree: Mapping[str, Any], *, lines: Mapping[KeyPath, int] | None = None, folder: Path | None = None
) -> SweepConfig:
    """Read the sweep that nested dicts describe, in the form of a sweep file.

    Args:
        lines: the line of each key, for faults.
        folder: what relative paths of .py files in `extensions` start from; the current folder if None.

    Raises:
        ConfigError: with every fault.
    """
    lines = lines or {}
    tree, lines = _renamed(tree, lines)
    rest = {key: value for key, value in tree.items() if key not in ("space", _IGNORED)}
    space, faults = read_space(tree.get("space", {}), lines)
    faults += _load_extensions(tree.get("extensions"), folder or Path())
    try:
        sweep = SweepConfig.model_validate({**rest, "space": space})
    except ValidationError as error:
        raise ConfigError(None, _located([*faults, *explain(error, SweepConfig)], lines)) from None
    sweep, missing = _with_extension_paths(_with_data_path(sweep), folder or Path())
    faults += missing
    if not faults:
        try:
            plan(sweep)
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(None, _located(faults, lines))
    return sweep


def _renamed(
    tree: Mapping[str, Any], lines: Mapping[KeyPath, int]
) -> tuple[Mapping[str, Any], Mapping[KeyPath, int]]:
    """Return `tree` and `lines` with the present name of each key of the top level that has an old one."""
    for old, new in _RENAMED.items():
        if old not in tree:
            continue
        if new in tree:
            fault = Fault(f"is the old name of `{new}`, which is given as well; remove one of them", old)
            raise ConfigError(None, _located([fault], lines))
        tree = {new if key == old else key: value for key, value in tree.items()}
        lines = {(new, *path[1:]) if path[0] == old else path: line for path, line in lines.items()}
    return tree, lines


@cache
def _say_renamed(place: str, old: str) -> None:
    """Log, once for each place, that a key has a new name."""
    log.warning("%s: `%s` is called `%s` now; the old name is still read", place, old, _RENAMED[old])


def resolved_yaml(
    sweep: SweepConfig, environment: Mapping[str, object] | None = None, base: Base | None = None
) -> str:
    """Return `sweep` with all defaults as the text of a sweep file that loads back equal, then `environment` if given.

    Paths below `base` are relative to it. Secrets of URIs are hidden: `tracking` takes them from the environment again.
    """
    tree = sweep.model_dump(mode="json")
    tree["base"] = _base_without_swept_defaults(sweep)
    tree["space"] = {key: domain.dump() for key, domain in sweep.space.items()}
    if base is not None:
        tree = with_relative_paths(tree, base)
    if environment is not None:
        tree[_IGNORED] = dict(environment)
    return write_yaml(hide_secrets_in(tree))


def shipped_sweeps() -> dict[str, Path]:
    """Name -> file of the sweeps that ship: inside an installed package, or beside it in a checkout."""
    folders = [folder for folder in (_PACKAGE / "sweeps", _PACKAGE.parent / "sweeps") if folder.is_dir()]
    return {file.stem: file for file in sorted(folders[0].glob("*.yaml"))} if folders else {}


def load_shipped(name: str) -> SweepConfig:
    """The sweep of that name that ships with the package, whatever files lie in the current folder.

    Raises:
        ConfigError: if none has that name.
    """
    shipped = shipped_sweeps()
    if name not in shipped:
        raise ConfigError(None, [Fault(f"no sweep {name!r} ships; {suggestion(name, shipped)}", "--preset")])
    return load_sweep(shipped[name])


def _source(text: str) -> Path:
    is_name = Path(text).name == text and not Path(text).suffix
    shipped = shipped_sweeps().get(text) if is_name else None
    return shipped if shipped and not Path(text).is_file() else Path(text)


def _not_found(source: Path) -> str:
    shipped = shipped_sweeps()
    hint = nearest(source.stem, shipped)
    meant = f"; did you mean `{hint}`?" if hint else "."
    return f"no such file{meant} Sweeps that ship: {code_list(shipped, last='and') if shipped else 'none'}"


def _located(faults: list[Fault], lines: Mapping[KeyPath, int]) -> list[Fault]:
    """Return `faults` with the line of their key, or of the nearest enclosing key that the file has."""
    by_key = {dotted(path): line for path, line in lines.items()}
    return [fault if fault.line else replace(fault, line=_line_of(fault.key, by_key)) for fault in faults]


def _line_of(key: str | None, by_key: Mapping[str, int]) -> int | None:
    while key:
        if key in by_key:
            return by_key[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _load_extensions(names: object, folder: Path) -> list[Fault]:
    """Import a sweep's extensions, since it may name their scores. A missing file becomes a fault later."""
    faults = []
    for index, name in enumerate(names if isinstance(names, list | tuple) else [names]):
        if not isinstance(name, str) or not name:
            continue
        path = (folder / name).resolve()
        if name.endswith(".py") and not path.is_file():
            continue
        try:
            load_extensions([str(path) if name.endswith(".py") else name])
        except InputError as error:
            faults.append(Fault(str(error).removeprefix("extensions: "), f"extensions[{index}]"))
    return faults


def _with_extension_paths(sweep: SweepConfig, folder: Path) -> tuple[SweepConfig, list[Fault]]:
    """Absolute paths for .py files, since workers run in other folders."""
    faults = []
    extensions = []
    for index, name in enumerate(sweep.extensions):
        if name.endswith(".py"):
            name = str((folder / name).resolve())
            if not Path(name).is_file():
                faults.append(Fault(f"no such file: {name}", f"extensions[{index}]"))
        extensions.append(name)
    return sweep.model_copy(update={"extensions": tuple(extensions)}), faults


def _with_data_path(sweep: SweepConfig) -> SweepConfig:
    """An absolute path for the user's data, since workers run in other folders."""
    if sweep.dataset.data_dir is None:
        return sweep
    data_dir = str(Path(sweep.dataset.data_dir).expanduser().absolute())
    return sweep.model_copy(update={"dataset": sweep.dataset.model_copy(update={"data_dir": data_dir})})


def _base_without_swept_defaults(sweep: SweepConfig) -> dict[str, object]:
    """The base run without swept keys that the file does not set, which would look as if they were given twice."""
    tree: dict[str, object] = {}
    dumped = sweep.base.model_dump(mode="json")
    for key in run_keys():
        swept_default = key in sweep.space and get_value(sweep.base, key) == get_value(RunConfig(), key)
        if not swept_default:
            set_value(tree, key, _at(dumped, key))
    return tree


def _at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree
