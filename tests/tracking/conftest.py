"""An empty MLflow store, and a sweep that has ended beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tracking.support import a_tracker


@pytest.fixture(scope="session")
def schema(tmp_path_factory):
    """A database with MLflow's tables: making them takes a second."""
    file = tmp_path_factory.mktemp("schema") / "mlflow.db"
    a_tracker(file.parent, config={"uri": f"sqlite:///{file}", "experiment": "other"}).preflight()
    return file


@pytest.fixture
def place(tmp_path, schema):
    shutil.copy(schema, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def finished(place, trained_sweep):
    """A sweep that has ended, beside an empty store."""
    return Path(shutil.copytree(trained_sweep, place / "tiny"))
