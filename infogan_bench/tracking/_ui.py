"""MLflow's own pages, served on this machine for `infogan-bench ui`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import NoReturn

from infogan_bench.errors import InputError
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._store import resolve_uri, sqlite_file

_SECONDS_TO_STOP = 10.0
_SERVERS = ("http:", "https:", "databricks", "uc:")


def served_store(uri: str | None) -> str:
    """Return the URI of the store whose runs are to be served (see `resolve_uri`).

    Raises:
        InputError: if `uri` is a server, which has its own pages, or a SQLite file that does not exist.
    """
    if (uri or "").startswith(_SERVERS):  # before its login is asked for
        raise InputError(f"`{hide_secrets(uri or '')}` is a server with its own pages: open it in a browser.")
    uri = resolve_uri(uri)
    if uri.startswith(_SERVERS):
        raise InputError(f"`{hide_secrets(uri)}` is a server with its own pages: open it in a browser.")
    database = sqlite_file(uri)
    if database is not None and not database.is_file():
        raise InputError(f"There is no MLflow database `{database}`: run a sweep first, or give its URI.")
    return uri


def ui_command(port: int = 5000, host: str = "127.0.0.1") -> list[str]:
    """Return the command that serves MLflow's pages at http://`host`:`port`; `server_environment` names the store."""
    server = [sys.executable, "-m", "mlflow", "server"]
    return [*server, "--host", host, "--port", str(port), "--workers", "1"]


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """`wanted` if nothing listens there, else a port that is free now."""
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InputError(f"No port can be opened on `{host}`.")


def open_ui(
    uri: str | None,
    port: int = 5000,
    host: str = "127.0.0.1",
    say: Callable[[str], None] = print,
    page: str = "",
) -> int:
    """Serve the runs in `uri` until Ctrl-C (or SIGTERM); returns the server's exit code, 0 after Ctrl-C.

    Args:
        say: gets the address, and that `port` was taken if another one is used.
        page: the page to name in it, such as `view_path` gives.
    """
    chosen = free_port(port, host)
    environment = server_environment(served_store(uri))
    taken = "" if chosen == port else f" (port {port} is taken)"
    say(f"MLflow: http://{host}:{chosen}{f'/#{page}' if page else ''}{taken}  (Ctrl-C ends it)")
    # A session of its own, so that one signal reaches the server's workers too.
    server = subprocess.Popen(ui_command(chosen, host), env=environment, start_new_session=True)  # noqa: S603
    try:
        with _sigterm_as_exit():
            return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(server)


def server_environment(store: str) -> dict[str, str]:
    """Return the environment of MLflow's server on a store: this process's, with the store and without telemetry.

    Every user of the machine can read the command lines of all processes, so the URI, which may hold a password, is
    handed over here. The processes that run MLflow's jobs are switched off: a page of runs has no need of them, and
    they double the time to the first page.
    """
    defaults = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**defaults, **os.environ, "MLFLOW_BACKEND_STORE_URI": store}


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    def leave(signum: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(server: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, signum)
        except ProcessLookupError:
            return
        try:
            server.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            continue
