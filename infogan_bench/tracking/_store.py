"""Stores of MLflow runs: the accepted kinds, and the checks before a sweep starts."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from infogan_bench.errors import InputError, reason
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._login import TRACKING_URI, with_secrets_of_the_environment
from infogan_bench.tracking._names import one_line

_DEFAULT_URI = "sqlite:///mlflow.db"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
_SECONDS_FOR_A_LOCK = 20.0
_SECONDS_TO_CONNECT = 5.0
_QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the outbox repeats requests while the sweep continues
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # a model lists its own requirements, not those of a project in this folder
}


def resolve_uri(uri: str | None) -> str:
    """The tracking store: `uri`, else MLFLOW_TRACKING_URI, else `sqlite:///mlflow.db`; a SQLite path made
    absolute.

    Raises:
        InputError: for a web address without a host, a folder (MLflow's old file store), a database in memory, an
            unknown scheme, or a login that is neither in `uri` nor in the environment.
    """
    uri = with_secrets_of_the_environment(uri or os.environ.get(TRACKING_URI) or _DEFAULT_URI)
    scheme = _scheme(uri)
    if scheme in ("", "file"):
        raise InputError(
            f"MLflow no longer writes to a folder, and `{hide_secrets(uri)}` is one. Use a database, for example "
            f"`{_DEFAULT_URI}`; `mlflow migrate-filestore` moves the runs of an old folder into one."
        )
    if scheme not in _DATABASES + _SERVERS:
        raise InputError(
            f"`{hide_secrets(uri)}` is no tracking store: expected `sqlite:///FILE`, a database "
            f"({', '.join(_DATABASES[1:])}) or a server (`http://HOST:PORT`)."
        )
    if scheme in ("http", "https") and not _host(uri):
        raise InputError(f"`{hide_secrets(uri)}` is no address of a server: expected `http://HOST:PORT`.")
    return _absolute(uri) if scheme == "sqlite" else uri


def _host(uri: str) -> str | None:
    try:
        address = urlsplit(uri)
        return address.hostname if address.port != 0 else None  # looking at the port checks it
    except ValueError:
        return None


def check_store(uri: str) -> None:
    """Refuse what a store can be refused for without asking it, so that nothing begins in vain.

    Args:
        uri: as `resolve_uri` gives it.

    Raises:
        InputError: if a SQLite database cannot be written, the driver of another database is not installed, or its URI
            cannot be understood.
    """
    database = sqlite_file(uri)
    if database is not None:
        _check_sqlite(database, touch=database.exists())
    elif _scheme(uri) in _DATABASES:
        _check_driver(uri)


def _check_driver(uri: str) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(uri).get_dialect().import_dbapi()
    except (ArgumentError, ValueError, ImportError) as error:
        raise InputError(
            f"MLflow cannot use `{hide_secrets(uri)}`: {one_line(hide_secrets(str(error)))}"
        ) from error


def _scheme(uri: str) -> str:
    if uri in ("databricks", "databricks-uc"):
        return uri
    found = re.match(r"([a-zA-Z][\w\-]*)(\+\w+)?:", uri)
    return found[1].lower() if found else ""


def _absolute(uri: str) -> str:
    location, question_mark, query = uri.partition("?")
    path = location.partition(":")[2].removeprefix("///")
    if path in ("", ":memory:") or not location.lower().startswith("sqlite:///"):
        raise InputError(f"`{uri}` keeps its runs in memory only: give a file, for example `{_DEFAULT_URI}`.")
    if path.startswith("file:"):
        raise InputError(f"`{uri}`: give the database as a plain path, for example `{_DEFAULT_URI}`.")
    return f"sqlite:///{Path(path).expanduser().absolute()}{question_mark}{query}"


def sqlite_file(uri: str) -> Path | None:
    """The database file of a `resolve_uri`d SQLite store; None for any other store."""
    return Path(uri.partition("?")[0].removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def artifact_location(uri: str) -> str | None:
    """Return the place of a new experiment's files: beside a SQLite database; None leaves it to the store."""
    folder = artifact_folder(uri)
    return folder.as_uri() if folder else None


def artifact_folder(uri: str) -> Path | None:
    """Return the folder beside a SQLite database in which new experiments keep their files; None for other stores."""
    database = sqlite_file(uri)
    return database.parent / "mlartifacts" if database else None


def local_folder(location: str) -> Path | None:
    """Return the folder that an artifact location names on this machine; None if it is elsewhere."""
    if location.startswith("file:"):
        return Path(unquote(urlsplit(location).path))
    return Path(location) if location.startswith("/") else None


def connect(uri: str) -> Any:
    """An `MlflowClient` of the store; a new SQLite database gets its tables, once.

    Raises:
        InputError: if a SQLite database cannot be used, or a database driver is not installed.
        ConnectionError: if nothing listens at the address of a database.
    """
    mlflow = import_mlflow()
    database = sqlite_file(uri)
    if database is None:
        _check_address(uri)
        return _client(mlflow, uri)
    _check_sqlite(database)
    # Two sweeps that start together would both create the tables.
    lock = Path(tempfile.gettempdir()) / f"infogan-bench-{os.getuid()}-{_digest(database)}.lock"
    with mlflow.utils.file_utils.ExclusiveFileLock(str(lock)):
        return _client(mlflow, uri)


def _client(mlflow: Any, uri: str) -> Any:
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        if _scheme(uri) in _DATABASES:
            client.search_experiments(max_results=1)  # opens the database
    except (ImportError, mlflow.exceptions.MlflowException) as error:
        raise InputError(hide_secrets(f"MLflow cannot use `{uri}`: {error}")) from error
    return client


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]


