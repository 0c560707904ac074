"""Make `infogan_bench/drawing/meshes/chairs.npz` from Debian's package sweethome3d-furniture (its part BlendSwap-CC-0).

    apt-get download sweethome3d-furniture
    dpkg-deb -x sweethome3d-furniture_*.deb furniture
    pip install fast-simplification
    python tools/make_chairs.py furniture/usr/share/sweethome3d/furniture/BlendSwap-CC-0.sh3f

All chairs face +z. Vertices that are nearly at one place are merged, then the meshes are decimated.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import fast_simplification
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

OUT = Path(__file__).parents[1] / "infogan_bench/drawing/meshes/chairs.npz"
TRIANGLES = 3_000  # at most, of a chair
SIZE = 8_000  # the largest coordinate, in stored whole numbers
GRIDS = (800, 400, 250, 180, 130)  # cells along a chair's size; the vertices in each are merged
CHAIRS = (
    "antiqueChair", "armchair", "armchair2", "chair", "chair2", "chairWithCushion", "deckChair", "designChair",
    "foldingChair", "modernArmchair", "oakChair", "osakaChair", "pianoBench", "plasticChair", "relaxChair", "silla2",
    "sillaBlanca", "stool", "stool2", "thonet", "winchesterArmchair",
)  # fmt: skip


def read(archive: zipfile.ZipFile, name: str) -> tuple[Floats, Integers]:
    """Return the vertices and triangles of a chair."""
    vertices, faces = [], []
    text = archive.read(f"blendswap-cc-0/{name}/{name}.obj").decode(errors="replace")
    for line in text.splitlines():
        key, *values = line.split() or [""]
        if key == "v":
            vertices.append([float(value) for value in values[:3]])
        elif key == "f":
            corners = [int(value.split("/")[0]) for value in values]
            corners = [corner - 1 if corner > 0 else len(vertices) + corner for corner in corners]
            faces += [[corners[0], corners[i], corners[i + 1]] for i in range(1, len(corners) - 1)]
    return np.array(vertices), np.array(faces)


def merged(vertices: Floats, faces: Integers, grid: float) -> tuple[Floats, Integers]:
    """Merge the vertices in each cell of a grid at their mean; drop triangles that vanish or are there already."""
    _, cell = np.unique(np.rint(vertices / grid), axis=0, return_inverse=True)
    cell = cell.ravel()
    counts = np.bincount(cell)
    means = np.stack([np.bincount(cell, column) / counts for column in vertices.T], axis=1)
    faces = cell[faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return means, faces[np.sort(first)]


def decimated(vertices: Floats, faces: Integers) -> tuple[Floats, Integers]:
    """Return at most `TRIANGLES` triangles of a chair of size 1, and the vertices that they use.

    The vertices are merged on the finest grid that leaves the rest to be done by small errors. Large ones would take
    away whole bars.
    """
    for cells in GRIDS:
        points, small = merged(vertices, faces, 1 / cells)
        if len(small) > TRIANGLES:
            points, small = fast_simplification.simplify(points, small, target_count=TRIANGLES, agg=3)
        if len(small) <= 1.02 * TRIANGLES:
            break
    used, small = np.unique(small, return_inverse=True)
    return points[used], small.reshape(-1, 3)


def main() -> None:
    """Read the archive, and write all chairs into one file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    archive = zipfile.ZipFile(parser.parse_args().archive)
    vertices, triangles = [], []
    for name in CHAIRS:
        points, faces = read(archive, name)
        middle, size = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0).max()
        points, faces = decimated((points - middle) / size, faces)
        vertices.append(np.rint(points * 2 * SIZE).astype(np.int16))
        triangles.append(faces.astype(np.int16))
        print(f"{name}: {len(points)} vertices, {len(faces)} triangles")
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUT,
        names=np.array(CHAIRS),
        vertices=np.concatenate(vertices),
        triangles=np.concatenate(triangles),
        n_vertices=np.array([len(each) for each in vertices]),
        n_triangles=np.array([len(each) for each in triangles]),
    )
    print(f"{OUT}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
