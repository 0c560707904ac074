"""What continuous codes do to slant and stroke width, with generators whose codes do a known thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from infogan_metrics.of_images import ShapeCorrelation
from torch import Tensor, nn

from infogan_bench.codes import LatentCodes
from infogan_bench.config import (
    ArchitectureConfig,
    CodesConfig,
    ConfigError,
    DatasetConfig,
    EvaluationConfig,
    RunConfig,
    parse_sweep,
)
from infogan_bench.config.catalogue import metric_of
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN
from infogan_bench.scoring.checkpoint import score_checkpoint
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.evaluation import evaluate
from infogan_bench.scoring.inputs import N_SHAPES, RunInputs
from infogan_bench.scoring.possible import check_scores
from infogan_bench.scoring.record import write_evaluation
from infogan_bench.training import Trainer, save_checkpoint
from infogan_bench.trial import Trial, TrialSpec

RUN = RunConfig(
    codes=CodesConfig(categorical=(2, 3), uniform=2, gaussian=1, noise=4),
    architecture=ArchitectureConfig(name="mlp", width=0.05),
)
SHAPE_SCORES = SLANT, WIDTH = "slant_correlation", "width_correlation"
Paint = Callable[[Tensor], tuple[Tensor, Tensor]]  # of G's input (B, 4 + 2 + 3 + 2 + 1): shear and width (B,)


class Bars(nn.Module):
    """A G that draws an upright bar of 21 rows, sheared and as wide as its latents say."""

    def __init__(self, paint: Paint, channels: int = 1) -> None:
        super().__init__()
        self.paint = paint
        self.channels = channels

    def forward(self, flat: Tensor) -> Tensor:
        shear, width = (value[:, None, None] for value in self.paint(flat))
        rows, columns = (values - 14.0 for values in torch.meshgrid(*[torch.arange(29.0)] * 2, indexing="ij"))
        ink = (width / 2 - (columns + shear * rows).abs() + 0.5).clamp(0, 1) * (rows.abs() <= 10)
        return (2 * ink - 1)[:, None].expand(-1, self.channels, -1, -1)


def drawing(paint: Paint, channels: int = 1, run: RunConfig = RUN) -> InfoGAN:
    model = InfoGAN(run, (1, 28, 28), torch.Generator())
    model.networks.G = Bars(paint, channels)
    return model


def constant(flat: Tensor, value: float) -> Tensor:
    return torch.full((len(flat),), value)


def shearing(flat: Tensor) -> tuple[Tensor, Tensor]:
    """uniform_0 shears, nothing else does anything."""
    return 0.5 * flat[:, 9], constant(flat, 4.0)


def by_category(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Each category of cat_1 has its own slant; in it, uniform_1 shears, the other way in the second category."""
    category = flat[:, 6:9].argmax(dim=1)
    turn = torch.tensor([1.0, -1.0, 1.0])[category]
    return 0.4 * (category - 1) + 0.1 * turn * flat[:, 10], 4 + 0.5 * flat[:, 11].clamp(-2, 2)


BLANK = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
UNLABELLED = ImageDataset("blank", BLANK, None, BLANK, None)


class Found:
    """Outcomes of both scores, with the matrix behind them."""

    def __init__(self, model: InfoGAN, seed: int = 0) -> None:
        outcomes = compute_scores(SHAPE_SCORES, RunInputs(model, UNLABELLED, seed=seed), metric_of)
        result = outcomes[SLANT].result
        assert isinstance(result, ShapeCorrelation)
        assert outcomes[WIDTH].result is result
        self.values = {name: outcome.value for name, outcome in outcomes.items()}
        self.n = outcomes[SLANT].n
        self.correlation = result.correlation

    def scores(self, names: Sequence[str]) -> dict[str, float]:
        found = {name: value for name, value in self.values.items() if name.partition("/")[0] in names}
        assert None not in found.values()
        return found  # type: ignore[return-value]


# Right values -----------------------------------------------------------------------------------------------


