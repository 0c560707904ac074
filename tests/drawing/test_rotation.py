from __future__ import annotations

import numpy as np
import pytest

from infogan_bench.drawing.rotation import cosine_and_sine


def test_they_are_cosines_and_sines() -> None:
    degrees = np.concatenate([np.linspace(-720, 720, 5_001), [45, -45, 135]])
    cos, sin = cosine_and_sine(degrees)
    assert cos == pytest.approx(np.cos(np.deg2rad(degrees)), abs=1e-14)
    assert sin == pytest.approx(np.sin(np.deg2rad(degrees)), abs=1e-14)
    assert cos**2 + sin**2 == pytest.approx(np.ones(len(degrees)), abs=1e-15)


def test_quarters_of_a_turn_are_exact() -> None:
    cos, sin = cosine_and_sine(np.array([0.0, 90, 180, 270, 360, -90]))
    assert cos.tolist() == [1, 0, -1, 0, 1, 0]
    assert sin.tolist() == [0, 1, 0, -1, 0, -1]
