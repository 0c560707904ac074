from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from infogan_bench.config import DEFAULT_SCORES, CodesConfig, DatasetConfig, RunConfig
from infogan_bench.config.catalogue import metric_of
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.datasets.mnist import MNIST
from infogan_bench.errors import InputError
from infogan_bench.scoring import checkpoint as scoring
from infogan_bench.scoring import digits, inputs
from infogan_bench.scoring.checkpoint import score_checkpoint
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.evaluation import evaluate
from infogan_bench.scoring.inputs import RunInputs
from infogan_bench.scoring.possible import check_scores
from infogan_bench.training import Trainer, save_checkpoint

SMALL = DatasetConfig(train_size=512, test_size=257)


@pytest.fixture(autouse=True)
def few_latents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "N_IMAGES", 600)


@pytest.fixture
def small_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ImageDataset]:
    """The digit network is trained on 2,000 images, in a second, and reads 600 of them, which are returned."""
    monkeypatch.setenv("INFOGAN_METRICS_CACHE", str(tmp_path / "cache"))
    small = load_dataset(DatasetConfig(train_size=2000, test_size=600))
    monkeypatch.setattr(digits, "load_dataset", lambda config: small)
    digits.digit_reader.cache_clear()
    yield small
    digits.digit_reader.cache_clear()


@pytest.fixture
def trainer(tiny_run: RunConfig, mnist: ImageDataset) -> Trainer:
    trainer = Trainer(tiny_run, mnist.train_images, seed=0)
    trainer.train(6)
    return trainer


