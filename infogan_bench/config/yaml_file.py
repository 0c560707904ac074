"""The reader of YAML files, which keeps the line of every key and refuses text that could be misread.

PyYAML follows YAML 1.1, where `1e-3` is text, `no` is false, `12:30` is 750 and the last of two equal keys
wins. Here scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) and a key
given twice is a fault; merge keys (`<<: *base`) are kept, since sweeps use them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infogan_bench.config.errors import ConfigError, Fault, show

MAX_NODES = 100_000  # values after aliases are expanded; a sweep file has a few hundred

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_CORE_SCHEMA = (  # tag, pattern, the characters a match can start with
    ("null", re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("merge", re.compile(r"<<"), ["<"]),
)
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML file as plain dicts, lists and scalars.

    `lines` maps the path of every key and list item (`("base", "codes", "categorical", 0)`) to its 1-based
    line; what came through an alias or a merge key has the line it was written in.
    """

    path: Path
    tree: Mapping[str, Any]
    lines: Mapping[KeyPath, int]


def read_yaml(path: Path | str) -> Document:
    """The one mapping in the YAML file at `path`.

    Raises:
        ConfigError: if the file cannot be read, is not UTF-8, is not YAML, is empty or holds anything but one
            mapping; if it has a repeated key, a key that is not text or a tag that is not plain data; or if
            aliases contain themselves or expand to more than `MAX_NODES` values.
    """
    document, faults = scan_yaml(path)
    if faults:
        raise ConfigError(document.path, faults)
    return document


def scan_yaml(path: Path | str) -> tuple[Document, list[Fault]]:
    """Do as `read_yaml`, but return the faults of repeated keys, odd keys and odd tags beside the document."""
    path = Path(path)
    try:
        tree, builder = _parse(_read_text(path), path)
    except ConfigError:
        if (kind := _another_kind(path)) is not None:
            raise ConfigError(path, [Fault(f"is {kind}; a YAML file was expected")]) from None
        raise
    return Document(path, tree, builder.lines), list(builder.faults.values())


def parse_value(text: str) -> Any:
    """Read a value as it would be read in a file: `1e-3` is a number, `[10, 10]` a list, `no` text.

    Raises:
        ConfigError: if `text` is not YAML, or holds what a file may not hold.
    """
    tree, builder = _parse(f"value: {text}", None)
    faults = list(builder.faults.values())
    if len(tree) > 1:
        faults.append(Fault(f"expected one value, got {show(text)}"))
    if faults:
        raise ConfigError(None, faults)
    return tree["value"]


def is_number(text: str) -> bool:
    """Say whether `text`, written without quotes, would be a number."""
    return bool(_INT.fullmatch(text) or _FLOAT.fullmatch(text))


