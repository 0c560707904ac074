from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from infogan_metrics import METRICS, bin_factors, bootstrap, dci, fid, mig, modularity, sap_continuous

from infogan_bench.errors import InputError
from infogan_bench.scoring import ScoreOutcome, as_json, as_table, metrics_table, score_arrays
from tests.command_line import infogan_bench as run

FACTORS = np.random.default_rng(0).integers(0, (3, 4), (400, 2))
CODES = FACTORS + np.random.default_rng(1).normal(scale=0.2, size=FACTORS.shape)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "codes.npz"
    np.savez(path, codes=CODES, factors=FACTORS)
    return path


def test_asked_scores_are_those_of_the_functions(file: Path) -> None:
    first, second = score_arrays(file, ["mig", "modularity", "mig"])
    assert (first.name, first.value, first.n) == ("mig", mig(CODES, FACTORS).value, 400)
    assert second.name == "modularity"


def test_by_default_all_that_the_arrays_suffice_for(file: Path) -> None:
    names = {outcome.name for outcome in score_arrays(file)}
    assert names == {
        name
        for name, metric in METRICS.items()
        if metric.cost == "cheap" and metric.inputs in (("codes", "factors"), ("codes",))
    }


def test_splits_labels_and_features(tmp_path: Path) -> None:
    arrays = {"assignments": FACTORS[:, 0] + 7, "labels": FACTORS[:, 0], "real": CODES, "fake": CODES + 0.5}
    split = {"codes": CODES[:300], "factors": FACTORS[:300]}
    test = {"test_codes": CODES[300:], "test_factors": FACTORS[300:]}
    np.savez(tmp_path / "all.npz", allow_pickle=False, **arrays, **split, **test)
    clusters, distance, trees = score_arrays(tmp_path / "all.npz", ["cluster_accuracy", "fid", "dci_forest"])
    assert clusters.value == 1.0
    assert distance.value == pytest.approx(0.5) == fid(CODES, CODES + 0.5).value  # 2 * 0.5^2
    score = dci(CODES[:300], FACTORS[:300], CODES[300:], FACTORS[300:], estimator="forest")
    assert trees.value == score.value
    assert trees.parts["completeness"] == score.completeness.value
    assert trees.parts["informativeness"] == score.informativeness


