"""Datasets between processes: the memory is shared, and not a byte more than the images in use travels."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import torch

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import ImageDataset, load_dataset


def test_a_dataset_unpickles_onto_the_memory_that_it_is_given(mnist: ImageDataset) -> None:
    """`mnist` is a view of the first 512 and 257 images; labels are 8 bytes each. Pickled tensors would take all
    60,000 images along."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(mnist, protocol=5, buffer_callback=buffers.append)
    assert sum(buffer.raw().nbytes for buffer in buffers) == (512 + 257) * (28 * 28 + 8)
    assert len(data) < 2000

    read_only = [buffer.raw().toreadonly() for buffer in buffers]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy = pickle.loads(data, buffers=read_only)
    memory = np.frombuffer(read_only[0], np.uint8)
    assert copy.train_images.data_ptr() == memory.ctypes.data
    assert torch.equal(copy.train_images, mnist.train_images)
    assert torch.equal(copy.test_labels, mnist.test_labels)
    assert copy.class_names == mnist.class_names
    assert copy.factors is None


def test_factors_travel_along() -> None:
    sprites = load_dataset(DatasetConfig(name="sprites", train_size=8, test_size=4))
    copy = pickle.loads(pickle.dumps(sprites))
    assert copy.factors.names == sprites.factors.names
    assert torch.equal(copy.factors.test, sprites.factors.test)
    assert copy.train_labels is None