def write_yaml(tree: Mapping[str, Any]) -> str:
    """`tree` as YAML text that `read_yaml`, and a YAML 1.1 reader, read back as the same values."""
    return yaml.dump(dict(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


# Text and syntax ------------------------------------------------------------------------------------------


def _parse(text: str, path: Path | None) -> tuple[dict[str, object], _Builder]:
    """The mapping in `text`, and the builder with its lines and faults; `path` is for messages."""
    try:
        builder = _Builder(path)
        return builder.build_root(_compose(text, path)), builder
    except yaml.YAMLError as error:
        raise ConfigError(path, [_syntax_fault(error, text)]) from None
    except RecursionError:
        raise ConfigError(path, [Fault("values are nested too deeply")]) from None


def _another_kind(path: Path) -> str | None:
    """Say what a file is that is no text which a person may have meant as YAML; None if it may be."""
    from infogan_metrics.files import UNKNOWN, what_it_is  # here, since it takes time and is seldom wanted

    try:
        kind = what_it_is(path)
    except OSError:
        return None
    return None if kind in ("text", "JSON text", "an empty file", UNKNOWN) else kind


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(path, [Fault("no such file")]) from error
    except IsADirectoryError as error:
        inside = path / "sweep.yaml"
        hint = f"; did you mean {inside}?" if inside.is_file() else ""
        raise ConfigError(path, [Fault(f"is a folder, not a file{hint}")]) from error
    except OSError as error:
        raise ConfigError(path, [Fault(f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, [Fault("is not UTF-8 text", line=line)]) from error


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own way: one table a class)


class _Dumper(yaml.SafeDumper):
    """Quotes text that either YAML version would take for something else, and never writes aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _name, _pattern, _first in _CORE_SCHEMA:
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(_TAG + _name, _whole, _first)
    _Dumper.add_implicit_resolver(_TAG + _name, _whole, _first)


def _compose(text: str, path: Path | None) -> yaml.Node:
    loader = _Loader(text)
    try:
        root = loader.get_node() if loader.check_node() else None
        if root is None:
            raise ConfigError(path, [Fault("is empty")])
        if loader.check_node():
            line = loader.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise ConfigError(path, [Fault("a second YAML document starts here; one is expected", line=line)])
        return root
    finally:
        loader.dispose()


def _syntax_fault(error: yaml.YAMLError, text: str) -> Fault:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Fault(f"the character U+{ord(text[error.position]):04X} is not allowed in YAML", line=line)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    error_line: int | None = mark.line + 1 if mark else None
    tab = _TAB_INDENT.search(text)
    if tab and error_line and (tab_line := text.count("\n", 0, tab.start()) + 1) <= error_line:
        return Fault("a tab is used for indentation; YAML wants spaces", line=tab_line)
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    return Fault("is not valid YAML: " + ", ".join(part for part in parts if part), line=error_line)


# From nodes to values -------------------------------------------------------------------------------------


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _to_bool(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _to_int(text: str) -> int:
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def _to_float(text: str) -> float:
    special = text.lower().endswith(("inf", "nan"))
    return float(text.replace(".", "") if special else text)


_SCALARS: dict[str, Callable[[str], Any]] = {
    _TAG + "null": lambda text: None,
    _TAG + "bool": _to_bool,
    _TAG + "int": _to_int,
    _TAG + "float": _to_float,
    _TAG + "str": str,
    _MERGE: str,
}


class _Builder:
    """Turns composed nodes into plain values, and records lines and faults."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lines: dict[KeyPath, int] = {}
        self.faults: dict[
            int, Fault
        ] = {}  # by node, so that an alias does not repeat the faults of its anchor
        self._open: set[int] = set()
        self._nodes = 0

    def build_root(self, root: yaml.Node) -> dict[str, object]:
        if not isinstance(root, yaml.MappingNode):
            kind = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
            message = f"the top level must be keys and values (`name: ...`), not {kind}"
            raise ConfigError(self.path, [Fault(message, line=_line(root))])
        return self._mapping(root, ())

    def _build(self, node: yaml.Node, path: KeyPath) -> Any:
        with self._entered(node, path):
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, path)
            return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        self._check_tag(node, "map", path)
        tree: dict[str, object] = {}
        for key, (line, value) in self._entries(node, path).items():
            self.lines[(*path, key)] = line
            tree[key] = self._build(value, (*path, key))
        return tree

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        self._check_tag(node, "seq", path)
        for index, item in enumerate(node.value):
            self.lines[(*path, index)] = _line(item)
        return [self._build(item, (*path, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self._fault(node, path, f"the tag `{_short(node.tag)}` is not plain data")
            return None
        try:
            value = convert(node.value)
        except (ValueError, KeyError):
            self._fault(node, path, f"{show(node.value)} is not a valid {_short(node.tag)[2:]}")
            return None
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            self._fault(node, path, f"{show(value)} holds half a character (a lone surrogate)")
        return value

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, tuple[int, yaml.Node]]:
        """Key -> (line, value) with merge keys resolved: a mapping's own keys win over merged ones."""
        own: dict[str, tuple[int, yaml.Node]] = {}
        merged: dict[str, tuple[int, yaml.Node]] = {}
        merge_line = None
        for key_node, value in node.value:
            line = _line(key_node)
            if key_node.tag == _MERGE:
                if merge_line is not None:
                    self._fault(key_node, (*path, "<<"), _twice(merge_line, line))
                merge_line = line
                for key, entry in self._merged_entries(value, path):
                    merged.setdefault(key, entry)
            elif not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                self._fault(key_node, path, _not_text(key_node))
            elif key_node.value in own:
                first = own[key_node.value][0]
                self._fault(key_node, (*path, key_node.value), _twice(first, line))
            else:
                own[key_node.value] = (line, value)
        return merged | own

    def _merged_entries(self, value: yaml.Node, path: KeyPath) -> Iterator[tuple[str, tuple[int, yaml.Node]]]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._fault(source, path, "`<<` merges a mapping: give it an alias such as `*base`")
                continue
            with self._entered(source, path):
                yield from self._entries(source, path).items()

    @contextmanager
    def _entered(self, node: yaml.Node, path: KeyPath) -> Iterator[None]:
        """Guard a visit to `node`: refuse aliases that contain themselves or expand to too many values."""
        self._nodes += 1 + (len(node.value) if isinstance(node, yaml.MappingNode) else 0)
        if self._nodes > MAX_NODES:
            self._stop(node, path, f"aliases expand to more than {MAX_NODES:,} values")
        if id(node) in self._open:
            self._stop(node, path, "an alias stands inside what it refers to")
        self._open.add(id(node))
        yield
        self._open.remove(id(node))

    def _check_tag(self, node: yaml.Node, expected: str, path: KeyPath) -> None:
        if node.tag != _TAG + expected:
            self._fault(node, path, f"the tag `{_short(node.tag)}` is not plain data")

    def _fault(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.faults.setdefault(id(node), Fault(message, dotted(path) or None, _line(node)))

    def _stop(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        line = self.lines.get(path, _line(node))
        raise ConfigError(self.path, [*self.faults.values(), Fault(message, dotted(path) or None, line)])


def dotted(path: KeyPath) -> str:
    """`("base", "codes", "categorical", 0)` as `base.codes.categorical[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _short(tag: str) -> str:
    return tag.replace(_TAG, "!!", 1)


def _twice(first: int, second: int) -> str:
    return f"is given twice, in line {first} and in line {second}"


def _not_text(key: yaml.Node) -> str:
    if isinstance(key, yaml.ScalarNode):
        return f"a key must be text, got {key.value}; put it in quotes"
    return "a key must be text, not a list or a mapping"
