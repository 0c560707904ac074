"""A score from outside, in one file, through a whole sweep."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infogan_bench.config import ConfigError, catalogue, parse_sweep, uses_labels
from infogan_bench.config.catalogue import metric_of
from infogan_bench.config.metrics import is_better_low, metric_names
from infogan_bench.errors import InputError
from infogan_bench.scoring import register_score

EXAMPLE = str(Path(__file__).with_name("score_example.py"))
BASE: dict[str, Any] = {
    "architecture": {"name": "mlp", "width": 0.05}, "codes": {"noise": 4}, "steps": 6, "batch": 16,
}  # fmt: skip


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that a test registers are forgotten; those of the example are imported once a process, and stay."""
    parse_sweep({"name": "t", "extensions": [EXAMPLE]})
    monkeypatch.setattr(catalogue, "_REGISTERED", dict(catalogue._REGISTERED))


def test_its_row_says_what_a_sweep_has_to_know() -> None:
    row = metric_of("evenness")
    assert row is not None
    assert float(row.function(np.arange(10))) == pytest.approx(1.0)  # each of ten categories once
    assert float(row.function(np.arange(100) % 2)) == pytest.approx(math.log(2) / math.log(10))
    assert (uses_labels("evenness"), uses_labels("hits"), is_better_low("evenness")) == (False, True, False)
    assert "evenness" in metric_names(("cat_0",))
    assert "evenness" not in metric_names(("uniform_0",))


def test_a_sweep_that_names_it_without_its_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_REGISTERED", {})
    with pytest.raises(
        ConfigError, match=r"unknown score `evenness`; one of your own needs its `extensions`"
    ):
        parse_sweep({"name": "t", "evaluation": {"scores": ["evenness"]}})


def test_wrong_registrations_are_refused() -> None:
    for name, inputs, message in (
        ("mig", ("codes",), "a score `mig` ships already"),
        ("dci_completeness", ("codes",), "ships already"),
        ("my score", ("codes",), "made of letters, digits and `_`"),
        ("mine", ("pixels",), "there is no input `pixels`; there are assignments"),
    ):
        with pytest.raises(InputError, match=message):
            register_score(name, asks="?", inputs=inputs)
