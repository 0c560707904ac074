"""Triangle meshes with normals that are smooth but for creases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Mesh(NamedTuple):
    """A mesh whose vertices are repeated at creases, once for each normal."""

    vertices: Floats  # (3, n_vertices)
    normals: Floats  # (3, n_vertices), of length 1
    faces: Integers  # (n_triangles, 3)


def with_normals(vertices: Floats, faces: Integers, crease: float) -> Mesh:
    """Return a mesh in which faces that meet at less than an angle are shaded as one surface.

    Args:
        vertices: (n, 3) whole numbers below 2^16, so that sums of products are exact in any order.
        faces: (n_triangles, 3); those without an area are left out.
        crease: the cosine of the angle.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    x, y, z = normals.T
    length = np.sqrt(x * x + y * y + z * z)
    faces, normals, length = faces[length > 0], normals[length > 0], length[length > 0]
    unit = normals / length[:, None]
    corner, neighbour = _pairs(faces.ravel(), len(vertices))
    one, other = unit[corner // 3], unit[neighbour // 3]
    near = one[:, 0] * other[:, 0] + one[:, 1] * other[:, 1] + one[:, 2] * other[:, 2] >= crease
    smooth = np.zeros((faces.size, 3))
    np.add.at(smooth, corner[near], normals[neighbour[near] // 3])
    rows, place = np.unique(
        np.column_stack([faces.ravel(), smooth]), axis=0, return_inverse=True
    )  # a vertex and a normal
    x, y, z = rows[:, 1:].T
    unit = rows[:, 1:] / np.sqrt(x * x + y * y + z * z)[:, None]
    return Mesh(vertices[rows[:, 0].astype(np.int64)].T.copy(), unit.T.copy(), place.reshape(-1, 3))


def _pairs(vertex: Integers, n_vertices: int) -> tuple[Integers, Integers]:
    """Return all pairs of corners that are at one vertex; a corner is also paired with itself."""
    counts = np.bincount(vertex, minlength=n_vertices)
    order = np.argsort(vertex, kind="stable")
    first = np.cumsum(counts) - counts
    partners = counts[vertex]
    corner = np.repeat(np.arange(len(vertex)), partners)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(partners) - partners, partners)
    return corner, order[first[vertex[corner]] + step]


def prism(bottom: Floats, top: Floats) -> tuple[Floats, Integers]:
    """Return the vertices and triangles of a body between two polygons (n, 3) of as many corners.

    Seen from the top, both run counter-clockwise.
    """
    n = len(bottom)
    k = np.arange(n)
    after = (k + 1) % n
    side = np.concatenate([np.stack([k, after, n + k], 1), np.stack([after, n + after, n + k], 1)])
    fan = np.stack([np.zeros(n - 2, dtype=np.int64), k[1:-1], k[2:]], axis=1)
    return np.concatenate([bottom, top]), np.concatenate([side, n + fan, fan[:, ::-1]])
