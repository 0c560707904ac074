"""Files of a sweep folder that were damaged: each reader says in one line which file it is, and never ends otherwise.

The mutations are drawn with fixed seeds: bytes changed, inserted, removed or repeated, and files cut short.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from infogan_reports import ReportError, load, ranking

from infogan_bench import Sweep
from infogan_bench.config import load_resolved, parse_sweep
from infogan_bench.errors import InputError
from infogan_bench.records import (
    CodeRecord,
    ConfusionRecord,
    EarlierTrial,
    EvaluationRecord,
    ExplorerRecord,
    GalleryImage,
    GalleryRecord,
    GeneratorCode,
    GeneratorRecord,
    LayerRecord,
    PlaneRecord,
    Quantity,
    SeedResult,
    SessionRecord,
    Status,
    SweepPaths,
    TrialRecord,
    TrialUpdate,
    WarmStartRecord,
    append_session,
    append_update,
    pack_numbers,
    read_environment,
    read_evaluation,
    read_explorer_record,
    read_gallery_record,
    read_journal,
    read_quantities,
    read_record,
    read_sessions,
    read_trial,
    read_updates,
    read_warm_start_record,
    write_evaluation_record,
    write_explorer_record,
    write_gallery_record,
    write_generator_record,
    write_quantities,
    write_trial,
    write_warm_start_record,
)
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.sweep.record.history import History

MUTATIONS = 200  # of a file, by its own reader
OF_A_FOLDER = 10  # of a table, by the readers of a whole folder: each reads sweep.yaml as well


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep folder with every file, two trials of two seeds each; nothing was trained."""
    output = tmp_path_factory.mktemp("runs")
    space = {"objective.lambda_cat": [0.1, 1.0]}
    sweep = parse_sweep({"name": "s", "output": str(output), "space": space, "seeds": 2})
    folder = SweepFolder.create(sweep, {"version": 1, "sweep_id": "s-1", "torch": "2.9.0", "gpus": []})
    paths = SweepPaths(folder.path)
    for number in range(2):
        params = {"objective.lambda_cat": space["objective.lambda_cat"][number]}
        history = []
        for step in (2, 4):
            status = Status.FINISHED if step == 4 else Status.RUNNING
            metrics = {"cluster_accuracy": 0.1 * step + number, "L_I": 1.5, "loss/d": float(step)}
            results = tuple(SeedResult(seed, status, step, metrics, 1.0, 2.0) for seed in (0, 1))
            history += results
            folder.updated(
                TrialUpdate(f"{number:04d}", params, status, step, results, node="here", device="cpu")
            )
        trial = paths.trial(f"{number:04d}")
        for seed in (0, 1):
            trial.seed(seed).folder.mkdir(parents=True)
            write_evaluation_record(trial.seed(seed).folder, evaluation())
        write_trial(
            trial.folder, TrialRecord(f"{number:04d}", params, {}, {}, (0, 1), results, tuple(history))
        )
    folder.ended(Status.FINISHED)
    first = paths.trial("0000").seed(0).folder
    write_explorer_record(
        first, ExplorerRecord((4, 4), 2, "cat_0", 2, 1, (PlaneRecord(("a",), ((0.0, 1.0),)),), "x")
    )
    layers = (LayerRecord("linear", (4, 3)), LayerRecord("images", (1, 2, 2)))
    code = GeneratorCode("cat_0", "categorical", 2)
    generator = GeneratorRecord((1, 2, 2), 1, "normal", (code,), "cat_0", layers, 0.0)
    write_generator_record(first, generator, pack_numbers(bytes(generator.n_bytes)))
    images = (GalleryImage(3, 1, 1, 0.9), GalleryImage(4, 0, None, 0.5))
    write_gallery_record(first, GalleryRecord("cat_0", (4, 4), 2, images, ()))
    append_update(paths.journal, folder.updates["0001"])
    append_session(
        paths.sessions, SessionRecord("2026-01-01T00:00:00+00:00", 9.5, Status.FINISHED, {"CPU": 1.0})
    )
    write_quantities(paths.quantities, [Quantity("mig", "MIG", "The gap.", "", "max", "factors", "a paper")])
    write_warm_start_record(
        paths.warm_start, WarmStartRecord((EarlierTrial("runs/a trial 0", {}, (1.0,)),), "one")
    )
    return folder.path


