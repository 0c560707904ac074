"""What `pip install` brings: three import packages, and with them the sweeps, the templates, MNIST and the meshes."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import infogan_metrics
import numpy as np
import pytest
from packaging.requirements import Requirement

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


def test_the_meshes_are_in_the_wheel_with_their_origins_and_their_licence(wheel: zipfile.ZipFile) -> None:
    folder = "infogan_bench/drawing/meshes"
    names = {Path(name).name for name in wheel.namelist() if name.startswith(f"{folder}/")}
    assert names == {"heads.npz", "chairs.npz", "README.md", "LICENSE-CC0.md"}
    readme = wheel.read(f"{folder}/README.md").decode()
    with np.load(io.BytesIO(wheel.read(f"{folder}/chairs.npz"))) as file:
        assert all(f"\n| {name} | " in readme for name in file["names"])
    assert sum(wheel.getinfo(f"{folder}/{name}").file_size for name in names) < 600_000


# The metrics alone ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def metrics_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive of the metrics and the wheel that is built from that archive."""
    folder = tmp_path_factory.mktemp("metrics")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder), "--target"]
    subprocess.run([*build, "sdist"], cwd=ROOT / "metrics", check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    source = next(path for path in folder.iterdir() if path.is_dir())
    subprocess.run([*build, "wheel"], cwd=source, check=True, capture_output=True)
    return folder


def test_the_metrics_are_a_package_of_their_own(metrics_built: Path) -> None:
    wheel = zipfile.ZipFile(next(metrics_built.glob("infogan_metrics-*.whl")))
    modules = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = (ROOT / "metrics/infogan_metrics").rglob("*")
    assert modules == {
        path.relative_to(ROOT / "metrics").as_posix()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "infogan_metrics/py.typed" in modules
    licence = next(name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_version_stands_in_one_place(wheel: zipfile.ZipFile) -> None:
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert f"\nVersion: {infogan_bench.__version__}\n" in wheel.read(metadata).decode()


def test_an_installed_wheel_scores_two_arrays(metrics_built: Path, tmp_path: Path) -> None:
    wheel = next(metrics_built.glob("infogan_metrics-*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target"]
    subprocess.run([*install, str(tmp_path / "site"), str(wheel)], check=True, capture_output=True)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, infogan_metrics as m\n"
        "assert m.__file__.startswith(sys.argv[1]), m.__file__\n"
        "factors = np.array([[a, b] for a in range(4) for b in range(4)] * 5)\n"
        "print(m.__version__, round(float(m.mig(factors * 2.5, factors)), 9))\n"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "site")]
    done = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [infogan_metrics.__version__, "1.0"]


def test_the_metrics_have_the_version_of_the_whole_and_bounds_within_its() -> None:
    whole, part = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in (".", "metrics")
    )
    assert infogan_metrics.__version__ == infogan_bench.__version__
    assert part["license"] == whole["license"]
    wanted = {Requirement(line).name: Requirement(line) for line in whole["dependencies"]}
    # The lowest version that the whole takes is one that the part takes. The whole alone has upper bounds: it uses
    # private parts of torch, and the part does not.
    for line in (*part["dependencies"], *part["optional-dependencies"]["images"]):
        bounds = wanted[Requirement(line).name].specifier
        (lowest,) = (bound.version for bound in bounds if bound.operator == ">=")
        assert Requirement(line).specifier.contains(lowest)