def test_a_code_that_shears_is_the_one_that_slants() -> None:
    found = Found(drawing(shearing))
    assert found.n == N_SHAPES
    scores = found.scores([SLANT, WIDTH])
    assert scores[SLANT] == scores[f"{SLANT}/uniform_0"] > 0.999  # 1 but for grey values of 8 bits
    # Shearing to either side alike makes the stroke thinner across, and a rank correlation does not see what is even.
    # By chance a group of 333 is worth sqrt(2 / (333 pi)) = 0.04.
    assert all(scores[f"{SLANT}/{code}"] < 0.12 for code in ("uniform_1", "gaussian_0"))
    assert scores[WIDTH] < 0.15


def test_categories_that_slant_by_themselves_and_ways_of_turning_do_not_confound() -> None:
    scores = Found(drawing(by_category)).scores([SLANT, WIDTH])
    assert scores[SLANT] == scores[f"{SLANT}/uniform_1"] > 0.99
    assert scores[WIDTH] == scores[f"{WIDTH}/gaussian_0"] > 0.9  # the shear thins strokes as well
    assert scores[f"{SLANT}/gaussian_0"] < 0.12


def test_without_categories_all_images_are_one_group() -> None:
    run = RUN.model_copy(update={"codes": CodesConfig(categorical=(), uniform=1, noise=4)})
    found = Found(drawing(lambda flat: (0.5 * flat[:, 4], constant(flat, 4.0)), run=run))
    assert found.correlation[0, 0] > 0.999


def test_images_without_ink_are_left_out() -> None:
    def half_blank(flat: Tensor) -> tuple[Tensor, Tensor]:
        return 0.5 * flat[:, 9], torch.where(flat[:, 10] > 0, 4.0, -2.0)

    found = Found(drawing(half_blank))
    assert found.n == pytest.approx(N_SHAPES / 2, abs=60)
    assert found.scores([SLANT])[SLANT] > 0.999


def test_a_generator_that_ignores_its_codes_correlates_with_none() -> None:
    found = Found(drawing(lambda flat: (constant(flat, 0.2), constant(flat, 3.0))))
    assert found.correlation.tolist() == [[0, 0]] * 3


# As scores of a run -----------------------------------------------------------------------------------------


def test_they_are_scored_at_the_last_evaluation_and_written(mnist: ImageDataset, tmp_path: Path) -> None:
    model = drawing(shearing)
    assert evaluate(model, mnist, SHAPE_SCORES, last=False).scores == {}
    found = evaluate(model, mnist, [*SHAPE_SCORES, "purity"])
    expected = Found(model)
    of_labels = {name: value for name, value in found.scores.items() if name.startswith("purity")}
    assert found.scores == expected.scores(SHAPE_SCORES) | of_labels
    assert evaluate(model, mnist, [WIDTH]).scores == expected.scores([WIDTH])
    path = tmp_path / "evaluation.json"
    write_evaluation(model, mnist, found, step=1, metrics=found.scores, folder=tmp_path)
    assert json.loads(path.read_text())["shape_correlation"] == {
        "codes": ["uniform_0", "uniform_1", "gaussian_0"],
        "measures": ["slant", "width"],
        "correlation": expected.correlation.tolist(),
        "n": N_SHAPES,
        "within": "cat_1",
    }
    write_evaluation(model, mnist, evaluate(model, mnist, ["purity"]), step=1, metrics={}, folder=tmp_path)
    assert json.loads(path.read_text())["shape_correlation"] is None


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (drawing(lambda flat: (constant(flat, 0.0), constant(flat, -2.0))), "no generated image has ink"),
        (drawing(shearing, channels=3), "the images have 3 channels"),
        (
            drawing(shearing, run=RUN.model_copy(update={"codes": CodesConfig(uniform=0)})),
            "needs a continuous code, and there is none",
        ),
    ],
)
def test_where_there_is_no_value_the_reason_is_kept(model: InfoGAN, reason: str, mnist: ImageDataset) -> None:
    found = evaluate(model, mnist, SHAPE_SCORES)
    assert found.scores == {}
    assert found.not_defined == dict.fromkeys(SHAPE_SCORES, reason)


