"""What `pip install` brings: three import packages, and with them the sweeps, the templates and MNIST."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import infogan_bench

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_has_three_import_packages_and_nothing_generic(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "infogan_bench",
        "infogan_metrics",
        "infogan_reports",
    }


def test_sweeps_and_templates_are_in_the_wheel_as_they_are_here(wheel: zipfile.ZipFile) -> None:
    reports = ("infogan_reports/templates", "infogan_reports/sections")
    for source, inside in (
        ("sweeps", "infogan_bench/sweeps"),
        *((f"reports/{name}", name) for name in reports),
    ):
        files = [file for file in (ROOT / source).iterdir() if file.is_file()]
        assert files
        for file in files:
            assert wheel.read(f"{inside}/{file.name}") == file.read_bytes()


def test_mnist_is_in_the_wheel_with_its_checksums_and_its_licence(wheel: zipfile.ZipFile) -> None:
    folder = "infogan_bench/datasets/mnist_files"
    sums = wheel.read(f"{folder}/SHA256SUMS").decode().split()
    for digest, name in zip(sums[::2], sums[1::2], strict=True):
        assert hashlib.sha256(wheel.read(f"{folder}/{name}")).hexdigest() == digest
    assert b"CC BY-SA 3.0" in wheel.read(f"{folder}/README.md")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


# The metrics alone ----------------------------------------------------------------------------------------


def test_the_metrics_are_a_package_of_their_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "metrics", check=True, capture_output=True)
    wheel = zipfile.ZipFile(next(tmp_path.glob("infogan_metrics-*.whl")))
    modules = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert modules == {
        path.relative_to(ROOT / "metrics").as_posix()
        for path in (ROOT / "metrics/infogan_metrics").rglob("*.py")
    }
    licence = next(name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_version_stands_in_one_place(wheel: zipfile.ZipFile) -> None:
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert f"\nVersion: {infogan_bench.__version__}\n" in wheel.read(metadata).decode()


def test_the_metrics_have_the_bounds_of_the_whole() -> None:
    whole, part = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in (".", "metrics")
    )
    for key in ("requires-python", "license"):
        assert part[key] == whole[key]
    assert set(part["dependencies"]) < set(whole["dependencies"])
    assert set(part["optional-dependencies"]["images"]) < set(whole["dependencies"])
