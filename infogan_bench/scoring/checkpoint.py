"""Scores of a checkpoint: of its encoder on the dataset's test set, and of the images that G makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infogan_bench.config.catalogue import metric_of, require_score, run_metrics
from infogan_bench.datasets import ImageDataset
from infogan_bench.datasets.moved import at_folder, load_moved
from infogan_bench.errors import InputError
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.inputs import RunInputs
from infogan_bench.scoring.outcome import ScoreOutcome
from infogan_bench.training import load_checkpoint, restore_model


def score_checkpoint(
    path: Path,
    names: Sequence[str] = (),
    *,
    seed: int = 0,
    factor_bins: int = 0,
    data_dir: Path | None = None,
) -> list[ScoreOutcome]:
    """Score a checkpoint on the dataset it was trained on.

    Args:
        path: the checkpoint.
        names: scores that a sweep file may name, or `L_I` and `traversal_effect`. If there are none, all scores that
            use the labels or factors of the dataset, and these two.
        seed: of the latents that images are generated from.
        factor_bins: bins that continuous factors are cut into, for the scores that need discrete ones; 0 for none, and
            then such scores have no value.
        data_dir: the folder of the dataset; None: where it was when the checkpoint was trained.

    Returns:
        The outcomes in the order of `names`; one without a value says why.

    Raises:
        InputError: if the checkpoint or its dataset cannot be read, or a name is unknown.
    """
    try:
        for name in names:
            require_score(name, on_request=True)
    except ValueError as error:
        raise InputError(f"--score: {error}") from None
    checkpoint = load_checkpoint(path)
    config = at_folder(checkpoint.dataset, data_dir)
    dataset = load_moved(config)
    model = restore_model(checkpoint)
    inputs = RunInputs(model, dataset, seed=seed, factor_bins=factor_bins or None, data_dir=config.data_dir)
    asked = tuple(dict.fromkeys(names)) or _at_hand(dataset)
    return list(compute_scores(asked, inputs, metric_of).values())


def _at_hand(dataset: ImageDataset) -> list[str]:
    """Return the scores that take the labels or the factors that the dataset has, and those that are on request."""
    return [
        name
        for metric in run_metrics()
        if metric.on_request
        or (metric.uses_labels and dataset.test_labels is not None)
        or (metric.uses_factors and dataset.factors is not None)
        for name in metric.names
    ]
