"""The log of a sweep: messages of Ray, MLflow, Optuna and this project go to a file, not to the screen."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path

from infogan_bench.secrets import hide_secrets

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LOGGERS = ("ray", "mlflow", "optuna", "alembic", "sqlalchemy", "infogan_bench", "py.warnings")
_LEVELS = {
    "sqlalchemy": logging.WARNING,
    # This logger warns that each trial lacks a result.json. The sweep folder takes the place of that file.
    "ray.tune.analysis.experiment_analysis": logging.ERROR,
}


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Send these loggers, and stdout, where Ray prints messages of its workers, only to `path` inside this context."""
    stream = _LogFile(path.open("ab"), encoding="utf-8", errors="backslashreplace", line_buffering=True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.captureWarnings(True)
    before = []
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        before.append((logger, logger.handlers[:], logger.propagate))
        logger.handlers, logger.propagate = [handler], False
    levels = dict.fromkeys(_LOGGERS, logging.INFO) | _LEVELS
    levels_before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    try:
        with redirect_stdout(stream):
            yield
    finally:
        logging.captureWarnings(False)
        for logger, handlers, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate
        for name, level in levels_before.items():
            logging.getLogger(name).setLevel(level)
        stream.close()


class _LogFile(io.TextIOWrapper):
    """A text file in which the secrets of URIs are hidden. On a full disk it loses text, so that a sweep does not end
    because of its log."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            super().write(hide_secrets(text))
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):  # ValueError: it was closed, and a late thread still holds it
            super().flush()

    def close(self) -> None:
        with suppress(OSError):
            super().close()
