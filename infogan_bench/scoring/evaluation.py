"""A trained InfoGAN and a dataset in; scores, pictures and the numbers behind them out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import infogan_metrics
import numpy as np
import torch
from torch import Tensor

from infogan_bench.codes import Code, LatentCodes, Latents, Posterior
from infogan_bench.config.metrics import (
    DIGIT_SCORES,
    LAST_EVALUATION_ONLY,
    SHAPE_SCORES,
    DciEstimator,
    uses_factors,
    uses_labels,
)
from infogan_bench.datasets import Factors, ImageDataset, to_uint8
from infogan_bench.errors import InputError
from infogan_bench.networks import Model
from infogan_bench.pictures.grid import write_grid
from infogan_bench.records import (
    CodeRecord,
    ConfusionRecord,
    EvaluationRecord,
    FactorMatrixRecord,
    ShapeCorrelationRecord,
    write_evaluation_record,
)
from infogan_bench.scoring.digits import N_IMAGES, digit_reader, generated_images
from infogan_bench.scoring.factors import (
    Codes,
    FactorValues,
    n_bins,
    representation,
    score_factors,
)
from infogan_bench.scoring.shapes import MEASURES, ShapeCorrelation, shape_correlation

_NOT_OF_ONE_FACTOR = frozenset(
    {
        "modularity",
        "factor_vae",
        "beta_vae",
        "z_max_variance",
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
    }
)
_TRAVERSAL_POINTS = 10
_TRAVERSAL_ROWS = 8
_SAMPLES_SIDE = 10


@dataclass(frozen=True)
class Evaluation:
    """Scores by name (only those that are defined), and what lies behind them."""

    scores: dict[str, float]
    confusion: infogan_metrics.Confusion | None = None  # of the scored code with the labels
    factor_codes: Codes | None = None  # (n_test, n_codes), where the dataset has factors
    categories: Tensor | None = None  # (n_test, size): Q's probabilities of the scored code's categories
    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)  # what each factor score assumed
    not_defined: dict[str, str] = field(default_factory=dict)  # score -> why it has no value
    shapes: ShapeCorrelation | None = None  # what continuous codes do to slant and stroke width


def check_scores(dataset: ImageDataset, codes: LatentCodes, names: Sequence[str]) -> None:
    """Refuse scores that cannot be computed on `dataset` from `codes`, whatever the training does.

    Raises:
        InputError: if a score needs labels or factors that the dataset does not have, or more of them, or more
            codes than there are.
    """
    for name in names:
        reason = _missing(dataset, codes, name)
        if reason:
            raise InputError(f"evaluation.scores: `{name}` {reason}")


def _missing(dataset: ImageDataset, codes: LatentCodes, name: str) -> str | None:
    """Why `dataset` has no such score, or None."""
    if name in SHAPE_SCORES:
        if not codes.continuous:
            return "needs a continuous code, and there is none"
        channels = dataset.image_shape[0]
        return (
            None
            if channels == 1
            else f"needs images of one channel, and those of {dataset.name} have {channels}"
        )
    if name in DIGIT_SCORES:
        reads = "is measured by a network that reads MNIST's digits, and the dataset is"
        return None if dataset.name == "mnist" else f"{reads} {dataset.name}"
    if uses_labels(name):
        other = "; it has factors: ask for `mig` or another score of those" if dataset.factors else ""
        return (
            None
            if dataset.test_labels is not None
            else f"needs labels, which {dataset.name} has none of{other}"
        )
    truth = dataset.ground_truth
    if truth is None:
        return f"needs ground-truth factors, which {dataset.name} has none of"
    if len(truth.names) == 1 and name in _NOT_OF_ONE_FACTOR:
        return f"is not defined for a single factor, and {dataset.name} has one alone: the {truth.names[0]}"
    if name.startswith("dci_") and len(codes.all) == 1:
        return "needs two codes or more, and there is one"
    return _too_few(truth)


def _too_few(factors: Factors) -> str | None:
    """Why the test set is too small for scores that split it or compare samples of one value, or None."""
    half = len(factors.test) // 2
    for k, name in enumerate(factors.names):
        values = factors.test[:, k]
        if int(values.min()) == int(values.max()):
            return f"is not defined: factor `{name}` is constant in the test set"
        rarest = min(
            int(part.bincount(minlength=factors.sizes[k]).min()) for part in (values[:half], values[half:])
        )
        if rarest < 2:
            return (
                f"needs every value of `{name}` twice or more in each half of the test set; "
                f"{len(values)} images are too few: give a larger `dataset.test_size`"
            )
    return None


def evaluate(
    model: Model,
    dataset: ImageDataset,
    scores: Sequence[str],
    *,
    last: bool = True,
    dci_estimator: DciEstimator = "forest",
    data_dir: str | None = None,
) -> Evaluation:
    """Score Q on the test set: its categorical posterior against labels, all its codes against factors.

    Scores of shapes and of digits are those of images that G makes of random latents, the same ones at each call.

    Args:
        scores: names as a sweep file has them; those that are not defined are left out, with the reason.
        last: whether this is a run's last evaluation, which alone computes the costly scores.
        dci_estimator: what predicts factors for DCI.
        data_dir: where MNIST is, for scores of digits.
    """
    of_images = (*SHAPE_SCORES, *DIGIT_SCORES)
    found = _evaluate_q(
        model, dataset, [name for name in scores if name not in of_images], last, dci_estimator
    )
    of_shapes = [name for name in scores if name in SHAPE_SCORES]
    of_digits = [name for name in DIGIT_SCORES if name in scores]
    if of_shapes and last:
        found = _with_shapes(found, model, of_shapes)
    return _with_digits(found, model, of_digits, data_dir) if of_digits and last else found


def _with_digits(
    evaluation: Evaluation, model: Model, names: Sequence[str], data_dir: str | None
) -> Evaluation:
    """`evaluation` with the scores among DIGIT_SCORES."""
    reader = digit_reader(data_dir)
    latents = model.codes.sample(N_IMAGES, torch.Generator(model.device).manual_seed(0))
    images = generated_images(model, latents)
    values = {name: float(reader.distance(name, images)) for name in names}
    protocol = {"n": N_IMAGES, "network": str(reader.network)}
    return replace(
        evaluation,
        scores=evaluation.scores | values,
        protocols=evaluation.protocols | dict.fromkeys(names, protocol),
    )


def _with_shapes(evaluation: Evaluation, model: Model, names: Sequence[str]) -> Evaluation:
    """`evaluation` with the scores among SHAPE_SCORES, or why they have no value."""
    try:
        shapes = shape_correlation(model)
    except infogan_metrics.NotDefinedError as reason:
        return replace(evaluation, not_defined=evaluation.not_defined | dict.fromkeys(names, str(reason)))
    return replace(evaluation, scores=evaluation.scores | shapes.scores(names), shapes=shapes)


def _evaluate_q(
    model: Model, dataset: ImageDataset, scores: Sequence[str], last: bool, dci_estimator: DciEstimator
) -> Evaluation:
    no_labels, no_factors = _why_no_labels(model.codes, dataset), _why_no_factors(dataset)
    reasons = {name: no_labels if uses_labels(name) else no_factors for name in scores}
    not_defined = {name: reason for name, reason in reasons.items() if reason}
    if no_labels and no_factors and not (last and model.codes.scored):
        return Evaluation({}, not_defined=not_defined)
    wanted = [
        name for name in scores if name not in not_defined and (last or name not in LAST_EVALUATION_ONLY)
    ]
    posterior = model.encode(dataset.test_images, dataset.train_images)
    categories = _categories(model.codes, posterior)
    values, confusion = _score_labels(categories, dataset.test_labels, wanted)
    truth = dataset.ground_truth
    if truth is None or (dataset.factors is None and not any(map(uses_factors, scores))):
        return Evaluation(values, confusion, categories=categories, not_defined=not_defined)
    codes = representation(model.codes, posterior)
    factors = truth.test.numpy()
    names = [name for name in wanted if uses_factors(name)]
    found = score_factors(codes, factors, names, n_bins=n_bins(model.codes), dci_estimator=dci_estimator)
    return Evaluation(
        values | found.scores, confusion, codes, categories, found.protocols, not_defined | found.not_defined
    )


def _why_no_labels(codes: LatentCodes, dataset: ImageDataset) -> str | None:
    if dataset.test_labels is None:
        return f"{dataset.name} has no labels"
    return "there is no categorical code" if codes.scored is None else None


def _why_no_factors(dataset: ImageDataset) -> str | None:
    return f"{dataset.name} has no factors" if dataset.ground_truth is None else None


def _categories(codes: LatentCodes, posterior: Posterior) -> Tensor | None:
    """Q's probability of each category of the scored code, (n, size), where there is one."""
    return (
        None
        if codes.scored is None
        else posterior.logits[codes.categorical.index(codes.scored)].softmax(dim=1)
    )


