from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from infogan_metrics import METRICS, NotDefinedError

OF_LABELS = [name for name, metric in METRICS.items() if metric.uses_labels]
OF_FACTORS = [name for name, metric in METRICS.items() if metric.uses_factors]
DCI = {"dci", "dci_forest", "dci_continuous", "dci_es"}
PAIRS = DCI | {"infomec", "med"}  # that compare codes with each other, and factors
VOTES = {"factor_vae", "beta_vae", "z_max_variance"}
DRAWS = DCI | VOTES  # random, so only nearly the same for other columns

GRID = np.tile(list(itertools.product(range(2), range(3))), (10, 1))  # each pair of values ten times
NOISY = GRID + np.random.default_rng(0).normal(scale=0.3, size=GRID.shape)


def score(name: str, codes: Any, factors: Any) -> float:
    """The value of a score of codes about factors, with the same samples as a test split if it wants one."""
    arrays = {"codes": codes, "factors": factors, "test_codes": codes, "test_factors": factors}
    return float(METRICS[name].function(*(arrays[argument] for argument in METRICS[name].inputs)))


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
    assert metric.asks.strip(" .?") == metric.asks != ""
    assert metric.source


@pytest.mark.parametrize("name", METRICS)
def test_entries_say_the_least_that_a_score_needs(name: str) -> None:
    """One less of what is needed has no value; `per_value` and the images' channels are the data's business."""
    needs = METRICS[name].needs
    if set(METRICS[name].inputs) <= {"codes", "factors", "test_codes", "test_factors"}:
        codes, factors = NOISY[:, : needs.codes], GRID[:, : needs.factors]
        assert np.isfinite(score(name, codes, factors))
        for fewer in (NOISY[:, : needs.codes - 1], factors), (codes, GRID[:, : needs.factors - 1]):
            if all(array.shape[1] for array in fewer):
                with pytest.raises(NotDefinedError):
                    score(name, *fewer)
    if METRICS[name].inputs == ("real", "fake"):
        rows = np.random.default_rng(0).normal(size=(needs.samples, 2))
        assert np.isfinite(float(METRICS[name].function(rows, rows + 1)))
        with pytest.raises(ValueError, match=r"blocks|rows|samples"):
            METRICS[name].function(rows[1:], rows[1:] + 1)


def test_parts_are_attributes_of_the_result() -> None:
    (first, *others) = METRICS["dci"].parts
    result = METRICS["dci"].function(NOISY, GRID, NOISY, GRID, estimator="forest")
    assert float(getattr(result, first.attribute)) == float(result)
    assert [each.name for each in others] == ["dci_completeness", "dci_informativeness"]
    assert METRICS["dci"].names == tuple(part.name for part in METRICS["dci"].parts)
    assert all(0 <= float(getattr(result, part.attribute)) <= 1 for part in METRICS["dci"].parts)
    assert METRICS["dci"].part("dci_completeness") is others[0]
    assert (METRICS["mig"].names, METRICS["mig"].part("mig")) == (("mig",), None)


def test_options_are_the_keyword_arguments_with_their_defaults() -> None:
    assert METRICS["mig"].options == {"n_bins": 20}
    assert METRICS["dci_forest"].options == {"estimator": "forest", "n_jobs": 1, "seed": 0}
    assert METRICS["ari"].options == {}


def test_entries_say_what_is_supervision() -> None:
    assert set(METRICS) - set(OF_LABELS) - set(OF_FACTORS) == {
        *("mi_bound", "gaussian_mi_bound", "traversal_effect", "udr", "model_centrality"),
        *("mutual_info_score", "gaussian_total_correlation", "gaussian_wasserstein_correlation"),
        *("fid", "kid", "precision_recall", "density_coverage"),
    }
    assert set(OF_LABELS) == {
        *("cluster_accuracy", "per_class_accuracy", "purity", "balanced_accuracy", "nmi", "ari", "v_measure")
    }
    assert [name for name, metric in METRICS.items() if metric.direction == "min"] == [
        "mutual_info_score",
        "gaussian_total_correlation",
        "gaussian_wasserstein_correlation",
        "fid",
        "kid",
    ]


