"""Grey images of heads: MakeHuman's mesh, turned, lit and stretched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from infogan_bench.drawing.rasteriser import Canvas, Floats, Images, Integers, rasterise
from infogan_bench.drawing.rotation import cosine_and_sine

LOOK = Canvas(side=32, samples=4, ambient=0.12, background=0)

_FILE = Path(__file__).parent / "meshes" / "heads.npz"
_PIXELS = 0.0026  # of a unit of the mesh
_DEPTH = 1 / 16000  # of the z-buffer, a unit
_LIGHT_HEIGHT = 25.0  # degrees above the horizon
_SEED = 1
_STEPS = 256  # weights are whole multiples of 1 / _STEPS, so that sums of them are exact in any order
_DETAIL = 0.5  # largest weight of a detail of a face
_SHAPE = 0.5  # largest weight of a shape of the head
_BATCH = 8  # images at a time: their arrays stay in a processor's cache


class Head(NamedTuple):
    """The head of an identity, in units of the mesh: x to the person's left, y up, z to the front."""

    vertices: Floats  # (3, n_vertices)
    normals: Floats  # (3, n_vertices), of any length


def draw_heads(parameters: Floats) -> Images:
    """Draw heads.

    Args:
        parameters: (n, 5). Azimuth: degrees by which the head is turned to the image's right. Elevation: degrees by
            which the viewer stands above it. Light: degrees of the lamp to the image's right of the viewer. Width: the
            factor by which the head is stretched across its height, in both directions. Identity: any whole number
            from 0 on.
    Returns:
        (n, 1, 32, 32), black where there is no head.
    """
    parts = [_drawn(parameters[start : start + _BATCH]) for start in range(0, len(parameters), _BATCH)]
    return np.concatenate(parts)[:, None]


def _drawn(parameters: Floats) -> Images:
    faces, heads = _mesh().faces, [head(int(identity)) for identity in parameters[:, 4]]
    azimuth, elevation, light, width = (column[:, None] for column in parameters.T[:4])
    turn, tilt, lamp = cosine_and_sine(azimuth), cosine_and_sine(elevation), cosine_and_sine(light)
    height = cosine_and_sine(np.array(_LIGHT_HEIGHT))
    x, y, z = np.stack([each.vertices for each in heads], axis=1)
    x, y, z = _turned(x * width, y, z * width, turn, tilt)
    nx, ny, nz = np.stack([each.normals for each in heads], axis=1)
    nx, ny, nz = _turned(nx / width, ny, nz / width, turn, tilt)
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    cosine = (nx * (lamp[1] * height[0]) + ny * height[1] + nz * (lamp[0] * height[0])) / length
    middle = LOOK.side / 2
    place = np.stack([middle + x * _PIXELS, middle - y * _PIXELS, 0.5 + z * _DEPTH])
    return rasterise(place, cosine, faces, LOOK)


def _turned(
    x: Floats, y: Floats, z: Floats, turn: tuple[Floats, Floats], tilt: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Return places or directions after a turn about the vertical and a tilt towards the viewer."""
    x, z = turn[0] * x + turn[1] * z, turn[0] * z - turn[1] * x
    return x, tilt[0] * y - tilt[1] * z, tilt[1] * y + tilt[0] * z


@dataclass(frozen=True)
class _Mesh:
    """The mesh file, and what follows from it for all heads."""

    base: Floats  # (n_half, 3), of half a head
    names: list[str]  # of the targets
    targets: Floats  # (n_targets, n_half, 3) offsets
    off_middle: NDArray[np.bool_]  # (n_half,) which vertices the other half does not share
    faces: Integers  # (n_triangles, 3), of the whole head
    incidence: scipy.sparse.csr_array  # (n_vertices, n_triangles), 1 for each corner


@cache
def _mesh() -> _Mesh:
    with np.load(_FILE) as file:
        base, triangles = file["vertices"].astype(np.float64), file["triangles"].astype(np.int64)
        names, targets = file["names"].tolist(), file["targets"].astype(np.float64)
    off_middle = base[:, 0] != 0
    places = np.arange(len(base))
    places[off_middle] = len(base) + np.arange(off_middle.sum())
    faces = np.concatenate([triangles, places[triangles][:, ::-1]])
    corners = (np.ones(faces.size), (faces.ravel(), np.repeat(np.arange(len(faces)), 3)))
    return _Mesh(base, names, targets, off_middle, faces, scipy.sparse.csr_array(corners))


@cache
def head(identity: int) -> Head:
    """Return the head of an identity: the mean head and random amounts of each target."""
    mesh = _mesh()
    weights = _weights(identity, mesh.names)
    half = mesh.base + np.rint(
        (weights @ mesh.targets.reshape(len(weights), -1)).reshape(mesh.base.shape) / _STEPS
    )
    half[:, 1:] -= (half[:, 1:].max(axis=0) + half[:, 1:].min(axis=0)) / 2
    vertices = np.concatenate([half, half[mesh.off_middle] * [-1, 1, 1]])
    a, b, c = (vertices[mesh.faces[:, k]] for k in range(3))
    normals = mesh.incidence @ np.cross(
        b - a, c - a
    )  # of halves below 2^52, so that sums are exact in any order
    return Head(vertices.T.copy(), normals.T.copy())


def _weights(identity: int, names: list[str]) -> Floats:
    """Return the weight of each target, times `_STEPS`, as whole numbers: sexes take turns, the rest is random."""
    draw = np.random.default_rng([_SEED, identity]).random
    sex = ("female", "male")[identity % 2]
    old, origins = draw(), draw(3)
    origins /= origins[0] + origins[1] + origins[2]
    weights = {
        f"{origin}-{sex}-{age}": share * of_age
        for origin, share in zip(("african", "asian", "caucasian"), origins, strict=True)
        for age, of_age in (("young", 1 - old), ("old", old))
    }
    for name in names:
        if name.endswith("-decr"):
            weight = (2 * draw() - 1) * _DETAIL
            pair = name, name.removesuffix("decr") + "incr"
            weights[pair[0] if weight < 0 else pair[1]] = abs(weight)
    shapes = [name for name in names if name.startswith("head-") and not name.endswith(("-decr", "-incr"))]
    weights[shapes[int(draw() * len(shapes))]] = draw() * _SHAPE
    steps: Floats = np.rint(np.array([weights.get(name, 0) for name in names]) * _STEPS)
    return steps
