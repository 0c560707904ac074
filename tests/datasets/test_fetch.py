"""`data fetch`, from a server on this machine with small files in the place of the published ones."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from torchvision.datasets import KMNIST, SVHN, CelebA

from infogan_bench.config import DatasetConfig
from infogan_bench.config.datasets import DATASETS
from infogan_bench.config.published import CELEBA_FILES, KMNIST_FILES, MNIST_FILES, SVHN_FILES
from infogan_bench.datasets import fetch, load_dataset
from tests.command_line import infogan_bench

WriteSet = Callable[..., Path]
NOWHERE = "http://127.0.0.1:9/"  # the port where nothing listens


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files; below `/half/` the first half of each, and then nothing for a while."""

    def do_GET(self) -> None:
        if not self.path.startswith("/half/"):
            return super().do_GET()
        content = (Path(self.directory) / self.path.removeprefix("/half/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        time.sleep(1)
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir(exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=tmp_path / "served")) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/"
        http.shutdown()


def publish(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> None:
    """Let the files of a folder be the published ones."""
    files = tuple(
        each._replace(md5=hashlib.md5(path.read_bytes()).hexdigest(), size=path.stat().st_size)
        for each in DATASETS[name].files
        if (path := folder / each.name).is_file()
    )
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], files=files))


def test_a_set_is_fetched_from_the_first_mirror_that_has_it(
    write_set: WriteSet, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, "kmnist", write_set("served"))
    monkeypatch.setattr(KMNIST, "mirrors", [NOWHERE, server])
    done = infogan_bench("data", "fetch", "kmnist", "--data-dir", "data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"data/{each.path}" for each in KMNIST_FILES]
    assert done.stderr.endswith("In a sweep file: `dataset: {name: kmnist, data_dir: data}`\n")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["KMNIST"]
    dataset = load_dataset(DatasetConfig(name="kmnist", data_dir=str(tmp_path / "data")))
    assert len(dataset.train_images) == 30
    assert infogan_bench("data", "show", "kmnist", cwd=tmp_path).stdout == "kmnist.png\n"
    monkeypatch.setattr(KMNIST, "mirrors", [NOWHERE])  # no network is needed any more
    done = infogan_bench("data", "fetch", "kmnist", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "data: has all files of kmnist already\n")


def test_a_connection_that_stalls_leads_to_the_next_mirror(
    write_set: WriteSet, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, "kmnist", write_set("served"))
    monkeypatch.setattr(KMNIST, "mirrors", [f"{server}half/", server])
    monkeypatch.setattr(fetch, "_SECONDS", 0.3)
    assert infogan_bench("data", "fetch", "kmnist", cwd=tmp_path).returncode == 0
    dataset = load_dataset(DatasetConfig(name="kmnist", data_dir=str(tmp_path / "data")))
    assert len(dataset.test_images) == 12


def test_a_file_with_another_checksum_leaves_nothing(
    write_set: WriteSet, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = write_set("served")
    publish(monkeypatch, "kmnist", served)
    (served / "t10k-labels-idx1-ubyte.gz").write_bytes(b"<!DOCTYPE html>" * 9)
    monkeypatch.setattr(KMNIST, "mirrors", [server])
    done = infogan_bench("data", "fetch", "kmnist", cwd=tmp_path)
    assert done.returncode == 2
    assert "t10k-labels-idx1-ubyte.gz" in done.stderr
    assert "sent an HTML page" in done.stderr
    assert done.stderr.rstrip().endswith("Nothing was kept")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_wrong_file_of_the_user_s_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "train_32x32.mat"
    path.write_bytes(b"mine")
    done = infogan_bench("data", "fetch", "svhn", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert f"{path}: is there already, but has md5 {hashlib.md5(b'mine').hexdigest()}" in done.stderr
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "files"), [("svhn", SVHN_FILES[:2]), ("celeba", CELEBA_FILES), ("mnist", MNIST_FILES)]
)
def test_without_a_network_one_message_says_what_to_put_where(
    name: str, files: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, NOWHERE)
    began = time.monotonic()
    done = infogan_bench("data", "fetch", name, "--data-dir", str(tmp_path / "data"))
    assert time.monotonic() - began < 30
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name}: there is no network to fetch it")
    assert done.stderr.count("\n") == 1
    for each in DATASETS[name].files:
        line = f"{tmp_path / 'data' / each.path} ({each.size:,} bytes, md5 {each.md5})"
        assert (line in done.stderr) == (each in files)
    assert not (tmp_path / "data").exists()


def test_a_host_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "urlopen", lambda *_, **__: time.sleep(5))
    monkeypatch.setattr(fetch, "_ALTOGETHER", 0.2)
    done = infogan_bench("data", "fetch", "mnist", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "no answer in 0 s" in done.stderr


def test_what_can_be_fetched(tmp_path: Path) -> None:
    done = infogan_bench("data", "fetch", "sprites", cwd=tmp_path)
    assert done.returncode == 2
    assert "`sprites` cannot be fetched; these can: `mnist`, `fashion-mnist`" in done.stderr
    done = infogan_bench("data", "fetch", "mnist", "--extra", cwd=tmp_path)
    assert "--extra: goes with svhn alone" in done.stderr


def test_the_facts_of_the_files_are_torchvision_s() -> None:
    published = {each.name: each.md5 for each in (*SVHN_FILES, *CELEBA_FILES)}
    theirs = {file: md5 for _, file, md5 in SVHN.split_list.values()}
    theirs |= {file: md5 for _, md5, file in CelebA.file_list}
    assert published == {name: theirs[name] for name in published}
    assert {each.name: each.md5 for each in KMNIST_FILES} == dict(KMNIST.resources)
