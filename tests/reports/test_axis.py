"""Ticks of an axis of numbers: at the values of a grid, at round numbers of a search, and none over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from infogan_reports.axis import number_axis
from playwright.sync_api import Page


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([1e-4, 1e-3, 3e-4, 1e-4], ["0.0001", "0.0003", "0.001"]),  # a grid
        ([0.118, 2.74, 0.679, 0.51, 0.499, 0.427, 0.604], ["0.2", "0.5", "1", "2"]),
        ([2e-4, 9e-3, 1e-3, 1.1e-3], ["0.0003", "0.001", "0.003"]),
        ([1e-6 * 7**k for k in range(9)], ["1e-06", "0.0001", "0.01", "1"]),  # every second decade
        ([2.11, 2.12, 9.4], ["3", "4", "5", "6", "7", "8", "9"]),  # less than a decade
        ([0.5], ["0.5"]),
        ([], []),
    ],
)
def test_ticks_of_a_log_axis(values: Sequence[float], ticks: Sequence[str]) -> None:
    axis = number_axis("log", values)
    assert (axis["type"], axis["ticktext"]) == ("log", ticks)
    assert [float(text) for text in ticks] == axis["tickvals"]


def test_a_linear_axis_names_a_grid_and_leaves_the_rest_to_plotly() -> None:
    assert number_axis("linear", [0, 1, 0.5])["ticktext"] == ["0", "0.5", "1"]
    assert number_axis("linear", [0.1, 0.101, 0.9]) == {"type": "linear"}
    assert number_axis("linear", np.linspace(0, 1, 9)) == {"type": "linear"}


@pytest.mark.parametrize("seed", range(20))
def test_any_log_axis_has_two_ticks_within_its_range_and_room_between_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, span = rng.uniform(-6, 3), rng.uniform(0.1, 9)
    values = 10 ** rng.uniform(low, low + span, size=rng.integers(9, 40))
    axis = number_axis("log", values)
    assert len(axis["tickvals"]) >= 2
    assert min(values) <= min(axis["tickvals"])
    assert max(axis["tickvals"]) <= max(values)
    widths = [len(text) for text in axis["ticktext"]]
    gaps = np.diff(np.log10(axis["tickvals"])) / np.ptp(np.log10(values)) * 28
    needed = [(left + right) / 2 + 1 for left, right in pairwise(widths)]
    assert len(gaps) == 1 or all(gaps >= needed)


@pytest.mark.browser
def test_no_label_lies_on_another_on_a_phone(
    sweep: Callable[..., Path], written_trial: type, opened: Callable[..., Page]
) -> None:
    """Values as TPE drew them in a sweep of MNIST, some of them next to each other."""
    drawn = [0.618, 2.739, 0.679, 0.51, 0.499, 0.427, 0.604]
    folder = sweep(
        *(
            written_trial(
                f"{i}",
                {"objective.lambda_cat": lam, "optimiser.lr_g": lam / 1e3, "optimiser.lr_d": lam**4 / 1e3},
                (0.5 + lam / 9, 0.5),
                scores={"L_I": lam},
            )
            for i, lam in enumerate(drawn)
        ),
        config={
            "space": {
                key: {"loguniform": [1e-6, 10]}
                for key in ("objective.lambda_cat", "optimiser.lr_g", "optimiser.lr_d")
            }
        },
    )
    page = opened(folder, viewport={"width": 360, "height": 800})
    figures = ["effect-0", "effect-1", "effect-2", "lambda-0"]
    page.wait_for_selector("#lambda-0 .xtick text")
    for figure in figures:
        boxes = [each.bounding_box() for each in page.locator(f"#{figure} .xtick text").all()]
        assert len(boxes) >= 2, figure
        for left, right in pairwise(sorted((box["x"], box["x"] + box["width"]) for box in boxes if box)):
            assert left[1] < right[0], figure
