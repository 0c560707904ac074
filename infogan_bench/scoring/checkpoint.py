"""Scores of a checkpoint: of Q on its dataset's test set, and of the images that G makes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import torch
from infogan_metrics import NotDefinedError, TraversalEffect, fid, kid, mi_bound, traversal_effect
from infogan_metrics.digit_features import DigitFeatures, digit_features
from torch import Tensor

from infogan_bench.codes import Code, Latents
from infogan_bench.config.metrics import FACTOR_SCORES, LABEL_SCORES, SHAPE_SCORES
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import ImageDataset, load_dataset, to_uint8
from infogan_bench.errors import InputError
from infogan_bench.evaluation import encode, evaluate
from infogan_bench.networks import InfoGAN
from infogan_bench.scoring.outcome import Outcome, outcome_of
from infogan_bench.scoring.shapes import shape_correlation
from infogan_bench.training import load_checkpoint, restore_model

OF_GENERATOR = ("L_I", "traversal_effect")
OF_DIGITS = ("fid_digits", "kid_digits")

_LATENTS = 10_000
_BATCH = 500
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
    known = (*LABEL_SCORES, *FACTOR_SCORES, *SHAPE_SCORES, *OF_GENERATOR, *OF_DIGITS)
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
        elif name in OF_DIGITS:
            outcomes.append(_digit_distance(name, generated, checkpoint.dataset))
        else:
            outcomes.append(of_test_set[name])
    return outcomes


def _available(dataset: ImageDataset) -> list[str]:
    labels = LABEL_SCORES if dataset.test_labels is not None else ()
    factors = FACTOR_SCORES if dataset.factors is not None else ()
    return [*labels, *factors, *OF_GENERATOR]


def _of_test_set(model: InfoGAN, dataset: ImageDataset, names: Sequence[str]) -> dict[str, Outcome]:
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

    def __init__(self, model: InfoGAN, seed: int) -> None:
        self.model = model
        self.generator = torch.Generator(model.device).manual_seed(seed)
        self.latents = model.codes.sample(_LATENTS, self.generator)

    @cached_property
    def images(self) -> Tensor:
        """(N, C, H, W) uint8, as they would be saved."""
        return self.draw(self.latents)

    def draw(self, latents: Latents) -> Tensor:
        parts = zip(*(torch.split(part, _BATCH) for part in latents), strict=True)
        return torch.cat([to_uint8(self.model.generate(Latents(*part))) for part in parts]).cpu()


def _mi_bounds(generated: _Generated) -> list[Outcome]:
    """L_I of each code and their sum, BatchNorm's statistics being those of generated images."""
    codes = generated.model.codes
    posterior = encode(generated.model, generated.images, generated.images)
    log_q = codes.log_q(Latents(*(part.cpu() for part in generated.latents)), posterior)
    each = [
        outcome_of(f"L_I/{code.name}", partial(mi_bound, log_q[code.name].numpy(), code.entropy))
        for code in codes.all
    ]
    total = sum(outcome.value for outcome in each if outcome.value is not None)
    note = "nats, a lower bound: what Q reads off generated images"
    return [Outcome("L_I", total, _LATENTS, notes=(note,)), *each]


def _traversal_effects(generated: _Generated) -> list[Outcome]:
    codes = generated.model.codes
    latents = codes.sample(_ROWS, generated.generator)

    def effect(code: Code) -> TraversalEffect:
        values = codes.traversal(code, _VALUES).to(latents.z.device)
        repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
        images = generated.draw(codes.with_value(repeated, code, values.repeat(_ROWS)))
        return traversal_effect(images.reshape(_ROWS, len(values), -1).numpy())

    return [outcome_of(f"traversal_effect/{code.name}", partial(effect, code)) for code in codes.all]


def _shape_correlations(name: str, model: InfoGAN, seed: int) -> list[Outcome]:
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
    network, real = _digits(config.data_dir)
    distance = fid if name == "fid_digits" else kid
    fake = network(generated.images.numpy(), pixels="0..255")
    return outcome_of(name, lambda: distance(network(real.numpy(), pixels="0..255"), fake), [str(network)])


def _digits(data_dir: str | None) -> tuple[DigitFeatures, Tensor]:
    """The network trained on all of MNIST, whatever part of it the run saw, and its test images."""
    data = load_dataset(DatasetConfig(data_dir=data_dir))
    if data.train_labels is None or data.test_labels is None:
        raise InputError("mnist: the digit network needs labels")
    arrays = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    return digit_features(*(array.numpy() for array in arrays)), data.test_images