@pytest.mark.parametrize("name", OF_LABELS)
def test_perfect_clusters_reach_the_top_of_the_range(name: str) -> None:
    labels = np.arange(50) % 5
    assert float(METRICS[name].function(labels + 3, labels)) == pytest.approx(METRICS[name].range[1])


@pytest.mark.parametrize(
    "name", sorted(set(OF_FACTORS) - {"sap_discrete", "infomec"})
)  # an SVM's other codes do well too
def test_perfect_codes_reach_the_top_of_the_range(name: str) -> None:
    assert score(name, GRID, GRID) == pytest.approx(METRICS[name].range[1])


@pytest.mark.parametrize("name", sorted(set(OF_FACTORS) - DRAWS))
def test_order_and_sign_of_codes_and_order_of_samples_do_not_matter(name: str) -> None:
    rows = np.random.default_rng(1).permutation(len(GRID))
    assert score(name, -NOISY[rows][:, ::-1], GRID[rows]) == pytest.approx(score(name, NOISY, GRID), abs=1e-6)


@pytest.mark.parametrize("name", OF_FACTORS)
def test_scores_stay_in_their_range_and_repeat(name: str) -> None:
    noise = np.random.default_rng(2).normal(size=(60, 3))
    value = score(name, noise, GRID)
    assert METRICS[name].range[0] <= value <= METRICS[name].range[1]
    assert score(name, noise, GRID) == value


@pytest.mark.parametrize("name", OF_FACTORS)
def test_constant_codes_change_nothing(name: str) -> None:
    constant = np.full(len(GRID), np.float32(0.7))
    with_constants = np.column_stack([NOISY, constant, np.zeros(len(GRID))])
    tolerance = 0.05 if name in DRAWS else 1e-6
    expected = score(name, NOISY, GRID)
    assert score(name, with_constants, GRID) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("name", OF_FACTORS)
def test_single_codes_and_single_factors_are_scored_or_not_defined(name: str) -> None:
    for codes, factors in ((NOISY[:, :1], GRID), (NOISY, GRID[:, :1]), (NOISY[:, :1], GRID[:, :1])):
        needs_codes = name in PAIRS and codes.shape[1] == 1
        needs_factors = name in {"modularity"} | PAIRS | VOTES and factors.shape[1] == 1
        if needs_codes or needs_factors:
            with pytest.raises(NotDefinedError, match="not defined for a single"):
                score(name, codes, factors)
        else:
            assert 0 <= score(name, codes, factors) <= 1


def test_importing_the_package_loads_numpy_alone() -> None:
    script = "import sys, infogan_metrics; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "sklearn", "torch", "ray", "mlflow", "pandas", "infogan_bench"}


WITHOUT = """
import itertools
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "ray", "mlflow", "optuna", "pandas", "infogan_bench", "infogan_reports"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import numpy as np
from infogan_metrics import METRICS

factors = np.tile(list(itertools.product(range(2), range(3))), (20, 1))
codes = factors + np.random.default_rng(0).normal(scale=0.1, size=factors.shape)
votes = np.random.default_rng(0).normal(size=(20, 8, 3))
arrays = {
    "assignments": factors[:, 1], "labels": factors[:, 1], "codes": codes, "factors": factors,
    "test_codes": codes, "test_factors": factors, "models": [codes, -codes], "images": votes,
    "log_q": codes[:, 0] - 3, "latents": codes[:, 0], "readings": codes[:, 0] + 0.1,
    "entropy": 1.0, "real": codes, "fake": codes + 1,
    "encodings": [[votes, votes]] * 2, "fixed": [np.arange(20) % 3] * 2,
}
for metric in METRICS.values():
    print(metric.name, float(metric.function(*(arrays[name] for name in metric.inputs))))
"""


def test_every_score_works_where_nothing_else_of_ours_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    values = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    assert set(values) == set(METRICS)
    assert values["cluster_accuracy"] == values["factor_vae"] == values["beta_vae"] == 1.0
    assert all(METRICS[name].range[0] <= value <= METRICS[name].range[1] for name, value in values.items())
