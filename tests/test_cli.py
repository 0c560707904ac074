"""The command line as its users meet it: output, exit codes, and one line for whatever was wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infogan_bench.cli import main
from infogan_bench.training import load_checkpoint
from tests.command_line import infogan_bench as run

TRAIN = ["train", "tiny.yaml", "--output", "out"]
TINY = """
name: tiny
dataset: {name: mnist, train_size: 512, test_size: 200}
base:
  architecture: {name: mlp, width: 0.1}
  steps: 40
  batch: 32
evaluation: {every: 20}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


def test_help_of_every_command_shows_an_example(folder: Path) -> None:
    for command in ("train", "sweep", "resume", "report", "validate", "ui", "samples", "metrics", "evaluate"):
        done = run(command, "--help", cwd=folder)
        assert done.returncode == 0
        assert f"Example: infogan-bench {command}" in done.stdout


def test_help_imports_nothing_heavy(folder: Path) -> None:
    script = (
        "import sys; sys.argv = ['infogan-bench', '--help']\n"
        "from infogan_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'torch', 'ray', 'mlflow', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "missing.yaml"], "missing.yaml: no such file"),
        (
            ["validate", "bad.yaml"],
            "bad.yaml:3: base.objective.lamda_cat: unknown key; did you mean `lambda_cat`?",
        ),
        (["sweep", "bad.yaml"], "bad.yaml:3: base.objective.lamda_cat"),
        (["sweep", "data.yaml"], "train-images-idx3-ubyte"),
        (["sweep", "architecture.yaml"], "no architecture 'papier' among "),
        (["sweep", "tiny.yaml", "--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
        (["resume", "."], "no sweep folder"),
        (["report", "."], "sweep.yaml"),
        (["ui", "nowhere"], "nowhere: no sweep folder"),
        (["samples", "tiny.yaml"], "tiny.yaml: not a checkpoint but text"),
        (["samples", "none.safetensors"], "none.safetensors: no such checkpoint"),
        ([*TRAIN, "--set", "steps"], "expected KEY=VALUE"),
        ([*TRAIN, "--set", "stpes=3"], "did you mean `steps`?"),
        ([*TRAIN, "--set", "optimiser.lr_g=-1"], "optimiser.lr_g: must be greater than 0"),
        ([*TRAIN, "--set", "batch=1024"], "batch"),
        ([*TRAIN, "--device", "toaster"], "torch cannot use 'toaster'"),
        ([*TRAIN, "--resume"], "nothing to resume there"),
        ([*TRAIN, "--preset", "mnist"], "--preset: give either FILE or a preset"),
        (
            ["train", "--preset", "mnits"],
            "--preset: no sweep 'mnits' ships; did you mean `mnist`?",
        ),
        (["swoop"], "No such command 'swoop'"),
        (["train", "tiny.yaml", "extra"], "unexpected extra argument"),
    ],
)
def test_bad_input_gets_a_message_and_exit_code_2(
    no_ray: None, folder: Path, arguments: list[str], words: str
) -> None:
    (folder / "bad.yaml").write_text("name: bad\nbase:\n  objective: {lamda_cat: 1}\n")
    (folder / "data.yaml").write_text("name: data\ndataset: {name: mnist, data_dir: empty}\n")
    (folder / "architecture.yaml").write_text("name: a\nbase: {architecture: {name: papier}}\n")
    (folder / "empty").mkdir()
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(folder.glob("runs/*")) == []


def test_validate_counts_the_trials(folder: Path) -> None:
    (folder / "grid.yaml").write_text(
        TINY + "space: {objective.lambda_cat: [0.1, 1e0, 1, 3], batch: [32, 64]}\nseeds: 3\n"
    )
    done = run("validate", "grid.yaml", cwd=folder)
    assert done.returncode == 0
    assert "6 x 3 seeds = 18 runs" in done.stdout  # 1e0 and 1 are one value


def test_train_resumes_and_samples_draw(folder: Path) -> None:
    first = run(*TRAIN, "--seed", "3", cwd=folder)
    assert first.returncode == 0, first.stderr
    assert [line.split(":")[0] for line in first.stdout.splitlines()[:2]] == [
        "step 20 seed 3",
        "step 40 seed 3",
    ]
    evaluation = json.loads((folder / "out" / "seed-3" / "evaluation.json").read_text())
    assert evaluation["step"] == 40

    assert run(*TRAIN, "--seed", "3", cwd=folder).returncode == 2  # it would overwrite
    done = run(*TRAIN, "--seed", "3", "--resume", cwd=folder)
    assert done.returncode == 0  # nothing is left to do

    drawn = run("samples", "out/seed-3/checkpoint.safetensors", "--output", "pictures", cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    again = (folder / "out" / "seed-3" / "traversal-cat_0.png").read_bytes()
    assert (folder / "pictures" / "traversal-cat_0.png").read_bytes() == again


def test_a_preset_trains_the_base_run_of_a_sweep_that_ships(folder: Path) -> None:
    small = ("--set", "steps=1", "--set", "architecture.width=0.01")
    done = run("train", "--preset", "figure1", *small, "--output", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    trained = json.loads((folder / "out" / "trial.json").read_text())
    assert trained["run"]["codes"]["uniform"] == 0  # as sweeps/figure1.yaml has it, and no default
    assert trained["dataset"]["test_size"] == 1000
    assert (trained["run"]["steps"], trained["run"]["architecture"]["width"]) == (1, 0.01)


def test_a_training_that_diverges_exits_with_1_and_keeps_what_was_finite(folder: Path) -> None:
    done = run(*TRAIN, "--set", "optimiser.lr_g=1e30", "--set", "steps=60", cwd=folder)
    assert done.returncode == 1
    assert "diverged at step" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_of_its_own_ends_with_the_exit_code_and_one_line(folder: Path) -> None:
    command = [sys.executable, "-m", "infogan_bench", "report", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sweep.yaml" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_fault(folder: Path) -> None:
    piped = f"{sys.executable} -m infogan_bench --help | head -1"
    done = subprocess.run(piped, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: ") or done.stdout == "\n"


def to_full(stream: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a full disk behind `stream`."""
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "infogan_bench", *arguments],
            cwd=cwd,
            text=True,
            check=False,
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
        )


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_log_does_not_end_a_training(folder: Path, stream: str) -> None:
    done = to_full(stream, *TRAIN, cwd=folder)
    assert done.returncode == 0
    assert "Traceback" not in (done.stderr or "")
    assert json.loads((folder / "out" / "seed-0" / "evaluation.json").read_text())["step"] == 40


def test_a_terminal_that_is_closed_does_not_end_a_training(folder: Path) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-m", "infogan_bench", *TRAIN, "--set", "steps=60"]
    with subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        said = b""
        while b"step 20" not in said:
            said += os.read(master, 1000)  # OSError, as soon as nobody writes any more
        os.close(master)
    assert process.returncode == 0
    assert b"step 60" not in said
    (checkpoint,) = (folder / "out" / "seed-0").glob("*.safetensors")
    assert load_checkpoint(checkpoint).run.steps == 60
    assert json.loads((folder / "out" / "seed-0" / "evaluation.json").read_text())["step"] == 60


def test_a_closed_terminal_is_noted_in_the_log_of_a_sweep(
    trained_sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(trained_sweep, tmp_path / "tiny")
    swept = (folder / "sweep.yaml").read_text()
    (folder / "sweep.yaml").write_text(swept.replace("enabled: true", "enabled: false"))
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "argv", ["infogan-bench", "resume", str(folder)])
        os.close(master)
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code == 0
    assert "standard output cannot be written: OSError: [Errno 5]" in (folder / "sweep.log").read_text()


def test_what_only_prints_fails_in_one_line_where_nothing_can_be_printed(folder: Path) -> None:
    done = to_full("stdout", "metrics", cwd=folder)
    assert done.returncode == 1
    fault = "standard output cannot be written: OSError: [Errno 28] No space left on device"
    assert done.stderr == f"error: {fault}\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_a_terminal_without_the_characters_of_a_name_shows_others(folder: Path, encoding: str) -> None:
    (folder / "greek.yaml").write_text(TINY.replace("name: tiny", "name: \u03bb-sweep"), encoding="utf-8")
    command = [sys.executable, "-m", "infogan_bench", "validate", "greek.yaml"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=folder, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?-sweep" in done.stdout
