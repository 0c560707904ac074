"""Scores and pictures of a trained model, against scikit-learn and scipy, and without touching the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

from infogan_bench.config import DEFAULT_SCORES, RunConfig, apply
from infogan_bench.datasets import ImageDataset, to_float
from infogan_bench.networks import InfoGAN
from infogan_bench.pictures.samples import write_pictures
from infogan_bench.scoring.evaluation import evaluate
from infogan_bench.scoring.record import write_evaluation
from infogan_bench.training import Trainer

PAPER = {"architecture.name": "paper", "architecture.width": 0.0625}


@pytest.fixture
def trainer(tiny_run: RunConfig, mnist: ImageDataset) -> Trainer:
    """Some steps into a small `paper` with codes of every kind, the second categorical one being the largest."""
    run = apply(tiny_run, PAPER | {"codes.categorical": (4, 12), "optimiser.lr_d": 1e-3})
    trainer = Trainer(run, mnist.train_images, 0)
    trainer.train(30)
    return trainer


def labels_of(dataset: ImageDataset) -> torch.Tensor:
    assert dataset.test_labels is not None
    return dataset.test_labels


def assignments(model: InfoGAN, dataset: ImageDataset, code: int = 1) -> NDArray[np.int64]:
    """The most likely category of a categorical code for each test image."""
    chosen = model.encode(dataset.test_images, dataset.train_images).logits[code].argmax(dim=1)
    return np.asarray(chosen)


def written(model: InfoGAN, dataset: ImageDataset, path: Path, scores: Sequence[str] = DEFAULT_SCORES) -> Any:
    evaluation = evaluate(model, dataset, scores)
    metrics = {**evaluation.scores, "L_I/cat_1": 0.25, "loss/d": float("nan")}
    traversals = write_pictures(model, path.parent)
    write_evaluation(
        model, dataset, evaluation, step=30, metrics=metrics, folder=path.parent, traversals=traversals
    )
    return json.loads((path.parent / "evaluation.json").read_text())


# Reading images --------------------------------------------------------------------------------------------


def test_the_posterior_is_the_same_for_any_batch_size(trainer: Trainer, mnist: ImageDataset) -> None:
    whole = trainer.model.encode(mnist.test_images, mnist.train_images, batch=257)
    assert [tuple(part.shape) for part in whole.logits] == [(257, 4), (257, 12)]
    assert whole.mean.shape == (257, 2)
    for batch in (64, 100):  # 257 = 4 * 64 + 1: the last batch is of one image
        parts = trainer.model.encode(mnist.test_images, mnist.train_images, batch=batch)
        torch.testing.assert_close(parts.mean, whole.mean)
        for logits, expected in zip(parts.logits, whole.logits, strict=True):
            torch.testing.assert_close(logits, expected)
            assert torch.equal(logits.argmax(1), expected.argmax(1))


def test_an_image_is_read_with_the_statistics_of_real_images(trainer: Trainer, mnist: ImageDataset) -> None:
    # with as many calibration images as one batch, they are read just as training would read that batch
    images = mnist.train_images[:200]
    found = trainer.model.encode(images, calibration=images)
    networks = trainer.model.networks
    with torch.no_grad():
        training = trainer.model.codes.split(networks.Q_head(networks.trunk(to_float(images))))
    # running variances are unbiased, those of a batch are not: a factor of 200 / 199
    torch.testing.assert_close(found.mean, training.mean, rtol=0.05, atol=0.01)
    assert (found.logits[1].argmax(1) == training.logits[1].argmax(1)).double().mean() > 0.97

    networks.eval()  # the running statistics of training are of real and fake images alike
    with torch.no_grad():
        blended = trainer.model.codes.split(networks.Q_head(networks.trunk(to_float(images))))
    assert (blended.mean - training.mean).norm() > 5 * (found.mean - training.mean).norm()


def test_evaluation_leaves_the_trainer_as_it_was(
    trainer: Trainer, mnist: ImageDataset, tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in trainer.state().items()}
    written(trainer.model, mnist, tmp_path / "evaluation.json")
    write_pictures(trainer.model, tmp_path)
    after = trainer.state()
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor), name
    assert all(module.training for module in trainer.model.networks.modules())
    assert all(parameter.requires_grad for parameter in trainer.model.networks.parameters())


# Scores ----------------------------------------------------------------------------------------------------


def test_scores_equal_those_of_scikit_learn_and_scipy(trainer: Trainer, mnist: ImageDataset) -> None:
    found = evaluate(trainer.model, mnist, DEFAULT_SCORES).scores
    labels, expected = labels_of(mnist).numpy(), {}
    for code in range(2):
        categories = assignments(trainer.model, mnist, code)
        counts = confusion_matrix(labels, categories, labels=range(12))  # labels x categories
        matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
        expected |= {
            f"cluster_accuracy/cat_{code}": matched / 257,
            f"purity/cat_{code}": counts.max(axis=0).sum() / 257,
            f"nmi/cat_{code}": normalized_mutual_info_score(labels, categories),
            f"ari/cat_{code}": adjusted_rand_score(labels, categories),
        }
    best = {name: max(expected[f"{name}/cat_{code}"] for code in range(2)) for name in DEFAULT_SCORES}
    assert found == pytest.approx(expected | best)
    assert found["cluster_accuracy"] > 0.15  # 30 steps see more than one class


def test_only_what_was_asked_for_is_scored(trainer: Trainer, mnist: ImageDataset) -> None:
    assert set(evaluate(trainer.model, mnist, ["nmi"]).scores) == {"nmi", "nmi/cat_0", "nmi/cat_1"}


def test_without_a_categorical_code_nothing_is_scored(
    tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path
) -> None:
    run = apply(tiny_run, {"codes.categorical": ()})
    model = Trainer(run, mnist.train_images, 0).model
    assert evaluate(model, mnist, DEFAULT_SCORES).scores == {}
    document = written(model, mnist, tmp_path / "evaluation.json")
    assert document["confusion"] is None
    assert [code["name"] for code in document["codes"]] == ["uniform_0", "gaussian_0"]


def test_a_model_that_always_says_the_same_is_scored_as_such(
    trainer: Trainer, mnist: ImageDataset, tmp_path: Path
) -> None:
    *_, weight, bias = trainer.model.networks.Q_head.parameters()
    with torch.no_grad():
        weight.zero_()
        bias.zero_()
        bias[4 + 7] = 1  # 4 logits of cat_0, then the 12 of cat_1
    most_frequent = int(labels_of(mnist).bincount().max())
    document = written(trainer.model, mnist, tmp_path / "evaluation.json")
    assert document["scores"]["cluster_accuracy"] == pytest.approx(most_frequent / 257)
    assert document["scores"]["nmi"] == pytest.approx(0, abs=1e-9)
    assert document["confusion"]["counts"][7] == labels_of(mnist).bincount(minlength=10).tolist()
    assert document["confusion"]["match"] == [
        int(labels_of(mnist).bincount().argmax()) if category == 7 else None for category in range(12)
    ]


# evaluation.json -------------------------------------------------------------------------------------------


def test_the_confusion_has_every_category_and_every_image(
    trainer: Trainer, mnist: ImageDataset, tmp_path: Path
) -> None:
    confusion = written(trainer.model, mnist, tmp_path / "evaluation.json")["confusion"]
    scores = evaluate(trainer.model, mnist, ["cluster_accuracy"]).scores
    code = max(range(2), key=lambda code: (scores[f"cluster_accuracy/cat_{code}"], code))  # the best is shown
    of_code, size = assignments(trainer.model, mnist, code), (4, 12)[code]
    expected = confusion_matrix(of_code, labels_of(mnist).numpy(), labels=range(12))
    assert confusion["code"] == f"cat_{code}"
    assert confusion["classes"] == list("0123456789")
    assert confusion["counts"] == expected[:size, :10].tolist()  # categories x 10 classes
    assert sum(map(sum, confusion["counts"])) == 257

    never = [category for category in range(size) if not any(confusion["counts"][category])]
    assert all(confusion["match"][category] is None for category in never)
    matched = [column for column in confusion["match"] if column is not None]
    assert len(matched) == len(set(matched))  # one to one
    hits = sum(
        row[column]
        for row, column in zip(confusion["counts"], confusion["match"], strict=True)
        if column is not None
    )
    assert hits / 257 == pytest.approx(
        evaluate(trainer.model, mnist, ["cluster_accuracy"]).scores["cluster_accuracy"]
    )


def test_a_class_that_the_test_set_lacks_keeps_its_column(
    trainer: Trainer, mnist: ImageDataset, tmp_path: Path
) -> None:
    kept = labels_of(mnist) != 3
    dataset = replace(mnist, test_images=mnist.test_images[kept], test_labels=labels_of(mnist)[kept])
    confusion = written(trainer.model, dataset, tmp_path / "evaluation.json")["confusion"]
    assert {len(row) for row in confusion["counts"]} == {10}
    assert [sum(column) for column in zip(*confusion["counts"], strict=True)] == (
        labels_of(dataset).bincount(minlength=10).tolist()
    )
    assert 3 not in confusion["match"]


def test_the_codes_are_described(trainer: Trainer, mnist: ImageDataset, tmp_path: Path) -> None:
    document = written(trainer.model, mnist, tmp_path / "evaluation.json")
    assert document["step"] == 30
    of_codes = {f"{name}/cat_{code}" for name in DEFAULT_SCORES for code in range(2)}
    assert document["scores"].keys() == {
        *DEFAULT_SCORES,
        *of_codes,
        "L_I/cat_1",
    }  # what is not a number is left out
    cat_0, cat_1, uniform_0, gaussian_0 = document["codes"]
    assert (cat_0["kind"], cat_0["size"], cat_0["traversal"]) == ("categorical", 4, [0, 1, 2, 3])
    assert cat_0["mi_bound"] is None
    assert cat_1["mi_bound"] == 0.25
    assert cat_1["entropy"] == pytest.approx(2.484907)  # ln 12
    assert uniform_0["traversal"] == pytest.approx([-1 + 2 * k / 9 for k in range(10)], abs=1e-4)
    assert uniform_0["entropy"] == pytest.approx(0.693147)  # ln 2
    assert gaussian_0["traversal"][0] == -gaussian_0["traversal"][-1] == pytest.approx(-1.96, abs=1e-4)


# Pictures --------------------------------------------------------------------------------------------------


def test_every_code_has_a_picture_of_the_right_size(trainer: Trainer, tmp_path: Path) -> None:
    write_pictures(trainer.model, tmp_path)
    sizes = {}
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    # tiles of 28 pixels and a line around each: n of them take 29 n + 1; a traversal has 8 rows
    assert sizes == {
        "samples.png": (29 * 10 + 1, 29 * 10 + 1),
        "traversal-cat_0.png": (29 * 4 + 1, 29 * 8 + 1),
        "traversal-cat_1.png": (29 * 12 + 1, 29 * 8 + 1),
        "traversal-uniform_0.png": (29 * 10 + 1, 29 * 8 + 1),
        "traversal-gaussian_0.png": (29 * 10 + 1, 29 * 8 + 1),
    }


def test_pictures_are_equal_for_equal_seeds(trainer: Trainer, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "again", "other")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        write_pictures(trainer.model, folder, seed=seed)
    for path in folders[0].iterdir():
        first, again, other = ((folder / path.name).read_bytes() for folder in folders)
        assert first == again
        assert first != other


def tile(picture: Path, row: int, column: int) -> NDArray[np.uint8]:
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("L"))
    return pixels[29 * row + 1 : 29 * row + 29, 29 * column + 1 : 29 * column + 29]


def test_a_traversal_varies_one_code_along_a_row(tiny_run: RunConfig, tmp_path: Path) -> None:
    # G paints the value of uniform_0 everywhere: its input is [8 noise | 10 one-hot | uniform | gaussian]
    model = InfoGAN(tiny_run, (1, 28, 28), torch.Generator().manual_seed(0))

    class Paint(torch.nn.Module):
        def forward(self, latents: torch.Tensor) -> torch.Tensor:
            return latents[:, 18].view(-1, 1, 1, 1).expand(-1, 1, 28, 28)

    model.networks.G = Paint()
    write_pictures(model, tmp_path)
    for column in range(10):
        value = -1 + 2 * column / 9
        shade = (value + 1) / 2 * 255  # -1 is black, 1 is white
        for row in range(8):
            assert np.abs(tile(tmp_path / "traversal-uniform_0.png", row, column) - shade).max() <= 1
    # of every other code's picture, all tiles of a row have one shade, since uniform_0 is fixed there
    for name in ("cat_0", "gaussian_0"):
        picture = tmp_path / f"traversal-{name}.png"
        for row in range(8):
            assert np.array_equal(tile(picture, row, 0), tile(picture, row, 9))
        assert not np.array_equal(tile(picture, 0, 0), tile(picture, 1, 0))


def test_rows_of_a_continuous_traversal_go_through_the_categories(
    tiny_run: RunConfig, tmp_path: Path
) -> None:
    # G paints the category: its one-hot starts after 8 noise dimensions
    model = InfoGAN(
        apply(tiny_run, {"codes.categorical": (3, 5)}), (1, 28, 28), torch.Generator().manual_seed(0)
    )

    class Paint(torch.nn.Module):
        def forward(self, latents: torch.Tensor) -> torch.Tensor:
            category = latents[:, 8:11].argmax(1).float() - 1
            return category.view(-1, 1, 1, 1).expand(-1, 1, 28, 28)

    model.networks.G = Paint()
    write_pictures(model, tmp_path)
    shades = [tile(tmp_path / "traversal-uniform_0.png", row, 5)[0, 0] for row in range(8)]
    assert shades == [0, 128, 255, 0, 128, 255, 0, 128]
