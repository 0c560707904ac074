from __future__ import annotations

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, traversal_effect


def test_closed_form() -> None:
    # One pixel: rows (0, 2) and (10, 12). Along a row the variance is 1, in all 1 + 25.
    score = traversal_effect(np.array([[[0.0], [2.0]], [[10.0], [12.0]]]))
    assert score.value == pytest.approx(1 / 26)
    assert score.per_row.tolist() == [1.0, 1.0]
    assert score.rms == 1.0
    assert score.n == 4


def test_from_nothing_to_everything() -> None:
    noise = np.random.default_rng(0).normal(size=(5, 1, 4, 4))
    code = np.random.default_rng(1).normal(size=(1, 6, 4, 4))
    assert traversal_effect(np.broadcast_to(noise, (5, 6, 4, 4))).value == pytest.approx(0.0, abs=1e-15)
    assert traversal_effect(np.broadcast_to(code, (5, 6, 4, 4))).value == pytest.approx(1.0)


def test_the_unit_of_pixels_does_not_matter_to_the_share() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 1, 8, 8), dtype=np.uint8)
    signed = images / 127.5 - 1
    assert traversal_effect(images).value == pytest.approx(traversal_effect(signed).value)
    assert traversal_effect(images).rms == pytest.approx(127.5 * traversal_effect(signed).rms)


def test_equal_images_are_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="all images are equal"):
        traversal_effect(np.full((3, 4, 8, 8), np.float32(0.7)))


@pytest.mark.parametrize("shape", [(3, 4), (3, 1, 8), (0, 4, 8), (3, 4, 0)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="`images` must be"):
        traversal_effect(np.zeros(shape))


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="`images` must be finite"):
        traversal_effect(np.full((2, 2, 2), np.nan))
