"""A file that is not what its name says is named as what it is, in one line, wherever it is read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from infogan_bench.config import DatasetConfig, load_sweep
from infogan_bench.datasets.dsprites import ARCHIVE, load_dsprites
from infogan_bench.datasets.idx import read_idx
from infogan_bench.errors import InputError
from infogan_bench.scoring.arrays import score_arrays
from infogan_bench.training import load_checkpoint

KINDS = {
    "empty": b"",
    "an HTML page": b"<!DOCTYPE html><html><body>Quota exceeded</body></html>" + b" " * 600,
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "text": b"codes_0,codes_1,factors\n0.1,0.2,3\n0.4,0.1,1\n",
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100),
    "JSON text": b'{"codes": [[0.1, 0.2]], "factors": [[1]]}',
    "a Python pickle": b"\x80\x04\x95\x1e" + bytes(60),
}
READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "codes": ("codes.npz", score_arrays),
    "images": ("train-images-idx3-ubyte", lambda path: read_idx(path, ndim=3)),
    "dsprites": (
        ARCHIVE,
        lambda path: load_dsprites(DatasetConfig(name="dsprites", data_dir=str(path.parent))),
    ),
    "checkpoint": ("checkpoint.safetensors", load_checkpoint),
    "sweep": ("sweep.yaml", load_sweep),
}
YAML_TOO = ("text", "JSON text")  # which a person may have meant as a sweep


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_what_it_is_stands_in_the_message(tmp_path: Path, reader: str, kind: str) -> None:
    name, read = READERS[reader]
    path = tmp_path / name
    for content in [KINDS[kind]] + ([gzip.compress(KINDS[kind])] if reader == "images" else []):
        path.write_bytes(content)
        with pytest.raises(InputError) as refused:
            read(path)
        assert f"{path}" in str(refused.value)
        if reader != "sweep" or kind not in YAML_TOO:
            assert kind in str(refused.value)
            assert "\n" not in str(refused.value)
        assert "allow_pickle" not in str(refused.value)
