"""A dataset of images, whole and in memory, with class labels or ground-truth factors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import Factors
from infogan_bench.datasets.sharing import PickledAsArrays


@dataclass(frozen=True, eq=False)
class ImageDataset(PickledAsArrays):
    """Training and test images with class labels, ground-truth factors, both or neither.

    Images stay uint8 in memory, a quarter of what floats would take; `to_float` makes a batch of them floats.

    Raises:
        DatasetError: if a tensor has another dtype or shape than stated, a split is empty, the two splits
            have images of different shapes, one split alone has labels, a label names no class, or there are
            not as many rows of factors as test images.
    """

    name: str
    train_images: Tensor  # (n_train, C, H, W) uint8
    train_labels: Tensor | None  # (n_train,) int64
    test_images: Tensor  # (n_test, C, H, W) uint8
    test_labels: Tensor | None  # (n_test,) int64
    class_names: tuple[str, ...] = ()
    factors: Factors | None = None

    def __post_init__(self) -> None:
        _check_split(self, "training", self.train_images, self.train_labels)
        _check_split(self, "test", self.test_images, self.test_labels)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise DatasetError(
                f"{self.name}: training and test images must have one shape, "
                f"found {tuple(self.train_images.shape[1:])} and {tuple(self.test_images.shape[1:])}"
            )
        if (self.train_labels is None) != (self.test_labels is None):
            raise DatasetError(f"{self.name}: training and test images must both have labels, or neither")
        if self.factors is not None and len(self.factors.test) != len(self.test_images):
            raise DatasetError(
                f"{self.name}: factors must have a row for each of {len(self.test_images)} test images, "
                f"found {len(self.factors.test)}"
            )

    @property
    def ground_truth(self) -> Factors | None:
        """The factors; where there are none, the label as the one factor; None where there is neither."""
        if self.factors is not None or self.test_labels is None:
            return self.factors
        return Factors(("label",), (len(self.class_names),), self.test_labels.unsqueeze(1))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    def head(self, train_size: int | None, test_size: int | None) -> ImageDataset:
        """Return the first images of each split as views of this dataset's memory; None means all.

        Raises:
            DatasetError: if more images are asked for than there are.
        """
        if train_size is None and test_size is None:
            return self
        self._check_size("train_size", train_size, "training", len(self.train_images))
        self._check_size("test_size", test_size, "test", len(self.test_images))
        return replace(
            self,
            train_images=self.train_images[:train_size],
            train_labels=None if self.train_labels is None else self.train_labels[:train_size],
            test_images=self.test_images[:test_size],
            test_labels=None if self.test_labels is None else self.test_labels[:test_size],
            factors=None if self.factors is None else self.factors.head(test_size),
        )

    def _check_size(self, key: str, asked: int | None, split: str, present: int) -> None:
        if asked is not None and asked > present:
            raise DatasetError(f"`{key}` is {asked:,}, but {self.name} has {present:,} {split} images")


def _check_split(dataset: ImageDataset, split: str, images: Tensor, labels: Tensor | None) -> None:
    where = f"{dataset.name}: {split}"
    if images.dtype != torch.uint8 or images.ndim != 4 or 0 in images.shape:
        raise DatasetError(
            f"{where} images must be a non-empty uint8 tensor (N, C, H, W), "
            f"found {images.dtype} {tuple(images.shape)}"
        )
    if labels is None:
        return
    if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
        raise DatasetError(
            f"{where} labels must be an int64 tensor ({len(images)},), "
            f"found {labels.dtype} {tuple(labels.shape)}"
        )
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= len(dataset.class_names):
        raise DatasetError(
            f"{where} labels must be 0 to {len(dataset.class_names) - 1}, found {lowest} to {highest}"
        )
