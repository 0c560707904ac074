"""A section of the report from outside, in one file: from the YAML through a whole sweep to the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

EXAMPLE = Path(__file__).parent / "section_example.py"
SWEEP = {
    "name": "mine",
    "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
    "base": {"architecture": {"name": "mlp", "width": 0.125}, "steps": 2, "batch": 32},
    "space": {"optimiser.lr_d": [0.002, 0.02]},
    "evaluation": {"every": 2},
    "resources": {"cpus": 1},
    "tracking": "none",
    "extensions": [str(EXAMPLE)],
}


def command(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infogan_bench", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_section_of_ones_own_is_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(SWEEP))
    command("sweep", "mine.yaml", cwd=tmp_path)
    folder = tmp_path / "runs" / "mine"
    by_the_sweep = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "report.html").unlink()
    command("report", str(folder), cwd=tmp_path)
    rows = pd.read_parquet(folder / "trials.parquet")
    for page in (by_the_sweep, (folder / "report.html").read_text(encoding="utf-8")):
        assert re.findall(r'<li><a href="#(\w+)">', page)[-2:] == ["seconds", "reproduce"]
        assert f"2 trials of mine took\n{rows['seconds'].sum():.0f} s." in page
        plots = json.loads(page.partition('id="plots">')[2].partition("</script>")[0])
        [bars] = plots["seconds-by-trial"]["data"]
        assert bars["x"] == ["trial 0000", "trial 0001"]
        assert bars["y"] == pytest.approx(rows["seconds"].tolist())
