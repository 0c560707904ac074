"""The places of all files in a sweep folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_FILE_NAME = 200  # bytes; file systems take 255, and a code's picture is called `traversal-CODE.png`


@dataclass(frozen=True)
class SeedPaths:
    """`seed-N/`: the files of one seed of a trial."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Weights, optimisers and random state (safetensors)."""
        return self.folder / "checkpoint.safetensors"

    @property
    def evaluation(self) -> Path:
        """The scores at the last report, `EvaluationRecord`."""
        return self.folder / "evaluation.json"

    @property
    def samples(self) -> Path:
        """A sheet of generated images."""
        return self.folder / "samples.png"

    def traversal(self, code: str) -> Path:
        """A sheet of generated images: rows of fixed noise, columns of the values of a code."""
        return self.folder / f"traversal-{code}.png"

    @property
    def gallery(self) -> Path:
        """The description of `gallery_sheet`, `GalleryRecord`."""
        return self.folder / "categories.json"

    @property
    def gallery_sheet(self) -> Path:
        """Test images by Q's category."""
        return self.folder / "categories.png"

    @property
    def explorer(self) -> Path:
        """The description of `explorer_sheet`, `ExplorerRecord`."""
        return self.folder / "explorer.json"

    @property
    def explorer_sheet(self) -> Path:
        """Generated images for the report's latent explorer."""
        return self.folder / "explorer.webp"

    @property
    def generator(self) -> Path:
        """The description of `generator_weights`, `GeneratorRecord`."""
        return self.folder / "generator.json"

    @property
    def generator_weights(self) -> Path:
        """G's numbers, for the report's latent explorer."""
        return self.folder / "generator.bin"

    @property
    def steps(self) -> Path:
        """Small copies of the pictures at earlier steps: steps/STEP/NAME.webp."""
        return self.folder / "steps"

    def step_folders(self) -> dict[int, Path]:
        """Return {step: its folder} of the pictures at earlier steps, in the order of the steps."""
        found = (folder for folder in self.steps.glob("*") if folder.name.isdecimal())
        return {int(folder.name): folder for folder in sorted(found, key=lambda folder: int(folder.name))}


@dataclass(frozen=True)
class TrialPaths:
    """`trials/ID/`, and the folder of a checkpoint or of `infogan-bench train`, which have the same layout."""

    folder: Path

    @property
    def record(self) -> Path:
        """The trial's configuration and curves, `TrialRecord`."""
        return self.folder / "trial.json"

    def seed(self, seed: int) -> SeedPaths:
        """Return the place of a seed."""
        return SeedPaths(self.folder / f"seed-{seed}")


@dataclass(frozen=True)
class SweepPaths:
    """`runs/NAME/`: the folder of a sweep."""

    folder: Path

    @property
    def sweep(self) -> Path:
        """The resolved sweep, then `environment:`, `Environment`."""
        return self.folder / "sweep.yaml"

    @property
    def as_run(self) -> Path:
        """The sweep as it ran last."""
        return self.folder / "as-run.yaml"

    @property
    def trials_table(self) -> Path:
        """A row for each trial and seed, `tables.TRIAL_COLUMNS`."""
        return self.folder / "trials.parquet"

    @property
    def history(self) -> Path:
        """A row for each reported value, `tables.HISTORY_COLUMNS`."""
        return self.folder / "history.parquet"

    @property
    def journal(self) -> Path:
        """Updates that the two tables have not taken in yet, a `TrialUpdate` a line."""
        return self.folder / "journal.jsonl"

    @property
    def sessions(self) -> Path:
        """The sessions of the sweep, a `Session` a line."""
        return self.folder / "sessions.jsonl"

    @property
    def quantities(self) -> Path:
        """All named numbers that the runs can report, `Quantity`."""
        return self.folder / "quantities.json"

    @property
    def warm_start(self) -> Path:
        """The trials of an earlier sweep that the search learned from, `WarmStartRecord`."""
        return self.folder / "warm-start.json"

    @property
    def study(self) -> Path:
        """Optuna's study of the search, for its own tools."""
        return self.folder / "optuna.db"

    @property
    def lock(self) -> Path:
        """The process that works on the folder, while one does."""
        return self.folder / "sweep.lock"

    @property
    def log(self) -> Path:
        """Ray's, MLflow's and our own log."""
        return self.folder / "sweep.log"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def tune(self) -> Path:
        """Checkpoints of trials that have not ended."""
        return self.folder / "tune"

    @property
    def trials(self) -> Path:
        """The folders of the trials that have ended."""
        return self.folder / "trials"

    def trial(self, trial_id: str) -> TrialPaths:
        """Return the place of a trial."""
        return TrialPaths(self.trials / trial_id)

    def trial_records(self) -> Iterator[Path]:
        """Yield the trial.json of every trial that has one, in the order of the folders' names."""
        yield from sorted(self.trials.glob("*/trial.json"))


def is_file_name(name: str) -> bool:
    """Say whether `name` can be the name of a file, so that it cannot lead out of its folder."""
    plain = name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    return plain and len(name.encode("utf-8", "replace")) <= LONGEST_FILE_NAME
