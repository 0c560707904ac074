"""docs/notebook.ipynb, run from top to bottom on a small sweep, without Jupyter: its code cells are plain Python."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text())["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_it_is_kept_without_what_it_printed(cells: list[dict[str, Any]]) -> None:
    assert [(cell["outputs"], cell["execution_count"]) for cell in cells] == [([], None)] * len(cells)


def test_it_runs(
    cells: list[dict[str, Any]], trained_sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained_sweep, tmp_path / "runs" / "mnist")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [run(cell, names) for cell in cells]
    table = pd.read_parquet("runs/mnist/trials.parquet")
    accuracy = [json.loads(scores)["cluster_accuracy"] for scores in table["scores"]]
    means = pd.Series(accuracy).groupby(table["trial"]).mean().sort_values(ascending=False)
    assert shown[1]["mean"].tolist() == pytest.approx(means.tolist())
    assert shown[2].shape == (2, 2)  # trials x seeds
    assert shown[3].index.tolist() == [3, 6]
    best = names["model"]
    assert torch.equal(names["samples"], best.sample(100, cat_0=torch.arange(10).repeat_interleave(10)))
    assert torch.equal(names["rows"], best.traverse("uniform_0", n=9, rows=5))
    assert [picture.size for picture in shown[-2:]] == [(2 + 30 * 10, 2 + 30 * 10), (2 + 30 * 9, 2 + 30 * 5)]


def run(cell: dict[str, Any], names: dict[str, Any]) -> Any:
    """Execute a cell as a kernel does: its last expression is what it shows."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
