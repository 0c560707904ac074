"""The sweep of three trials as it ends undisturbed, and as it is when it was interrupted."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep import start
from tests.sweep.three_trials import UNRULY, Once, tiny
from tests.without_ray import train


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(parse_sweep(tiny(tmp_path_factory.mktemp("undisturbed"))))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory, marks: Path, two_cpus: None) -> Path:
    """The same sweep, stopped by SIGTERM when one of its trials had ended and another was in its second interval."""
    networks = {"architecture": {"name": "lingers", "width": 0.1}, "steps": 40, "batch": 32}
    sweep = parse_sweep(tiny(tmp_path_factory.mktemp("interrupted"), base=networks, extensions=[UNRULY]))
    outcome = start(sweep, listeners=[Once(lambda: signal.raise_signal(signal.SIGTERM), step=20)])
    (marks / "lingered").touch()  # nobody does so in what is resumed
    assert outcome.exit_code() == 143
    assert [trial.status for trial in outcome.trials if trial.step == 20] == [Status.INTERRUPTED]
    return outcome.folder
