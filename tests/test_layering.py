"""Who imports whom: each package in a fresh interpreter, and the layers of docs/architecture.md in the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "infogan_bench"
HEAVY = ("torch", "ray", "mlflow", "optuna")
SWEEP_ENGINES = {"ray", "optuna", "mlflow"}


# In a fresh interpreter ------------------------------------------------------------------------------------


# In this order each interpreter imports its modules; after each, the named packages are not loaded yet
REPORTS = [("infogan_reports", (*HEAVY, "infogan_bench.config", "sklearn"))]
BENCH = [
    ("infogan_bench", (*HEAVY, "pandas", "numpy")),
    ("infogan_bench.records", (*HEAVY, "pandas", "numpy", "pyarrow", "plotly")),
    ("infogan_metrics", (*HEAVY, "infogan_bench.config", "infogan_reports", "pandas", "plotly")),
    ("infogan_bench.config", (*HEAVY, "pandas", "sklearn")),
    ("infogan_bench.cli", (*HEAVY, "pandas", "sklearn")),
    ("infogan_bench.sweep", HEAVY),
    ("infogan_bench.trial", ("ray", "mlflow", "optuna", "infogan_reports")),
    ("infogan_bench.scoring.sweep", ("ray", "mlflow", "optuna")),
    ("infogan_bench.sweep.session", ("mlflow",)),  # which `tracking: none` has no need of
]
METRICS = [("infogan_metrics", ("infogan_bench", "infogan_reports"))]
WORKER = [
    ("infogan_bench.sweep.engine.trainable", ("torch", "mlflow", "optuna", "infogan_reports"))
]  # all of them import it


@pytest.mark.parametrize(
    "modules", [REPORTS, BENCH, METRICS, WORKER], ids=["reports", "bench", "metrics", "worker"]
)
def test_what_importing_a_package_does_not_load(modules: list[tuple[str, tuple[str, ...]]]) -> None:
    """One interpreter imports several modules, since most of the time goes to torch and Ray."""
    code = ["import importlib, sys"]
    for module, absent in modules:
        code.append(f"importlib.import_module({module!r})")
        code.append(f"print({module!r}, *sorted({set(absent)!r} & sys.modules.keys()))")
    run = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:-1] == [module for module, _ in modules]


# In the source ---------------------------------------------------------------------------------------------


def layers() -> dict[str, int]:
    """{member of infogan_bench: its number in the numbered list of docs/architecture.md}; 1 is the top."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    items = re.findall(r"^(\d+)\. (.+?):", page, flags=re.MULTILINE)
    return {
        name.rstrip("/"): int(number) for number, names in items for name in re.findall(r"`([\w/]+)`", names)
    }


def members() -> set[str]:
    """The modules and packages of infogan_bench that the list has to place."""
    names = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    return names - {"__init__", "__main__"}


def imports(path: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def member_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_page_places_every_member() -> None:
    assert layers().keys() == members()


def test_imports_go_down_the_list_only() -> None:
    places = layers()
    upwards = []
    for path in sources(PACKAGE):
        if member_of(path) not in places:
            continue  # __init__, __main__
        for name in imports(path):
            package, _, rest = name.partition(".")
            member = rest.partition(".")[0]
            if package == "infogan_bench" and member in places and places[member] < places[member_of(path)]:
                upwards.append(f"{path.relative_to(ROOT)} imports {name}")
    assert upwards == []


def test_only_the_sweep_and_the_tracking_import_their_engines() -> None:
    importers = {
        member_of(path)
        for path in sources(PACKAGE)
        if SWEEP_ENGINES & {name.partition(".")[0] for name in imports(path)}
    }
    assert importers == {"sweep", "tracking"}


@pytest.mark.parametrize(
    ("folder", "foreign"),
    [
        (
            "metrics/infogan_metrics",
            {*SWEEP_ENGINES, "infogan_bench", "infogan_reports"},
        ),  # pandas, pyarrow, plotly: where a user asks for a table, a file or a figure of theirs
        (
            "reports/infogan_reports",
            {"ray", "mlflow", "torch"},
        ),  # optuna: fANOVA, when asked
    ],
)
def test_the_packages_below_import_nothing_from_above(folder: str, foreign: set[str]) -> None:
    found = {name.partition(".")[0] for path in sources(ROOT / folder) for name in imports(path)}
    assert found & foreign == set()


def test_the_report_imports_the_records_and_secrets_of_infogan_bench_alone() -> None:
    found = {name for path in sources(ROOT / "reports/infogan_reports") for name in imports(path)}
    ours = {name for name in found if name.partition(".")[0] == "infogan_bench"}
    below = ("infogan_bench.records", "infogan_bench.secrets")
    assert {name for name in ours if not name.startswith(below)} == set()


# Inside of sweep/ ------------------------------------------------------------------------------------------

SWEEP_ROOMS = (
    {"session"},
    {"check", "rerun", "summary", "track"},
    {"engine"},
    {"search"},
    {"record"},
    {"logs", "planned_trial", "progress", "signals"},
)
"""Members of infogan_bench/sweep, the top first: imports go down."""


def test_imports_inside_the_sweep_go_down_its_rooms_only() -> None:
    folder = PACKAGE / "sweep"
    places = {name: place for place, names in enumerate(SWEEP_ROOMS) for name in names}
    files = {path: path.relative_to(folder).parts[0].removesuffix(".py") for path in sources(folder)}
    assert set(files.values()) == {*places, "__init__"}
    wrong = []
    for path, room in files.items():
        if room == "__init__":
            continue
        for name in imports(path):
            other = name.removeprefix("infogan_bench.sweep.").partition(".")[0]
            ours = name.startswith("infogan_bench.sweep.") and other in places and other != room
            if ours and places[other] <= places[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []
