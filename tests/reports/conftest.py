"""Sweep folders written by hand, as the contract in docs/architecture.md describes them."""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from infogan_reports import build_report
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

DRAWN = """() => [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.xtitle'))"""


def png(shade: int = 128) -> bytes:
    """A tiny grey picture."""
    buffer = io.BytesIO()
    Image.new("L", (4, 3), shade).save(buffer, format="PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class WrittenTrial:
    """One trial of a synthetic sweep; `values` is the objective of each seed, None where it has none."""

    trial_id: str
    params: Mapping[str, Any]
    values: Sequence[float | None]
    status: str | Sequence[str] = "finished"
    step: int = 100
    seconds: float = 10.0
    error: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)  # beside the objective, the same for each seed

    def rows(self, metric: str) -> Iterable[dict[str, Any]]:
        for seed, value in enumerate(self.values):
            scores = dict(self.scores) if value is None else {metric: value, **self.scores}
            yield {
                "trial": self.trial_id,
                "seed": seed,
                "status": self.status if isinstance(self.status, str) else self.status[seed],
                "step": self.step,
                "params": json.dumps(self.params),
                "scores": json.dumps(scores),
                "seconds": self.seconds,
                "images_per_second": 1000.0,
                "node": "10.0.0.1",
                "device": "cpu",
                "error": self.error,
            }

    def history(self, metric: str) -> Iterable[tuple[str, int, int, str, float]]:
        """Five reports a seed: the objective rises to its value and L_I to 2.1; the losses do not move."""
        for seed, value in enumerate(self.values):
            for step in range(20, 101, 20):
                reported = {
                    metric: math.nan if value is None else value * step / 100,
                    "L_I": 2.1 * step / 100,
                    "L_I/cat_0": 2 * step / 100,
                    "L_I/uniform_0": 0.1 * step / 100,
                    "gaussian_mi_bound": 1.5 * step / 100,
                    "gaussian_mi_bound/uniform_0": 1.5 * step / 100,
                    "code_r2": 0.9 * step / 100,
                    "code_r2/uniform_0": 0.9 * step / 100,
                    "H": math.log(10),
                    "H/cat_0": math.log(10),
                    "loss/d": math.log(4),
                    "loss/g": math.log(2),
                }
                for name, number in reported.items():
                    yield self.trial_id, seed, step, name, number


EVALUATION: dict[str, Any] = {
    "step": 100,
    "scores": {"cluster_accuracy": 0.8},
    "codes": [
        {"name": "cat_0", "kind": "categorical", "size": 3, "entropy": math.log(3), "mi_bound": 1.0,
         "traversal": [0, 1, 2]},
        {"name": "uniform_0", "kind": "uniform", "size": 1, "mi_bound": -0.25, "gaussian_mi_bound": 1.5768,
         "r2": 0.97, "traversal": [-1.0, 0.0, 1.0]},
    ],
    "confusion": {
        "code": "cat_0",
        "classes": ["zero", "one"],
        "counts": [[9, 1], [0, 7], [0, 0]],
        "match": [0, 1, None],
    },
}  # fmt: skip


def write_sweep(
    folder: Path,
    trials: Sequence[WrittenTrial],
    *,
    config: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] = EVALUATION,
    environment: Mapping[str, Any] | None = None,
    history: bool = True,
    files: bool = True,
) -> Path:
    """A sweep folder with these trials; `config` replaces sections of a plain sweep."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep = {
        "name": "demo",
        "dataset": {"name": "mnist"},
        "space": {"optimiser.lr_g": [0.001, 0.01]},
        "seeds": [0, 1],
        "search": {"algorithm": "grid"},
        "scheduler": {"name": "none"},
        "objective": {"metric": "cluster_accuracy", "mode": "max"},
        "tracking": {"note": None},
        **(config or {}),
    }
    text = yaml.safe_dump(sweep, sort_keys=False)
    text += yaml.safe_dump({"environment": environment or {"python": "3.11", "versions": {"torch": "2.14"}}})
    (folder / "sweep.yaml").write_text(text, encoding="utf-8")
    metric = str(sweep["objective"]["metric"])
    if trials:
        rows = [row for trial in trials for row in trial.rows(metric)]
        pd.DataFrame(rows).to_parquet(folder / "trials.parquet")
    if history:
        columns = ["trial", "seed", "step", "metric", "value"]
        reports = [report for trial in trials for report in trial.history(metric)]
        pd.DataFrame(reports, columns=columns).to_parquet(folder / "history.parquet")
    for trial in trials if files else ():
        for seed in range(len(trial.values)):
            write_seed_files(folder / "trials" / trial.trial_id / f"seed-{seed}", evaluation)
    return folder


def write_seed_files(place: Path, evaluation: Mapping[str, Any]) -> None:
    place.mkdir(parents=True)
    (place / "samples.png").write_bytes(png())
    (place / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    for code in evaluation["codes"]:
        (place / f"traversal-{code['name']}.png").write_bytes(png(200))


@pytest.fixture
def written_trial() -> type[WrittenTrial]:
    return WrittenTrial


@pytest.fixture
def write_folder() -> Callable[..., Path]:
    """`write_sweep`."""
    return write_sweep


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Path]:
    """Call with trials (and options of `write_sweep`) to get a sweep folder."""

    def write(*trials: WrittenTrial, **options: Any) -> Path:
        return write_sweep(tmp_path / "demo", trials, **options)

    return write


@pytest.fixture
def mixed(sweep: Callable[..., Path]) -> Path:
    """Six trials: three finished, one each stopped early, diverged and failed."""

    def trial(
        name: str, lr_g: float, architecture: str, values: Sequence[float | None], **more: Any
    ) -> WrittenTrial:
        return WrittenTrial(name, {"optimiser.lr_g": lr_g, "architecture.name": architecture}, values, **more)

    return sweep(
        trial("0000", 1e-4, "paper", (0.5, 0.7)),
        trial("0001", 1e-3, "paper", (0.8, 0.9), scores={"nmi": 0.75}),
        trial("0002", 2e-3, "mlp", (0.6, 0.6)),
        trial("0003", 5e-3, "mlp", (0.3, 0.3), status="stopped", step=40),
        trial(
            "0004",
            8e-3,
            "paper",
            (0.95, 0.95),
            status=("finished", "diverged"),
            step=60,
            error="D is not finite",
        ),
        trial(
            "0005", 9e-3, "mlp", (None, None), status="failed", step=0, error="RuntimeError: out of memory"
        ),
        config={
            "space": {"optimiser.lr_g": {"loguniform": [1e-5, 1e-2]}, "architecture.name": ["paper", "mlp"]},
            "search": {"algorithm": "random"},
            "scheduler": {"name": "asha"},
        },
    )


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """`build_report`, but that of a folder with the same files is built once."""
    place, built = tmp_path_factory.mktemp("reports"), dict[str, Path]()

    def report(folder: Path) -> Path:
        digest = hashlib.sha256(folder.name.encode())
        for file in sorted(folder.rglob("*")):
            digest.update(
                f"{file.relative_to(folder)}".encode() + (file.read_bytes() if file.is_file() else b"")
            )
        key = digest.hexdigest()
        if key not in built:
            built[key] = Path(shutil.copy(build_report(folder), place / f"{len(built)}.html"))
        return built[key]

    return report


@pytest.fixture
def opened(browser: Browser, reports: Callable[[Path], Path]) -> Iterator[Callable[..., Page]]:
    """Open what `build` makes of a folder; afterwards there may be no console error and no request but its own."""
    problems: list[str] = []
    requests: list[str] = []
    pages: list[Page] = []

    def note_errors(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    def open_report(folder: Path, *, build: Callable[[Path], Path] = reports, **options: Any) -> Page:
        page = browser.new_page(**options)
        pages.append(page)
        page.on("console", note_errors)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", note_dialog)
        page.goto(build(folder).as_uri())
        page.wait_for_function(DRAWN)
        return page

    yield open_report
    for page in pages:
        page.close()
    assert problems == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == len(pages)
