"""The base of a sweep's paths: the folder from which relative paths start, also after the project has moved.

Relative paths of a sweep file (`dataset.data_dir`, `storage`, a SQLite `tracking.uri`) start from the folder in which
the sweep was begun. A resolved sweep names that folder in `environment`, and holds the paths below it relative to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ABSOLUTE, FROM_HERE = "base", "base_from_here"  # keys of `environment`
_SQLITE = "sqlite:///"
INPUTS = (("dataset", "data_dir"), ("extensions",))
_PATHS = (*INPUTS, ("storage",), ("tracking", "uri"))


@dataclass(frozen=True)
class Base:
    """The base where it is now, seen from the sweep folder, and where it was when the sweep began; both absolute."""

    here: Path
    recorded: Path

    def find(self, path: str) -> str:
        """Return a path below the base as an absolute path: below `here`, unless it exists only below `recorded`, as
        after a sweep folder was moved out of its project."""
        places = [Path(os.path.normpath(base / path)) for base in (self.here, self.recorded)]
        return str(next((place for place in places if place.exists()), places[0]))

    def relative(self, path: str) -> str:
        """Return an absolute path below the base relative to the base; any other path unchanged."""
        for base in (self.here, self.recorded):
            if Path(path).is_relative_to(base):
                return str(Path(path).relative_to(base))
        return path


def recorded_base(environment: object, sweep_folder: Path) -> Base | None:
    """Return the base that the `environment` of a sweep folder names; None if it names none, as older ones do."""
    if not isinstance(environment, Mapping):
        return None
    recorded, from_here = environment.get(ABSOLUTE), environment.get(FROM_HERE)
    if not isinstance(recorded, str) or not isinstance(from_here, str):
        return None
    return Base(Path(os.path.normpath(sweep_folder.absolute() / from_here)), Path(recorded))


def base_record(sweep_folder: Path) -> dict[str, str]:
    """Return the keys of `environment` by which the current folder is found again as the base of a sweep folder."""
    base = Path.cwd()
    return {ABSOLUTE: str(base), FROM_HERE: os.path.relpath(base, sweep_folder.absolute())}


def recorded_extensions(
    config: Mapping[str, object], environment: Mapping[str, Any], sweep_folder: Path
) -> tuple[str, ...]:
    """Return the extensions of a resolved sweep, .py files by absolute paths.

    Args:
        config: the sweep as its sweep.yaml has it, in nested dicts.
        environment: the block of that name.
        sweep_folder: where the sweep.yaml lies.
    """
    base = recorded_base(environment, sweep_folder)
    found = with_absolute_paths(config, base, (("extensions",),)) if base else config
    extensions = found.get("extensions") or ()
    return tuple(map(str, extensions if isinstance(extensions, list | tuple) else [extensions]))


def recorded_data_dir(
    config: Mapping[str, object], environment: Mapping[str, object], sweep_folder: Path
) -> str | None:
    """Return the absolute path of the data of a resolved sweep; None if it came with the package.

    The arguments are those of `recorded_extensions`.
    """
    base = recorded_base(environment, sweep_folder)
    found = with_absolute_paths(config, base, (("dataset", "data_dir"),)) if base else config
    dataset = found.get("dataset")
    data_dir = dataset.get("data_dir") if isinstance(dataset, Mapping) else None
    return data_dir if isinstance(data_dir, str) else None


def with_absolute_paths(
    tree: Mapping[str, object], base: Base, keys: tuple[tuple[str, ...], ...] = _PATHS
) -> dict[str, object]:
    """Return a resolved sweep, as nested dicts, with absolute paths in the place of relative ones."""
    return _with_paths(tree, base.find, keys)


def with_relative_paths(tree: Mapping[str, object], base: Base) -> dict[str, object]:
    """Return a resolved sweep, as nested dicts, with relative paths in the place of absolute ones below the base."""
    return _with_paths(tree, base.relative, _PATHS)


def _with_paths(
    tree: Mapping[str, object], change: Callable[[str], str], keys: tuple[tuple[str, ...], ...]
) -> dict[str, object]:
    changed = dict(tree)
    for first, *rest in keys:
        if first not in changed:
            continue
        if not rest:
            changed[first] = _changed(changed[first], change)
        elif isinstance(section := changed[first], Mapping) and rest[0] in section:
            changed[first] = {**section, rest[0]: _changed(section[rest[0]], change)}
    return changed


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Apply `change` to a path, a SQLite URI or a list of .py files; return any other value unchanged."""
    if isinstance(value, list):
        return [_changed(each, change) if str(each).endswith(".py") else each for each in value]
    if not isinstance(value, str):
        return value
    if value.startswith(_SQLITE):
        path, mark, query = value.removeprefix(_SQLITE).partition("?")
        return f"{_SQLITE}{change(path)}{mark}{query}"
    return value if "://" in value else change(value)
