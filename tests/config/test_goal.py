"""`goal`, and `objective`, its name in files written before."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from infogan_bench.config import ConfigError, load_resolved, load_sweep, parse_sweep, resolved_yaml

OLD = "name: x\nbase: {objective: {lambda_cat: 2}}\nobjective: {metric: L_I}\n"
NEW = OLD.replace("\nobjective:", "\ngoal:")


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.yaml"
    path.write_text(text)
    return path


def test_the_old_key_is_read_and_one_line_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, OLD)
    with caplog.at_level(logging.WARNING):
        sweep = load_sweep(path)
        load_sweep(path)
    assert caplog.messages == [f"{path}:3: `objective` is called `goal` now; the old name is still read"]
    assert sweep.goal.metric == "L_I"
    assert sweep.base.objective.lambda_cat == 2
    assert sweep == load_sweep(written(tmp_path, NEW))


def test_a_sweep_that_was_resolved_before_is_read_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = parse_sweep({"name": "x", "goal": {"metric": "L_I"}})
    text = resolved_yaml(sweep)
    assert "\ngoal:\n" in text
    assert load_resolved(written(tmp_path, text.replace("\ngoal:\n", "\nobjective:\n"))) == sweep
    assert caplog.messages == []


def test_a_fault_under_the_old_key_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sweep\.yaml:3: goal\.metric: unknown metric 'nim'"):
        load_sweep(written(tmp_path, OLD.replace("L_I", "nim")))


def test_both_keys_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"sweep\.yaml:3: objective: is the old name of `goal`, which is given as well"
    ):
        load_sweep(written(tmp_path, OLD + "goal: {metric: nmi}\n"))