def test_a_score_without_a_value_says_why(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", codes=CODES, factors=FACTORS[:, :1])
    gap, one_factor = score_arrays(tmp_path / "one.npz", ["mig", "modularity"])
    assert gap.value is not None
    assert one_factor.value is None
    assert "not defined for a single factor" in str(one_factor.not_defined)
    assert "modularity  not defined" in as_table([one_factor])


def test_warnings_become_notes(tmp_path: Path) -> None:
    many = np.arange(64)[:, None]
    np.savez(tmp_path / "many.npz", codes=many, factors=many)
    (outcome,) = score_arrays(tmp_path / "many.npz", ["mig"])
    (note,) = outcome.notes
    assert "a factor has 64 values, but codes are cut into 20 bins" in note
    assert f"mig: {note}" in as_table([outcome])


def test_json_is_valid_whatever_the_values() -> None:
    outcomes = [
        ScoreOutcome("fid", math.inf, 10, parts={"clamped": math.nan}),
        ScoreOutcome("mig", None, not_defined="why"),
    ]
    document = json.loads(as_json(outcomes, {"scored": "x"}))
    assert document["scored"] == "x"
    assert document["scores"]["fid"]["value"] is None
    assert document["scores"]["fid"]["parts"] == {"clamped": None}
    assert document["scores"]["mig"]["not_defined"] == "why"


def test_the_registry_as_a_table() -> None:
    text = metrics_table([METRICS["mig"], METRICS["fid"]])
    first, second = text.splitlines()[1:]
    assert first.split("  ")[0] == "mig"
    for word in (
        "does one code alone know a factor?",
        "0 to 1",
        "higher",
        "codes, factors",
        "cheap",
        "1802.04942",
    ):
        assert word in first
    assert "0 to inf" in second
    assert "lower" in second


def test_a_bootstrap_is_that_of_the_library(tmp_path: Path, file: Path) -> None:
    (outcome,) = score_arrays(file, ["mig"], n_resamples=20)
    expected = bootstrap(mig, CODES, FACTORS, n_resamples=20)
    assert outcome.interval == (expected.low, expected.high)
    assert f"{mig(CODES, FACTORS).value:.4f} [{expected.low:.4f}, {expected.high:.4f}]" in as_table([outcome])
    np.savez(tmp_path / "sets.npz", real=CODES, fake=CODES[:200])  # sets of their own sizes are drawn apart
    (outcome,) = score_arrays(tmp_path / "sets.npz", ["fid"], n_resamples=20)
    apart = bootstrap(fid, CODES, CODES[:200], n_resamples=20, groups=(0, 1))
    assert outcome.interval == (apart.low, apart.high)


def test_a_bootstrap_needs_rows_of_samples(tmp_path: Path) -> None:
    np.savez(tmp_path / "models.npz", models=np.stack([CODES, CODES]))
    assert score_arrays(tmp_path / "models.npz", ["udr"])[0].value == pytest.approx(0.9, abs=0.01)
    with pytest.raises(InputError, match="--bootstrap: `udr` has no rows of samples"):
        score_arrays(tmp_path / "models.npz", ["udr"], n_resamples=20)
    np.savez(tmp_path / "codes.npz", codes=CODES, factors=FACTORS)
    with pytest.raises(InputError, match="`n_resamples` must be at least 2"):
        score_arrays(tmp_path / "codes.npz", ["mig"], n_resamples=1)


# Faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrays", "names", "fault"),
    [
        (
            {"codes": CODES},
            ["mig"],
            "`mig` needs `codes`, `factors`, but `factors` is missing; there is `codes`",
        ),
        ({"mus": CODES}, [], "holds `mus`, which no score is computed from alone"),
        ({}, [], "not an .npz file but an empty zip archive"),
        ({"codes": CODES}, ["modularty"], "unknown score `modularty`; did you mean `modularity`"),
        (
            {"codes": CODES, "factors": FACTORS[:7]},
            ["mig"],
            "mig: .* one row per sample, but have 400 and 7 rows",
        ),
        ({"codes": CODES[None], "factors": FACTORS}, ["mig"], "mig: `codes` must be 2-D"),
        ({"codes": CODES * np.nan, "factors": FACTORS}, ["mig"], "mig: `codes` must be finite"),
        ({"codes": np.array([[object()]]), "factors": FACTORS}, ["mig"], "`codes` holds Python objects"),
    ],
)
def test_faults_of_arrays(tmp_path: Path, arrays: dict[str, Any], names: list[str], fault: str) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=fault):
        score_arrays(path, names)


