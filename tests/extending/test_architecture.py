"""An architecture from outside, in one file, through a whole sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from infogan_bench import Sweep
from tests.extending.support import follow


@pytest.mark.slow
def test_an_architecture_is_trained_reported_tracked_and_sampled_from(tmp_path: Path) -> None:
    tree = {"base": {"architecture": {"width": 0.1}, "codes": {"noise": 4}, "steps": 6, "batch": 16},
            "space": {"architecture.name": ["small", "mlp"]}, "goal": {"metric": "L_I"}}  # fmt: skip
    found = follow(tmp_path, "architecture_example", tree)
    assert "small" in found.page
    assert found.logged["architecture.name"] == {"small", "mlp"}
    assert Sweep.load(found.folder).best().sample(3).shape == (3, 1, 28, 28)
