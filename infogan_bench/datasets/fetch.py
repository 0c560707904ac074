"""Fetching of published data sets by torchvision's own downloads: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from infogan_bench.config.datasets import DATASETS
from infogan_bench.config.errors import code_list
from infogan_bench.config.published import PublishedFile
from infogan_bench.datasets.errors import DatasetError

_SECONDS = 10.0  # that a host may take to answer
_ALTOGETHER = 25.0  # seconds until some host must have answered
_CLASSES = {
    "mnist": "MNIST",
    "fashion-mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "svhn": "SVHN",
    "celeba": "CelebA",
}
_OPTIONAL = {"extra_32x32.mat"}

Download = Callable[[Path], None]


def fetchable() -> tuple[str, ...]:
    """Return the names of the data sets that can be fetched."""
    return tuple(_CLASSES)


def fetch_dataset(name: str, data_dir: Path, *, extra: bool = False) -> list[Path]:
    """Fetch those files of a data set that are not in `data_dir` yet, as torchvision lays them.

    They are fetched into a folder beside their place, compared with their checksums, and moved when all are there.

    Args:
        name: one of `fetchable()`.
        data_dir: the folder; it is made.
        extra: SVHN's extra images as well.

    Returns:
        The files that were fetched; none if all were there.

    Raises:
        DatasetError: if the set cannot be fetched, no host answers, a file has another checksum, or one that is there
            already does.
    """
    if name not in _CLASSES:
        raise DatasetError(f"`{name}` cannot be fetched; these can: {code_list(_CLASSES, last='and')}")
    files = [each for each in DATASETS[name].files if extra or each.name not in _OPTIONAL]
    wanted = [each for each in files if not _is_there(data_dir / each.path, each)]
    if not wanted:
        return []
    sources = _sources(name)
    _require_network(name, data_dir, wanted, [url for each in wanted for url in sources[each.name].urls])
    data_dir.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=data_dir))
    try:
        with _patience():
            for each in wanted:
                _download(each, sources[each.name], partial)
        for each in wanted:
            (data_dir / each.path).parent.mkdir(parents=True, exist_ok=True)
            (partial / each.name).replace(data_dir / each.path)
    except OSError as error:
        raise DatasetError(f"{data_dir}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [data_dir / each.path for each in wanted]


class _Source:
    """The addresses of a file, or its number in Google's drive."""

    def __init__(self, urls: Sequence[str], drive: str | None = None) -> None:
        self.urls, self.drive = urls, drive


def _sources(name: str) -> dict[str, _Source]:
    """Return {file name: addresses} as torchvision has them."""
    from torchvision import datasets

    kind = getattr(datasets, _CLASSES[name])
    if name == "svhn":
        return {file: _Source([url]) for url, file, _ in kind.split_list.values()}
    if name == "celeba":
        drive = "https://drive.google.com"
        return {file: _Source([drive], number) for number, _, file in kind.file_list}
    return {file: _Source([f"{mirror}{file}" for mirror in kind.mirrors]) for file, _ in kind.resources}


def _download(file: PublishedFile, source: _Source, folder: Path) -> None:
    from torchvision.datasets.utils import download_file_from_google_drive, download_url

    faults = []
    for url in source.urls:
        (folder / file.name).unlink(missing_ok=True)  # torchvision would take a part of a file for the file
        try:
            if source.drive is not None:
                download_file_from_google_drive(source.drive, str(folder), file.name)
            else:
                download_url(url, str(folder), file.name)
        except ModuleNotFoundError as error:
            raise DatasetError(
                f"{file.name}: torchvision needs the package `{error.name}`: pip install it"
            ) from None
        except Exception as error:  # urllib, requests and gdown raise many kinds
            faults.append(f"{url}: {error}")
            continue
        if (found := _md5(folder / file.name)) == file.md5:
            return
        from infogan_metrics.files import what_it_is

        kind = what_it_is(folder / file.name)
        faults.append(f"{url}: sent {kind} of {(folder / file.name).stat().st_size:,} bytes with md5 {found}")
    raise DatasetError(f"{file} could not be fetched: {'; '.join(faults)}. Nothing was kept")


def _is_there(path: Path, file: PublishedFile) -> bool:
    if not path.is_file():
        return False
    if (found := _md5(path)) != file.md5:
        raise DatasetError(
            f"{path}: is there already, but has md5 {found}, not {file.md5}; move it away first"
        )
    return True


def _md5(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextmanager
def _patience() -> Iterator[None]:
    """Let no connection wait for longer than `_SECONDS`: torchvision sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _require_network(name: str, data_dir: Path, wanted: Sequence[PublishedFile], urls: Sequence[str]) -> None:
    """Refuse to begin where no host answers, and say what to put where by hand."""
    faults: dict[str, str] = {}
    answered: list[str] = []

    def ask() -> None:
        for url in dict.fromkeys(urls):
            try:
                with urlopen(Request(url, method="HEAD"), timeout=_SECONDS):  # noqa: S310 - torchvision's addresses
                    answered.append(url)
            except HTTPError as error:
                answered.append(url) if error.code < 500 else faults.setdefault(url, str(error))
            except Exception as error:
                faults[url] = str(error)
            if answered:
                return

    asking = Thread(target=ask, daemon=True)  # a name server that does not answer has no limit of time
    asking.start()
    asking.join(_ALTOGETHER)
    if answered:
        return
    why = next(iter(faults.values()), f"no answer in {_ALTOGETHER:.0f} s")
    places = "; ".join(f"{data_dir / each.path} ({each.size:,} bytes, md5 {each.md5})" for each in wanted)
    raise DatasetError(f"{name}: there is no network to fetch it ({why}). Put there by hand: {places}")
