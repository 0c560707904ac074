"""Scores of a checkpoint: of Q on its dataset's test set, and of the images that G makes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import torch
from infogan_metrics import NotDefinedError, TraversalEffect, mi_bound, traversal_effect
from torch import Tensor

from infogan_bench.codes import Code, Latents
from infogan_bench.config.metrics import DIGIT_SCORES, FACTOR_SCORES, LABEL_SCORES, SHAPE_SCORES
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.errors import InputError
from infogan_bench.networks import Model
from infogan_bench.scoring.digits import N_IMAGES, digit_reader, generated_images
from infogan_bench.scoring.evaluation import evaluate
from infogan_bench.scoring.outcome import Outcome, outcome_of
from infogan_bench.scoring.shapes import shape_correlation
from infogan_bench.training import load_checkpoint, restore_model

OF_GENERATOR = ("L_I", "traversal_effect")

_ROWS, _VALUES = 50, 10  # of a traversal


def score_checkpoint(path: Path, names: Sequence[str] = (), *, seed: int = 0) -> list[Outcome]:
    """Score a checkpoint on the dataset it was trained on.

    Args:
        path: the checkpoint.
        names: scores of a sweep file, and `L_I`, `traversal_effect`, `fid_digits`, `kid_digits`; none: all that
            the dataset has labels or factors for, and the first two.
        seed: of the latents that images are generated from.

    Raises:
        InputError: if the checkpoint or its dataset cannot be read, or a name is unknown.
    """
    known = (*LABEL_SCORES, *FACTOR_SCORES, *SHAPE_SCORES, *OF_GENERATOR, *DIGIT_SCORES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"--score: unknown score `{unknown[0]}` of a checkpoint; there are {', '.join(known)}"
        )
    checkpoint = load_checkpoint(path)
    dataset = load_dataset(checkpoint.dataset)
    generated = _Generated(restore_model(checkpoint), seed)
    asked = list(dict.fromkeys(names)) or _available(dataset)
    of_test_set = _of_test_set(
        generated.model, dataset, [n for n in asked if n in (*LABEL_SCORES, *FACTOR_SCORES)]
    )
    outcomes: list[Outcome] = []
    for name in asked:
        if name == "L_I":
            outcomes += _mi_bounds(generated)
        elif name == "traversal_effect":
            outcomes += _traversal_effects(generated)
        elif name in SHAPE_SCORES:
            outcomes += _shape_correlations(name, generated.model, seed)
        elif name in DIGIT_SCORES:
            outcomes.append(_digit_distance(name, generated, checkpoint.dataset))
        else:
            outcomes.append(of_test_set[name])
    return outcomes


def _available(dataset: ImageDataset) -> list[str]:
    labels = LABEL_SCORES if dataset.test_labels is not None else ()
    factors = FACTOR_SCORES if dataset.factors is not None else ()
    return [*labels, *factors, *OF_GENERATOR]


def _of_test_set(model: Model, dataset: ImageDataset, names: Sequence[str]) -> dict[str, Outcome]:
    if not names:
        return {}
    try:
        evaluation = evaluate(model, dataset, names)
    except ValueError as error:
        raise InputError(f"{dataset.name}: {error}") from None
    n = len(dataset.test_images)
    defined = {name: Outcome(name, value, n) for name, value in evaluation.scores.items()}
    missing = {name: Outcome(name, None, not_defined=why) for name, why in evaluation.not_defined.items()}
    return defined | missing


class _Generated:
    """Images of fresh latents, made once."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model = model
        self.generator = torch.Generator(model.device).manual_seed(seed)
        self.latents = model.codes.sample(N_IMAGES, self.generator)

    @cached_property
    def images(self) -> Tensor:
        """(N, C, H, W) uint8, as they would be saved."""
        return generated_images(self.model, self.latents)


def _mi_bounds(generated: _Generated) -> list[Outcome]:
    """L_I of each code and their sum, BatchNorm's statistics being those of generated images."""
    codes = generated.model.codes
    posterior = generated.model.encode(generated.images, generated.images)
    log_q = codes.log_q(Latents(*(part.cpu() for part in generated.latents)), posterior)
    each = [
        outcome_of(f"L_I/{code.name}", partial(mi_bound, log_q[code.name].numpy(), code.entropy))
        for code in codes.all
    ]
    total = sum(outcome.value for outcome in each if outcome.value is not None)
    note = "nats, a lower bound: what Q reads off generated images"
    return [Outcome("L_I", total, N_IMAGES, notes=(note,)), *each]


def _traversal_effects(generated: _Generated) -> list[Outcome]:
    codes = generated.model.codes
    latents = codes.sample(_ROWS, generated.generator)

    def effect(code: Code) -> TraversalEffect:
        values = codes.traversal(code, _VALUES).to(latents.z.device)
        repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
        images = generated_images(generated.model, codes.with_value(repeated, code, values.repeat(_ROWS)))
        return traversal_effect(images.reshape(_ROWS, len(values), -1).numpy())

    return [outcome_of(f"traversal_effect/{code.name}", partial(effect, code)) for code in codes.all]


def _shape_correlations(name: str, model: Model, seed: int) -> list[Outcome]:
    """A score among SHAPE_SCORES, and the same of each code."""
    try:
        shapes = shape_correlation(model, seed=seed)
    except NotDefinedError as reason:
        return [Outcome(name, None, not_defined=str(reason))]
    return [Outcome(each, value, shapes.n) for each, value in shapes.scores([name]).items()]


def _digit_distance(name: str, generated: _Generated, config: DatasetConfig) -> Outcome:
    """FID or KID of generated digits from MNIST's test images, in the features of the digit network."""
    if config.name != "mnist":
        return Outcome(name, None, not_defined=f"the digit network reads MNIST, not {config.name}")
    reader = digit_reader(config.data_dir)
    return outcome_of(name, lambda: reader.distance(name, generated.images), [str(reader.network)])
