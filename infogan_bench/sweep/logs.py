"""The log of a sweep: what Ray, MLflow, Optuna and we say goes to a file, not to the screen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LOGGERS = ("ray", "mlflow", "optuna", "alembic", "sqlalchemy", "infogan_bench", "py.warnings")


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Send those loggers and stdout (where Ray prints what befell its workers) to `path` alone, for a while."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.captureWarnings(True)
    before = []
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        before.append((logger, logger.handlers[:], logger.propagate, logger.level))
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name != "sqlalchemy" else logging.WARNING)
    try:
        with redirect_stdout(handler.stream):
            yield
    finally:
        logging.captureWarnings(False)
        for logger, handlers, propagate, level in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
        handler.close()