@pytest.fixture
def path(trainer: Trainer, tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(trainer, SMALL, path)
    return path


def test_label_scores_are_those_of_training(trainer: Trainer, mnist: ImageDataset, path: Path) -> None:
    expected = evaluate(trainer.model, mnist, DEFAULT_SCORES).scores
    outcomes = {outcome.name: outcome for outcome in score_checkpoint(path)}
    assert {name: outcomes[name].value for name in DEFAULT_SCORES} == pytest.approx(expected)
    assert outcomes["nmi"].n == 257


def test_the_bound_adds_up_and_stays_below_the_entropy(path: Path) -> None:
    total, *each = score_checkpoint(path, ["L_I"])
    assert [outcome.name for outcome in each] == ["L_I/cat_0", "L_I/uniform_0", "L_I/gaussian_0"]
    assert total.value == pytest.approx(sum(outcome.value or 0.0 for outcome in each))
    assert each[0].parts["entropy"] == pytest.approx(math.log(10))
    assert (each[0].value or 0.0) <= math.log(10)
    assert total.n == 600


def test_the_information_with_the_best_deviation(path: Path) -> None:
    outcomes = {each.name: each for each in score_checkpoint(path, ["gaussian_mi_bound", "code_r2", "L_I"])}
    total = 0.0
    for name, entropy in (("uniform_0", math.log(2)), ("gaussian_0", 0.5 * math.log(math.tau * math.e))):
        bound = outcomes[f"gaussian_mi_bound/{name}"]
        error = bound.parts["mean_squared_error"]
        # the deviation of the trainer's Q is 1: L_I = H - 1/2 ln(2 pi) - MSE / 2
        assert outcomes[f"L_I/{name}"].value == pytest.approx(
            entropy - (math.log(math.tau) + error) / 2, abs=1e-5
        )
        assert bound.value == pytest.approx(entropy - 0.5 * math.log(math.tau * math.e * error))
        assert bound.parts["r2"] == outcomes[f"code_r2/{name}"].value
        total += bound.value or 0.0
    assert outcomes["gaussian_mi_bound"].value == pytest.approx(total)
    assert "the deviation is at least e^-6 = 0.0025" in outcomes["gaussian_mi_bound"].notes[0]


def test_the_seed_decides_which_images_are_made(path: Path) -> None:
    values = [score_checkpoint(path, ["L_I"], seed=seed)[0].value for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_a_generator_that_ignores_a_code_has_no_effect_of_it(trainer: Trainer, tmp_path: Path) -> None:
    (first, *_) = (p for name, p in trainer.model.networks.G.named_parameters() if p.ndim == 2)
    with torch.no_grad():
        first[:, -1] = 0  # the last column reads gaussian_0
    path = tmp_path / "deaf.safetensors"
    save_checkpoint(trainer, SMALL, path)
    effects = {outcome.name: outcome.value for outcome in score_checkpoint(path, ["traversal_effect"])}
    assert effects["traversal_effect/gaussian_0"] == 0.0
    assert (effects["traversal_effect/uniform_0"] or 0.0) > 0


def test_scores_come_in_the_order_asked_and_say_why_they_have_no_value(path: Path) -> None:
    outcomes = score_checkpoint(path, ["modularity", "L_I", "cluster_accuracy"])
    assert [o.name for o in outcomes if "/" not in o.name] == ["modularity", "L_I", "cluster_accuracy"]
    assert outcomes[0].value is None
    reason = "is not defined for a single factor, and mnist has one alone: the label"
    assert outcomes[0].not_defined == reason


def test_without_a_categorical_code_there_are_no_label_scores(
    tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path
) -> None:
    run = tiny_run.model_copy(update={"codes": CodesConfig(categorical=(), uniform=1, noise=8)})
    save_checkpoint(Trainer(run, mnist.train_images, seed=0), SMALL, tmp_path / "c.safetensors")
    (outcome,) = score_checkpoint(tmp_path / "c.safetensors", ["nmi"])
    assert outcome.not_defined == "needs a categorical code, and there is none"


def test_digits_are_compared_in_the_features_of_a_network_that_says_how_good_it_is(
    path: Path, small_reader: ImageDataset
) -> None:
    near, kernel = score_checkpoint(path, ["fid_digits", "kid_digits"])
    assert near.notes[0].startswith("digit network v1 (accuracy 0.")
    assert (near.value or 0.0) > 10  # six steps make no digits
    assert (kernel.value or 0.0) > 10 * kernel.parts["standard_error"]


def test_real_digits_are_near(
    trainer: Trainer, small_reader: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generator that paints real digits."""
    monkeypatch.setattr(inputs, "generated_images", lambda model, latents: small_reader.train_images[:600])
    found = compute_scores(
        ("fid_digits", "kid_digits"), RunInputs(trainer.model, replace(small_reader, name="mnist")), metric_of
    )
    distance, kernel = found.values()
    assert 0 < (distance.value or 0.0) < 4  # 600 samples of 64 features: mostly bias
    assert abs(kernel.value or 0.0) < 4 * kernel.parts["standard_error"]


def test_a_run_measures_the_distances_of_its_last_images(
    trainer: Trainer,
    mnist: ImageDataset,
    path: Path,
    small_reader: ImageDataset,
) -> None:
    names = ("fid_digits", "kid_digits")
    assert evaluate(trainer.model, mnist, names, last=False).scores == {}
    found = evaluate(trainer.model, mnist, names)
    expected = score_checkpoint(path, names)
    assert found.scores == {outcome.name: pytest.approx(outcome.value, rel=1e-4) for outcome in expected}
    assert found.protocols["fid_digits"] == {"n": 600, "network": expected[0].notes[0]}


def test_distances_of_digits_are_refused_for_other_images(mnist: ImageDataset, trainer: Trainer) -> None:
    with pytest.raises(InputError, match="`fid_digits` is measured by a network that reads MNIST's digits"):
        check_scores(replace(mnist, name="kmnist"), [trainer.model.codes], ["fid_digits"])


def test_digit_distances_are_of_mnist_alone(
    trainer: Trainer, mnist: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(trainer, DatasetConfig(name="kmnist"), tmp_path / "c.safetensors")
    monkeypatch.setattr(scoring, "load_moved", lambda config: replace(mnist, name="kmnist"))
    (outcome,) = score_checkpoint(tmp_path / "c.safetensors", ["fid_digits"])
    assert outcome.not_defined == (
        "is measured by a network that reads MNIST's digits, and the dataset is kmnist"
    )


def test_wrong_names_are_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"--score: unknown score `udr`; "):
        score_checkpoint(path, ["udr"])


def test_a_checkpoint_is_scored_where_its_data_have_moved_to(
    trainer: Trainer, path: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.safetensors"
    save_checkpoint(trainer, SMALL.model_copy(update={"data_dir": str(tmp_path / "gone")}), moved)
    with pytest.raises(InputError, match=r"If the data has moved, name its folder by --data-dir$"):
        score_checkpoint(moved, ["nmi"])
    assert score_checkpoint(moved, ["nmi"], data_dir=MNIST.shipped) == score_checkpoint(path, ["nmi"])
