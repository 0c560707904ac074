"""MNIST and the two datasets made in its format, from IDX files on disk. Nothing here uses the network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from infogan_bench.config.published import FASHION_MNIST_FILES, KMNIST_FILES, MNIST_FILES, PublishedFile
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.idx import read_idx

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class MnistFamily:
    """A dataset in MNIST's layout: four IDX files, gzipped or not."""

    name: str
    torchvision_name: str  # its class there, and the folder that class makes
    class_names: tuple[str, ...]
    published: tuple[PublishedFile, ...]  # the gzipped files, in the order of `FILES`
    how_to_get: str
    shipped: Path | None = None  # used where no `data_dir` is given

    def load(self, data_dir: Path | None) -> ImageDataset:
        """Read the four files.

        Args:
            data_dir: the folder that holds them, or the root that torchvision was given; None for the files
                that ship with the package. A smaller set in the same format is accepted.
        Raises:
            DatasetError: if files are missing or damaged, or images and labels differ in number.
        """
        files = self.find(data_dir)
        if data_dir is None and self.shipped is not None:
            _check_sha256(files, self.shipped / "SHA256SUMS")
        train_images, train_labels = _read_split(*files[:2])
        test_images, test_labels = _read_split(*files[2:])
        return ImageDataset(self.name, train_images, train_labels, test_images, test_labels, self.class_names)

    def find(self, data_dir: Path | None) -> list[Path]:
        """Find the four files in one folder: `data_dir` itself or torchvision's below it; None: where they ship.

        Raises:
            DatasetError: naming the files that are missing, with their checksums.
        """
        data_dir = self.shipped if data_dir is None else data_dir
        if data_dir is None:
            raise DatasetError(
                f"{self.name} does not ship with InfoGAN Bench: give `data_dir`. {self.how_to_get}"
            )
        folders = (data_dir, data_dir / self.torchvision_name / "raw")
        found = max((_present_in(folder) for folder in folders), key=len)
        missing = {
            file: str(published)
            for file, published in zip(FILES, self.published, strict=True)
            if file not in found
        }
        if missing:
            near = _near(data_dir, missing)
            hint = f"; near it lies {near}, which must be renamed" if near else ""
            raise DatasetError(
                f"{self.name}: missing, gzipped or not, in {folders[0]} and in {folders[1]}: "
                f"{', '.join(missing.values())}{hint}. {self.how_to_get}"
            )
        return [found[file] for file in FILES]


def _present_in(folder: Path) -> dict[str, Path]:
    """Each of `FILES` that `folder` has, under one of its common names; unpacked files win, since they load faster."""
    return {
        file: path
        for suffix in (".gz", "")
        for file in FILES
        for path in _common_names(folder, f"{file}{suffix}", f"{_dotted(file)}{suffix}")
        if path.is_file()
    }


def _common_names(folder: Path, name: str, dotted: str) -> Iterator[Path]:
    """Paths under which a file is found: a mirror puts it in a folder of its own name, and unpackers restore the name
    with a dot that the gzip archive records, `train-images.idx3-ubyte`. Later ones win."""
    yield from (folder / dotted / dotted, folder / name / dotted, folder / name / name)
    yield from (folder / dotted, folder / name)


def _dotted(file: str) -> str:
    return file.replace("-idx", ".idx")


def _near(folder: Path, missing: Iterable[str]) -> str | None:
    """Find a file of `folder` whose name ends like a missing one, such as `emnist-letters-train-images-idx3-ubyte`,
    with the name that it should have."""
    present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for file in missing:
        split, kind = file.split("-", 1)
        splits = (split, "test") if split == "t10k" else (split,)
        for name in present:
            plain = name.removesuffix(".gz").replace(".idx", "-idx")
            if any(plain.endswith(f"{each}-{kind}") for each in splits):
                return f"`{name}` (expected: `{file}{'.gz' if name.endswith('.gz') else ''}`)"
    return None


def _check_sha256(files: Iterable[Path], sums: Path) -> None:
    expected = {name: digest for digest, name in map(str.split, sums.read_text().splitlines())}
    for file in files:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != expected.get(file.name):
            raise DatasetError(
                f"{file}: damaged since it was installed: expected sha256 {expected.get(file.name)}, "
                f"found {found}; reinstall infogan-bench"
            )


def _read_split(images_file: Path, labels_file: Path) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(read_idx(images_file, ndim=3)).unsqueeze(1)
    labels = torch.from_numpy(read_idx(labels_file, ndim=1)).to(torch.int64)
    if len(images) != len(labels):
        raise DatasetError(
            f"{images_file} holds {len(images):,} images, but {labels_file} holds {len(labels):,} labels; "
            "they belong to different sets"
        )
    return images, labels


MNIST = MnistFamily(
    name="mnist",
    torchvision_name="MNIST",
    class_names=tuple("0123456789"),
    published=MNIST_FILES,
    how_to_get="Without `data_dir`, the files that ship with InfoGAN Bench are used.",
    shipped=Path(__file__).with_name("mnist_files"),
)

FASHION_MNIST = MnistFamily(
    name="fashion-mnist",
    torchvision_name="FashionMNIST",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    published=FASHION_MNIST_FILES,
    how_to_get=(
        "`infogan-bench data fetch fashion-mnist` fetches the files where there is a network; Debian's package "
        "dataset-fashion-mnist puts them in "
        "/usr/share/datasets/fashion-mnist."
    ),
)

KMNIST = MnistFamily(
    name="kmnist",
    torchvision_name="KMNIST",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    published=KMNIST_FILES,
    how_to_get=("`infogan-bench data fetch kmnist` fetches the files where there is a network."),
)
