"""Heads: what each factor does to the picture, and that all machines draw the same bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.datasets import DatasetError, load_dataset
from infogan_bench.datasets.faces3d import VERSION, faces3d
from infogan_bench.drawing.heads import draw_heads

# Whoever changes the drawing raises VERSION: a cache may hold images of the old one
GOLDEN = {1: "669dba71520657d01c8e3998ef03df7fcf07caa33992cfa15b01347b0466b2d7"}

AZIMUTH, ELEVATION, LIGHT, WIDTH, IDENTITY = range(5)


def draw(*rows: tuple[float, float, float, float, float]) -> NDArray[np.float64]:
    """Images (n, 32, 32) with white as 1, of azimuth, elevation, light, width, identity."""
    return draw_heads(np.array(rows, dtype=float))[:, 0] / 255


def extent(image: NDArray[np.float64], axis: int) -> float:
    """The size of a silhouette in pixels: covered pixels of its longest row (axis 1) or column (axis 0)."""
    return float((image > 0).any(axis=1 - axis).sum())


def test_the_bytes_are_those_of_every_machine() -> None:
    rows = [
        (7.3 * k % 180 - 90, 1.7 * k % 40 - 20, 11.9 * k % 180 - 90, 0.75 + k / 64, 5 * k) for k in range(32)
    ]
    assert hashlib.sha256(draw_heads(np.array(rows)).tobytes()).hexdigest() == GOLDEN[VERSION]


def test_a_head_is_its_mirror_image_turned_and_lit_the_other_way() -> None:
    """The mesh is symmetric. Samples that lie on an edge may differ."""
    for identity in (0, 1, 7):
        one, other = draw((40, 10, 30, 1.1, identity), (-40, 10, -30, 1.1, identity))
        assert np.abs(one - other[:, ::-1]).max() < 0.05
        assert np.abs(one - other[:, ::-1]).mean() < 2e-4
        front = draw((0, -5, 0, 1, identity))[0]
        assert np.abs(front - front[:, ::-1]).mean() < 2e-4


def test_azimuth_turns_the_nose_to_the_right() -> None:
    """Of a face that is lit from the viewer: at 90 degrees its profile looks to the right, at -90 to the left."""
    left, right = draw((-90, 0, 0, 1, 0), (90, 0, 0, 1, 0))
    assert np.abs(left[:, ::-1] - right).mean() < 2e-4
    nose = [np.flatnonzero(row).max() for row in right[14:22] > 0.3]
    assert (
        max(nose) == np.flatnonzero((right > 0.3).any(axis=0)).max()
    )  # nothing reaches farther than the nose


def test_light_moves_the_bright_side() -> None:
    left, middle, right = draw(*[(0, 0, light, 1, 3) for light in (-80, 0, 80)])
    assert left[:, :16].sum() > 2 * left[:, 16:].sum()
    assert right[:, 16:].sum() > 2 * right[:, :16].sum()
    assert middle[:, :16].sum() == pytest.approx(middle[:, 16:].sum(), rel=0.01)


def test_the_lamp_does_not_turn_with_the_head() -> None:
    for azimuth in (-60, 0, 60):
        image = draw((azimuth, 0, 85, 1, 3))[0]
        assert image[:, 17:].sum() > 1.5 * image[:, :15].sum()


def test_a_head_is_seen_from_above_where_elevation_is_positive() -> None:
    """The chin then lies lower in the picture; seen from below it rises, and the cut of the neck shows."""
    above, below = draw((0, 20, 0, 1, 5), (0, -20, 0, 1, 5))
    rows = np.arange(32)[:, None]
    dark = [(rows * ((image > 0) & (image < 0.2))).sum() for image in (above, below)]
    assert dark[1] > dark[0]  # the cut faces down


@pytest.mark.parametrize("azimuth", [-90, -35, 0, 60])
def test_width_stretches_the_silhouette(azimuth: float) -> None:
    """By its factor, whichever way the head is turned, and not in height."""
    narrow, usual, wide = draw(*[(azimuth, 0, 0, width, 2) for width in (0.75, 1, 1.25)])
    area = [(image > 0).sum() for image in (narrow, usual, wide)]
    assert extent(narrow, 1) == pytest.approx(0.75 * extent(usual, 1), abs=2)
    assert extent(wide, 1) == pytest.approx(1.25 * extent(usual, 1), abs=2)
    assert area[2] / area[0] == pytest.approx(1.25 / 0.75, rel=0.06)
    assert extent(narrow, 0) == extent(wide, 0)


def test_identities_differ_and_stay_in_the_picture() -> None:
    images = draw(*[(0, 0, 20, 1, identity) for identity in range(200)])
    assert len({image.tobytes() for image in images}) == 200
    assert images[:, 0].max() == images[:, :, 0].max() == images[:, :, -1].max() == 0
    assert 0.03 < images.std(axis=0).max() < 0.5


def test_the_dataset() -> None:
    faces = load_dataset(DatasetConfig(name="faces3d", train_size=40, test_size=400))
    assert faces.train_images.shape == (40, 1, 32, 32)
    truth = faces.factors
    assert truth is not None
    assert truth.names == ("azimuth", "elevation", "light", "width", "identity")
    assert [kind.name for kind in truth.kinds] == ["continuous"] * 4 + ["category"]
    assert truth.sizes == (None, None, None, None, 200)
    assert truth.test[:, IDENTITY].long().bincount().tolist() == [2] * 200
    for column, middle, half in ((AZIMUTH, 0, 90), (ELEVATION, 0, 20), (LIGHT, 0, 90), (WIDTH, 1, 0.25)):
        values = (truth.test[:, column] - middle) / half
        assert values.abs().max() <= 1
        assert float(values.mean()) == pytest.approx(0, abs=0.1)  # 3.5 standard errors: 0.577 / sqrt(400)
        assert float(values.std()) == pytest.approx(0.577, abs=0.05)
    images = draw_heads(truth.test.numpy()[:5])
    assert np.array_equal(images, faces.test_images[:5].numpy())


def test_a_smaller_set_is_the_beginning_of_a_larger_one_and_the_splits_differ() -> None:
    faces = faces3d(200)
    assert np.array_equal(faces.values(0, 1000)[:300], faces.values(0, 300))
    train, test = faces.values(0, 500), faces.values(1, 500)
    assert not np.isin(train[:, AZIMUTH], test[:, AZIMUTH]).any()


def test_the_number_of_identities_is_an_option() -> None:
    config = parse_sweep({"name": "s", "dataset": {"name": "faces3d", "options": {"identities": 3}}}).dataset
    few = load_dataset(config.model_copy(update={"train_size": 6, "test_size": 9}))
    assert few.factors is not None
    assert few.factors.sizes[IDENTITY] == 3
    assert few.factors.test[:, IDENTITY].long().bincount().tolist() == [3, 3, 3]
    with pytest.raises(ConfigError, match="identities"):
        parse_sweep({"name": "s", "dataset": {"name": "faces3d", "options": {"identities": 0}}})


def test_a_folder_is_refused() -> None:
    with pytest.raises(DatasetError, match="faces3d is drawn, not read: remove `data_dir`"):
        load_dataset(DatasetConfig(name="faces3d", data_dir="somewhere"))
