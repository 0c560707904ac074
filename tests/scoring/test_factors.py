"""Scores against factors: a Q that reads the factors off the image, and datasets that lack what a score needs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import infogan_metrics
import numpy as np
import pytest
import torch
from infogan_metrics import METRICS, Kind
from infogan_reports.quantities import Quantities
from torch import nn

from infogan_bench.codes import LatentCodes, Posterior
from infogan_bench.config import (
    DEFAULT_SCORES,
    ArchitectureConfig,
    CodesConfig,
    ConfigError,
    DatasetConfig,
    EvaluationConfig,
    ObjectiveConfig,
    RunConfig,
    parse_sweep,
    score_names,
    uses_factors,
    uses_labels,
)
from infogan_bench.config.catalogue import metric_of
from infogan_bench.config.metrics import at_last_evaluation_only
from infogan_bench.datasets import Factors, ImageDataset, load_dataset
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN
from infogan_bench.records.results import Status
from infogan_bench.scoring.compute import compute_scores
from infogan_bench.scoring.evaluation import evaluate, factor_floors
from infogan_bench.scoring.inputs import RunInputs
from infogan_bench.scoring.outcome import ScoreOutcome
from infogan_bench.scoring.possible import check_scores
from infogan_bench.scoring.representation import n_bins, representation
from infogan_bench.training import Trainer
from infogan_bench.trial import Trial, TrialSpec, run_trial

FACTOR_SCORES = (
    "mig", "dci_disentanglement", "dci_completeness", "dci_informativeness", "sap_discrete", "sap_continuous",
    "modularity", "explicitness", "factor_vae", "beta_vae", "irs", "mig_sup", "jemmig", "dcimig", "z_max_variance",
)  # fmt: skip
SIZES = (3, 4, 5)
RUN = RunConfig(
    codes=CodesConfig(categorical=(3,), uniform=1, gaussian=1, noise=4),
    architecture=ArchitectureConfig(name="mlp", width=0.05),
)


def crossed(*sizes: int, repeats: int = 1) -> np.ndarray:
    """Every combination `repeats` times in a random order, so that no factor says anything of another."""
    rows = np.array(list(product(*map(range, sizes))) * repeats)
    return np.random.default_rng(0).permutation(rows)


def dataset_of(factors: np.ndarray) -> ImageDataset:
    """4 x 4 images whose first pixels hold the factors."""
    images = np.zeros((len(factors), 1, 4, 4), dtype=np.uint8)
    images.reshape(len(factors), 16)[:, : factors.shape[1]] = factors * 20
    return ImageDataset(
        "pixels",
        train_images=torch.from_numpy(images),
        train_labels=None,
        test_images=torch.from_numpy(images),
        test_labels=None,
        factors=Factors(("a", "b", "c"), SIZES, torch.from_numpy(factors)),
    )


def reader() -> InfoGAN:
    """An InfoGAN whose Q reads factor a into its categorical code, b and c into its continuous ones."""
    model = InfoGAN(RUN, (1, 4, 4), torch.Generator())
    head = nn.Linear(16, 3 + 2)
    with torch.no_grad():
        head.weight.zero_()
        # pixel p = 20 a / 127.5 - 1, so a = 6.375 (p + 1); the logits 2ja - j^2 are largest at j = a
        j = torch.arange(3.0)
        head.weight[:3, 0] = 2 * j * 6.375
        head.bias[:3] = 2 * j * 6.375 - j**2
        head.weight[3, 1] = head.weight[4, 2] = 1
        head.bias[3:] = 0
    model.networks.trunk = nn.Flatten()
    model.networks.Q_head = head
    return model


PERFECT = dataset_of(crossed(*SIZES, repeats=20))


def scored(
    codes: np.ndarray,
    factors: np.ndarray,
    names: Sequence[str],
    always_alike: tuple[str, ...] = (),
    **options: Any,
) -> dict[str, ScoreOutcome]:
    """Outcomes of scores of any codes about any factors, as a run computes them."""
    names_of, sizes = tuple("abcde"[: factors.shape[1]]), tuple((factors.max(axis=0) + 1).tolist())
    images = torch.zeros(len(factors), 1, 4, 4, dtype=torch.uint8)
    truth = Factors(names_of, sizes, torch.from_numpy(factors), always_alike)
    dataset = ImageDataset("made", images, None, images, None, factors=truth)
    return compute_scores(names, RunInputs(reader(), dataset, codes=codes, **options), metric_of)


def values_of(outcomes: dict[str, ScoreOutcome]) -> dict[str, float | None]:
    return {name: outcome.value for name, outcome in outcomes.items() if outcome.value is not None}


def test_scores_of_whole_numbers_refuse_angles() -> None:
    values = torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    truth = Factors(("pose", "turn"), (None, None), values, kinds=(Kind("continuous"), Kind("circular", 1)))
    images = torch.zeros(40, 1, 4, 4, dtype=torch.uint8)
    dataset = ImageDataset("heads", images, None, images, None, factors=truth)
    reason = r"`{}` takes whole numbers alone, and the factor `pose` of heads is continuous"
    for name in ("mig", "modularity", "dci_informativeness"):
        with pytest.raises(InputError, match=reason.format(name)):
            check_scores(dataset, [reader().codes], [name])


# What is computed -------------------------------------------------------------------------------------------


def test_the_representation_is_categories_then_means() -> None:
    codes = LatentCodes(CodesConfig(categorical=(2, 3), uniform=1), fixed_std=True)
    logits = (torch.tensor([[0.0, 1.0], [2.0, 1.0]]), torch.tensor([[0.0, 1.0, 5.0], [9.0, 1.0, 5.0]]))
    posterior = Posterior(logits, torch.tensor([[0.25], [-0.5]]), torch.zeros(2, 1))
    assert representation(codes, posterior).tolist() == [[1, 2, 0.25], [0, 0, -0.5]]


def test_a_q_that_reads_each_factor_into_one_code_is_perfect() -> None:
    found = evaluate(reader(), PERFECT, FACTOR_SCORES)
    assert found.not_defined == {}
    assert found.confusion is None
    for name in (
        "mig",
        "modularity",
        "factor_vae",
        "z_max_variance",
        "dci_informativeness",
        "explicitness",
        "mig_sup",
        "jemmig",
        "dcimig",
    ):
        assert found.scores[name] == pytest.approx(1.0), name
    for name in ("dci_disentanglement", "dci_completeness", "beta_vae"):
        assert found.scores[name] > 0.98, name


def test_mig_of_perfect_codes_in_20_bins_is_capped_by_the_bins() -> None:
    factors = crossed(40, 32)
    found = scored(factors.astype(float), factors, ["mig"])
    of_40 = math.log(20) / math.log(40)  # two values a bin
    of_32 = (
        (12 * 2 * math.log(16) + 8 * math.log(32)) / 32 / math.log(32)
    )  # 12 bins hold two values, 8 hold one
    assert found["mig"].value == pytest.approx((of_40 + of_32) / 2)
    assert found["mig"].protocol == {"n": 1280, "n_bins": 20}


def test_a_categorical_code_gets_a_bin_for_each_of_its_categories() -> None:
    assert n_bins(LatentCodes(CodesConfig(categorical=(3, 10)), fixed_std=True)) == 20
    wide = n_bins(LatentCodes(CodesConfig(categorical=(30, 10)), fixed_std=True))
    assert wide == 30
    factors = crossed(30, 2, repeats=2)
    codes = factors.astype(float)
    assert float(infogan_metrics.mig(codes, factors, n_bins=wide)) == pytest.approx(1)


def test_scores_are_the_metrics_package_s_own() -> None:
    random = np.random.default_rng(1)
    factors = crossed(4, 5, 3, repeats=10)
    codes = factors[:, :2] + random.normal(size=(600, 2))
    found = scored(codes, factors, FACTOR_SCORES)
    split = (codes[:300], factors[:300], codes[300:], factors[300:])
    dci = METRICS["dci"].function(*split, estimator="forest")
    parts = ("disentanglement", "completeness", "informativeness")
    expected = {f"dci_{part}": float(getattr(dci, part)) for part in parts}
    for name in (
        "mig",
        "mig_sup",
        "jemmig",
        "dcimig",
        "modularity",
        "factor_vae",
        "z_max_variance",
        "beta_vae",
        "irs",
        "sap_continuous",
    ):
        expected[name] = float(METRICS[name].function(codes, factors))
    for name in ("sap_discrete", "explicitness"):
        expected[name] = float(METRICS[name].function(*split))
    assert values_of(found) == expected


def test_what_a_score_assumed_is_kept() -> None:
    factors = crossed(4, 5, 3, repeats=2)
    found = scored(factors.astype(float), factors, ["dci_completeness", "beta_vae", "sap_discrete"])
    assert {name: outcome.protocol for name, outcome in found.items()} == {
        "dci_completeness": {"n": 60, "n_held_out": 60, "estimator": "forest", "seed": 0},
        "beta_vae": {"n": 120, "batch": 64, "n_train": 10_000, "n_test": 5_000, "seed": 0},
        "sap_discrete": {"n": 60, "n_held_out": 60, "scale_codes": True},
    }


def test_the_estimator_of_dci_is_the_one_asked_for() -> None:
    factors = crossed(2, 3, repeats=20)
    codes = factors + np.random.default_rng(0).normal(size=factors.shape)
    boosted = scored(codes, factors, ["dci_disentanglement"], dci_estimator="boosting")["dci_disentanglement"]
    half = len(codes) // 2
    expected = METRICS["dci"].function(codes[:half], factors[:half], codes[half:], factors[half:])
    assert boosted.value == float(expected)
    assert boosted.protocol["estimator"] == "boosting"


def test_each_score_stands_for_itself() -> None:
    factors = crossed(4, 5, repeats=4)
    found = scored(np.zeros((80, 2)), factors, ["mig", "modularity"])
    assert values_of(found) == {"mig": 0.0}
    assert (
        found["modularity"].not_defined == "modularity is not defined: no code knows anything of any factor"
    )


def test_a_constant_factor_is_left_out_with_a_note() -> None:
    """A dSprites file with one shape ended the whole evaluation."""
    factors = crossed(3, 1, 5, repeats=20)
    codes = factors[:, [0, 2]] + np.random.default_rng(0).normal(scale=0.1, size=(300, 2))
    found = scored(codes, factors, FACTOR_SCORES)
    assert values_of(found) == values_of(scored(codes, factors[:, [0, 2]], FACTOR_SCORES))
    assert set(values_of(found)) == set(FACTOR_SCORES)
    assert "left out, constant in the test set: `b`" in found["mig"].notes
    coloured = scored(codes, factors, ["mig"], always_alike=("colour",))["mig"]  # which dSprites' files have
    assert "left out, constant in the test set: `colour`, `b`" in coloured.notes
    assert coloured.value == found["mig"].value
    dataset = dataset_of(factors)
    evaluation = evaluate(reader(), dataset, ["mig"])
    assert evaluation.protocols["mig"] == {"n": 300, "n_bins": 20, "left_out": "b"}
    floors = factor_floors(reader(), dataset, evaluation)
    assert floors.keys() == {"floor/shuffled/mig", "floor/untrained/mig"}


def test_costly_scores_are_those_that_wait_for_the_last_evaluation() -> None:
    costly = {name for name in FACTOR_SCORES if metric_of(name).cost == "costly"}  # type: ignore[union-attr]
    assert costly == set(filter(at_last_evaluation_only, FACTOR_SCORES))
    assert "beta_vae" in costly
    found = evaluate(reader(), PERFECT, FACTOR_SCORES, last=False)
    assert set(found.scores) == set(FACTOR_SCORES) - costly


def test_floors_are_the_same_scores_of_shuffled_factors_and_of_the_untrained_network() -> None:
    names = ["mig", "factor_vae"]
    untrained = InfoGAN(RUN, (1, 4, 4), torch.Generator().manual_seed(3))
    floors = factor_floors(untrained, PERFECT, evaluate(reader(), PERFECT, names))
    at_start = evaluate(untrained, PERFECT, names).scores
    assert floors.keys() == {f"floor/{kind}/{name}" for kind in ("shuffled", "untrained") for name in names}
    assert {name: floors[f"floor/untrained/{name}"] for name in names} == at_start
    assert floors["floor/shuffled/mig"] < 0.01
    assert floors["floor/shuffled/factor_vae"] == pytest.approx(1 / 3, abs=0.1)  # chance, of three factors


# What is not defined ----------------------------------------------------------------------------------------


def test_without_labels_or_factors_scores_are_left_out_with_the_reason(mnist: ImageDataset) -> None:
    found = evaluate(reader(), PERFECT, ["purity", "mig"])
    assert found.not_defined["purity"].startswith("needs labels, which pixels has none of")
    run = RUN.model_copy(update={"codes": CodesConfig(categorical=(), uniform=2)})
    model = InfoGAN(run, mnist.image_shape, torch.Generator())
    found = evaluate(model, replace(mnist, train_labels=None, test_labels=None), ["purity", "mig"])
    assert found.scores == {}
    assert found.not_defined == {
        "purity": "needs labels, which mnist has none of",
        "mig": "needs ground-truth factors, which mnist has none of",
    }


def test_where_there_are_labels_alone_they_are_the_one_factor(mnist: ImageDataset) -> None:
    model = InfoGAN(RUN, mnist.image_shape, torch.Generator().manual_seed(0))
    found = evaluate(model, mnist, ["purity", "mig", "dcimig"])
    codes = representation(model.codes, model.encode(mnist.test_images, mnist.train_images))
    labels = mnist.test_labels.numpy()[:, None]
    assert found.scores["mig"] == float(infogan_metrics.mig(codes, labels, n_bins=n_bins(model.codes)))
    assert found.scores["dcimig"] == float(infogan_metrics.dcimig(codes, labels, n_bins=n_bins(model.codes)))
    assert found.not_defined == {}
    defined = {"mig", "mig_sup", "jemmig", "dcimig", "sap_discrete", "sap_continuous", "irs", "explicitness"}
    check_scores(mnist, [CODES], sorted(defined))
    for name in set(FACTOR_SCORES) - defined:
        with pytest.raises(
            InputError, match=f"`{name}` is not defined for a single factor, and mnist has one"
        ):
            check_scores(mnist, [CODES], [name])


CODES = LatentCodes(CodesConfig(), fixed_std=True)


def test_scores_are_refused_where_the_dataset_lacks_what_they_need(mnist: ImageDataset) -> None:
    check_scores(mnist, [CODES], DEFAULT_SCORES)
    check_scores(PERFECT, [CODES], FACTOR_SCORES)
    unlabelled = replace(mnist, train_labels=None, test_labels=None)
    with pytest.raises(InputError, match="`mig` needs ground-truth factors, which mnist has none of"):
        check_scores(unlabelled, [CODES], ["mig"])
    with pytest.raises(
        InputError,
        match="`cluster_accuracy` needs labels, which pixels has none of; it has factors: ask for `mig`",
    ):
        check_scores(PERFECT, [CODES], ["cluster_accuracy"])


def test_dci_is_refused_for_a_single_code() -> None:
    single = LatentCodes(CodesConfig(categorical=(), uniform=1), fixed_std=True)
    check_scores(PERFECT, [single], ["mig"])
    with pytest.raises(InputError, match="`dci_completeness` needs two codes or more, and there is one"):
        check_scores(PERFECT, [single], ["dci_completeness"])


def test_factor_scores_are_refused_where_the_test_set_is_too_small_for_them() -> None:
    sprites = load_dataset(DatasetConfig(name="sprites", train_size=10, test_size=200))
    check_scores(sprites, [CODES], ["mig"])  # counts whatever there is
    with pytest.raises(
        InputError,
        match=r"`sap_discrete` needs every value of `orientation` twice or more .* give a larger `dataset.test",
    ):
        check_scores(sprites, [CODES], ["sap_discrete"])
    check_scores(dataset_of(crossed(3, 1, 5, repeats=20)), [CODES], ["mig", "modularity"])
    one_varies = dataset_of(crossed(3, 1, 1, repeats=20))
    with pytest.raises(
        InputError, match="`modularity` is not defined for a single factor, and pixels has one"
    ):
        check_scores(one_varies, [CODES], ["modularity"])
    with pytest.raises(
        InputError, match="`mig` is not defined: factor `a`, factor `b`, factor `c` is constant"
    ):
        check_scores(dataset_of(crossed(1, 1, 1, repeats=20)), [CODES], ["mig"])


def test_a_score_that_some_trials_can_have_is_not_refused() -> None:
    single = LatentCodes(CodesConfig(categorical=(), uniform=1), fixed_std=True)
    check_scores(PERFECT, [single, CODES], ["dci_completeness"])
    with pytest.raises(InputError, match="`dci_completeness` needs two codes"):
        check_scores(PERFECT, [single, single], ["dci_completeness"])


# In a sweep file --------------------------------------------------------------------------------------------


def test_scores_that_use_factors_are_marked() -> None:
    assert not any(map(uses_factors, (*DEFAULT_SCORES, "L_I", "H", "loss/d", "fid_digits")))
    assert all(map(uses_labels, DEFAULT_SCORES))
    assert not any(map(uses_labels, (*FACTOR_SCORES, "L_I", "slant_correlation/uniform_0")))
    assert set(FACTOR_SCORES) <= set(filter(uses_factors, score_names()))
    assert [name for name in FACTOR_SCORES if Quantities().uses(name) != "factors"] == []


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({}, "`mig` is not in `evaluation.scores`, so it is never computed"),
        (
            {
                "goal": {"metric": "beta_vae"},
                "evaluation": {"scores": ["beta_vae"]},
                "scheduler": "asha",
            },
            "`beta_vae` is computed once a run, at its end, so `scheduler: asha` could not compare runs",
        ),
    ],
)
def test_an_objective_that_is_not_computed_is_refused(sections: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        parse_sweep({"name": "x", "goal": {"metric": "mig"}, **sections})


def test_a_factor_score_can_be_the_objective() -> None:
    sweep = parse_sweep(
        {"name": "x", "dataset": "sprites", "goal": {"metric": "mig"}, "evaluation": {"scores": "mig"}}
    )
    assert sweep.evaluation.scores == ("mig",)


# In a trial -------------------------------------------------------------------------------------------------


def trial_on_sprites(scores: tuple[str, ...]) -> Trial:
    run = RunConfig(
        codes=CodesConfig(categorical=(3,), uniform=2, noise=4),
        architecture=ArchitectureConfig(name="infogan-cr", width=0.1),
        objective=ObjectiveConfig(fixed_std=False),
        steps=2,
        batch=8,
    )
    dataset = DatasetConfig(name="sprites", train_size=64, test_size=1500)
    return Trial(TrialSpec("0000", {}, run, dataset, EvaluationConfig(every=1, scores=scores), (0,)))


def test_a_trial_reports_factor_scores_and_their_floors_once_at_the_end(tmp_path: Path) -> None:
    trial = trial_on_sprites(("mig", "dci_disentanglement"))
    first = trial.advance().seeds[0].metrics
    assert "mig" in first
    assert not any("floor/" in name or "dci" in name for name in first)
    last = trial.advance()
    assert last.status is Status.FINISHED
    floors = [name for name in last.seeds[0].metrics if name.startswith("floor/")]
    assert len(floors) == 4
    untrained = Trainer(trial.spec.run, trial.dataset.train_images, seed=0).model
    at_start = evaluate(untrained, trial.dataset, ["mig"]).scores["mig"]
    assert last.seeds[0].metrics["floor/untrained/mig"] == at_start
    assert "floor/" not in last.line()
    trial.save(tmp_path)
    document = json.loads((tmp_path / "seed-0" / "evaluation.json").read_text())
    assert document["scores"]["dci_disentanglement"] == last.seeds[0].metrics["dci_disentanglement"]
    assert document["protocols"]["mig"] == {"n": 1500, "n_bins": 20}
    assert document["confusion"] is None
    matrix = document["factor_matrix"]
    assert (matrix["codes"], matrix["factors"]) == (
        ["cat_0", "uniform_0", "uniform_1"], ["shape", "scale", "orientation", "x", "y"]
    )  # fmt: skip
    information, entropies = np.array(matrix["mutual_information"]), np.array(matrix["factor_entropy"])
    assert entropies == pytest.approx(np.log([3, 6, 40, 32, 32]), abs=0.02)
    gaps = np.sort(information, axis=0)[-1] - np.sort(information, axis=0)[-2]
    assert document["scores"]["mig"] == pytest.approx(float(np.mean(gaps / entropies)))


def test_a_run_that_asks_for_what_its_dataset_lacks_does_not_begin(tmp_path: Path) -> None:
    spec = trial_on_sprites(("purity",)).spec
    with pytest.raises(InputError, match="`purity` needs labels, which sprites has none of"):
        next(run_trial(spec, tmp_path / "run", "cpu", go_on=False))
    assert not (tmp_path / "run").exists()
