"""Arrays from files of other programs, and files that are not what their names say."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from infogan_metrics.files import FileError, read_arrays, what_it_is

CODES = np.random.default_rng(0).normal(size=(6, 2))
FACTORS = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [0, 1], [1, 0]])


def test_an_npz_holds_arrays_by_name_and_a_name_may_stand_for_another(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, latents=CODES, factors=FACTORS, step=np.array(3))
    arrays = read_arrays([path], {"codes": "latents"})
    np.testing.assert_array_equal(arrays["codes"], CODES)
    np.testing.assert_array_equal(arrays["factors"], FACTORS)
    assert "latents" not in arrays


def test_an_npy_is_called_as_its_file_and_one_dimension_is_a_column_but_for_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "latents.npy", CODES[:, 0])
    np.save(tmp_path / "labels.npy", FACTORS[:, :1])
    arrays = read_arrays([tmp_path / "latents.npy", tmp_path / "labels.npy"], {"codes": "latents"})
    assert {name: array.shape for name, array in arrays.items()} == {"codes": (6, 1), "labels": (6,)}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_of_a_table_make_up_arrays(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "codes_1": CODES[:, 1],
            "codes_0": CODES[:, 0],
            "shape": ["a", "b", "a", "b", "a", "b"],
            "size": FACTORS[:, 1],
            "labels": FACTORS[:, 0],
        }
    )
    path = tmp_path / f"table{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    arrays = read_arrays([path], {"factors": "shape,size"})
    np.testing.assert_array_equal(arrays["codes"], CODES)
    assert arrays["factors"].tolist() == [[s, int(f)] for s, f in zip("ababab", FACTORS[:, 1], strict=True)]
    assert arrays["labels"].tolist() == FACTORS[:, 0].tolist()
    np.testing.assert_array_equal(read_arrays([path], {"codes": "co*"})["codes"], CODES[:, ::-1])


def test_what_is_missing_is_named_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, z=CODES)
    (tmp_path / "text.txt").write_text("1")
    with pytest.raises(
        FileError, match=r"model.npz: `latents`, wanted for `codes`, is not there; there is `z`"
    ):
        read_arrays([path], {"codes": "latents"})
    with pytest.raises(FileError, match=r"other.npz: no such file"):
        read_arrays([tmp_path / "other.npz"])
    with pytest.raises(
        FileError, match=r"text.txt: arrays are read from .npz, .npy, .csv and .parquet files"
    ):
        read_arrays([tmp_path / "text.txt"])


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.npz", b"<!DOCTYPE html><html></html>", "an HTML page"),
        ("a.npz", LFS, "a Git LFS pointer"),
        ("a.npy", b"1,2\n3,4\n", "text"),
        ("a.npy", pickle.dumps([1, 2]), "a Python pickle"),
        ("a.npz", pickle.dumps({"codes": 1}), "a Python pickle"),
        ("a.npz", b"", "an empty file"),
        ("a.npy", b"PK\x03\x04rest", "a zip archive"),
        ("a.csv", b"\x93NUMPY\x01\x00", "a single array"),
        ("a.parquet", b'{"codes": []}', "JSON text"),
        ("a.npz", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named_as_what_it_is(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert what_it_is(path).startswith(kind)
    with pytest.raises(FileError, match=f"{name}: not an? .* file but {kind}") as error:
        read_arrays([path])
    assert "allow_pickle" not in str(error.value)


def test_pickled_objects_are_refused_without_advice_to_allow_them(tmp_path: Path) -> None:
    for name, save in (("a.npz", np.savez), ("a.npy", np.save)):
        save(tmp_path / name, np.array([{}, None], dtype=object))
        with pytest.raises(FileError, match=r"holds Python objects \(a pickle\)") as error:
            read_arrays([tmp_path / name])
        assert "allow_pickle" not in str(error.value)


def test_damaged_files_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", codes=CODES)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "a.npy", CODES)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-8])
    with zipfile.ZipFile(tmp_path / "torch.npz", "w") as file:
        file.writestr("archive/data.pkl", "x")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    for name in ("a.npz", "a.npy", "a.parquet"):
        with pytest.raises(FileError, match=f"{name}: a damaged"):
            read_arrays([tmp_path / name])
    with pytest.raises(FileError, match="a zip archive of another program"):
        read_arrays([tmp_path / "torch.npz"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("codes_0,codes_1\n1,2\n3\n", "row 3 has 1 entries, but there are 2 columns"),
        ("1,2\n3,4\n", "the first line must name the columns"),
        ("codes\n", "a line of values or more"),
        ("codes,codes\n1,2\n", "two columns are called `codes`"),
    ],
)
def test_malformed_tables_are_told_by_line(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FileError, match=fault):
        read_arrays([tmp_path / "a.csv"])


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"codes": CODES[:, 0]}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"a.parquet: Parquet needs pyarrow, .* pip install pyarrow"
    ):
        read_arrays([tmp_path / "a.parquet"])
