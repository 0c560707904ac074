"""The files of published data sets, as their authors and torchvision publish them."""

from __future__ import annotations

from typing import NamedTuple


class PublishedFile(NamedTuple):
    """A file: its path below `data_dir`, as torchvision lays it, its MD5 checksum and its size in bytes."""

    path: str
    md5: str
    size: int

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.name} ({self.size:,} bytes, md5 {self.md5})"


def _idx(folder: str, *facts: tuple[str, int]) -> tuple[PublishedFile, ...]:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(
        PublishedFile(f"{folder}/raw/{name}-ubyte.gz", md5, size)
        for name, (md5, size) in zip(names, facts, strict=True)
    )


MNIST_FILES = _idx(
    "MNIST",
    ("f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
    ("d53e105ee54ea40749a09fcbcd1e9432", 28_881),
    ("9fb629c4189551a2d022fa330f9573f3", 1_648_877),
    ("ec29112dd5afa0611ce80d1b7f02629c", 4_542),
)
FASHION_MNIST_FILES = _idx(
    "FashionMNIST",
    ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
    ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
)
KMNIST_FILES = _idx(
    "KMNIST",
    ("bdb82020997e1d708af4cf47b453dcf7", 18_165_135),
    ("e144d726b3acfaa3e44228e80efcd344", 29_497),
    ("5c965bf0a639b31b8f53240b1b52f4d7", 3_041_136),
    ("7320c461ea6c1c855c0b718fb2a4b134", 5_120),
)
SVHN_FILES = (
    PublishedFile("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", 182_040_794),
    PublishedFile("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", 64_275_384),
    PublishedFile("extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7", 1_329_278_602),
)
CELEBA_FILES = (
    PublishedFile("celeba/img_align_celeba.zip", "00d2c5bc6d35e252742224ab0c1e8fcb", 1_443_490_838),
    PublishedFile("celeba/list_attr_celeba.txt", "75e246fa4810816ffd6ee81facbd244c", 26_721_026),
    PublishedFile("celeba/list_eval_partition.txt", "d32c9cbf5e040fd4025c592c306e6668", 2_836_386),
)
