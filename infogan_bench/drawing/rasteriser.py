"""Grey images of triangle meshes: a z-buffer, interpolated Lambert shading and supersampling, in NumPy.

Every number comes from elementwise IEEE arithmetic or from sums of whole numbers. Nothing depends on the order of a
sum, on a BLAS or on a number of threads. So all machines draw the same bytes, and an image does not depend on those
that are drawn with it.

A mesh is cut into its triangles, a triangle into the rows of samples that it crosses, a row into samples. All triangles
of a batch of images take each of these steps together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Images = NDArray[np.uint8]

_DEPTHS = 1 << 26  # steps of depth that the z-buffer tells apart
_TRIANGLE_BITS = 24  # of a key of the z-buffer; the depth stands above them
_GREYS = 4080  # steps of a sample's grey, 16 for each grey of a pixel


@dataclass(frozen=True)
class Canvas:
    """The canvas and the shading of a set of images.

    A sample of a surface has the grey `ambient + (1 - ambient) max(0, cosine)`, from 0 (black) to 1 (white).
    """

    side: int  # pixels of an image's height and width
    samples: int  # of a pixel, along each side
    ambient: float  # grey of a surface that the light does not reach
    background: float  # grey where there is no surface
    two_sided: bool = (
        False  # True: surfaces show both sides; False: only triangles that run counter-clockwise are seen
    )


def rasterise(vertices: Floats, cosines: Floats, faces: Integers, look: Canvas) -> Images:
    """Draw meshes that have the same triangles.

    Args:
        vertices: (3, n_images, n_vertices): x to the right and y downwards in pixels, 0 to `look.side`, and the depth,
            0 to 1, where larger is nearer. What lies outside of these ranges is cut off.
        cosines: (n_images, n_vertices) of the angle between the light and the outward normal, -1 to 1; interpolated
            over each triangle before it is cut at 0. A side of a triangle that shows its back has the opposite sign.
        faces: (n_triangles, 3) vertices of each triangle, counter-clockwise when seen from outside.
    Returns:
        (n_images, side, side). A pixel is the mean of samples x samples points.
    """
    triangles = _Triangles.of(vertices, cosines, faces, look)
    return _shaded(triangles, _nearest(triangles, len(cosines), look.side * look.samples), len(cosines), look)


def nearest_triangles(vertices: Floats, faces: Integers, look: Canvas) -> Integers:
    """Return the triangle that each sample shows, -1 where there is none: (n_images, samples, samples), rows first.

    The arguments are those of `rasterise`.
    """
    n_images, size = vertices.shape[1], look.side * look.samples
    triangles = _Triangles.of(vertices, vertices[2], faces, look)
    nearest = _nearest(triangles, n_images, size).reshape(n_images, size, size)
    return np.where(nearest < 0, -1, triangles.face[nearest])


@dataclass(frozen=True)
class _Plane:
    """A value at the corners of triangles, as a linear function of the place: at + x * dx + y * dy."""

    at: Floats
    dx: Floats
    dy: Floats

    def __call__(self, triangle: Integers, column: Integers, row: Integers) -> Floats:
        """Return the values at the centres of samples."""
        value: Floats = (
            self.at[triangle] + (column + 0.5) * self.dx[triangle] + (row + 0.5) * self.dy[triangle]
        )
        return value


@dataclass(frozen=True)
class _Triangles:
    """The triangles that can be seen, of all images, in units of samples, their corners sorted from the top down."""

    image: Integers
    face: Integers  # the row of `faces`
    x: tuple[Floats, Floats, Floats]
    y: tuple[Floats, Floats, Floats]
    depth: _Plane
    cosine: _Plane

    @classmethod
    def of(cls, vertices: Floats, cosines: Floats, faces: Integers, look: Canvas) -> _Triangles:
        """Choose the triangles that show the side that can be seen; the arguments are those of `rasterise`."""
        n_vertices, samples = vertices.shape[2], look.samples
        x, y = vertices[0] * samples, vertices[1] * samples
        xs, ys = ([part.take(faces[:, k], axis=1).ravel() for k in range(3)] for part in (x, y))
        area = (xs[2] - xs[0]) * (ys[1] - ys[0]) - (xs[1] - xs[0]) * (
            ys[2] - ys[0]
        )  # > 0 for counter-clockwise
        seen = np.flatnonzero(np.abs(area) > 1e-9 if look.two_sided else area > 1e-9)
        image, face = np.divmod(seen, len(faces))
        corners = [image * n_vertices + faces[face, k] for k in range(3)]
        xs, ys, area = [part[seen] for part in xs], [part[seen] for part in ys], area[seen]
        plane = _Gradient(xs, ys, area)
        depth = plane([vertices[2].ravel()[corner] for corner in corners])
        cosine = plane([cosines.ravel()[corner] * np.sign(area) for corner in corners])
        for i, j in ((0, 1), (1, 2), (0, 1)):
            swap = np.flatnonzero(ys[i] > ys[j])
            for values in (xs, ys):
                values[i][swap], values[j][swap] = values[j][swap], values[i][swap]
        return cls(image, face, (xs[0], xs[1], xs[2]), (ys[0], ys[1], ys[2]), depth, cosine)


class _Gradient:
    """The gradients of values that are given at the corners of triangles."""

    def __init__(self, xs: list[Floats], ys: list[Floats], area: Floats) -> None:
        scale = -1 / area
        self._x, self._y = xs[0].copy(), ys[0].copy()
        self._bx, self._cx = (xs[1] - xs[0]) * scale, (xs[2] - xs[0]) * scale
        self._by, self._cy = (ys[1] - ys[0]) * scale, (ys[2] - ys[0]) * scale

    def __call__(self, values: list[Floats]) -> _Plane:
        b, c = values[1] - values[0], values[2] - values[0]
        dx, dy = b * self._cy - c * self._by, c * self._bx - b * self._cx
        return _Plane(values[0] - self._x * dx - self._y * dy, dx, dy)


def _nearest(triangles: _Triangles, n_images: int, size: int) -> Integers:
    """Return the nearest triangle at each sample (n_images * size * size,), -1 where there is none."""
    (x0, x1, x2), (y0, y1, y2) = triangles.x, triangles.y
    first, last = _centres(y0, y2, size)
    triangle, row = _runs(first, last - first)
    y = row + 0.5
    with np.errstate(divide="ignore", invalid="ignore"):  # of level edges, which no row of samples crosses
        long, upper, lower = (x2 - x0) / (y2 - y0), (x1 - x0) / (y1 - y0), (x2 - x1) / (y2 - y1)
        above = y < y1[triangle]
        one = x0[triangle] + (y - y0[triangle]) * long[triangle]
        other = np.where(
            above,
            x0[triangle] + (y - y0[triangle]) * upper[triangle],
            x1[triangle] + (y - y1[triangle]) * lower[triangle],
        )
    left, right = _centres(np.minimum(one, other), np.maximum(one, other), size)
    span, column = _runs(left, right - left)
    triangle, row = triangle[span], row[span]
    depth = triangles.depth(triangle, column, row)
    keys = (np.clip(depth, 0, 1) * _DEPTHS).astype(np.int64) << _TRIANGLE_BITS
    buffer = np.full(n_images * size * size, -1, dtype=np.int64)
    np.maximum.at(buffer, (triangles.image[triangle] * size + row) * size + column, keys | triangle)
    return np.where(buffer < 0, -1, buffer & ((1 << _TRIANGLE_BITS) - 1))


def _centres(low: Floats, high: Floats, size: int) -> tuple[Integers, Integers]:
    """Return the first of the samples whose centres lie in [low, high), and the one after the last."""
    first = np.clip(np.ceil(low - 0.5), 0, size).astype(np.int64)
    return first, np.maximum(np.clip(np.ceil(high - 0.5), 0, size).astype(np.int64), first)


def _runs(first: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Return, for runs of whole numbers, which run each number is in, and the numbers."""
    run = np.repeat(np.arange(len(first)), lengths)
    ends = np.cumsum(lengths)
    return run, np.arange(len(run)) + (first - ends + lengths)[run]


def _shaded(triangles: _Triangles, nearest: Integers, n_images: int, look: Canvas) -> Images:
    """Return the images whose samples show these triangles."""
    size = look.side * look.samples
    hit = np.flatnonzero(nearest >= 0)
    cosine = triangles.cosine(nearest[hit], hit % size, hit // size % size)
    grey = look.ambient + (1 - look.ambient) * np.clip(cosine, 0, 1)
    canvas = np.full(len(nearest), round(look.background * _GREYS), dtype=np.int64)
    canvas[hit] = np.rint(grey * _GREYS)
    blocks = canvas.reshape(n_images, look.side, look.samples, look.side, look.samples)
    per_grey = _GREYS // 255 * look.samples**2
    images: Images = ((blocks.sum(axis=(2, 4)) + per_grey // 2) // per_grey).astype(np.uint8)
    return images
