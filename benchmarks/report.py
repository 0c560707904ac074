"""How large a report is, what making it takes, and how fast Chromium shows it, by the number of trials.

The sweep folder is made up: 8 swept parameters, 200 reports of 12 metrics from each trial, samples and traversals of
each. The best three trials have a real network behind them: `sweeps/quick.yaml`'s, with 10 categories and two
continuous codes, trained for a while, from whose checkpoint the report draws explorers and test images.

    python benchmarks/report.py TRIALS [--steps 200] [--folder KEEP] [--loads 3]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from playwright.sync_api import sync_playwright

from infogan_bench.config import load_sweep, resolved_yaml, shipped_sweeps
from infogan_bench.trial import TrialSpec, run_trial

REPORTS = 200
METRICS = ("cluster_accuracy", "purity", "nmi", "ari", "L_I", "L_I/cat_0", "L_I/uniform_0", "L_I/uniform_1",
           "H", "H/cat_0", "loss/d", "loss/g")  # fmt: skip
PARAMETERS = 8
EXPLORED = 3
MEASURED = """
import runpy, time
try:
    runpy.run_module("infogan_bench", run_name="__main__", alter_sys=True)
finally:  # its own peak; that of `wait4` counts what this process had before
    print(time.process_time(), open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""
DRAWN = """() => [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.xtitle'))
    && document.querySelector('#explorer-controls input') !== null"""


def write_folder(folder: Path, n_trials: int, steps: int) -> None:
    """A sweep folder as a sweep leaves it, but for the report."""
    sweep = load_sweep(shipped_sweeps()["quick"])
    trained = folder / "trained"
    spec = TrialSpec(
        trial_id="0000",
        params={},
        run=sweep.base.model_copy(update={"steps": steps}),
        dataset=sweep.dataset,
        evaluation=sweep.evaluation.model_copy(update={"every": steps}),
        seeds=(0,),
    )
    folder.mkdir(parents=True)
    (update,) = run_trial(spec, trained, "cpu", go_on=False)
    names = [f"{trial:05d}" for trial in range(n_trials)]
    for place, name in enumerate(names):
        seed = folder / "trials" / name / "seed-0"
        left = () if place < EXPLORED else ("checkpoint.safetensors", "categories.*", "steps")
        # one copy on the disk for all; the report writes new files alone
        shutil.copytree(trained / "seed-0", seed, ignore=shutil.ignore_patterns(*left), copy_function=os.link)
    shutil.rmtree(trained)
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 0.9, size=(n_trials, len(METRICS)))
    values[:EXPLORED, 0] = np.linspace(0.99, 0.95, EXPLORED)[: min(EXPLORED, n_trials)]
    _write_trials(folder, names, values, update.step)
    _write_history(folder, names, values, update.step)
    (folder / "sweep.yaml").write_text(resolved_yaml(sweep) + yaml.safe_dump({"environment": {}}))


def _write_trials(folder: Path, names: list[str], values: np.ndarray, step: int) -> None:
    rng = np.random.default_rng(1)
    rows = [
        {
            "trial": name, "seed": 0, "status": "finished", "step": step,
            "params": json.dumps({f"section.parameter_{k}": rng.uniform() for k in range(PARAMETERS)}),
            "scores": json.dumps(dict(zip(METRICS, of_trial.tolist(), strict=True))),
            "seconds": 100.0, "images_per_second": 1000.0, "node": "127.0.0.1", "device": "cpu", "error": None,
        }
        for name, of_trial in zip(names, values, strict=True)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(folder / "trials.parquet")


def _write_history(folder: Path, names: list[str], values: np.ndarray, step: int) -> None:
    """Every metric rises to its last value, with noise."""
    rng = np.random.default_rng(2)
    n, per_trial = len(names), REPORTS * len(METRICS)
    rise = 1 - np.exp(-np.arange(1, REPORTS + 1) / 40)
    noise = rng.normal(scale=0.02, size=(n, REPORTS, len(METRICS)))
    table = {
        "trial": pd.Categorical.from_codes(np.repeat(np.arange(n), per_trial), pd.Index(names)).astype("str"),
        "seed": np.zeros(n * per_trial, dtype=np.int64),
        "step": np.tile(np.repeat(np.arange(1, REPORTS + 1) * step // REPORTS, len(METRICS)), n),
        "metric": np.tile(METRICS, n * REPORTS),
        "value": (values[:, None, :] * rise[None, :, None] + noise).ravel(),
    }
    pd.DataFrame(table).to_parquet(folder / "history.parquet")


def make_report(folder: Path) -> tuple[float, float, float]:
    """`infogan-bench report` in a process of its own: wall seconds, CPU seconds, peak memory in GiB."""
    began = time.perf_counter()
    command = [sys.executable, "-c", MEASURED, "report", str(folder)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    cpu, kib = map(float, run.stdout.split()[-2:])
    return time.perf_counter() - began, cpu, kib / 2**20


def load_times(page_file: Path, n: int) -> list[tuple[float, float]]:
    """Seconds from navigation to DOMContentLoaded, and until every figure and the explorer are drawn."""
    found = []
    with sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(n):
            context = browser.new_context(offline=True, viewport={"width": 1920, "height": 1080})
            page = context.new_page()
            page.goto(page_file.resolve().as_uri(), wait_until="commit")
            page.wait_for_function(DRAWN, polling="raf", timeout=120_000)
            drawn = page.evaluate("performance.now()")
            parsed = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventStart")
            found.append((parsed / 1000, drawn / 1000))
            context.close()
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("trials", type=int)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument(
        "--folder", type=Path, help="keep the sweep folder here, or use the one that is there"
    )
    parser.add_argument("--loads", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "sweep"
        if not folder.exists():
            write_folder(folder, asked.trials, asked.steps)
            make_report(folder)  # draws the explorers
        wall, cpu, peak = make_report(folder)
        page = folder / "report.html"
        times, size = load_times(page, asked.loads), page.stat().st_size
    parsed, drawn = (statistics.median(each) for each in zip(*times, strict=True))
    print(f"{asked.trials:,} trials, a page of {size / 1e6:.1f} MB")
    print(f"made in {wall:.0f} s ({cpu:.0f} s of CPU), {peak:.2f} GiB at most")
    print(f"in Chromium: DOMContentLoaded after {parsed:.2f} s, all drawn after {drawn:.2f} s")


if __name__ == "__main__":
    main()
