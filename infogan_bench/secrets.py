"""Hiding of passwords and tokens in URIs, in texts that are written or shown."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import unquote

HIDDEN = "***"

_Tree = TypeVar("_Tree")
# A login goes up to the last `@` before a blank, since passwords hold `/`, `'` and `@` that nobody escaped.
_URI = re.compile(r"[a-zA-Z][\w+.\-]*://(?:[^\s\"`<>]*@)?(?:[^\s\"'`<>]|'(?=\w))+")
_PARTS = re.compile(r"(?P<scheme>[^:]+)://(?P<rest>[^?#]*)(?P<query>[?#].*)?", re.DOTALL)
_SECRET_NAME = re.compile(
    r"pass|pwd|token|secret|credential|signature|api_?key|access_?key|auth", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"(pwd|password|token)\s*=", re.IGNORECASE)  # as in odbc_connect=...;PWD=...


def hide_secrets(text: str) -> str:
    """Return `text` with `***` in place of every secret of the URIs in it.

    A secret is the password of `user:password@host`, whatever characters it has; the whole login of a web address,
    since a token may stand there alone; and the value of a query parameter such as `token` or `password`. A text in
    which secrets were hidden stays as it is.
    """
    return _URI.sub(lambda found: _hidden(found[0]), text) if "://" in text else text


def hide_secrets_in(tree: _Tree) -> _Tree:
    """Return nested dicts, lists and tuples with the secrets of every text in them hidden; keys stay."""
    hidden: object = tree
    if isinstance(tree, str):
        hidden = hide_secrets(tree)
    elif isinstance(tree, dict):
        hidden = {key: hide_secrets_in(value) for key, value in tree.items()}
    elif isinstance(tree, list | tuple):
        hidden = type(tree)(hide_secrets_in(value) for value in tree)
    return hidden  # type: ignore[return-value]


def _hidden(uri: str) -> str:
    login = ""
    scheme, _, rest = uri.partition("://")
    if "@" in rest and not rest.startswith("/"):  # a password may hold `?` and `#` as well
        login, _, host = rest.rpartition("@")
        if re.search(r"[?#].*[=&]", login):  # no login: the `@` belongs to a parameter
            login, host = "", rest
        uri = f"{scheme}://{host}"
    parts = _PARTS.fullmatch(uri)
    if parts is None:
        return uri
    query = re.sub(r"([?&#;])([^=&;]+)=([^&]*)", _hidden_parameter, parts["query"] or "")
    return f"{scheme}://{_hidden_login(scheme, login)}{parts['rest']}{query}"


def _hidden_login(scheme: str, login: str) -> str:
    user, colon, _ = login.partition(":")
    if scheme.lower().startswith("http"):
        return f"{HIDDEN}@" if login else ""
    return f"{user}:{HIDDEN}@" if colon else f"{login}@" if login else ""


def _hidden_parameter(found: re.Match[str]) -> str:
    separator, name, value = found.groups()
    secret = _SECRET_NAME.search(name) or _SECRET_VALUE.search(unquote(value))
    return f"{separator}{name}={HIDDEN if secret else value}"