def _score_labels(
    categories: Tensor | None, labels: Tensor | None, names: Sequence[str]
) -> tuple[dict[str, float], infogan_metrics.Confusion | None]:
    """The scores among `names` that compare with labels, and the counts behind them, where both are there."""
    if categories is None or labels is None:
        return {}, None
    assignments = categories.argmax(dim=1).numpy()
    classes = labels.numpy()
    values = {
        name: float(infogan_metrics.METRICS[name].function(assignments, classes))
        for name in names
        if uses_labels(name)
    }
    return values, infogan_metrics.confusion(assignments, classes)


def factor_floors(
    untrained: Model,
    dataset: ImageDataset,
    evaluation: Evaluation,
    *,
    dci_estimator: DciEstimator = "forest",
) -> dict[str, float]:
    """What each factor score of `evaluation` is worth by chance, by the same protocol.

    `floor/shuffled/NAME`: the same codes, with the factors of other images. `floor/untrained/NAME`: the codes of
    `untrained`, the network before its first step.
    """
    truth = dataset.ground_truth
    if truth is None or evaluation.factor_codes is None:
        return {}
    names = [name for name in evaluation.protocols if uses_factors(name)]
    factors = truth.test.numpy()
    shuffled = np.random.default_rng(0).permutation(factors)
    posterior = untrained.encode(dataset.test_images, dataset.train_images)
    pairs = {
        "shuffled": (evaluation.factor_codes, shuffled),
        "untrained": (representation(untrained.codes, posterior), factors),
    }
    floors: dict[str, float] = {}
    for kind, (codes, values) in pairs.items():
        found = score_factors(
            codes, values, names, n_bins=n_bins(untrained.codes), dci_estimator=dci_estimator
        )
        floors |= {f"floor/{kind}/{name}": value for name, value in found.scores.items()}
    return floors


