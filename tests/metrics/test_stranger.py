"""A stranger's path: install the wheel in a new environment, score two arrays of another program, and draw them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import infogan_metrics
import numpy as np

arrays = np.load("model.npz")
table = infogan_metrics.evaluate(arrays["latents"], arrays["truth"], bootstrap=20, chance=5)
print(infogan_metrics.__file__)
print(table.to_json())
"""


@pytest.mark.slow
def test_from_a_wheel_to_scores_with_intervals_and_chance(tmp_path: Path) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    random = np.random.default_rng(0)
    truth = random.integers(0, (3, 6, 10), (2_000, 3))
    np.savez(tmp_path / "model.npz", latents=truth + random.normal(scale=0.5, size=truth.shape), truth=truth)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "metrics", check=True, capture_output=True)
    run(sys.executable, "-m", "venv", "--without-pip", "new")
    site = next((tmp_path / "new" / "lib").glob("python*")) / "site-packages"
    wheel = str(next(tmp_path.glob("infogan_metrics-*.whl")))
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--prefix", str(tmp_path / "new"), wheel)
    shared = [
        path for path in sys.path if path.endswith("site-packages")
    ]  # numpy, scipy, scikit-learn, plotly
    (site / "shared.pth").write_text("\n".join(shared))
    python = str(tmp_path / "new" / "bin" / "python")

    started = time.monotonic()
    where, _, document = run(python, "-c", SCRIPT).partition("\n")
    assert time.monotonic() - started < 60
    assert Path(where).is_relative_to(tmp_path / "new")
    rows = {row["name"]: row for row in json.loads(document)["scores"]}
    for name in ("mig", "modularity", "sap_continuous", "factor_vae"):
        assert rows[name]["low"] <= rows[name]["value"] <= rows[name]["high"]
        assert rows[name]["chance"] < rows[name]["value"]

    command = [
        python,
        "-m",
        "infogan_metrics",
        "model.npz",
        "--map",
        "codes=latents",
        "--map",
        "factors=truth",
    ]
    options = ["--scores", "mig,modularity", "--bootstrap", "10", "--plot", "scores.html", "--json"]
    printed = json.loads(run(*command, *options))
    assert printed["scores"][0]["value"] == rows["mig"]["value"]
    assert "modularity" in (tmp_path / "scores.html").read_text()