def test_a_trial_reports_them_once_and_leaves_training_as_it_was(tiny_run: RunConfig) -> None:
    def finished(scores: tuple[str, ...]) -> Trial:
        dataset = DatasetConfig(train_size=128, test_size=64)
        trial = Trial(
            TrialSpec("0000", {}, tiny_run, dataset, EvaluationConfig(every=3, scores=scores), (0,))
        )
        assert not any("correlation" in name for name in trial.advance().seeds[0].metrics)
        trial.advance()
        return trial

    with_shapes, without = finished(("purity", *SHAPE_SCORES)), finished(("purity",))
    metrics = with_shapes.update.seeds[0].metrics
    assert [name for name in metrics if "correlation" in name] == [
        f"{score}{code}" for score in SHAPE_SCORES for code in ("", "/uniform_0", "/gaussian_0")
    ]
    assert all(0 <= metrics[score] <= 1 for score in SHAPE_SCORES)
    assert f"{SLANT}/" not in with_shapes.update.line()
    rest = {name: value for name, value in metrics.items() if "correlation" not in name}
    assert rest == without.update.seeds[0].metrics


def test_a_checkpoint_can_be_asked_for_them(tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path) -> None:
    trainer = Trainer(tiny_run, mnist.train_images, seed=0)
    trainer.train(2)
    save_checkpoint(
        trainer, DatasetConfig(train_size=512, test_size=257), tmp_path / "checkpoint.safetensors"
    )
    outcomes = score_checkpoint(tmp_path / "checkpoint.safetensors", [SLANT], seed=3)
    expected = Found(trainer.model, seed=3)
    assert {outcome.name: outcome.value for outcome in outcomes} == expected.scores([SLANT])
    assert {outcome.n for outcome in outcomes} == {expected.n}


# In a sweep file --------------------------------------------------------------------------------------------


def test_they_are_refused_where_they_cannot_be(mnist: ImageDataset) -> None:
    codes = LatentCodes(CodesConfig(), fixed_std=True)
    check_scores(mnist, [codes], SHAPE_SCORES)
    with pytest.raises(InputError, match=f"`{SLANT}` needs a continuous code, and there is none"):
        check_scores(mnist, [LatentCodes(CodesConfig(uniform=0), fixed_std=True)], [SLANT])
    colour = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    coloured = ImageDataset("photos", colour, None, colour, None)
    with pytest.raises(InputError, match="needs images of one channel, and those of photos have 3"):
        check_scores(coloured, [codes], [WIDTH])


def sweep(**sections: object) -> object:
    return parse_sweep({"name": "x", "evaluation": {"scores": list(SHAPE_SCORES)}, **sections})


@pytest.mark.parametrize("metric", [SLANT, f"{WIDTH}/uniform_1"])
def test_they_can_be_the_objective_of_a_sweep_without_a_scheduler(metric: str) -> None:
    sweep(goal={"metric": metric})
    with pytest.raises(ConfigError, match="is computed once a run, at its end, so `scheduler: asha`"):
        sweep(goal={"metric": metric}, scheduler="asha")
    with pytest.raises(ConfigError, match=f"`{metric.partition('/')[0]}` is not in `evaluation.scores`"):
        sweep(goal={"metric": metric}, evaluation={"scores": ["nmi"]})
    with pytest.raises(ConfigError, match=r"needs (a continuous|that) code"):
        sweep(goal={"metric": metric}, base={"codes": {"uniform": 0}})


def test_the_numbers_do_not_depend_on_numpy_s_or_torch_s_global_state() -> None:
    first = Found(drawing(by_category)).correlation
    torch.manual_seed(5)
    np.random.seed(5)
    assert Found(drawing(by_category)).correlation.tolist() == first.tolist()
    assert Found(drawing(by_category), seed=1).correlation.tolist() != first.tolist()
