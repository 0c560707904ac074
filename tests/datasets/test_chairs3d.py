"""Chairs: what each factor does to the picture, and that all machines draw the same bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import load_dataset
from infogan_bench.datasets.chairs3d import VERSION
from infogan_bench.drawing.chairs import chair_mesh, draw_chairs, n_files

# Whoever changes the drawing raises VERSION: a cache may hold images of the old one
GOLDEN = {1: "60d2a7c8bb66ae0c9baf4a2e648aca973626a19425b3ec5c383c1d83904db5c8"}
WITHOUT_BACK = (
    8,
    12,
    18,
    20,
)  # the folding stool, the piano bench, a bar stool; and a round back with arms as high


def draw(*rows: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Images (n, 64, 64) of chair, rotation, width."""
    return draw_chairs(np.array(rows, dtype=float))[:, 0]


def columns(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The columns in which a chair is seen."""
    return np.flatnonzero((image < 255).any(axis=0))


def test_the_bytes_are_those_of_every_machine() -> None:
    rows = [(3 * k, 37.7 * k % 360, 0.75 + k / 64) for k in range(32)]
    assert hashlib.sha256(draw(*rows).tobytes()).hexdigest() == GOLDEN[VERSION]


@pytest.mark.parametrize("chair", [0, 6, 40])
def test_a_chair_returns_after_a_full_turn(chair: int) -> None:
    images = draw(*[(chair, degrees, 1) for degrees in (0, 90, 180, 270, 360, -270, 765, 45)])
    assert np.array_equal(images[0], images[4])
    assert np.array_equal(images[1], images[5])
    assert np.array_equal(images[6], images[7])
    assert len({image.tobytes() for image in images[:4]}) == 4


def test_all_chairs_that_ship_face_the_viewer_at_0_and_the_right_at_90() -> None:
    """The highest part of a chair is its back. Turned to the right it is seen at the left, turned to the left at the
    right."""
    assert n_files() == 21
    for chair in set(range(n_files())) - set(WITHOUT_BACK):
        right, left = draw((chair, 90, 1), (chair, -90, 1))
        for image, side in ((right, -1), (left, 1)):
            rows = np.flatnonzero((image < 255).any(axis=1))
            top = image[rows[0] : rows[0] + 4]
            middle = (columns(image)[0] + columns(image)[-1]) / 2
            assert side * (columns(top).mean() - middle) > 2, (chair, side)


def test_built_chairs_are_symmetric() -> None:
    """The silhouette at an angle is the mirror image of the one at the opposite angle; samples at edges may differ."""
    for chair in (25, 33, 60, 99):
        one, other = draw((chair, 25, 1), (chair, -25, 1)) < 255
        assert (one != other[:, ::-1]).mean() < 0.004


@pytest.mark.parametrize("chair", [0, 12, 55])
def test_width_stretches_the_silhouette(chair: int) -> None:
    """By its factor, whichever way the chair is turned."""
    for degrees in (0, 50, 90, 200):
        narrow, usual, wide = (
            len(columns(image)) for image in draw(*[(chair, degrees, w) for w in (0.75, 1, 1.25)])
        )
        assert narrow == pytest.approx(0.75 * usual, abs=2)
        assert wide == pytest.approx(1.25 * usual, abs=2)


def test_chairs_fill_the_picture_and_stay_in_it() -> None:
    rows = [(chair, 20 * chair % 360, 1.25) for chair in range(100)]
    images = draw(*rows)
    assert (images[:, 0] == 255).all()
    assert (images[:, -1] == 255).all()
    assert (images[:, :, [0, -1]] == 255).all()
    assert len({image.tobytes() for image in images}) == 100
    largest = [max(np.ptp(columns(image)), np.ptp(columns(image.T))) for image in images]
    assert min(largest) > 34


def test_meshes_are_shaded_smoothly_but_for_edges() -> None:
    """The seat of a built chair is flat: its upper corners have one normal, straight up."""
    mesh = chair_mesh(33)
    assert (mesh.normals**2).sum(axis=0) == pytest.approx(np.ones(mesh.normals.shape[1]))
    corners = mesh.vertices[:, mesh.faces]  # (3, n_triangles, 3)
    flat = np.cross((corners[..., 1] - corners[..., 0]).T, (corners[..., 2] - corners[..., 0]).T)
    up = flat[:, 1] > 0.999 * np.linalg.norm(flat, axis=1)
    assert up.any()
    assert (
        pytest.approx(np.tile([0.0, 1, 0], (3 * up.sum(), 1)), abs=1e-9)
        == mesh.normals[:, mesh.faces[up]].reshape(3, -1).T
    )


def test_the_dataset() -> None:
    chairs = load_dataset(DatasetConfig(name="chairs3d", train_size=20, test_size=200))
    truth = chairs.factors
    assert truth is not None
    assert chairs.train_images.shape == (20, 1, 64, 64)
    assert truth.names == ("chair", "rotation", "width")
    assert truth.kinds == (Kind("category"), Kind("circular", 360), Kind("continuous"))
    assert truth.test[:, 0].long().bincount().tolist() == [2] * 100
    quarters = (truth.test[:, 1] // 90).long().bincount()
    assert quarters.sum() == 200
    assert quarters.min() > 30  # 50 are expected, with a standard deviation of 6
    assert np.array_equal(draw(*truth.test[:3].tolist()), chairs.test_images[:3, 0].numpy())
