"""Scores of batches equal those of one call with the same edges, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from infogan_metrics import METRICS, StreamingScores, equal_edges

FACTORS = np.random.default_rng(0).integers(0, 5, (900, 3))
CODES = FACTORS @ np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]]) + np.random.default_rng(1).normal(
    size=(900, 4)
)
EDGES = equal_edges(CODES.min(axis=0), CODES.max(axis=0), 20)


def test_batches_of_any_size_give_the_scores_of_one_call_exactly() -> None:
    stream = StreamingScores(EDGES, n_values=5)
    for part in np.split(np.arange(900), [1, 50, 400]):
        stream.update(CODES[part], FACTORS[part])
    scores = stream.compute()
    assert set(scores) == {"mig", "mig_sup", "jemmig", "dcimig", "modularity"}
    for name, score in scores.items():
        whole = METRICS[name].function(CODES, FACTORS, n_bins=20)
        assert float(score) == pytest.approx(float(whole), rel=1e-12, abs=1e-15), name
        assert score.n == whole.n == 900


def test_memory_does_not_grow_with_the_samples() -> None:
    stream = StreamingScores(EDGES, n_values=5)
    stream.update(CODES, FACTORS)
    size = stream._counts.nbytes if stream._counts is not None else 0
    for _ in range(5):
        stream.update(CODES, FACTORS)
    assert stream._counts is not None
    assert stream._counts.nbytes == size == 4 * 3 * 20 * 5 * 8
    assert stream.informations().n == 5400


def test_what_was_not_announced_is_refused() -> None:
    stream = StreamingScores(EDGES, n_values=4)
    with pytest.raises(ValueError, match="whole numbers from 0 to 3"):
        stream.update(CODES, FACTORS)
    with pytest.raises(ValueError, match="must have the 4 columns"):
        stream.update(CODES[:, :2], FACTORS)
    with pytest.raises(ValueError, match="call `update` first"):
        stream.compute()
    with pytest.raises(ValueError, match="rising"):
        StreamingScores(EDGES[:, ::-1], n_values=4)


def test_the_torchmetrics_metric_agrees_and_adds_up_over_batches() -> None:
    pytest.importorskip("torchmetrics")
    from infogan_metrics.torch_metric import CodeScores

    metric = CodeScores(EDGES, n_factors=3, n_values=5)
    for part in np.split(np.arange(900), [300]):
        metric.update(torch.tensor(CODES[part]), torch.tensor(FACTORS[part]))
    for name, value in metric.compute().items():
        assert value == pytest.approx(float(METRICS[name].function(CODES, FACTORS, n_bins=20)), rel=1e-12)
    metric.reset()
    assert int(metric.counts.sum()) == 0
    with pytest.raises(ValueError, match="whole numbers from 0 to 4"):
        metric.update(torch.tensor(CODES), torch.tensor(FACTORS + 1))
