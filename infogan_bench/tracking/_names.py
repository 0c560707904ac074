"""Names and values in the form that MLflow accepts."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

MAX_KEY = 250
MAX_RUN_NAME = 250
MAX_EXPERIMENT = 500
MAX_PARAM = 6000
MAX_TAG = 8000
PICTURES = "pictures"  # section of MLflow's charts in which a trial's pictures step through its training
_IN_A_RUN_NAME = 20  # characters of one swept value


def legal_key(key: str) -> str:
    """The name under which a parameter, metric or tag called `key` is logged.

    A legal key is kept: letters of any script, digits, `_ - . : /` and blanks, up to 250 characters, no part
    between slashes being empty, `.` or `..`. In any other key each offending character or part becomes `_`,
    and `-` with six hexadecimal digits of the key's SHA-256 is appended. So the name depends on the key alone
    and two keys never share one: `a_b` stays, `a@b` becomes `a_b-7508d8`.
    """
    parts = re.sub(r"[^\w\-. :/]", "_", key).split("/")
    cleaned = "/".join("_" if part in ("", ".", "..") else part for part in parts)
    if cleaned == key and len(key) <= MAX_KEY:
        return key
    suffix = "-" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return cleaned[: MAX_KEY - len(suffix)] + suffix


def value_text(value: Any, limit: int = MAX_PARAM) -> str:
    """A parameter's value as text: a string as it is, all else as JSON; `…` ends a value that was cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` characters; `…` marks that something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str) -> str:
    """`text` without line breaks, tabs and control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def experiment_name(wanted: str) -> str:
    """A name that MLflow takes: one line, never empty, at most 500 characters."""
    return cut(one_line(wanted), MAX_EXPERIMENT) or "unnamed"


def run_name(trial_id: str, params: Mapping[str, Any]) -> str:
    """`trial 0003 lambda_cat=0.5 width=0.25`: the last part of each key, where it is unambiguous."""
    short = short_keys(params)
    pairs = (f"{short[key]}={value_text(value, _IN_A_RUN_NAME)}" for key, value in params.items())
    return cut(one_line(" ".join((f"trial {trial_id}", *pairs))), MAX_RUN_NAME)


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """{dotted key: its last part, or the whole key where two end alike}."""
    last = {key: key.rpartition(".")[2] for key in keys}
    names = list(last.values())
    return {key: name if names.count(name) == 1 else key for key, name in last.items()}


def stepped_name(picture: str, step: int, size: str) -> str:
    """The file that MLflow's page shows at `step` of the series `picture`. `MlflowClient.log_image` puts the time and
    a random identifier in; here both follow from the step, so that a picture sent twice is there once."""
    identifier = uuid.uuid5(uuid.NAMESPACE_OID, f"{picture} {step}")
    name = re.sub(r"[^A-Za-z0-9_. -]", "_", picture)
    return f"{PICTURES}~{name}+step+{step}+timestamp+{step}+{identifier}{size}.webp"  # ~ stands for a slash


def markdown_text(text: str) -> str:
    """`text` such that Markdown shows it as it was written."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_{}\[\]()>#+\-.!~=|:])", r"\\\1", escaped).replace("\n", "  \n")
