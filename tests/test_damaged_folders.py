"""Whole commands on sweep folders of which a file was damaged: an answer or one line, and never a traceback."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from infogan_bench import Sweep
from infogan_bench.errors import InputError
from tests.command_line import infogan_bench

BEFORE = Path(__file__).parent / "golden" / "before" / "sweep"
COMMANDS = {
    "report": ["report", "sweep"],
    "resume": ["resume", "sweep"],
    "track": ["track", "sweep", "--uri", "sqlite:///mlflow.db"],
    "evaluate": ["evaluate", "sweep"],
    "rerun": ["rerun", "sweep", "0"],
    "load": [],
}
MUTATIONS = 3  # of each command


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Cut the file, change, remove or add bytes, or give a key another value."""
    place = chance.randrange(len(content))
    lines = content.split(b"\n")
    line = chance.randrange(len(lines))
    lines[line] = (
        lines[line].split(b":")[0] + b": " + chance.choice([b"null", b"[1]", b"{a: 1}", b"-5", b".nan"])
    )
    return chance.choice(
        [
            b"",
            content[:place],
            content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :],
            content[:place] + content[place + chance.randrange(1, 40) :],
            content[:place] + chance.randbytes(8) + content[place:],
            b"\n".join(lines),
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_file_gives_no_traceback(tmp_path: Path, command: str) -> None:
    chance = random.Random(f"damaged {command}")
    folder = tmp_path / "sweep"
    for _ in range(MUTATIONS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(BEFORE, folder)
        suffixes = (".yaml", ".parquet", ".json", ".safetensors")
        file = chance.choice(sorted(path for path in folder.rglob("*") if path.suffix in suffixes))
        file.write_bytes(mutated(file.read_bytes(), chance))
        if command == "load":
            try:
                Sweep.load(folder).best()
            except InputError:
                continue
        else:
            done = infogan_bench(*COMMANDS[command], cwd=tmp_path)
            assert done.returncode in (0, 1, 2, 3)
            assert "Traceback" not in done.stderr