def write_pictures(model: Model, folder: Path, *, seed: int = 0) -> None:
    """Write `samples.png` and `traversal-CODE.png` of each code; the same latents for equal `seed`."""
    generator = torch.Generator(model.device).manual_seed(seed)
    _write_grid(model, model.codes.sample(_SAMPLES_SIDE**2, generator), _SAMPLES_SIDE, folder / "samples.png")
    for code in model.codes.all:
        generator.manual_seed(seed)
        latents = traversal_latents(model.codes, code, generator)
        _write_grid(model, latents, len(latents.z) // _TRAVERSAL_ROWS, folder / f"traversal-{code.name}.png")


def traversal_latents(
    codes: LatentCodes,
    code: Code,
    generator: torch.Generator,
    *,
    points: int = _TRAVERSAL_POINTS,
    rows: int = _TRAVERSAL_ROWS,
) -> Latents:
    """What shows the effect of `code`: `rows` latents, each at every value of `codes.traversal(code, points)`.

    Returns:
        Row after row, (rows * values) latents on the generator's device. Where there are categories, a row of a
        continuous code has a category of its own, as in figure 2 of the InfoGAN paper.
    """
    values = codes.traversal(code, points).to(generator.device)
    latents = codes.sample(rows, generator)
    if codes.categorical and code.kind != "categorical":
        first = codes.categorical[0]
        latents = codes.with_value(latents, first, torch.arange(rows) % first.size)
    repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
    return codes.with_value(repeated, code, values.repeat(rows))


def _write_grid(model: Model, latents: Latents, columns: int, path: Path) -> None:
    write_grid(to_uint8(model.generate(latents)), columns, path, gap=1, around=128)


def write_evaluation(
    model: Model,
    dataset: ImageDataset,
    evaluation: Evaluation,
    *,
    step: int,
    metrics: Mapping[str, float],
    folder: Path,
) -> None:
    """Write `evaluation.json` (its layout stands in docs/architecture.md)."""
    record = EvaluationRecord(
        step=step,
        scores={name: value for name, value in metrics.items() if math.isfinite(value)},
        codes=tuple(_describe(model, code, metrics) for code in model.codes.all),
        confusion=_confusion(model, dataset, evaluation),
        factor_matrix=_factor_matrix(model, dataset, evaluation),
        shape_correlation=_shape_correlation(evaluation.shapes),
        protocols=evaluation.protocols,
        not_defined=evaluation.not_defined,
    )
    write_evaluation_record(folder, record)


def _describe(model: Model, code: Code, metrics: Mapping[str, float]) -> CodeRecord:
    return CodeRecord(
        name=code.name,
        kind=code.kind,
        size=code.size,
        entropy=code.entropy,
        mi_bound=metrics.get(f"L_I/{code.name}"),
        traversal=tuple(round(value, 4) for value in model.codes.traversal(code, _TRAVERSAL_POINTS).tolist()),
    )


def _confusion(model: Model, dataset: ImageDataset, evaluation: Evaluation) -> ConfusionRecord | None:
    """Counts of every category (also those that Q never chooses) against every class."""
    confusion, scored = evaluation.confusion, model.codes.scored
    if confusion is None or scored is None:
        return None
    counts = [[0] * len(dataset.class_names) for _ in range(scored.size)]
    match: list[int | None] = [None] * scored.size
    for category, row, matched in zip(confusion.clusters, confusion.counts, confusion.match, strict=True):
        match[category] = None if matched is None else int(confusion.classes[matched])
        for label, count in zip(confusion.classes, row, strict=True):
            counts[category][label] = int(count)
    return ConfusionRecord(scored.name, dataset.class_names, tuple(map(tuple, counts)), tuple(match))


def _factor_matrix(model: Model, dataset: ImageDataset, evaluation: Evaluation) -> FactorMatrixRecord | None:
    """What each code knows of each factor, and all there is to know of it, in nats."""
    truth = dataset.ground_truth
    if truth is None or evaluation.factor_codes is None:
        return None
    factors = truth.test.numpy()
    bins = n_bins(model.codes)
    information = infogan_metrics.mutual_information_matrix(evaluation.factor_codes, factors, n_bins=bins)
    return FactorMatrixRecord(
        codes=tuple(code.name for code in model.codes.all),
        factors=tuple(truth.names),
        mutual_information=tuple(map(tuple, information.tolist())),
        factor_entropy=tuple(_entropy(column) for column in factors.T),
        n=len(factors),
        n_bins=bins,
    )


def _shape_correlation(shapes: ShapeCorrelation | None) -> ShapeCorrelationRecord | None:
    """How well each continuous code orders the images of a category by slant and by stroke width."""
    if shapes is None:
        return None
    return ShapeCorrelationRecord(
        codes=tuple(shapes.codes),
        measures=tuple(MEASURES),
        correlation=tuple(map(tuple, shapes.correlation.tolist())),
        n=shapes.n,
        within=shapes.within,
    )


def _entropy(values: FactorValues) -> float:
    """Entropy in nats of whole numbers (n,)."""
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return float(-(shares * np.log(shares)).sum())
