from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
from infogan_metrics import METRICS


@pytest.mark.parametrize("name", METRICS)
def test_entries_say_how_their_function_is_called(name: str) -> None:
    metric = METRICS[name]
    positional = [
        parameter.name
        for parameter in inspect.signature(metric.function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    assert metric.name == name
    assert tuple(positional) == metric.inputs
    assert metric.range[0] < metric.range[1]
    assert metric.uses_labels == ("labels" in metric.inputs)
    assert metric.uses_factors == ("factors" in metric.inputs)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.uses_labels])
def test_perfect_clusters_reach_the_top_of_the_range(name: str) -> None:
    labels = np.arange(50) % 5
    assert float(METRICS[name].function(labels + 3, labels)) == pytest.approx(METRICS[name].range[1])


def test_importing_the_package_loads_numpy_alone() -> None:
    script = "import sys, infogan_metrics; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "sklearn", "torch", "ray", "mlflow", "pandas", "infogan_bench"}
