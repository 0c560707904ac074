from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import model_centrality, udr

from infogan_bench.codes import LatentCodes, Latents, Posterior
from infogan_bench.config import (
    ArchitectureConfig,
    CodesConfig,
    DatasetConfig,
    EvaluationConfig,
    OptimiserConfig,
    RunConfig,
    apply,
    parse_sweep,
)
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.scoring import sweep as scoring
from infogan_bench.scoring.sweep import score_sweep, sweep_json, sweep_table
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.training import load_checkpoint, restore_model
from infogan_bench.trial import Trial, TrialSpec
from tests.command_line import infogan_bench

DATA = DatasetConfig(train_size=512, test_size=257)
ONE_CODE = {"codes.categorical": [], "codes.uniform": 1, "codes.gaussian": 0}
OTHER_CODES = {"codes.categorical": [5, 2], "codes.uniform": 0}
VOTES, IMAGES = 24, 6


@pytest.fixture(autouse=True)
def few_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_VOTES", VOTES)
    monkeypatch.setattr(scoring, "_VOTE_IMAGES", IMAGES)


def make_sweep(output: Path, run: RunConfig, trials: Sequence[dict[str, Any]], n_seeds: int) -> SweepFolder:
    """A sweep folder whose trials were trained for six steps."""
    settings = {"name": "tiny", "output": str(output), "dataset": DATA.model_dump(exclude_none=True)}
    folder = SweepFolder.create(parse_sweep(settings), {})
    for number, params in enumerate(trials):
        spec = TrialSpec(
            trial_id=f"{number:04}",
            params=params,
            run=apply(run, params),
            dataset=DATA,
            evaluation=EvaluationConfig(every=6),
            seeds=tuple(range(n_seeds)),
        )
        trial = Trial(spec)
        trial.advance()
        trial.save(folder.trial_folder(spec.trial_id))
        folder.updated(trial.update)
    folder.flush()
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trials with other codes, two seeds each."""
    run = RunConfig(
        codes=CodesConfig(categorical=(10,), uniform=1, gaussian=1, noise=8),
        architecture=ArchitectureConfig(name="mlp", width=0.125),
        optimiser=OptimiserConfig(lr_d=0.02),  # so that six steps teach Q something
        steps=6,
        batch=32,
    )
    return make_sweep(tmp_path_factory.mktemp("runs"), run, [{}, OTHER_CODES], 2).path


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "tiny"))


def change(folder: Path, *updates: TrialUpdate) -> None:
    """Record what became of trials."""
    record = SweepFolder.open(folder)
    for update in updates:
        record.updated(update)
    record.flush()


def by_place(folder: Path, *names: str) -> dict[tuple[str, int], Any]:
    return {(model.trial, model.seed): model for model in score_sweep(folder, names).models}


PLACES = [("0000", 0), ("0000", 1), ("0001", 0), ("0001", 1)]


@pytest.fixture(scope="module")
def models(trained: Path) -> list[InfoGAN]:
    paths = (trained / "trials" / trial / f"seed-{seed}/checkpoint.safetensors" for trial, seed in PLACES)
    return [restore_model(load_checkpoint(path)) for path in paths]


# Values ---------------------------------------------------------------------------------------------------


def test_udr_is_that_of_the_library_on_what_q_says(
    trained: Path, models: list[InfoGAN], mnist: ImageDataset
) -> None:
    columns = []
    for model in models:
        posterior = model.encode(mnist.test_images, mnist.train_images)
        first, *rest = (torch.softmax(logits.double(), dim=1).numpy() for logits in posterior.logits)
        columns.append(np.hstack([first, *(two[:, 1:] for two in rest), posterior.mean.double().numpy()]))
    assert [array.shape for array in columns] == [(257, 12)] * 2 + [(257, 7)] * 2
    informative = [array.std(axis=0) > 0.01 for array in columns]
    assert all(mask.any() for mask in informative)
    found = by_place(trained)
    everywhere = udr(columns, informative=informative).per_model
    for i, place in enumerate(PLACES):
        pair = slice(0, 2) if i < 2 else slice(2, 4)
        within = udr(columns[pair], informative=informative[pair]).per_model
        assert found[place].scores["udr"] == pytest.approx(within[i % 2], rel=1e-6)
        assert found[place].scores["udr_all"] == pytest.approx(everywhere[i], rel=1e-6)
        assert found[place].scores["udr"] > 0


def test_centrality_is_that_of_the_library_on_each_others_images(
    trained: Path, models: list[InfoGAN]
) -> None:
    votes = [scoring.held_code_images(model, 0) for model in models]
    encodings = [[scoring.read_votes(model, images) for model in models] for images, _ in votes]
    assert encodings[0][2].shape == (VOTES, IMAGES, 3)
    categorical = [[code.kind == "categorical" for code in model.codes.all] for model in models]
    expected = model_centrality(encodings, [held for _, held in votes], categorical=categorical).per_model
    found = by_place(trained, "model_centrality")
    assert [found[place].scores["model_centrality"] for place in PLACES] == expected.tolist()


def test_every_vote_holds_one_code_and_varies_the_others(
    models: list[InfoGAN], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Latents] = []

    def generate(model: InfoGAN, latents: Latents) -> torch.Tensor:
        seen.append(latents)
        return torch.zeros(len(latents.z), 1, 28, 28)

    monkeypatch.setattr(InfoGAN, "generate", generate)
    for model in models[::2]:
        seen.clear()
        images, held = scoring.held_code_images(model, seed=3)
        assert images.shape == (VOTES * IMAGES, 1, 28, 28)
        assert np.bincount(held).tolist() == [VOTES // 3] * 3
        values = torch.cat([torch.cat([part.categories, part.continuous], dim=1) for part in seen])
        spread = np.ptp(values.reshape(VOTES, IMAGES, 3).numpy(), axis=1)
        assert (spread[np.arange(VOTES), held] == 0).all()
        for k in range(3):
            assert (spread[held != k, k] > 0).mean() > 0.9
        noise = torch.cat([part.z for part in seen]).numpy()
        assert len(np.unique(noise, axis=0)) == VOTES * IMAGES


def test_categories_in_another_order_are_the_same_code() -> None:
    codes = LatentCodes(CodesConfig(categorical=(4, 2), uniform=1), fixed_std=True)
    rng = np.random.default_rng(0)
    four, two = rng.integers(0, 4, 2000), rng.integers(0, 2, 2000)
    mean = torch.from_numpy(rng.uniform(-1, 1, (2000, 1)))

    def columns(order: list[int], sign: int) -> Any:
        logits = tuple(
            20.0 * torch.eye(size)[torch.from_numpy(category)] for category, size in ((four, 4), (two, 2))
        )
        return scoring.udr_columns(
            codes, Posterior((logits[0][:, order], logits[1]), sign * mean, torch.zeros_like(mean))
        )

    first, second = columns([0, 1, 2, 3], 1), columns([2, 0, 3, 1], -1)
    assert first.shape == (2000, 4 + 1 + 1)
    assert udr([first, second]).value == pytest.approx(0.9, abs=0.005)  # the most that Lasso's alpha leaves


def test_the_seed_decides_which_images_are_made(trained: Path) -> None:
    scores = [
        [
            model.scores["model_centrality"]
            for model in score_sweep(trained, ["model_centrality"], seed=s).models
        ]
        for s in (0, 0, 1)
    ]
    assert scores[0] == scores[1] != scores[2]


# What is compared -----------------------------------------------------------------------------------------


def test_models_stand_best_first_by_the_first_score_with_the_objective_beside(trained: Path) -> None:
    for name in ("udr", "model_centrality"):
        found = score_sweep(trained, [name])
        values = [model.scores[name] for model in found.models]
        assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    recorded = SweepFolder.open(trained).updates
    for model in found.models:
        seed = recorded[model.trial].seeds[model.seed]
        assert model.objective == seed.metrics["cluster_accuracy"]
    assert found.metric == "cluster_accuracy"
    assert found.supervision == "uses labels"
    assert found.left_out == ()


def test_what_is_not_finished_is_left_out_and_named(folder: Path) -> None:
    (folder / "trials/0000/seed-1/checkpoint.safetensors").unlink()
    stopped, gone = (
        TrialUpdate(trial, {}, status, 3, (SeedResult(0, status, 3),))
        for trial, status in (("0002", Status.STOPPED), ("0003", Status.FAILED))
    )
    change(folder, stopped, gone)
    found = score_sweep(folder)
    assert {(each.trial, each.seed): each.reason for each in found.left_out if len(each.scores) == 3} == {
        ("0000", 1): "no checkpoint",
        ("0002", 0): "stopped at step 3",
        ("0003", 0): "failed at step 3",
    }
    (alone,) = (each for each in found.left_out if len(each.scores) == 1)
    assert (alone.trial, alone.seed, alone.scores) == ("0000", 0, ("udr",))
    assert alone.reason == "the only finished seed of its trial"
    last = found.models[-1]
    assert (last.trial, last.scores["udr"]) == ("0000", None)
    assert last.scores["udr_all"] is not None
    text = sweep_table(found)
    assert "left out of udr, udr_all, model_centrality: trial 0002 seed 0 (stopped at step 3)" in text
    assert "left out of udr: trial 0000 seed 0 (the only finished seed of its trial)" in text


def test_a_model_with_one_code_has_no_centrality(tiny_run: RunConfig, tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path, tiny_run, [{}, ONE_CODE, OTHER_CODES], 1)
    found = score_sweep(sweep.path)
    assert "udr" not in found.protocols  # every trial has one seed
    assert {model.trial: model.scores["model_centrality"] is None for model in found.models} == {
        "0000": False,
        "0001": True,
        "0002": False,
    }
    (one_code,) = (each for each in found.left_out if each.scores == ("model_centrality",))
    assert (one_code.trial, one_code.reason.split(",")[0]) == ("0001", "one code alone")
    (line,) = (line for line in sweep_table(found).splitlines() if line.startswith("left out of udr:"))
    assert line.count("trial") == 4  # three of them, and the reason
    with pytest.raises(InputError, match="--score: `udr` has no two models to compare; each is the only"):
        score_sweep(sweep.path, ["udr_all", "udr"])


# Faults ---------------------------------------------------------------------------------------------------


def test_a_sweep_of_fewer_than_two_models_is_refused(folder: Path) -> None:
    record = SweepFolder.open(folder).updates
    change(folder, replace(record["0001"], status=Status.FAILED))
    shutil.rmtree(folder / "trials/0000/seed-1")
    with pytest.raises(InputError, match="two or more, but of 4 seeds 1 finished with a checkpoint"):
        score_sweep(folder)


def test_wrong_folders_and_names_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no sweep folder: it has no sweep\.yaml"):
        score_sweep(tmp_path)
    with pytest.raises(InputError, match="unknown score `mig` of a sweep; there are udr, udr_all, model_cen"):
        score_sweep(trained, ["mig"])


def test_a_damaged_checkpoint_is_named(folder: Path) -> None:
    (folder / "trials/0001/seed-0/checkpoint.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match=r"0001/seed-0/checkpoint\.safetensors: not a checkpoint but text"):
        score_sweep(folder)


# In print -------------------------------------------------------------------------------------------------


def test_json_has_all_that_the_table_has(trained: Path) -> None:
    found = score_sweep(trained, ["udr"])
    document = json.loads(sweep_json(found))
    assert document["objective"] == {"metric": "cluster_accuracy", "supervision": "uses labels"}
    assert [model["scores"]["udr"] for model in document["models"]] == [m.scores["udr"] for m in found.models]
    assert document["models"][0].keys() == {"trial", "seed", "codes", "objective", "scores"}
    assert {model["codes"] for model in document["models"]} == {
        "categorical 10, uniform 1, gaussian 1",
        "categorical 5+2, gaussian 1",
    }
    assert document["left_out"] == []
    assert "257 test images" in document["protocols"]["udr"]
    header, *rows = sweep_table(found).splitlines()
    assert header.split() == ["trial", "seed", "udr", "cluster_accuracy", "(uses", "labels)", "codes"]
    assert rows[0].split()[:3] == [
        found.models[0].trial,
        str(found.models[0].seed),
        f"{found.models[0].scores['udr']:.4f}",
    ]


def test_the_command(trained: Path, tmp_path: Path) -> None:
    done = infogan_bench("evaluate", str(trained), "--score", "udr", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["models"][0]["scores"].keys() == {"udr"}
    assert done.stderr == ""
    done = infogan_bench("evaluate", str(tmp_path))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
