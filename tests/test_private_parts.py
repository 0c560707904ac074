"""What this project uses of its libraries without their promise to keep it: one file a library, and all still there."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    ROOT / "infogan_bench",
    ROOT / "metrics" / "infogan_metrics",
    ROOT / "reports" / "infogan_reports",
)
LIBRARIES = (
    "ray",
    "optuna",
    "torch",
    "mlflow",
    "sklearn",
    "scipy",
    "numpy",
    "pandas",
    "pyarrow",
    "plotly",
    "pydantic",
)
HOMES = {
    "ray": "infogan_bench/sweep/engine/ray_private.py",
    "optuna": "infogan_bench/sweep/search/optuna_private.py",
    "torch": "infogan_bench/training/torch_private.py",
}
# Names that only these libraries have, so that whoever uses one uses a private part of theirs
PRIVATE_NAMES = re.compile(
    r"\b_temp_dir\b|\b_system_config\b|_tune_controller|_trial_to_actor|_actor_manager|_process_bracket|_s_max_1"
    r"|num_failures|ray_terminate_msg|pickled_error_file|TUNE_[A-Z_]+|_functorch|\b_rdb\b|\b_trial_id\b|\b_study_id\b"
    r"|is_batchedtensor|_py_driver_sys_path|_client_job"
)


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def private_imports(text: str) -> Iterator[str]:
    """Dotted names of private modules, or private names of modules, of a library that a file imports."""
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            library, *rest = name.split(".")
            if library in LIBRARIES and any(part.startswith("_") and part != "__version__" for part in rest):
                yield name


def without_comments(text: str) -> str:
    """The code of a file: its docstrings and comments may name what they like."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            first.value.value = ""
    return ast.unparse(tree)


def test_private_parts_are_used_in_their_own_file_alone() -> None:
    used = {
        (path, name)
        for path, text in sources()
        for name in (*private_imports(text), *PRIVATE_NAMES.findall(without_comments(text)))
        if path not in HOMES.values()
    }
    assert used == set()


def test_every_use_says_what_breaks_without_it() -> None:
    for home in HOMES.values():
        tree = ast.parse((ROOT / home).read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                docstring = ast.get_docstring(node) or ""
                assert re.search(r"ithout|in its message\s+only|for a fault", docstring), node.name


@pytest.mark.parametrize("library", ["ray", "optuna", "torch"])
def test_versions_that_were_not_tried_are_kept_out(library: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (wanted,) = (each for each in project["dependencies"] if re.match(rf"{library}\b", each))
    assert "<" in wanted, f"{wanted}: {HOMES[library]} uses private parts, so it needs an upper bound"


# Still there -----------------------------------------------------------------------------------------------


def test_ray_starts_with_these_arguments() -> None:
    import ray

    source = inspect.getsource(ray.init)
    assert '"_temp_dir"' in source
    assert '"_system_config"' in source


def test_a_job_of_ray_takes_a_path() -> None:
    import ray
    from ray.job_config import JobConfig

    worker = (Path(ray.__file__).parent / "_private" / "worker.py").read_text()
    assert "if not job_config._client_job and not" in worker  # the current folder is put first
    assert JobConfig(_py_driver_sys_path=["/a"])._py_driver_sys_path == ["/a"]
    assert JobConfig()._client_job is False


def test_ray_tune_reads_these_variables() -> None:
    import ray

    from infogan_bench.sweep.engine.ray_private import TRIALS_AHEAD, TUNE_SETTINGS

    tune = Path(ray.__file__).parent / "tune"
    text = "\n".join(path.read_text() for path in tune.rglob("*.py"))
    assert [name for name in (*TUNE_SETTINGS, TRIALS_AHEAD) if name not in text] == []


def test_ray_tunes_controller_knows_the_processes_of_its_trials() -> None:
    from ray.air.execution._internal.actor_manager import RayActorManager
    from ray.tune.execution import tune_controller

    source = inspect.getsource(tune_controller)
    for name in ("self._trial_to_actor", "self._actor_manager", "self._tune_controller"):
        assert name in source, name
    assert list(inspect.signature(RayActorManager.is_actor_started).parameters) == ["self", "tracked_actor"]


def test_rays_hyperband_marks_its_brackets() -> None:
    from ray.tune.schedulers import HyperBandScheduler
    from ray.tune.schedulers.hyperband import _Bracket

    assert list(inspect.signature(HyperBandScheduler._process_bracket).parameters)[1:] == [
        "tune_controller",
        "bracket",
    ]
    assert "is_being_processed" in inspect.getsource(_Bracket)
    assert (
        HyperBandScheduler(time_attr="step", max_t=9)._s_max_1 == 3
    )  # 1, 3 and 9 steps: three kinds of bracket


def test_rays_trials_count_their_failures_and_keep_the_error() -> None:
    from ray.exceptions import ActorUnavailableError, RayActorError
    from ray.tune.experiment.trial import Trial, _TrainingRunMetadata

    from infogan_bench.sweep.engine.ray_private import (
        error_of,
        forgive_failure,
        node_was_lost,
        preempted_error,
    )

    trial = SimpleNamespace(run_metadata=_TrainingRunMetadata(), pickled_error_file=None)
    trial.run_metadata.num_failures = 2
    forgive_failure(trial)
    assert Trial.num_failures.fget(trial) == 1
    assert error_of(trial) is None
    assert "pickled_error_file" in inspect.getsource(Trial)
    assert RayActorError(**preempted_error("full")).preempted
    assert not node_was_lost(RayActorError(**preempted_error("its node has died")))
    assert node_was_lost(RayActorError(error_msg="The actor died because its node has died."))
    assert issubclass(ActorUnavailableError, RayActorError)


def test_ray_marks_what_ends_a_process() -> None:
    import ray

    binary = next(Path(ray.__file__).parent.glob("_raylet*"))
    assert b"ray_terminate_msg" in binary.read_bytes()


def test_optunas_rows_and_mark_are_there() -> None:
    from optuna.samplers import NSGAIISampler
    from optuna.storages._rdb import models

    from infogan_bench.sweep.search.optuna_private import FIRST_GENERATION

    assert list(FIRST_GENERATION) == [NSGAIISampler._get_generation_key()]
    for table in ("Trial", "TrialValue", "TrialParam", "TrialUserAttribute", "TrialSystemAttribute"):
        assert hasattr(models, f"{table}Model")


def test_torch_tells_what_vmap_runs_over() -> None:
    import torch

    from infogan_bench.training.torch_private import is_under_vmap

    told: list[bool] = []

    def look(x: torch.Tensor) -> torch.Tensor:
        told.append(is_under_vmap(x))
        return x

    torch.func.vmap(look)(torch.zeros(2, 3))
    assert told == [True]
    assert not is_under_vmap(torch.zeros(2, 3))