def import_mlflow() -> Any:
    """The package, told to be quiet.

    Raises:
        InputError: if it cannot be imported.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
        import mlflow.utils.file_utils
        import mlflow.utils.logging_utils
    except Exception as error:  # a half-removed installation raises all kinds
        raise InputError(
            f"tracking: MLflow cannot be imported ({one_line(reason(error))}): install it anew, or turn it off by "
            "`tracking: none`"
        ) from error

    for name in ("mlflow", "alembic", "sqlalchemy.engine"):
        logger = logging.getLogger(name)
        # To whatever the root logger writes to, and to nobody's screen if it writes nowhere.
        logger.handlers = [logging.NullHandler()]
        logger.propagate = True
    return mlflow


def _check_address(uri: str) -> None:
    """Detect within seconds that a database server is down, since MLflow itself tries for minutes."""
    if _scheme(uri) not in _DATABASES:
        return
    from sqlalchemy.engine import make_url

    address = make_url(uri)
    port = address.port or {"postgresql": 5432, "mysql": 3306, "mssql": 1433}[_scheme(uri)]
    if address.host:
        socket.create_connection((address.host, port), timeout=_SECONDS_TO_CONNECT).close()


def _check_sqlite(database: Path, *, touch: bool = True) -> None:
    """Refuse a database that MLflow could not write, or would spoil.

    With `touch`, try to write it, which makes an empty file where there is none.
    """
    folder = database.parent
    if not folder.is_dir():
        raise InputError(
            f"MLflow's database `{database}` has no place: the folder `{folder}` does not exist."
        )
    if database.is_dir():
        raise InputError(f"MLflow's database `{database}` is a folder; a file was expected.")
    if not touch:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(
                f"MLflow's database `{database}` cannot be written: there is no right to write to its folder."
            )
        return
    try:
        with closing(sqlite3.connect(database, timeout=_SECONDS_FOR_A_LOCK, isolation_level=None)) as db:
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            _try_to_write(db)
    except sqlite3.Error as error:
        raise InputError(f"MLflow's database `{database}` cannot be written: {error}.") from error
    if tables and "alembic_version" not in tables:
        raise InputError(f"`{database}` is a database of something else than MLflow: give another file.")


def _try_to_write(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE infogan_bench_probe (x)")  # opens the journal: the folder is written as well
    db.execute("ROLLBACK")
