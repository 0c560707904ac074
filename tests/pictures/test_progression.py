"""Pictures of a few steps of a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infogan_bench.config import DatasetConfig, EvaluationConfig, RunConfig
from infogan_bench.pictures.progression import MOST_STEPS, Progression
from infogan_bench.trial import Trial, TrialSpec


def steps_of(place: Path) -> list[int]:
    return sorted(int(folder.name) for folder in (place / "steps").iterdir())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A folder with pictures; those that do not change with training are left alone."""
    place = tmp_path / "seed-0"
    place.mkdir()
    for name in ("samples", "traversal-cat_0", "categories"):
        Image.new("L", (30, 30), 100).save(place / f"{name}.png")
    return place


def test_up_to_eight_steps_are_kept_the_first_and_the_last_among_them(picture: Path, tmp_path: Path) -> None:
    progression = Progression()
    for step in range(1, 101):
        progression.add(step, picture)
    progression.write(tmp_path)
    kept = steps_of(tmp_path)
    assert len(kept) == MOST_STEPS == 8
    assert (kept[0], kept[-1]) == (1, 100)
    gaps = np.diff(kept)
    assert gaps.max() <= 3 * 99 / 7  # no stretch without a picture is three times as long as an even one
    assert {file.name for file in (tmp_path / "steps" / "1").iterdir()} == {
        "samples.webp",
        "traversal-cat_0.webp",
    }


def test_a_trial_that_goes_on_keeps_the_pictures_of_the_steps_before(
    tiny_run: RunConfig, tmp_path: Path
) -> None:
    data = DatasetConfig(train_size=256, test_size=100)
    spec = TrialSpec("0000", {}, tiny_run, data, EvaluationConfig(every=2), (3, 4))
    first = Trial(spec)
    for name in ("one", "two"):
        first.advance()
        first.save(tmp_path / name)
    second = Trial(spec)
    second.load(tmp_path / "two")
    second.advance()
    second.save(tmp_path / "three")
    assert steps_of(tmp_path / "three" / "seed-3") == [2, 4, 6]
    assert not (tmp_path / "three" / "seed-4" / "steps").exists()
    samples = tmp_path / "three" / "seed-3" / "steps" / "2" / "samples.webp"
    assert samples.read_bytes() == (tmp_path / "one" / "seed-3" / "steps" / "2" / "samples.webp").read_bytes()
    drawn = np.asarray(Image.open(tmp_path / "one" / "seed-3" / "samples.png").convert("L"), float)
    assert np.abs(np.asarray(Image.open(samples).convert("L"), float) - drawn).mean() < 12
