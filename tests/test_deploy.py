"""The files in deploy/, each by its own tool or schema."""

from __future__ import annotations

import copy
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from typer.testing import CliRunner

from infogan_bench.cli import app

DEPLOY = Path(__file__).parents[1] / "deploy"
KUBERNETES = "1.33"


def tool(*command: str) -> str:
    """What a checker that came with a package says; it must find nothing."""
    scripts = Path(sysconfig.get_path("scripts"))
    done = subprocess.run([scripts / command[0], *command[1:]], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_shellcheck_finds_nothing_in_the_slurm_script() -> None:
    assert tool("shellcheck", str(DEPLOY / "slurm.sh")) == ""


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert tool("hadolint", "--no-color", str(DEPLOY / "Dockerfile")) == ""


def test_the_cluster_launcher_takes_its_file() -> None:
    (config,) = documents("ray-cluster.yaml")
    prepared = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    assert prepared["available_node_types"]["gpu"]["resources"] == {"CPU": 8, "GPU": 1}
    with pytest.raises(Exception, match="'max_worker' was unexpected"):  # it does look
        validate_config(prepare_config(config | {"max_worker": 8}))


def pods(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x"},
            "spec": group["template"]["spec"],
        }


def test_kubernetes_takes_the_volume_and_the_pods() -> None:
    volume, job = documents("rayjob.yaml")
    kubernetes_validate.validate(volume, KUBERNETES, strict=True)
    for pod in pods(job):
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)
        assert {"name": "bench", "mountPath": "/bench"} in pod["spec"]["containers"][0]["volumeMounts"]
    pod["spec"]["containers"][0]["resources"]["limit"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):  # it does look
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["Dockerfile", "ray-cluster.yaml", "rayjob.yaml", "slurm.sh"])
def test_the_options_that_a_file_gives_are_there(name: str) -> None:
    words = (DEPLOY / name).read_text().replace("\\\n", " ")
    lines = [
        line for line in words.splitlines() if "infogan-bench sweep" in line or "infogan-bench resume" in line
    ]
    offered = CliRunner().invoke(app, ["sweep", "--help"]).stdout
    for line in lines:
        given = line.partition("infogan-bench ")[2].split()
        for option in (word.strip("'\",.") for word in given if word.startswith("--")):
            assert option in offered, line
