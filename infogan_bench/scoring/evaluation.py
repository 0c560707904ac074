"""Evaluation of a trained model: its scores, and the numbers behind them that a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import infogan_metrics
import numpy as np
from infogan_metrics.of_images import ShapeCorrelation
from torch import Tensor

from infogan_bench.codes import Code
from infogan_bench.config.catalogue import metric_of
from infogan_bench.config.metrics import DciEstimator, at_last_evaluation_only, uses_factors
from infogan_bench.datasets import ImageDataset
from infogan_bench.networks import Model
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.factor_codes import N_RESAMPLES, FactorCodes, factor_codes
from infogan_bench.scoring.inputs import RunInputs
from infogan_bench.scoring.outcome import ScoreOutcome
from infogan_bench.scoring.representation import Codes


@dataclass(frozen=True)
class Evaluation:
    """Scores by name (only those that are defined), and what lies behind them."""

    scores: dict[str, float]
    confusion: infogan_metrics.Confusion | None = None  # of a categorical code with the labels
    factor_codes: Codes | None = None  # (n_test, n_codes), where the dataset has factors
    shown: Code | None = None  # the categorical code of `confusion` and `probabilities`
    probabilities: Tensor | None = None  # (n_test, size): Q's, of its categories
    protocols: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # how each score was computed
    not_defined: Mapping[str, str] = field(default_factory=dict)  # score -> why it has no value
    shown_factors: FactorCodes | None = None  # the codes that show each factor
    shapes: ShapeCorrelation | None = None  # what continuous codes do to slant and stroke width


def evaluate(
    model: Model,
    dataset: ImageDataset,
    scores: Sequence[str],
    *,
    last: bool = True,
    dci_estimator: DciEstimator = "forest",
    factor_bins: int | None = None,
    data_dir: str | None = None,
) -> Evaluation:
    """Score the encoder on the test set, and the images that G makes of random latents, which are the same at each
    call.

    Args:
        model: the trained model.
        dataset: its test set is what the encoder reads.
        scores: names as a sweep file has them; those that have no value are left out, with the reason.
        last: whether this is a run's last evaluation, which alone computes the costly scores.
        dci_estimator: what predicts factors for DCI.
        factor_bins: bins that factors are cut into for scores that cannot take their kinds; None: those have no value.
        data_dir: the folder of MNIST, for scores of digits.
    """
    inputs = RunInputs(
        model, dataset, dci_estimator=dci_estimator, factor_bins=factor_bins, data_dir=data_dir
    )
    wanted = [name for name in scores if last or not at_last_evaluation_only(name)]
    outcomes = compute_scores(wanted, inputs, metric_of)
    results = [outcome.result for outcome in outcomes.values()]
    factors_matter = dataset.factors is not None or any(
        uses_factors(name) and outcome.value is not None for name, outcome in outcomes.items()
    )
    reads_images = dataset.ground_truth is not None or (last and inputs.scored is not None)
    shown = _best_labelled(inputs) if reads_images else None
    return Evaluation(
        scores={name: outcome.value for name, outcome in outcomes.items() if outcome.value is not None},
        confusion=_confusion(inputs, shown),
        factor_codes=inputs.codes if factors_matter else None,
        shown=shown,
        shown_factors=factor_codes(inputs, n_resamples=N_RESAMPLES if last else 0),
        probabilities=None if shown is None else inputs.probabilities(shown),
        protocols={
            name: _with_notes(outcome, inputs) for name, outcome in outcomes.items() if _is_described(outcome)
        },
        not_defined={name: outcome.not_defined for name, outcome in outcomes.items() if outcome.not_defined},
        shapes=next((each for each in results if isinstance(each, ShapeCorrelation)), None),
    )


def _best_labelled(inputs: RunInputs) -> Code | None:
    """Return the categorical code that agrees best with the labels by `cluster_accuracy`; without labels the one that
    `LatentCodes.scored` defines."""
    codes = inputs.model.codes.categorical
    if inputs.dataset.test_labels is None or len(codes) < 2:
        return inputs.scored
    of_codes = zip(codes, inputs.categories.T, strict=True)
    accuracy = {
        code: infogan_metrics.cluster_accuracy(column, inputs.labels).value for code, column in of_codes
    }
    return max(codes, key=lambda code: (accuracy[code], code.size))


def _confusion(inputs: RunInputs, code: Code | None) -> infogan_metrics.Confusion | None:
    if code is None or inputs.dataset.test_labels is None:
        return None
    column = inputs.categories[:, inputs.model.codes.categorical.index(code)]
    return infogan_metrics.confusion(column, inputs.labels)


def _is_described(outcome: ScoreOutcome) -> bool:
    """Return whether `protocols` has the score; those of labels and shapes have a confusion matrix or correlations."""
    metric = metric_of(outcome.name)
    of_codes = metric is not None and metric.per is not None and not metric.per_factor
    return bool(outcome.protocol) and metric is not None and not metric.uses_labels and not of_codes


def _with_notes(outcome: ScoreOutcome, inputs: RunInputs) -> Mapping[str, object]:
    metric = metric_of(outcome.name)
    left_out = inputs.left_out(metric) if metric is not None and metric.uses_factors else ()
    return {**outcome.protocol, **({"left_out": ", ".join(left_out)} if left_out else {})}


def factor_floors(
    untrained: Model,
    dataset: ImageDataset,
    evaluation: Evaluation,
    *,
    dci_estimator: DciEstimator = "forest",
    factor_bins: int | None = None,
) -> dict[str, float]:
    """Return chance levels of each factor score of `evaluation`, computed by the same protocol.

    `floor/shuffled/NAME`: the same codes, with the factors of other images. `floor/untrained/NAME`: the codes of
    `untrained`, the network before its first step.
    """
    names = [name for name in evaluation.scores if uses_factors(name) and "/" not in name]
    truth = dataset.ground_truth
    if truth is None or evaluation.factor_codes is None or not names:
        return {}
    shuffled = np.random.default_rng(0).permutation(truth.test.numpy())
    floors: dict[str, float] = {}
    both = partial(RunInputs, untrained, dataset, dci_estimator=dci_estimator, factor_bins=factor_bins)
    for kind, inputs in {
        "shuffled": both(codes=evaluation.factor_codes, factors=shuffled),
        "untrained": both(),
    }.items():
        found = compute_scores(names, inputs, metric_of)
        floors |= {
            f"floor/{kind}/{name}": outcome.value
            for name, outcome in found.items()
            if outcome.value is not None
        }
    return floors
