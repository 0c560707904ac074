from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infogan_metrics import (
    ari,
    cluster_accuracy,
    confusion,
    nmi,
    per_class_accuracy,
    purity,
    v_measure,
)
from sklearn.metrics import (
    adjusted_rand_score,
    homogeneity_score,
    normalized_mutual_info_score,
    v_measure_score,
)

CLASSES = np.repeat(np.arange(10), 100)  # ten classes of a hundred samples
SCORES = [cluster_accuracy, per_class_accuracy, purity, nmi, ari, v_measure]

SPLIT_60_40 = 2 * CLASSES + np.tile(np.repeat([0, 1], [60, 40]), 10)

# (assignments, labels, one-to-one accuracy, majority vote)
CASES: dict[str, tuple[Any, Any, float, float]] = {
    "perfect permutation": ((CLASSES * 3) % 10, CLASSES, 1.0, 1.0),
    "one cluster": (np.zeros(1000, dtype=int), CLASSES, 0.1, 0.1),
    "five clusters of two classes": (CLASSES // 2, CLASSES, 0.5, 0.5),
    "twenty clusters, classes split 60/40": (SPLIT_60_40, CLASSES, 0.6, 1.0),
    "every sample its own cluster, ids with gaps": (
        [34, 0, 32, 20, 47, 5, 59, 2, 7, 18],
        [1, 1, 2, 2, 1, 1, 2, 1, 1, 2],
        0.2,
        1.0,
    ),
    "every fourth of 200,000 labels shifted": (
        np.arange(200_000) % 10,
        (np.arange(200_000) % 10 + (np.arange(200_000) % 4 == 0)) % 10,
        0.75,
        0.75,
    ),
    "one sample": ([7], ["seven"], 1.0, 1.0),
}


@pytest.mark.parametrize("case", CASES)
def test_one_to_one_and_majority(case: str) -> None:
    assignments, labels, one_to_one, majority = CASES[case]
    accuracy = cluster_accuracy(assignments, labels)
    assert float(accuracy) == accuracy.value == pytest.approx(one_to_one, abs=1e-12)
    assert purity(assignments, labels).value == pytest.approx(majority, abs=1e-12)
    assert accuracy.n == len(labels)


@pytest.mark.parametrize("case", CASES)
def test_scores_agree_with_scikit_learn(case: str) -> None:
    assignments, labels, _, _ = CASES[case]
    assert nmi(assignments, labels).value == pytest.approx(normalized_mutual_info_score(labels, assignments))
    assert ari(assignments, labels).value == pytest.approx(adjusted_rand_score(labels, assignments))
    score = v_measure(assignments, labels)
    assert score.value == pytest.approx(v_measure_score(labels, assignments))
    assert score.homogeneity == pytest.approx(homogeneity_score(labels, assignments))
    assert score.completeness == pytest.approx(homogeneity_score(assignments, labels))


def test_closed_forms_of_five_clusters_of_two_classes() -> None:
    clusters = CLASSES // 2
    # I = H(clusters) = ln 5, H(classes) = ln 10; homogeneity I / H(classes), completeness I / H(clusters)
    score = v_measure(clusters, CLASSES)
    assert score.completeness == pytest.approx(1.0)
    assert score.homogeneity == pytest.approx(math.log(5) / math.log(10))
    assert nmi(clusters, CLASSES).value == pytest.approx(2 * math.log(5) / (math.log(5) + math.log(10)))
    # Pairs: within classes 10 C(100,2) = 49,500 (all within clusters), within clusters 5 C(200,2) = 99,500
    index, classes, pairs, total = 49_500, 49_500, 99_500, 499_500
    expected = classes * pairs / total
    assert ari(clusters, CLASSES).value == pytest.approx(
        (index - expected) / ((classes + pairs) / 2 - expected)
    )


def test_independent_clusters_score_near_nothing() -> None:
    clusters = np.tile(np.arange(10), 100)  # each class spread evenly
    assert cluster_accuracy(clusters, CLASSES).value == pytest.approx(0.1)
    assert nmi(clusters, CLASSES).value == pytest.approx(0.0, abs=1e-12)
    assert -0.5 <= ari(clusters, CLASSES).value < 0  # even clusters agree less than random ones


@pytest.mark.parametrize("score", SCORES)
def test_names_of_ids_do_not_matter(score: Callable[..., Any]) -> None:
    clusters = (np.arange(600) * 7 // 5) % 3
    labels = (np.arange(600) // 50) % 4
    plain = score(clusters, labels).value
    gaps = np.array([0, 7, 1000])[clusters]
    words = np.array(["zero", "one", "two", "three"])[labels]
    assert score(gaps, words).value == pytest.approx(plain)
    assert score(gaps.tolist(), words.tolist()).value == pytest.approx(plain)
    assert score(gaps.astype(float), words.astype(object)).value == pytest.approx(plain)


def test_numbers_and_their_digits_are_different_ids() -> None:
    assert confusion([1, "1", 1], ["a", "b", "a"]).counts.tolist() == [[2, 0], [0, 1]]


# The table ------------------------------------------------------------------------------------------------


def test_confusion_counts_and_match() -> None:
    table = confusion([9, 9, 9, 4, 4, 6], ["b", "b", "a", "a", "a", "b"])
    assert (table.clusters, table.classes, table.n) == ((4, 6, 9), ("a", "b"), 6)
    assert table.counts.tolist() == [[2, 0], [0, 1], [1, 2]]
    assert table.match == (0, None, 1)
    assert table.matched.tolist() == [2, 2]


def test_the_match_is_the_best_one_and_not_greedy() -> None:
    labels = np.repeat([0, 1], 5)
    clusters = [0, 0, 0, 1, 1, 0, 0, 0, 0, 1]  # counts [[3, 4], [2, 1]]: greedy takes 4 + 2, straight 3 + 1
    assert confusion(clusters, labels).match == (1, 0)
    assert cluster_accuracy(clusters, labels).value == 0.6


def test_ids_that_never_occur_get_rows_and_columns() -> None:
    table = confusion([2, 2, 0], [1, 1, 0], clusters=range(4), classes=[1, 0, 5])
    assert (table.clusters, table.classes) == ((0, 1, 2, 3), (1, 0, 5))
    assert table.counts.tolist() == [[0, 1, 0], [0, 0, 0], [2, 0, 0], [0, 0, 0]]
    assert table.match == (1, None, 0, None)  # an empty row is matched to nothing


def test_per_class_accuracy() -> None:
    labels = np.repeat(["a", "b", "c"], [4, 2, 2])
    score = per_class_accuracy([0, 0, 0, 1, 1, 1, 1, 1], labels)
    assert score.confusion.classes == ("a", "b", "c")
    assert sorted(score.per_class.tolist()[1:]) == [0.0, 1.0]  # one cluster for two classes: one goes without
    assert score.per_class[0] == 0.75
    assert score.value == pytest.approx((0.75 + 1.0 + 0.0) / 3)


# Wrong input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [*SCORES, confusion])
@pytest.mark.parametrize(
    ("assignments", "labels", "fault"),
    [
        ([], [], "`assignments` must hold at least one sample, but is empty"),
        ([1], [], "`labels` must hold at least one sample, but is empty"),
        ([1, 2, 3], [1, 2], "one entry per sample, but have 3 and 2 entries"),
        ([1.0, math.nan], [1, 2], "`assignments` must not hold NaN"),
        ([1, 2], np.array([None, math.nan], dtype=object), "`labels` must not hold NaN"),
        (np.eye(2), [1, 2], r"`assignments` must be 1-D, one id per sample, but has shape \(2, 2\)"),
        ([1, 2], 3, r"`labels` must be 1-D, one id per sample, but has shape \(\)"),
        (np.arange(6000), np.arange(6000), "6,000 distinct ids and `labels` 6,000: are they continuous"),
    ],
)
def test_wrong_input_is_refused(score: Callable[..., Any], assignments: Any, labels: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        score(assignments, labels)


def test_ids_that_are_not_listed_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`assignments` holds ids that are not listed: \[12\]"):
        confusion([0, 12], [0, 1], clusters=range(10))
    with pytest.raises(ValueError, match="listed for `labels` must be distinct"):
        confusion([0, 1], [0, 1], classes=[0, 1, 1])


# Properties -----------------------------------------------------------------------------------------------

ids = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=60)


@given(ids, st.permutations(range(7)), st.permutations(range(5)))
@settings(deadline=None)
def test_renaming_and_reordering_change_nothing(
    pairs: list[tuple[int, int]], new_clusters: list[int], new_labels: list[int]
) -> None:
    clusters, labels = zip(*pairs, strict=True)
    renamed = [new_clusters[c] for c in reversed(clusters)]
    relabelled = [new_labels[k] for k in reversed(labels)]
    for score in (cluster_accuracy, purity, nmi, ari, v_measure):
        assert score(renamed, relabelled).value == pytest.approx(score(clusters, labels).value, abs=1e-9)


@given(ids)
@settings(deadline=None)
def test_bounds(pairs: list[tuple[int, int]]) -> None:
    clusters, labels = zip(*pairs, strict=True)
    accuracy, majority = cluster_accuracy(clusters, labels).value, purity(clusters, labels).value
    assert 0 < accuracy <= majority <= 1
    assert accuracy == cluster_accuracy(labels, clusters).value  # the match is symmetric
    assert 0 <= nmi(clusters, labels).value <= 1
    assert -0.5 <= ari(clusters, labels).value <= 1


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
@settings(deadline=None)
def test_perfect_clusters_score_one(labels: list[int]) -> None:
    clusters = [f"cluster {k * k * k}" for k in labels]
    for score in SCORES:
        assert score(clusters, labels).value == pytest.approx(1.0)