def test_faults_of_files(tmp_path: Path, file: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.npz: no such file"):
        score_arrays(tmp_path / "missing.npz")
    np.save(tmp_path / "single.npy", CODES)
    with pytest.raises(InputError, match="holds `single`, which no score is computed from alone"):
        score_arrays(tmp_path / "single.npy")
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:200] + b"x" * 100 + whole[300:]):
        (tmp_path / "damaged.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"damaged\.npz: a damaged \.npz file"):
            score_arrays(tmp_path / "damaged.npz")


def test_arrays_of_one_dimension_keep_it_where_a_score_wants_it(tmp_path: Path) -> None:
    categories = FACTORS[:, 0].astype(int)
    np.savez(
        tmp_path / "flat.npz", assignments=categories, labels=categories, codes=CODES[:, 0], factors=FACTORS
    )
    outcomes = {each.name: each.value for each in score_arrays(tmp_path / "flat.npz")}
    assert outcomes["cluster_accuracy"] == 1


# The commands ---------------------------------------------------------------------------------------------


def test_evaluate_prints_a_table_or_json(file: Path) -> None:
    done = run("evaluate", "--codes", str(file), "--score", "mig")
    assert done.returncode == 0
    assert f"{mig(CODES, FACTORS).value:.4f}" in done.stdout
    done = run("evaluate", "--codes", str(file), "--score", "mig", "--json")
    assert json.loads(done.stdout)["scores"]["mig"]["value"] == mig(CODES, FACTORS).value


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([], "error: give either a CHECKPOINT, the FOLDER of a sweep, or --codes FILE"),
        (
            ["x.safetensors", "--codes", "y.npz"],
            "error: give either a CHECKPOINT, the FOLDER of a sweep, or --codes FILE",
        ),
        (["x.safetensors", "--bootstrap", "20"], "error: --bootstrap: goes with --codes FILE alone"),
        (["--codes", "missing.npz"], "error: missing.npz: no such file"),
        (["missing.safetensors"], "error: missing.safetensors: no such checkpoint"),
    ],
)
def test_evaluate_refuses_in_one_line(arguments: list[str], fault: str) -> None:
    done = run("evaluate", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(fault)
    assert len(done.stderr.splitlines()) == 1


def test_metrics_lists_every_score() -> None:
    done = run("metrics")
    assert done.returncode == 0
    listed = {line.split("  ")[0] for line in done.stdout.splitlines()}
    assert set(METRICS) <= listed


def test_continuous_factors_are_binned_when_asked_and_refused_otherwise(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    factors = rng.random((400, 2))
    codes = factors + rng.normal(scale=0.05, size=factors.shape)
    np.savez(tmp_path / "c.npz", codes=codes, factors=factors)
    with pytest.raises(InputError, match="cut continuous factors into bins with `--factor-bins N`"):
        score_arrays(tmp_path / "c.npz", ["mig"])
    refused, taken = score_arrays(tmp_path / "c.npz", ["mig", "sap_continuous"])  # one does not end the other
    assert refused.value is None
    assert "--factor-bins N" in str(refused.not_defined)
    assert taken.value == sap_continuous(codes, factors).value
    binned, raw = score_arrays(tmp_path / "c.npz", ["mig", "sap_continuous"], factor_bins=5)
    assert binned.value == mig(codes, bin_factors(factors, 5)).value
    assert raw.value == sap_continuous(codes, factors).value
    assert binned.protocol == {"n": 400, "factor_bins": 5, "n_bins": 20}
    assert raw.protocol == {"n": 400}
    done = run(
        "evaluate", "--codes", str(tmp_path / "c.npz"), "--score", "mig", "--factor-bins", "10", "--json"
    )
    assert json.loads(done.stdout)["scores"]["mig"]["protocol"]["factor_bins"] == 10


def test_each_score_of_a_file_stands_for_itself(tmp_path: Path) -> None:
    """Text factors for one score, and 15 images for KID, ended all others with exit code 2."""
    text = np.array([["a", "b", "c"][value] for value in FACTORS[:, 0]])[:, None]
    few = {"real": CODES[:15], "fake": CODES[15:30]}
    np.savez(
        tmp_path / "mixed.npz",
        codes=CODES,
        factors=text,
        assignments=FACTORS[:, 0],
        labels=FACTORS[:, 0],
        **few,
    )
    outcomes = {each.name: each for each in score_arrays(tmp_path / "mixed.npz")}
    assert outcomes["mig"].value == mig(CODES, text).value
    assert outcomes["cluster_accuracy"].value == 1.0
    assert outcomes["sap_continuous"].value is None
    assert outcomes["kid"].value is not None
    assert outcomes["nmi"].notes == ("divided by the arithmetic mean of both entropies",)


def test_a_constant_factor_is_left_out_with_a_note(tmp_path: Path) -> None:
    constant = np.column_stack([FACTORS[:, 0], np.full(400, 7), FACTORS[:, 1]])
    np.savez(tmp_path / "constant.npz", codes=CODES, factors=constant)
    gap, modular = score_arrays(tmp_path / "constant.npz", ["mig", "modularity"])
    assert (gap.value, modular.value) == (mig(CODES, FACTORS).value, modularity(CODES, FACTORS).value)
    assert gap.notes == ("left out, constant: column 1 of `factors`",)


def test_protocols_state_the_options_and_both_halves(tmp_path: Path) -> None:
    halves = {
        "codes": CODES[:200],
        "factors": FACTORS[:200],
        "test_codes": CODES[200:],
        "test_factors": FACTORS[200:],
    }
    np.savez(tmp_path / "split.npz", **halves)
    whole, part = score_arrays(tmp_path / "split.npz", ["dci_forest", "explicitness"])
    assert whole.protocol == {"n": 200, "n_held_out": 200, "estimator": "forest", "seed": 0}
    assert part.protocol == {"n": 200, "n_held_out": 200}
