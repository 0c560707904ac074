"""The colours of data: told apart by colour-blind readers, and against the page in light and dark."""

import itertools
import re
from pathlib import Path

import infogan_reports
import numpy as np
import pytest
from infogan_reports.figures import TRIAL_COLOURS, TRIAL_DASHES
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
SIMULATIONS = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> Floats:
    """Linear RGB (3,) of #rrggbb."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: Floats) -> Floats:
    """CIE L*a*b* (D65) of linear RGB."""
    xyz = TO_XYZ @ rgb / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, simulation: str) -> float:
    """CIE76 distance as a colour-blind reader sees it; 2.3 is just noticeable."""
    matrix = np.array(SIMULATIONS[simulation])
    seen = [lab(np.clip(matrix @ linear(colour), 0, 1)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def test_the_simulation_takes_red_and_green_together_and_leaves_greys() -> None:
    np.testing.assert_allclose(
        lab(linear("#ff0000")), [53.24, 80.09, 67.20], atol=0.02
    )  # known values of sRGB
    assert distance("#c8504b", "#6e7d3c", "deuteranopia") < distance("#c8504b", "#3c5fc8", "deuteranopia") / 4
    assert distance("#808080", "#808080", "protanopia") == 0
    for matrix in SIMULATIONS.values():
        np.testing.assert_allclose(np.sum(matrix, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("simulation", SIMULATIONS)
def test_colours_of_trials_stay_apart(simulation: str) -> None:
    for one, other in itertools.combinations(TRIAL_COLOURS, 2):
        assert distance(one, other, simulation) > 10, (one, other)
    assert len(set(TRIAL_DASHES)) == len(TRIAL_COLOURS)  # colour is never all that tells lines apart


def test_colours_of_trials_have_a_contrast_of_three_against_both_panels() -> None:
    style = (Path(infogan_reports.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    panels = re.findall(r"--panel: (#[0-9a-f]{6});", style)
    assert len(panels) == 2
    for colour, panel in itertools.product(TRIAL_COLOURS, panels):
        dark, light = sorted(float(TO_XYZ[1] @ linear(each)) for each in (colour, panel))
        assert (light + 0.05) / (dark + 0.05) >= 3, (colour, panel)
