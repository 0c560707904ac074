"""The gallery of real test images, against numpy's sorting of what Q says of each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from infogan_bench.config import RunConfig, apply
from infogan_bench.datasets import ImageDataset
from infogan_bench.networks import InfoGAN
from infogan_bench.pictures.gallery import write_gallery
from infogan_bench.scoring.evaluation import Evaluation, evaluate
from infogan_bench.training import Trainer


@pytest.fixture
def model(tiny_run: RunConfig, mnist: ImageDataset) -> InfoGAN:
    """Some steps into training; the code that agrees better with the labels is shown."""
    trainer = Trainer(apply(tiny_run, {"codes.categorical": (4, 12)}), mnist.train_images, 0)
    trainer.train(30)
    return trainer.model


def written(
    model: InfoGAN, dataset: ImageDataset, folder: Path
) -> tuple[dict[str, Any], list[NDArray[np.uint8]], Evaluation]:
    """The index, a picture for each of its entries, and the evaluation."""
    evaluation = evaluate(model, dataset, ["cluster_accuracy"])
    write_gallery(dataset, evaluation, folder)
    index = json.loads((folder / "categories.json").read_text())
    with Image.open(folder / "categories.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    (height, width), columns = index["tile"], index["columns"]
    places = [divmod(k, columns) for k in range(len(index["images"]) + len(index["mistakes"]))]
    tiles = [pixels[r * height : (r + 1) * height, c * width : (c + 1) * width] for r, c in places]
    return index, tiles, evaluation


def test_each_category_shows_its_most_confident_images(
    model: InfoGAN, mnist: ImageDataset, tmp_path: Path
) -> None:
    index, tiles, evaluation = written(model, mnist, tmp_path)
    assert evaluation.shown is not None
    place = model.codes.categorical.index(evaluation.shown)
    logits = model.encode(mnist.test_images, mnist.train_images).logits[place].double().numpy()
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    category, confidence = q.argmax(axis=1), q.max(axis=1)
    assert index["code"] == f"cat_{place}"
    assert mnist.test_labels is not None
    for k in range(evaluation.shown.size):
        entries = [entry for entry in index["images"] if entry["category"] == k]
        members = np.flatnonzero(category == k)
        expected = np.sort(confidence[members])[::-1][:12]
        assert [entry["confidence"] for entry in entries] == pytest.approx(expected.tolist(), abs=1e-3)
        assert {entry["image"] for entry in entries} <= set(members.tolist())
    assert [entry["category"] for entry in index["images"]] == sorted(e["category"] for e in index["images"])
    for entry, tile in zip(index["images"] + index["mistakes"], tiles, strict=True):
        assert np.array_equal(tile, mnist.test_images[entry["image"], 0].numpy())
        assert entry["label"] == int(mnist.test_labels[entry["image"]])


def test_the_worst_mistakes_come_first(model: InfoGAN, mnist: ImageDataset, tmp_path: Path) -> None:
    index, _, evaluation = written(model, mnist, tmp_path)
    assert evaluation.confusion is not None
    assert evaluation.probabilities is not None
    assert mnist.test_labels is not None
    match = {
        cluster: None if column is None else evaluation.confusion.classes[column]
        for cluster, column in zip(evaluation.confusion.clusters, evaluation.confusion.match, strict=True)
    }
    q = evaluation.probabilities.numpy()
    wrong = [
        (-float(q[i].max()), i)
        for i, label in enumerate(mnist.test_labels.tolist())
        if match[int(q[i].argmax())] not in (None, label)
    ]
    worst = sorted(wrong)[:24]
    assert len(worst) == 24
    assert [entry["image"] for entry in index["mistakes"]] == [i for _, i in worst]
    assert index["mistakes"][0]["confidence"] == pytest.approx(-worst[0][0], abs=1e-4)


def test_without_labels_there_are_images_but_no_mistakes(
    tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path
) -> None:
    model = Trainer(apply(tiny_run, {"codes.categorical": (12,)}), mnist.train_images, 0).model
    bare = replace(mnist, train_labels=None, test_labels=None, class_names=())
    index, _, _ = written(model, bare, tmp_path)
    labelled, _, _ = written(model, mnist, tmp_path)
    assert index["mistakes"] == []
    assert index["images"] == [entry | {"label": None} for entry in labelled["images"]]


def test_without_a_categorical_code_there_is_no_gallery(
    tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path
) -> None:
    model = InfoGAN(
        apply(tiny_run, {"codes.categorical": ()}), mnist.image_shape, torch.Generator().manual_seed(0)
    )
    write_gallery(mnist, evaluate(model, mnist, ["cluster_accuracy"]), tmp_path)
    assert list(tmp_path.iterdir()) == []
