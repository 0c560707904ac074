"""Grey images of chairs: meshes that ship and chairs built of parts, turned and stretched."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from infogan_bench.drawing.built_chair import built_chair
from infogan_bench.drawing.mesh import Mesh, with_normals
from infogan_bench.drawing.rasteriser import Canvas, Floats, Images, rasterise
from infogan_bench.drawing.rotation import cosine_and_sine

LARGEST_WIDTH = 1.25
LOOK = Canvas(side=64, samples=4, ambient=0.15, background=1, two_sided=True)

_FILE = Path(__file__).parent / "meshes" / "chairs.npz"
_CREASE = 0.75  # cosine of the angle, 41 degrees, at which faces meet in an edge that is seen
_VIEW = 20.0  # degrees from which the viewer looks down
_LIGHT = (
    0.36,
    0.64,
    0.6784,
)  # the direction of the lamp: to the right, up, to the viewer; of length 1 to 1e-4
_MARGIN = 1.0  # pixels that stay free


def draw_chairs(parameters: Floats) -> Images:
    """Draw chairs, seen from 20 degrees above.

    Args:
        parameters: (n, 3). Chair: any whole number from 0 on; the first ones are the meshes that ship, the others are
            built of parts. Rotation: degrees by which the chair is turned to the image's right; at 0 it faces the
            viewer. Width: the factor by which it is stretched across its height, in both directions, at most
            `LARGEST_WIDTH`.
    Returns:
        (n, 1, 64, 64), white where there is no chair.
    """
    images = np.empty((len(parameters), 1, LOOK.side, LOOK.side), dtype=np.uint8)
    for place, (chair, rotation, width) in enumerate(parameters):
        images[place] = _drawn(chair_mesh(int(chair)), rotation, width)
    return images


def _drawn(mesh: Mesh, rotation: float, width: float) -> Images:
    turn_cos, turn_sin = cosine_and_sine(np.array(rotation))
    view_cos, view_sin = cosine_and_sine(np.array(_VIEW))
    x, y, z = mesh.vertices
    x, z = (turn_cos * x + turn_sin * z) * width, (turn_cos * z - turn_sin * x) * width
    x, y, z = x, view_cos * y - view_sin * z, view_sin * y + view_cos * z
    nx, ny, nz = mesh.normals
    nx, nz = (turn_cos * nx + turn_sin * nz) / width, (turn_cos * nz - turn_sin * nx) / width
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    ny, nz = view_cos * ny - view_sin * nz, view_sin * ny + view_cos * nz
    cosine = (nx * _LIGHT[0] + ny * _LIGHT[1] + nz * _LIGHT[2]) / length
    middle = LOOK.side / 2
    place = np.stack([middle + x, middle - y, 0.5 + z / 128])[:, None]
    return rasterise(place, cosine[None], mesh.faces, LOOK)


@cache
def chair_mesh(chair: int) -> Mesh:
    """Return a chair in pixels: as large as it can be without leaving the image, however it is turned and stretched."""
    files = _files()
    mesh = files[chair] if chair < len(files) else with_normals(*built_chair(chair), _CREASE)
    x, y, z = mesh.vertices
    radius, half = np.sqrt((x * x + z * z).max()) * LARGEST_WIDTH, np.abs(y).max()
    cos, sin = (float(value) for value in cosine_and_sine(np.array(_VIEW)))
    scale = (LOOK.side / 2 - _MARGIN) / max(radius, half * cos + radius * sin)
    return mesh._replace(vertices=mesh.vertices * scale)


@cache
def _files() -> list[Mesh]:
    """Read the chairs that ship."""
    with np.load(_FILE) as file:
        vertices, triangles = file["vertices"].astype(np.float64), file["triangles"].astype(np.int64)
        ends = np.cumsum(file["n_vertices"])[:-1], np.cumsum(file["n_triangles"])[:-1]
    parts = zip(np.split(vertices, ends[0]), np.split(triangles, ends[1]), strict=True)
    return [with_normals(points, faces, _CREASE) for points, faces in parts]


def n_files() -> int:
    """Return how many chairs ship."""
    return len(_files())
