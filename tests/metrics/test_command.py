"""The command `infogan-metrics`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from infogan_metrics import METRICS, PROTOCOLS, mig
from infogan_metrics.command import main

FACTORS = np.random.default_rng(0).integers(0, 3, (120, 2))
CODES = FACTORS + np.random.default_rng(1).normal(scale=0.3, size=(120, 2))


@pytest.fixture
def file(tmp_path: Path) -> str:
    np.savez(tmp_path / "model.npz", latents=CODES, factors=FACTORS, images=np.zeros(3))
    return str(tmp_path / "model.npz")


def test_scores_of_a_file_as_json(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    fast = ["--bootstrap", "5", "--chance", "2", "--seed", "3"]
    assert main([file, "--map", "codes=latents", "--scores", "mig,irs", "--json", *fast]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in document["scores"]] == ["mig", "irs"]
    assert document["scores"][0]["value"] == mig(CODES, FACTORS)
    assert document["scores"][0]["seed"] == 3
    assert (document["n_bootstrap"], document["n_chance"]) == (5, 2)


@pytest.mark.parametrize(
    ("form", "start"), [("--latex", r"\begin"), ("--csv", "name,"), ("--markdown", "| score")]
)
def test_other_forms(file: str, form: str, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--map", "codes=latents", "--bootstrap", "0", "--chance", "0", "--protocol", "ubisoft"]
    assert main([file, form, *options, "--scores", "mig"]) == 0
    assert capsys.readouterr().out.startswith(start)


def test_kinds_of_columns_and_bins_of_factors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.csv"
    angle = np.arange(0, 360, 3.0)
    lines = [f"{(a + 50) % 360},{a},{s}" for a, s in zip(angle, FACTORS[:, 0], strict=True)]
    path.write_text("\n".join(["z,azimuth,shape", *lines]))
    options = [
        "--map",
        "codes=z",
        "--map",
        "factors=shape,azimuth",
        "--kinds",
        "azimuth=circular:360",
        "--json",
    ]
    plain = ["--scores", "mcc_spearman,mig", "--bootstrap", "0", "--chance", "0", "--factor-bins", "10"]
    assert main([str(path), *options, *plain]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kinds"] == [None, "circular:360"]
    assert document["factor_bins"] == 10
    assert [row["factor_bins"] for row in document["scores"]] == [None, 10]
    # one code, which is matched with the angle: ranks around the turn agree exactly; the other factor counts 0
    assert document["scores"][0]["value"] == pytest.approx(1 / 2)


def test_a_figure_is_saved(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [file, "--map", "codes=latents", "--scores", "mig", "--bootstrap", "0", "--chance", "1"]
    assert main([*options, "--plot", str(tmp_path / "scores.html")]) == 0
    assert "mig" in capsys.readouterr().out
    assert "mig" in (tmp_path / "scores.html").read_text()
    assert main([*options, "--plot", str(tmp_path / "scores.png")]) == 2


def test_list_names_scores_and_protocols(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{name}  " in f"\n{listed}".replace(" " * 2, "  ") for name in ("mig", "ubisoft"))
    assert all(name in listed for name in (*METRICS, *PROTOCOLS))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--map", "codes=z"], "model.npz: `z`, wanted for `codes`, is not there; there is `latents`"),
        (["--map", "code=latents"], "--map code=latents: no score takes `code`"),
        (["--map", "codes"], "--map codes: must be NAME=SOURCE"),
        (
            ["--map", "codes=latents", "--scores", "migg"],
            "model.npz: unknown score `migg`; did you mean `mig`?",
        ),
        (["--map", "codes=latents", "--protocol", "x"], "unknown protocol `x`"),
        (
            ["--map", "codes=latents", "--kinds", "hue=ordered"],
            "no factor is called `hue`; the names are none",
        ),
        (["--map", "codes=latents", "--kinds", "0=hue"], "a kind must be one of category, ordered"),
        (
            ["--scores", "mig"],
            "but has no `codes`; there is `factors`, `latents`, `images`; name arrays "
            "with --map codes=NAME --map factors=NAME (NAME is one of `latents`, `factors`, `images`)",
        ),
    ],
)
def test_faults_are_one_line_and_status_2(
    file: str, options: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([file, *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert fault in printed.err
    assert printed.err.count("\n") == 1


def test_files_without_known_names_say_how_to_name_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "model.npz", latents=CODES, truth=FACTORS)
    (tmp_path / "table.csv").write_text("z_0,z_1,shape\n1,2,3\n4,5,6\n")
    for name, fault in {
        "model.npz": "has no cheap score of `latents` alone; name arrays with --map codes=NAME --map factors=NAME "
        "(NAME is one of `latents`, `truth`)",
        "table.csv": "no array has a name that a score uses; name arrays with --map codes=NAME --map factors=NAME "
        "(NAME is one of `z`, `shape`)",
    }.items():
        assert main([str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.endswith(f"{fault}\n")


def test_scores_that_a_protocol_leaves_out_are_named(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--map", "codes=latents", "--bootstrap", "0", "--chance", "0", "--protocol", "ubisoft"]
    assert main([file, *options]) == 0
    said = capsys.readouterr().out
    why = PROTOCOLS["ubisoft"].left_out
    assert f"\nz_max_variance is left out: {why['z_max_variance']}\n" in said
    assert main([file, *options, "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out == {name: why[name] for name in why if METRICS[name].cost == "cheap"}


def test_options_that_cannot_be_read_are_refused_with_status_2(file: str) -> None:
    for options in ([file, "--bootstrap", "-1"], [file, "--json", "--latex"], []):
        with pytest.raises(SystemExit) as stopped:
            main(options)
        assert stopped.value.code == 2


def test_a_reader_that_goes_away_is_no_fault() -> None:
    program = "import sys; from infogan_metrics.command import main; sys.exit(main(['--list']))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate()
    assert (process.returncode, said) == (1, b"")
