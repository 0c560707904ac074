"""The rasteriser: areas, depth and shading against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from infogan_bench.drawing.rasteriser import Canvas, nearest_triangles, rasterise

LOOK = Canvas(side=32, samples=4, ambient=0.1, background=0)
TWO_SIDED = Canvas(side=32, samples=4, ambient=0.1, background=0, two_sided=True)
SQUARE = np.array([[0, 1, 2], [0, 2, 3]])

Floats = NDArray[np.float64]


def square(
    half: float, degrees: float = 0, depth: float = 0.5, centre: tuple[float, float] = (16, 16)
) -> Floats:
    """Corners (3, 1, 4) of a square, counter-clockwise on the screen, where y points down."""
    angles = np.deg2rad(np.array([45, 135, 225, 315]) + degrees)
    corners = half * math.sqrt(2) * np.stack([np.cos(angles), -np.sin(angles), np.zeros(4)])
    return (corners + np.array([[centre[0]], [centre[1]], [depth]]))[:, None]


def sphere(radius: float, rings: int = 96) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Vertices (3, 1, n) of a sphere at the middle of the image, its outward normals (n, 3), y up, and triangles."""
    polar = np.linspace(0, math.pi, rings + 1)[:, None]
    around = np.linspace(0, 2 * math.pi, 2 * rings, endpoint=False)[None]
    x, y, z = np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around, np.sin(polar) * np.cos(around)
    normals = np.stack([x, y, z], axis=-1)
    i, j = (each.ravel() for each in np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij"))
    a, b = i * 2 * rings + j, i * 2 * rings + (j + 1) % (2 * rings)
    faces = np.concatenate(
        [np.stack([a, a + 2 * rings, b], 1), np.stack([b, a + 2 * rings, b + 2 * rings], 1)]
    )
    normals = normals.reshape(-1, 3)
    vertices = np.stack(
        [16 + radius * normals[:, 0], 16 - radius * normals[:, 1], 0.5 + 0.01 * radius * normals[:, 2]]
    )
    return vertices[:, None], normals, faces


@pytest.mark.parametrize("degrees", [7, 20, 33, 70])
def test_the_mean_grey_is_the_area(degrees: float) -> None:
    """A white square of 17 x 17 pixels covers 289 of 1,024."""
    image = rasterise(square(8.5, degrees), np.ones((1, 4)), SQUARE, LOOK)[0]
    assert image.sum() / 255 == pytest.approx(17**2, rel=0.005)


def test_a_pixel_at_an_edge_has_the_grey_of_its_covered_part() -> None:
    """A square from 8.5 to 23.25 covers half, all or a quarter of a pixel; 0.5 x 0.25 at the corner."""
    corners = np.array([[8.5, 8.5, 23.25, 23.25], [8.5, 23.25, 23.25, 8.5], [0.5] * 4])[:, None]
    row = rasterise(corners, np.ones((1, 4)), SQUARE, LOOK)[0]
    assert row[16, [7, 8, 9, 22, 23, 24]].tolist() == [0, 128, 255, 255, 64, 0]
    assert row[8, 23] == 32  # 255 / 8


def test_triangles_that_share_an_edge_leave_no_gap_and_no_double() -> None:
    """A fan of 40 triangles around a point that is no sample: each sample inside shows one triangle."""
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    rim = np.stack([16.31 + 9 * np.cos(angles), 16.67 - 9 * np.sin(angles), np.full(40, 0.5)])
    vertices = np.concatenate([rim, [[16.31], [16.67], [0.5]]], axis=1)[:, None]
    k = np.arange(40)
    faces = np.stack([k, (k + 1) % 40, np.full(40, 40)], axis=1)
    found = nearest_triangles(vertices, faces, LOOK)[0]
    y, x = (np.indices(found.shape) + 0.5) / LOOK.samples
    inside = (x - 16.31) ** 2 + (y - 16.67) ** 2 < (9 * math.cos(math.pi / 40)) ** 2 - 1e-9
    sector = np.arctan2(16.67 - y, x - 16.31) % (2 * math.pi) // (2 * math.pi / 40)
    assert np.array_equal(found[inside], sector[inside])


def test_what_is_nearer_hides_what_is_farther() -> None:
    """A dark square in front of a white one, drawn first or last."""
    near, far = square(4, depth=0.9), square(10, depth=0.2)
    both = np.concatenate([near, far], axis=2)
    cosines = np.array([[0.0] * 4 + [1.0] * 4])
    first = rasterise(both, cosines, np.concatenate([SQUARE, SQUARE + 4]), LOOK)
    last = rasterise(both, cosines, np.concatenate([SQUARE + 4, SQUARE]), LOOK)
    assert np.array_equal(first, last)
    assert first[0, 16, [8, 16, 24]].tolist() == [255, round(0.1 * 255), 255]


def test_planes_that_cross_hide_each_other_where_they_are_farther() -> None:
    """Two squares that lean to opposite sides cross in the vertical through x = 16."""
    left, right = square(10), square(10)
    left[2], right[2] = 0.5 - (left[0] - 16) / 100, 0.5 + (right[0] - 16) / 100
    cosines = np.array([[0.0] * 4 + [1.0] * 4])
    image = rasterise(
        np.concatenate([left, right], axis=2), cosines, np.concatenate([SQUARE, SQUARE + 4]), LOOK
    )
    assert (image[0, 8:24, 8:16] == round(0.1 * 255)).all()
    assert (image[0, 8:24, 16:24] == 255).all()


def test_a_triangle_is_seen_from_its_front() -> None:
    cosines, back = np.ones((1, 4)), SQUARE[:, ::-1]
    assert rasterise(square(8), cosines, back, LOOK).max() == 0
    assert rasterise(square(8), -cosines, back, TWO_SIDED).max() == 255
    assert rasterise(square(8), cosines, back, TWO_SIDED).max() == round(0.1 * 255)


@pytest.mark.parametrize("light", [(0, 0, 1), (0.8, 0, 0.6), (0.6, 0.8, 0), (-0.48, 0.64, 0.6)])
def test_a_sphere_has_the_greys_of_lambert_s_law(light: tuple[float, float, float]) -> None:
    """At x, y on a unit sphere the normal is (x, y, sqrt(1 - x^2 - y^2))."""
    vertices, normals, faces = sphere(13)
    image = rasterise(vertices, (normals @ np.array(light))[None], faces, LOOK)[0] / 255
    across = (np.arange(128) + 0.5) / 4 / 13 - 16 / 13
    x, y = np.meshgrid(across, -across)
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    grey = 0.1 + 0.9 * np.clip(x * light[0] + y * light[1] + z * light[2], 0, None)
    expected = np.where(x**2 + y**2 < 1, grey, 0).reshape(32, 4, 32, 4).mean(axis=(1, 3))
    inner = (x**2 + y**2 < 0.9).reshape(32, 4, 32, 4).all(axis=(1, 3))
    assert np.abs(image - expected)[inner].max() < 0.006  # 1.5 of 255 greys
    assert np.abs(image - expected).max() < 0.07  # at the rim, where the polygon is a little smaller
    assert image.sum() == pytest.approx(expected.sum(), rel=0.004)


def test_images_do_not_depend_on_what_is_drawn_with_them() -> None:
    rng = np.random.default_rng(0)
    vertices = np.concatenate([32 * rng.random((2, 5, 60)), rng.random((1, 5, 60))])
    cosines, faces = rng.uniform(-1, 1, (5, 60)), rng.integers(0, 60, (100, 3))
    together = rasterise(vertices, cosines, faces, TWO_SIDED)
    for k in range(5):
        alone = rasterise(vertices[:, k : k + 1], cosines[k : k + 1], faces, TWO_SIDED)
        assert np.array_equal(alone[0], together[k])


def test_what_lies_outside_of_the_image_is_cut_off() -> None:
    """A square whose middle is the image's corner shows a quarter of itself."""
    image = rasterise(square(8, centre=(32, 0)), np.ones((1, 4)), SQUARE, LOOK)[0]
    assert image.sum() == 64 * 255
    assert (image[:8, 24:] == 255).all()
