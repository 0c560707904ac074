"""A sweep in Python: what its tables hold, and that its models make the images that their codes ask for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from infogan_bench import Sweep, TrainedModel
from infogan_bench.codes import Latents
from infogan_bench.errors import InputError
from infogan_bench.scoring.sweep import score_sweep
from infogan_bench.training import load_checkpoint, restore_model


@pytest.fixture(scope="module")
def sweep(trained_sweep: Path) -> Sweep:
    return Sweep.load(trained_sweep)


@pytest.fixture(scope="module")
def rows(trained_sweep: Path) -> list[dict[str, Any]]:
    """The rows of trials.parquet, with `params` and `scores` read."""
    table = pd.read_parquet(trained_sweep / "trials.parquet").to_dict("records")
    return [{**row, **{key: json.loads(row[key]) for key in ("params", "scores")}} for row in table]


@pytest.fixture(scope="module")
def model(sweep: Sweep) -> TrainedModel:
    return sweep.model("0001", 1)


# Tables ---------------------------------------------------------------------------------------------------


def test_trials_are_the_rows_of_the_table_with_parameters_and_scores_as_columns(
    sweep: Sweep, rows: list[dict[str, Any]]
) -> None:
    found = sweep.trials.to_dict("records")
    assert len(found) == len(rows) == 4
    for row, own in zip(found, rows, strict=True):
        assert row == {
            **{key: value for key, value in own.items() if key not in ("params", "scores", "mutations")},
            **own["params"],
            **own["scores"],
        }


def test_history_is_the_table(sweep: Sweep, trained_sweep: Path) -> None:
    pd.testing.assert_frame_equal(sweep.history, pd.read_parquet(trained_sweep / "history.parquet"))


@pytest.mark.parametrize(
    ("by", "mode", "metric", "sign"),
    [
        (None, None, "cluster_accuracy", -1),
        ("L_I", None, "L_I", -1),
        ("loss/g", "min", "loss/g", 1),
        ("loss/g", None, "loss/g", 1),
    ],
)
def test_ranking_is_by_the_mean_over_seeds(
    sweep: Sweep, rows: list[dict[str, Any]], by: str | None, mode: Any, metric: str, sign: int
) -> None:
    values = {
        trial: [row["scores"][metric] for row in rows if row["trial"] == trial] for trial in ("0000", "0001")
    }
    order = sorted(values, key=lambda trial: sign * np.mean(values[trial]))
    found = sweep.ranking(by, mode)
    assert found["rank"].tolist() == [1, 2]
    assert found["trial"].tolist() == order
    assert found["mean"].tolist() == pytest.approx([np.mean(values[trial]) for trial in order])
    assert found["std"].tolist() == pytest.approx([np.std(values[trial], ddof=1) for trial in order])
    assert found["n_seeds"].tolist() == [2, 2]
    assert found.set_index("trial")["optimiser.lr_d"].to_dict() == {"0000": 0.002, "0001": 0.02}


def test_a_trial_without_a_score_has_no_rank(sweep: Sweep, trained_sweep: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained_sweep, tmp_path / "tiny"))
    table = pd.read_parquet(folder / "trials.parquet")
    table.loc[table["trial"] == "0001", "status"] = "failed"
    table.to_parquet(folder / "trials.parquet")
    found = Sweep.load(folder).ranking()
    assert found["trial"].tolist() == ["0000", "0001"]
    assert found["rank"].isna().tolist() == found["mean"].isna().tolist() == [False, True]


# Figures --------------------------------------------------------------------------------------------------


def test_the_effect_of_a_parameter_shows_each_trials_mean(sweep: Sweep) -> None:
    figure = sweep.effect("optimiser.lr_d")
    drawn = {float(x): float(y) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)}
    assert drawn == pytest.approx(sweep.ranking().set_index("optimiser.lr_d")["mean"].to_dict())


def test_curves_are_the_means_over_seeds_at_each_step(sweep: Sweep) -> None:
    history = sweep.history.query("metric == 'loss/d'")
    lines = {trace.name: trace for trace in sweep.curves("loss/d").data if trace.name is not None}
    assert lines.keys() == {"trial 0000", "trial 0001"}
    for name, line in lines.items():
        means = history[history["trial"] == name.removeprefix("trial ")].groupby("step")["value"].mean()
        assert np.asarray(line.x).tolist() == [3, 6]
        assert np.asarray(line.y).tolist() == pytest.approx(means.tolist())


def test_what_there_is_no_figure_of_is_refused_with_what_there_is(sweep: Sweep) -> None:
    with pytest.raises(InputError, match=r"steps: no ranked trial sweeps it; swept are optimiser\.lr_d"):
        sweep.effect("steps")
    with pytest.raises(
        InputError, match=r"fid: has no curves; there are those of cluster_accuracy, L_I, L_I/cat_0"
    ):
        sweep.curves("fid")


# The best model -------------------------------------------------------------------------------------------


def test_the_best_model_is_the_best_seed_of_the_best_trial(sweep: Sweep, rows: list[dict[str, Any]]) -> None:
    for by in (None, "L_I"):
        trial = sweep.ranking(by)["trial"][0]
        scores = {
            row["seed"]: row["scores"][by or "cluster_accuracy"] for row in rows if row["trial"] == trial
        }
        seed = max(scores, key=scores.__getitem__)
        assert (
            sweep.best(by).source == sweep.data.folder / f"trials/{trial}/seed-{seed}/checkpoint.safetensors"
        )


def test_the_best_model_by_udr_needs_no_labels(sweep: Sweep) -> None:
    first = score_sweep(sweep.data.folder, ["udr"]).models[0]
    place = sweep.best_place("udr")
    assert (place.trial, place.seed) == (first.trial, first.seed)


def test_where_nothing_is_to_be_had_the_message_says_so(sweep: Sweep, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sweep folder"):
        Sweep.load(tmp_path)
    with pytest.raises(InputError, match="no trial has a mig for each of its seeds"):
        sweep.best("mig")
    with pytest.raises(InputError, match="no such checkpoint"):
        sweep.model("0001", 7)


# Images ---------------------------------------------------------------------------------------------------


def by_hand(model: TrainedModel, latents: Latents) -> torch.Tensor:
    return restore_model(load_checkpoint(model.source)).generate(latents)


def drawn(model: TrainedModel, n: int, seed: int) -> Latents:
    return model.codes.sample(n, torch.Generator().manual_seed(seed))


def test_a_sample_is_what_g_makes_of_those_codes(model: TrainedModel) -> None:
    latents = drawn(model, 4, 7)
    latents.categories[:, 0] = 3
    latents.continuous[:, 0] = 0.5  # uniform_0; gaussian_0 stays as it was drawn
    images = model.sample(4, category=3, uniform_0=0.5, seed=7)
    assert images.shape == (4, 1, 28, 28)
    assert torch.equal(images, by_hand(model, latents))


def test_each_image_may_have_a_value_of_its_own(model: TrainedModel) -> None:
    latents = drawn(model, 3, 0)
    latents.categories[:, 0] = torch.tensor([0, 9, 4])
    latents.continuous[:, 1] = torch.tensor([-1.0, 0.0, 2.0])
    images = model.sample(cat_0=(0, 9, 4), gaussian_0=np.array([-1.0, 0.0, 2.0]))
    assert torch.equal(images, by_hand(model, latents))


def test_what_is_not_set_is_drawn(model: TrainedModel) -> None:
    assert torch.equal(model.sample(seed=5), by_hand(model, drawn(model, 16, 5)))
    assert not torch.equal(model.sample(seed=5), model.sample(seed=6))


def test_a_code_answers_to_a_name_of_the_users(model: TrainedModel) -> None:
    named = model.named(rotation="uniform_0")
    assert torch.equal(named.sample(2, rotation=0.5), model.sample(2, uniform_0=0.5))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"category": 10}, "cat_0: expected a category from 0 to 9, got 10"),
        ({"category": [0, 1, -1]}, "cat_0: expected a category from 0 to 9, got -1"),
        ({"category": 2.5}, "cat_0: expected a category from 0 to 9, got 2.5"),
        ({"category": "three"}, "category: expected a number or a list of numbers, got 'three'"),
        ({"uniform_0": float("nan")}, "uniform_0: expected a finite number, got nan"),
        ({"uniform_0": [[0.0]]}, "uniform_0: expected a number or a list of numbers"),
        ({"rotation": 1}, "rotation: no such code; there are cat_0, uniform_0, gaussian_0, category"),
        ({"n": 0}, "codes: one value or 0 of each code, as many as there are images, got no image"),
        (
            {"n": 2, "cat_0": [1, 2, 3]},
            "codes: one value or 2 of each code, as many as there are images, got 3",
        ),
    ],
)
def test_a_value_that_a_code_has_not_is_refused(
    model: TrainedModel, codes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        model.sample(**codes)
    assert str(refused.value).startswith(message)


def test_a_name_that_is_taken_is_refused(model: TrainedModel) -> None:
    for name in ("seed", "cat_0"):
        with pytest.raises(InputError, match=f"{name}: is taken"):
            model.named(**{name: "uniform_0"})


@pytest.mark.parametrize("code", ["cat_0", "uniform_0", "gaussian_0"])
def test_a_traversal_is_the_one_in_the_sweep_folder(model: TrainedModel, code: str) -> None:
    images = model.traverse(code)
    assert images.shape == (8, 10, 1, 28, 28)
    picture = np.asarray(
        Image.open(model.source.with_name(f"traversal-{code}.png")).convert("L"), dtype=float
    )
    for row, column in ((0, 0), (3, 7), (7, 9)):  # one pixel lies between two images
        top, left = 1 + 29 * row, 1 + 29 * column
        shown = picture[top : top + 28, left : left + 28]
        assert np.abs(shown - 127.5 * (images[row, column, 0].numpy() + 1)).max() <= 0.51  # rounded


def test_the_networks_are_torch_modules_that_are_ready_to_use(model: TrainedModel) -> None:
    latents = model.latents(4, category=1)
    with torch.no_grad():
        assert torch.equal(model.G(model.codes.flatten(latents)), model.sample(4, category=1))
        logits = model.networks.Q_head(model.networks.trunk(model.sample(4)))
    assert logits.shape == (4, model.codes.q_dim)
    assert not any(module.training for module in model.networks.modules())