def evaluation() -> EvaluationRecord:
    confusion = ConfusionRecord("cat_0", ("0", "1"), ((9, 1), (0, 8)), (0, 1))
    codes = (CodeRecord("cat_0", "categorical", 2, 0.69, 0.5, (0.0, 1.0)),)
    return EvaluationRecord(4, {"cluster_accuracy": 0.5}, codes, confusion, protocols={"mig": {"n": 10}})


def mutated(content: bytes, rng: random.Random) -> bytes:
    """`content` after one to three small accidents."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data) + 1)
        length = rng.choice((1, 1, 2, 8, 64))
        match rng.randrange(6):
            case 0:
                data[place : place + length] = rng.randbytes(length)
            case 1:
                data[place:place] = rng.choice(
                    (b"\xff", b"\0", b"\n", b'"', b"{", b"9" * 30, b"NaN", b": [", b"\xc3")
                )
            case 2:
                del data[place : place + length]
            case 3:
                del data[place:]
            case 4:
                data[place:place] = data[place : place + length]
            case _:
                data[place : place + 1] = (
                    bytes([data[place] ^ 1 << rng.randrange(8)]) if place < len(data) else b""
                )
    return bytes(data)


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """The message with which a reader refuses `path`; None if it reads it."""
    try:
        read(path)
    except (InputError, ReportError) as error:
        return str(error)
    return None


READERS: dict[str, Callable[[Path], object]] = {
    "sweep.yaml": lambda path: (read_environment(path), load_resolved(path)),
    "trials.parquet": read_updates,
    "history.parquet": History.read,
    "journal.jsonl": lambda path: list(read_journal(path)),
    "sessions.jsonl": read_sessions,
    "quantities.json": read_quantities,
    "warm-start.json": read_warm_start_record,
    "trials/0000/trial.json": lambda path: read_trial(path.parent),
    "trials/0000/seed-0/evaluation.json": lambda path: read_evaluation(path.parent),
    "trials/0000/seed-0/explorer.json": lambda path: read_explorer_record(path.parent),
    "trials/0000/seed-0/generator.json": lambda path: read_record(path, GeneratorRecord),
    "trials/0000/seed-0/categories.json": lambda path: read_gallery_record(path.parent),
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_names_the_damaged_file(name: str, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = (whole / name).read_bytes()
    rng = random.Random(name)
    n_refused = 0
    for _ in range(MUTATIONS // 4 if name == "sweep.yaml" else MUTATIONS):
        path.write_bytes(mutated(content, rng))
        message = refusal(READERS[name], path)
        if message is not None:
            n_refused += 1
            assert all(line.startswith(str(path)) for line in message.splitlines()), message
            assert name == "sweep.yaml" or "\n" not in message
    if name != "journal.jsonl":  # whose damaged lines are left out
        assert n_refused > 5


@pytest.mark.parametrize("name", ["trials.parquet", "history.parquet"])
def test_the_readers_of_a_folder_name_the_damaged_file(name: str, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    shutil.copytree(whole, folder)
    content = (whole / name).read_bytes()
    rng = random.Random(f"folder {name}")
    for _ in range(OF_A_FOLDER):
        (folder / name).write_bytes(mutated(content, rng))
        for read in (SweepFolder.open, Sweep.load, lambda folder: ranking(load(folder))):
            message = refusal(read, folder)
            if message is not None:
                assert "\n" not in message
                assert Path(name).name in message
