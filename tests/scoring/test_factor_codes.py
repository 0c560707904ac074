"""Factors of every kind in a run's evaluation: scores of single factors, and the codes that show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import infogan_metrics
import numpy as np
import pytest
import torch
from infogan_metrics import Kind
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from infogan_bench.codes import LatentCodes
from infogan_bench.config import ArchitectureConfig, CodesConfig, RunConfig, load_sweep
from infogan_bench.datasets import Factors, ImageDataset
from infogan_bench.datasets.factors import FactorRange
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN
from infogan_bench.records import read_evaluation
from infogan_bench.scoring.evaluation import evaluate, factor_floors
from infogan_bench.scoring.possible import check_factor, check_scores
from infogan_bench.scoring.record import write_evaluation

RANDOM = np.random.default_rng(0)
N = 600
RUN = RunConfig(
    codes=CodesConfig(categorical=(3, 2), uniform=2, gaussian=0, noise=4),
    architecture=ArchitectureConfig(name="mlp", width=0.05),
)
NAMES = ("shape", "azimuth", "width", "glasses")
KINDS = (Kind("category"), Kind("circular", 360), Kind("continuous"), Kind("category"))


@pytest.fixture(scope="module")
def heads() -> ImageDataset:
    """Images whose first pixels hold a shape, an azimuth with noise, the cube of a width, and glasses."""
    shape, glasses = RANDOM.integers(3, size=N), (RANDOM.random(N) < 0.25).astype(int)
    azimuth, width = 360 * RANDOM.random(N), RANDOM.uniform(0.8, 1.2, size=N)
    images = np.zeros((N, 16), dtype=np.uint8)
    images[:, 0] = 20 * shape
    images[:, 1] = np.mod(azimuth + 100 + 20 * RANDOM.normal(size=N), 360) * 255 / 360
    images[:, 2] = 255 * ((width - 0.8) / 0.4) ** 3
    images[:, 3] = 20 * np.where(RANDOM.random(N) < 0.1, 1 - glasses, glasses)
    pixels = torch.from_numpy(images).reshape(N, 1, 4, 4)
    factors = np.column_stack([shape, azimuth, width, glasses])
    truth = Factors(
        NAMES,
        (3, None, None, 2),
        torch.from_numpy(factors),
        kinds=KINDS,
        ranges=(None, FactorRange(0, 360, "degrees"), FactorRange(0.8, 1.2), None),
    )
    return ImageDataset("heads", pixels, None, pixels, None, factors=truth)


@pytest.fixture(scope="module")
def model() -> InfoGAN:
    """An InfoGAN whose Q reads the first and the fourth pixel into categories, the others into continuous codes."""
    model = InfoGAN(RUN, (1, 4, 4), torch.Generator())
    head = nn.Linear(16, 3 + 2 + 2)
    with torch.no_grad():
        head.weight.zero_()
        for row, n, pixel in (
            (0, 3, 0),
            (3, 2, 3),
        ):  # pixel p = 20 j / 127.5 - 1: 2ja - j^2 is largest at j = a
            j = torch.arange(float(n))
            head.weight[row : row + n, pixel] = 2 * j * 6.375
            head.bias[row : row + n] = 2 * j * 6.375 - j**2
        head.weight[5, 1] = head.weight[6, 2] = 1
        head.bias[5:] = 0
    model.networks.trunk = nn.Flatten()
    model.networks.Q_head = head
    return model


SCORES = ("mcc_spearman", "linear_probe", "mig_continuous", "dci_continuous_informativeness", "category_nmi",
          "category_purity", "category_balanced_accuracy", "sap_continuous")  # fmt: skip


def test_every_factor_is_scored_by_its_kind(heads: ImageDataset, model: InfoGAN) -> None:
    assert heads.factors is not None
    found = evaluate(model, heads, [name for name in SCORES if name != "sap_continuous"])
    assert found.not_defined == {}
    codes, factors = found.factor_codes, heads.factors.test.numpy()
    assert codes is not None
    scores = found.scores
    assert scores["mcc_spearman/width"] == pytest.approx(spearmanr(codes[:, 3], factors[:, 2])[0])
    turn = np.exp(
        2j * np.pi * np.argsort(np.argsort(np.column_stack([codes[:, 2], factors[:, 1]]), axis=0), axis=0) / N
    )
    # Mardia's rank correlation, with ties of the code in any order
    assert scores["mcc_spearman/azimuth"] == pytest.approx(abs((turn[:, 0] / turn[:, 1]).mean()), abs=0.02)
    assert scores["mcc_spearman/shape"] == pytest.approx(1)  # Cramér's V of the categories
    assert scores["mcc_spearman"] == pytest.approx(
        np.mean([scores[f"mcc_spearman/{name}"] for name in NAMES])
    )
    half = N // 2
    radians = np.deg2rad(factors[:, 1])
    circle = np.column_stack([np.cos(radians), np.sin(radians)])
    read = LinearRegression().fit(codes[:half], circle[:half]).predict(codes[half:])
    error, total = (
        ((circle[half:] - read) ** 2).sum(),
        ((circle[half:] - circle[half:].mean(axis=0)) ** 2).sum(),
    )
    assert scores["linear_probe/azimuth"] == pytest.approx(1 - error / total, abs=1e-6)
    width = LinearRegression().fit(codes[:half], factors[:half, 2]).score(codes[half:], factors[half:, 2])
    assert scores["linear_probe/width"] == pytest.approx(width, abs=1e-6)
    assert scores["category_nmi/glasses"] == pytest.approx(
        max(normalized_mutual_info_score(factors[:, 3], codes[:, i]) for i in (0, 1))
    )
    assert scores["category_nmi/shape"] == pytest.approx(1)
    assert "category_nmi/width" not in scores
    assert found.protocols["mig_continuous"]["n_bins"] == 20
    assert found.protocols["mig_continuous"]["kinds"] == "category, circular:360, continuous, category"
    floors = factor_floors(model, heads, found)
    assert floors["floor/shuffled/mcc_spearman/width"] < 0.2
    assert floors["floor/untrained/mcc_spearman"] == pytest.approx(scores["mcc_spearman"])


def test_a_score_that_cannot_take_a_kind_is_refused_before_training(heads: ImageDataset) -> None:
    layouts = [LatentCodes(RUN.codes, fixed_std=True)]
    check_scores(heads, layouts, [name for name in SCORES if name != "sap_continuous"])
    with pytest.raises(
        InputError,
        match=r"`mig` takes whole numbers alone, and the factor `azimuth` of heads is circular; "
        r"ask for `mig_continuous`, or say into how many bins to cut it \(`evaluation.factor_bins`\)",
    ):
        check_scores(heads, layouts, ["mig"])
    with pytest.raises(InputError, match="`sap_continuous` takes whole numbers and continuous factors alone"):
        check_scores(heads, layouts, ["sap_continuous"])


def test_a_category_of_rare_values_does_not_forbid_the_score_of_the_others(
    heads: ImageDataset, model: InfoGAN
) -> None:
    assert heads.factors is not None
    values = torch.cat([torch.arange(N)[:, None].double() % 400, heads.factors.test[:, 1:3]], dim=1)
    kinds = (Kind("category"), *KINDS[1:3])
    truth = Factors(("identity", "azimuth", "width"), (400, None, None), values, kinds=kinds)
    many = replace(heads, factors=truth)
    layouts = [LatentCodes(RUN.codes, fixed_std=True)]
    check_scores(many, layouts, ["linear_probe", "dci_continuous_informativeness", "mcc_spearman"])
    with pytest.raises(InputError, match="needs every value of `identity` twice or more"):
        check_scores(many, layouts, ["sap_discrete"], 8)
    found = evaluate(model, many, ["linear_probe", "mcc_spearman"])
    assert found.not_defined == {}
    of_all = evaluate(model, heads, ["linear_probe"]).scores
    assert found.scores["linear_probe/width"] == pytest.approx(of_all["linear_probe/width"])
    assert "linear_probe/identity" not in found.scores
    assert found.protocols["linear_probe"]["left_out"] == "identity"
    assert "mcc_spearman/identity" in found.scores


def test_bins_let_scores_of_whole_numbers_have_a_value(heads: ImageDataset, model: InfoGAN) -> None:
    layouts = [LatentCodes(RUN.codes, fixed_std=True)]
    check_scores(heads, layouts, ["mig", "dci_completeness", "sap_continuous"], 8)
    assert heads.factors is not None
    found = evaluate(model, heads, ["mig", "mig_continuous"], factor_bins=8)
    factors = heads.factors.test.numpy()
    width = factors[:, 2]
    cut = np.column_stack(
        [
            factors[:, 0],
            np.floor(factors[:, 1] / 45),
            np.minimum(np.floor(8 * (width - width.min()) / np.ptp(width)), 7),
            factors[:, 3],
        ]
    ).astype(int)
    assert found.scores["mig"] == pytest.approx(infogan_metrics.mig(found.factor_codes, cut).value)
    assert found.protocols["mig"]["factor_bins"] == 8
    assert "factor_bins" not in found.protocols["mig_continuous"]
    assert factor_floors(model, heads, found, factor_bins=8)["floor/shuffled/mig"] < 0.05


def test_a_goal_may_be_the_score_of_one_factor(heads: ImageDataset, tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "name: x\nevaluation: {scores: [mcc_spearman]}\ngoal: {metric: mcc_spearman/azimuth}\n",
        encoding="utf-8",
    )
    metric = load_sweep(path).goal.metric
    layouts = [LatentCodes(RUN.codes, fixed_std=True)]
    check_factor(heads, layouts, metric)
    with pytest.raises(
        InputError, match=r"no value of `light` in heads; it has values of `shape`, `azimuth`, `width`"
    ):
        check_factor(heads, layouts, "mcc_spearman/light")
    check_factor(heads, layouts, "L_I/cat_0")


def test_the_evaluation_says_which_code_shows_each_factor(
    heads: ImageDataset, model: InfoGAN, tmp_path: Path
) -> None:
    found = evaluate(model, heads, [])
    positions = np.linspace(-1, 1, 5)
    traversals = {"cat_0": range(3), "cat_1": range(2), "uniform_0": positions, "uniform_1": positions}
    write_evaluation(model, heads, found, step=1, metrics={}, folder=tmp_path, traversals=traversals)
    record = read_evaluation(tmp_path)
    assert record.factor_codes is not None
    shape, azimuth, width, glasses = record.factor_codes.factors
    assert [each.code for each in (shape, azimuth, width, glasses)] == [
        "cat_0",
        "uniform_0",
        "uniform_1",
        "cat_1",
    ]
    assert [each.matched_code for each in record.factor_codes.factors] == [
        each.code for each in record.factor_codes.factors
    ]
    assert (azimuth.kind, azimuth.unit, azimuth.share) == ("circular:360", "degrees", 1.0)
    assert azimuth.correlation == azimuth.matched_correlation == azimuth.correlations[2]
    assert shape.measured is None
    # Q reads pixel / 127.5 - 1: the images nearest to 0 have pixels around 127.5, so azimuths around 180 - 100
    assert azimuth.measured is not None
    assert azimuth.measured.middle[2] == pytest.approx(80, abs=10)
    assert np.diff(np.array(azimuth.measured.middle, dtype=float)) == pytest.approx(
        [67.5, 90, 90, 67.5], abs=20
    )
    assert sum(azimuth.measured.n) == N
    # the width at which its cube fills half of the range: 0.8 + 0.4 * 0.5^(1/3)
    assert width.measured is not None
    assert width.measured.middle[2] == pytest.approx(0.8 + 0.4 * 0.5 ** (1 / 3), abs=0.02)
    categories = record.category_codes
    assert categories is not None
    assert (categories.codes, categories.factors) == (("cat_0", "cat_1"), ("shape", "glasses"))
    assert categories.nmi[0][0] == pytest.approx(1)
    assert categories.balanced_accuracy[1][1] > 0.8 > categories.balanced_accuracy[0][1] == 0.5


def test_labels_are_compared_with_each_categorical_code_and_the_best_counts(
    heads: ImageDataset, model: InfoGAN
) -> None:
    assert heads.factors is not None
    glasses = heads.factors.test[:, 3].long()
    labelled = ImageDataset("glasses", heads.train_images, glasses, heads.test_images, glasses, ("no", "yes"))
    found = evaluate(model, labelled, ["cluster_accuracy", "purity"])
    codes = found.factor_codes
    assert codes is None
    categories = model.encode(heads.test_images, heads.train_images).logits[1].argmax(1).numpy()
    expected = infogan_metrics.cluster_accuracy(categories, glasses.numpy()).value
    assert found.scores["cluster_accuracy"] == found.scores["cluster_accuracy/cat_1"] == expected
    assert found.scores["cluster_accuracy/cat_0"] < expected
    assert found.shown is not None
    assert found.shown.name == "cat_1"  # although the other code has more categories
    assert found.confusion is not None
    assert found.confusion.n == N
    assert found.probabilities is not None
    assert found.probabilities.shape == (N, 2)
