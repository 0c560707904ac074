"""What the report says of each score: how to read it, what it rests on, and how far it may be off."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.explained import Explained, reading_of
from infogan_reports.quantities import Quantities
from infogan_reports.sections import metrics
from scipy.stats import binomtest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from infogan_bench.config import DEFAULT_SCORES
from infogan_bench.records import Quantity


@pytest.fixture
def explained(sweep: Callable[..., Path], written_trial: type) -> Callable[..., dict[str, Explained]]:
    """Explanations by name of a sweep with one trial that has these scores and this evaluation."""

    def explain(
        scores: dict[str, float], evaluation: dict[str, Any], values: tuple[float | None, ...] = (0.5, 0.7)
    ) -> dict[str, Explained]:
        whole = {"step": 100, "scores": {}, "codes": [], **evaluation}
        folder = sweep(written_trial("0000", {}, values, scores=scores), evaluation=whole)
        return {each.name: each for each in summarise(load(folder)).of(metrics.SECTION).scores}

    return explain


@pytest.mark.parametrize(
    "name",
    [
        *DEFAULT_SCORES,
        "mig",
        "dci_completeness",
        "sap_discrete",
        "beta_vae",
        "L_I",
        "fid",
        "kid",
        "fid_digits",
    ],
)
def test_every_score_of_the_project_can_be_read(name: str) -> None:
    reading = reading_of(Quantities(), name)
    assert reading is not None
    assert reading.explanation.endswith("?")
    assert reading.range is not None
    assert reading.range[0] < reading.range[1]


def test_an_unknown_score_is_said_to_be_unknown(explained: Callable[..., dict[str, Explained]]) -> None:
    mine = explained({"<mine>": 0.25}, {})["<mine>"]
    assert (mine.reading, mine.range, mine.direction, mine.supervision) == (None, "unknown", None, "")
    assert mine.computed == "The folder does not say from what."


@pytest.mark.parametrize(
    ("name", "range_"),
    [
        ("nmi", "0 to 1"),
        ("ari", "-0.5 to 1"),
        ("L_I", "any number"),
        ("fid", "0 or more"),
        ("irs", "at most 1"),
    ],
)
def test_ranges_in_words(explained: Callable[..., dict[str, Explained]], name: str, range_: str) -> None:
    assert explained({name: 0.5}, {})[name].range == range_


@pytest.mark.parametrize(
    ("recorded", "range_"),
    [
        ((0.5, 2.0), (0.5, 2.0)),
        ((None, 1.0), (-math.inf, 1.0)),
        ((0.0, None), (0.0, math.inf)),
        (None, None),  # a folder written before
    ],
)
def test_the_range_of_a_users_own_score_is_the_recorded_one(
    recorded: tuple[float | None, float | None] | None, range_: tuple[float, float] | None
) -> None:
    own = Quantity("mine", "mine", "Is it mine?", "", "max", None, "", recorded)
    reading = reading_of(Quantities.of([own]), "mine")
    assert reading is not None
    assert reading.range == range_


def test_a_distance_of_images_rests_on_images_not_on_factors(
    explained: Callable[..., dict[str, Explained]],
) -> None:
    protocol = {"n": 10_000, "network": "digit network"}
    found = explained({"fid_digits": 3.5}, {"protocols": {"fid_digits": protocol}})["fid_digits"]
    assert found.computed == "Generated images and MNIST's test images: n = 10000, network = digit network."


COUNTS = [[90, 10, 0], [5, 60, 35], [2, 1, 97], [0, 0, 0]]
CONFUSION = {
    "code": "cat_0", "classes": ["a", "b", "c"], "counts": COUNTS, "match": [0, 1, 2, None],
}  # fmt: skip


def test_scores_against_labels_have_an_interval_of_their_test_images(
    explained: Callable[..., dict[str, Explained]],
) -> None:
    found = explained({"purity": 0.8, "nmi": 0.5, "ari": 0.5}, {"confusion": CONFUSION})
    accuracy, purity = found["cluster_accuracy"].interval, found["purity"].interval
    assert accuracy is not None
    assert purity is not None
    assert accuracy.value == purity.value == (90 + 60 + 97) / 300
    assert (accuracy.low, accuracy.high) == pytest.approx(binomtest(247, 300).proportion_ci(method="wilson"))
    assert accuracy.how == "seed 0: 247 of 300 test images, Wilson's interval"
    rows, columns = (np.repeat(each.ravel(), np.ravel(COUNTS)) for each in np.indices((4, 3)))
    for name, function in (("nmi", normalized_mutual_info_score), ("ari", adjusted_rand_score)):
        interval = found[name].interval
        assert interval is not None
        assert interval.value == pytest.approx(function(columns, rows))
        assert interval.low < interval.value < interval.high
        drawn = np.random.default_rng(1).integers(300, size=(400, 300))  # another draw of the same bootstrap
        spread = np.std([function(columns[each], rows[each]) for each in drawn])
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * spread, rel=0.25)
    assert found["nmi"].computed == "Q's most likely category of cat_0 and the labels of 300 test images."


def test_what_a_score_assumed_and_what_chance_makes(explained: Callable[..., dict[str, Explained]]) -> None:
    found = explained(
        {"mig": 0.25, "floor/shuffled/mig": 0.01, "floor/untrained/mig": 0.06, "slant_correlation": 0.9},
        {
            "protocols": {"mig": {"n": 10_000, "n_bins": 20}},
            "not_defined": {"modularity": "one factor alone"},
            "shape_correlation": {
                "codes": ["uniform_0", "uniform_1"],
                "measures": ["slant"],
                "correlation": [[0.9], [0.1]],
                "n": 990,
                "within": "cat_0",
            },
        },
    )
    mig = found["mig"]
    assert mig.computed == "Q's codes and the factors of the test set: n = 10000, n_bins = 20."
    assert mig.floors == (("factors of other images", 0.01), ("the network before its first step", 0.06))
    assert (mig.mean, mig.spread, mig.n_seeds, mig.interval) == (0.25, 0.0, 2, None)
    assert mig.supervision == "factors"
    assert found["modularity"].not_defined == "one factor alone"
    assert found["modularity"].mean is None
    assert found["slant_correlation"].computed == (
        "990 generated images with ink, within the categories of cat_0; the best of uniform_0, uniform_1."
    )
    assert list(found) == ["cluster_accuracy", "mig", "slant_correlation", "modularity"]


def test_seeds_are_the_only_spread_where_there_are_no_counts(
    explained: Callable[..., dict[str, Explained]],
) -> None:
    objective = explained({}, {"confusion": None})["cluster_accuracy"]
    assert objective.mean == pytest.approx(0.6)
    assert objective.interval is None
    assert objective.spread == pytest.approx(math.sqrt(0.02))
    assert (objective.objective, objective.supervision) == (True, "labels")


def test_no_trial_to_explain_by(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {}, (None,), status="failed"))
    (objective,) = summarise(load(folder)).of(metrics.SECTION).scores
    assert (objective.mean, objective.spread, objective.n_seeds, objective.interval) == (None, None, 0, None)
    assert "Is each class one cluster" in build_report(folder).read_text(encoding="utf-8")


def test_supervision_is_marked_wherever_the_score_appears(mixed: Path) -> None:
    html = build_report(mixed).read_text(encoding="utf-8")
    for title in ("cluster_accuracy against optimiser.lr_g (log axis)", "cluster_accuracy (objective)"):
        assert f'<h3>{title} <span class="badge">uses labels</span></h3>' in html
    assert "<h3>Loss of D</h3>" in html
    (data,) = json.loads(html.partition('id="trials">')[2].partition("</script>")[0])["columns"][2:3]
    assert (data["label"], data["supervision"]) == ("cluster_accuracy", "labels")
