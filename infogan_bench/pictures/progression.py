"""Pictures of a model at a few steps of its training, kept beside its checkpoint."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from infogan_bench.records import SeedPaths

MOST_STEPS = 8
_QUALITY = 80  # of WebP; about 8 kB for a sheet of 100 digits


class Progression:
    """Small copies of a model's pictures at up to 8 of its steps: the first, the last, and evenly between."""

    def __init__(self) -> None:
        self._steps: dict[int, dict[str, bytes]] = {}

    @classmethod
    def read(cls, place: Path) -> Progression:
        """Read the pictures that `write` wrote into `place`; there may be none."""
        progression = cls()
        for step, folder in SeedPaths(place).step_folders().items():
            progression._steps[step] = {
                file.stem: file.read_bytes() for file in sorted(folder.glob("*.webp"))
            }
        return progression

    def add(self, step: int, place: Path) -> None:
        """Add the samples and traversals in `place`. With more than 8 steps, drop the step closest to its
        neighbours."""
        pictures = [*place.glob("samples.png"), *sorted(place.glob("traversal-*.png"))]
        self._steps[step] = {picture.stem: _small(picture) for picture in pictures}
        if len(self._steps) > MOST_STEPS:
            steps = sorted(self._steps)
            gaps = [
                (after - before, step)
                for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
            ]
            del self._steps[min(gaps)[1]]

    def write(self, place: Path) -> None:
        """Write all of it into `place`."""
        for step, pictures in self._steps.items():
            folder = SeedPaths(place).steps / str(step)
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in pictures.items():
                (folder / f"{name}.webp").write_bytes(content)


def _small(picture: Path) -> bytes:
    content = io.BytesIO()
    Image.open(picture).save(content, "WEBP", quality=_QUALITY, method=0)
    return content.getvalue()
