"""The checks of a sweep before it trains: extensions, data, scores and every architecture."""

from __future__ import annotations

from collections.abc import Iterator

from infogan_bench.codes import LatentCodes
from infogan_bench.config import Plan, RunConfig, SweepConfig, apply
from infogan_bench.config.catalogue import metric_of
from infogan_bench.config.rules import corners
from infogan_bench.datasets import load_dataset
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.methods import method_of
from infogan_bench.networks import build_networks, check_networks
from infogan_bench.scoring.digits import digit_reader
from infogan_bench.scoring.possible import check_factor, check_scores
from infogan_bench.training import check_objective, check_stackable


def check(sweep: SweepConfig, planned: Plan) -> None:
    """Check everything that can be checked of a sweep and its plan without training.

    Raises:
        InputError: for a fault that would certainly fail every trial, or one of them.
    """
    load_extensions(sweep.extensions)
    dataset = load_dataset(sweep.dataset)
    runs = list(_runs_to_come(sweep, planned))
    for run in runs if planned.assignments is not None else _runs_at_corners(sweep):
        method_of(run)
    largest, images = max(run.batch for run in runs), len(dataset.train_images)
    if largest > images:
        raise InputError(f"base.batch: {largest} images a step, but the training set has {images}")
    layouts = [LatentCodes(layout, fixed_std=True) for layout in {run.codes for run in runs}]
    check_scores(dataset, layouts, sweep.evaluation.scores, sweep.evaluation.factor_bins)
    for goal in (sweep.goal, *sweep.goal.also):
        check_factor(dataset, layouts, goal.metric)
    rows = filter(None, map(metric_of, sweep.evaluation.scores))
    if any("digits" in row.inputs for row in rows):
        digit_reader(
            sweep.dataset.data_dir
        )  # trains the reader's network now, so that trials find it in the cache
    fused = sweep.seeds_together == "fused" and len(sweep.seeds) > 1
    for run in runs if fused else ():
        check_objective(run.objective)
    for architecture in {run.architecture.name: run.architecture for run in runs}.values():
        narrow = architecture.model_copy(
            update={"width": 0.01}
        )  # a narrow network fits the images if the full one does, and takes no time
        codes = LatentCodes(sweep.base.codes, fixed_std=True)
        replicas = [build_networks(narrow, dataset.image_shape, codes) for _ in range(2)]
        check_networks(replicas[0], dataset.image_shape, codes)
        if fused:
            check_stackable(replicas, codes)


def _runs_at_corners(sweep: SweepConfig) -> Iterator[RunConfig]:
    """The runs at the corners of what a method reads; a search that learns may try any of them."""
    for params in corners(sweep, "method.", "codes.", "objective."):
        yield apply(sweep.base, params)


def _runs_to_come(sweep: SweepConfig, planned: Plan) -> Iterator[RunConfig]:
    """Every run of a plan. For a search that learns, which has no plan yet, the base run and each single choice."""
    if planned.assignments is not None:
        yield from (apply(sweep.base, params) for params in planned.assignments)
        return
    yield sweep.base
    for key, domain in sweep.space.items():
        yield from (apply(sweep.base, {key: value}) for value in domain.probes())
