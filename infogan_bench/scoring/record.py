"""`evaluation.json` of a trained model: its scores, and what a report shows beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import infogan_metrics
import numpy as np
from infogan_metrics.of_images import MEASURES, ShapeCorrelation

from infogan_bench.codes import Code
from infogan_bench.datasets import ImageDataset
from infogan_bench.networks import Model
from infogan_bench.records import (
    CodeRecord,
    ConfusionRecord,
    EvaluationRecord,
    FactorMatrixRecord,
    ShapeCorrelationRecord,
    write_evaluation_record,
)
from infogan_bench.scoring.evaluation import Evaluation
from infogan_bench.scoring.factor_codes import category_codes_record, factor_codes_record
from infogan_bench.scoring.representation import FactorValues, n_bins


def write_evaluation(
    model: Model,
    dataset: ImageDataset,
    evaluation: Evaluation,
    *,
    step: int,
    metrics: Mapping[str, float],
    folder: Path,
    traversals: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write `evaluation.json` (its layout stands in docs/architecture.md).

    Args:
        model: the model that was evaluated.
        dataset: what it was evaluated on.
        evaluation: its scores.
        step: updates that it has done.
        metrics: all that it reported at that step.
        folder: gets the file.
        traversals: of each code, its values in the picture of its traversal, from left to right.
    """
    record = EvaluationRecord(
        step=step,
        scores={name: value for name, value in metrics.items() if math.isfinite(value)},
        codes=tuple(
            _describe(code, metrics, (traversals or {}).get(code.name, ())) for code in model.codes.all
        ),
        confusion=_confusion(dataset, evaluation),
        factor_matrix=_factor_matrix(model, dataset, evaluation),
        factor_codes=factor_codes_record(evaluation.shown_factors, model.codes, traversals or {}),
        category_codes=category_codes_record(evaluation.shown_factors, model.codes),
        shape_correlation=_shape_correlation(model, evaluation.shapes),
        protocols=evaluation.protocols,
        not_defined=evaluation.not_defined,
    )
    write_evaluation_record(folder, record)


def _describe(code: Code, metrics: Mapping[str, float], traversal: Sequence[float]) -> CodeRecord:
    return CodeRecord(
        name=code.name,
        kind=code.kind,
        size=code.size,
        entropy=code.entropy,
        mi_bound=metrics.get(f"L_I/{code.name}"),
        gaussian_mi_bound=metrics.get(f"gaussian_mi_bound/{code.name}"),
        r2=metrics.get(f"code_r2/{code.name}"),
        traversal=tuple(round(value, 4) for value in traversal),
    )


def _confusion(dataset: ImageDataset, evaluation: Evaluation) -> ConfusionRecord | None:
    """Return the counts of every category (also those that Q never chooses) against every class."""
    confusion, code = evaluation.confusion, evaluation.shown
    if confusion is None or code is None:
        return None
    counts = [[0] * len(dataset.class_names) for _ in range(code.size)]
    match: list[int | None] = [None] * code.size
    for category, row, matched in zip(confusion.clusters, confusion.counts, confusion.match, strict=True):
        match[category] = None if matched is None else int(confusion.classes[matched])
        for label, count in zip(confusion.classes, row, strict=True):
            counts[category][label] = int(count)
    return ConfusionRecord(code.name, dataset.class_names, tuple(map(tuple, counts)), tuple(match))


def _factor_matrix(model: Model, dataset: ImageDataset, evaluation: Evaluation) -> FactorMatrixRecord | None:
    """Return the information of each code and each factor of whole numbers, and those factors' entropies, in nats."""
    truth = dataset.ground_truth
    if truth is None or evaluation.factor_codes is None or not truth.whole:
        return None
    factors = truth.test.numpy()[:, list(truth.whole)].astype(np.int64)
    bins = n_bins(model.codes)
    information = infogan_metrics.mutual_information_matrix(evaluation.factor_codes, factors, n_bins=bins)
    return FactorMatrixRecord(
        codes=tuple(code.name for code in model.codes.all),
        factors=tuple(truth.names[k] for k in truth.whole),
        mutual_information=tuple(map(tuple, information.tolist())),
        factor_entropy=tuple(_entropy(column) for column in factors.T),
        n=len(factors),
        n_bins=bins,
    )


def _shape_correlation(model: Model, shapes: ShapeCorrelation | None) -> ShapeCorrelationRecord | None:
    """Return how well each continuous code orders the images of a category by slant and by stroke width."""
    if shapes is None:
        return None
    return ShapeCorrelationRecord(
        codes=tuple(code.name for code in model.codes.continuous),
        measures=MEASURES,
        correlation=tuple(map(tuple, shapes.correlation.tolist())),
        n=shapes.n,
        within=None if model.codes.scored is None else model.codes.scored.name,
    )


def _entropy(values: FactorValues) -> float:
    """Return the entropy in nats of whole numbers (n,)."""
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return float(-(shares * np.log(shares)).sum())
