"""What mattered: importance, the map of two parameters and lambda's scores, on objectives known in closed form."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.mattered import Mattered
from infogan_reports.sections.mattered import SECTION


def mattered(folder: Path) -> Mattered:
    return summarise(load(folder)).of(SECTION).together


@pytest.fixture
def grid(sweep: Callable[..., Path], written_trial: type) -> Path:
    """A full 4 x 4 x 2 grid of 0.3 a + 0.1 b + 0 c, with a and b in 0..3 levels of a log range."""
    levels = [0.01, 0.1, 1.0, 10.0]
    trials = [
        written_trial(
            f"{i:02d}", {"objective.lambda_cat": levels[a], "b": levels[b], "c": c}, (0.3 * a + 0.1 * b,)
        )
        for i, (a, b, c) in enumerate(itertools.product(range(4), range(4), ("x", "y")))
    ]
    return sweep(*trials)


def test_importance_is_each_parameters_share_of_the_variance(grid: Path) -> None:
    importance = mattered(grid).importance
    shares = dict(importance.shares)
    assert list(shares) == ["objective.lambda_cat", "b", "c"]
    # over the grid the variances are 0.3^2 V, 0.1^2 V and 0: 0.9 and 0.1 of their sum; a forest comes near
    assert shares["objective.lambda_cat"] == pytest.approx(0.9, abs=0.06)
    assert shares["b"] == pytest.approx(0.1, abs=0.06)
    assert shares["c"] == pytest.approx(0, abs=0.01)
    assert importance.rest == pytest.approx(0, abs=0.05)  # the objective is a sum
    assert (importance.n_trials, importance.reason) == (32, None)
    assert mattered(grid).importance == importance  # seeded


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.1, 0.2, 0.3, 0.4], "at least 5 finished trials with all swept parameters, and there are 4"),
        ([0.5] * 5, "the same objective"),
    ],
)
def test_why_there_is_no_importance(
    sweep: Callable[..., Path], written_trial: type, values: list[float], reason: str
) -> None:
    folder = sweep(*(written_trial(f"{i}", {"k": i, "m": i % 2}, (v,)) for i, v in enumerate(values)))
    importance = mattered(folder).importance
    assert importance.shares == ()
    assert reason in (importance.reason or "")
    assert reason in build_report(folder).read_text(encoding="utf-8")


def test_without_optuna_importance_is_not_computed(grid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert mattered(grid).importance.reason == "Not computed: Optuna is not installed."


def test_the_map_holds_means_of_the_two_that_matter_most(grid: Path) -> None:
    found = mattered(grid).interaction
    assert found is not None
    assert (found.x_key, found.y_key) == ("objective.lambda_cat", "b")
    assert found.x_labels == ("0.01", "0.1", "1", "10")
    for b, (label, cells) in enumerate(found.rows):
        assert label == found.x_labels[b]
        assert [cell.mean for cell in cells] == pytest.approx([0.3 * a + 0.1 * b for a in range(4)])
        assert {cell.n_trials for cell in cells} == {2}
    assert (found.rows[0][1][0].shade, found.rows[3][1][3].shade, found.rows[3][1][3].best) == (1, 5, True)
    assert found.statement == "Best on average at objective.lambda_cat = 10 and b = 10: 1.2000 (2 trials)."


def test_many_values_are_cut_into_equal_parts_of_the_axis(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    powers = [k / 2 for k in range(13)]  # 1 to 10^6: a part is one decade
    folder = sweep(
        *(
            written_trial(f"{i:02d}", {"k": 10**p, "m": ("x", "y")[i % 2]}, (p,))
            for i, p in enumerate(powers)
        ),
        config={"space": {"k": {"loguniform": [1, 1e6]}, "m": ["x", "y"]}},
    )
    found = mattered(folder).interaction
    assert found is not None
    many = found.x_labels if found.x_key == "k" else tuple(label for label, _ in found.rows)
    assert many == (
        "1 to 10",
        "10 to 100",
        "100 to 1e+03",
        "1e+03 to 1e+04",
        "1e+04 to 1e+05",
        "1e+05 to 1e+06",
    )
    cells = [cell for _, row in found.rows for cell in row]
    assert sum(cell.n_trials for cell in cells) == 13  # the last value lies in the last part


def test_lambda_stands_against_accuracy_l_i_and_image_quality(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    scores = {"L_I": 1.5, "fid_digits": 7.0}
    trials = [
        written_trial(
            f"{i}", {"objective.lambda_cat": float(i + 1)}, (0.1 * i, 0.1 * i + 0.02), scores=scores
        )
        for i in range(3)
    ]
    (found,) = mattered(sweep(*trials)).lambdas
    assert found.values == (3.0, 2.0, 1.0)  # by rank
    assert [name for name, _, _ in found.scores] == ["cluster_accuracy", "L_I", "fid_digits"]
    assert found.scores[0][1] == pytest.approx((0.21, 0.11, 0.01))
    assert found.scores[2][1:] == ((7.0, 7.0, 7.0), (0.0, 0.0, 0.0))
    assert found.missing == ""


def test_a_missing_image_quality_is_said(grid: Path) -> None:
    (found,) = mattered(grid).lambdas
    assert found.missing == "No image-quality score (FID or KID) was computed in this sweep."
    assert found.missing in build_report(grid).read_text(encoding="utf-8")


def test_the_first_two_scores_are_the_objective_against_l_i(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    trial = written_trial("0", {}, (0.5,), scores={"ari": 0.1, "L_I": 2.0})
    assert mattered(sweep(trial)).pareto == ("L_I", "cluster_accuracy")
    assert mattered(sweep(written_trial("1", {}, (0.5,)))).pareto is None
