"""One call scores one pair of arrays: values, intervals, chance levels, and why there are none."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infogan_metrics import METRICS, bin_factors, evaluate, information, mig, modularity, nmi, sap_continuous

GRID = np.tile(list(itertools.product(range(3), range(4))), (20, 1))
NOISY = GRID + np.random.default_rng(0).normal(scale=0.5, size=GRID.shape)


def test_values_are_those_of_the_functions() -> None:
    table = evaluate(NOISY, GRID, bootstrap=0, chance=0)
    assert table["mig"].value == mig(NOISY, GRID)
    assert table["modularity"].value == modularity(NOISY, GRID)
    assert table["sap_continuous"].value == sap_continuous(NOISY, GRID)
    row = table["mig"]
    assert (row.n, row.n_test, row.n_bins, row.seed, row.direction, row.reason) == (
        240,
        None,
        20,
        0,
        "max",
        "",
    )
    assert (row.low, row.high, row.chance) == (None, None, None)


def test_cheap_all_and_names_choose_the_scores() -> None:
    cheap = {row.name for row in evaluate(NOISY, GRID, bootstrap=0, chance=0)}
    assert {"mig", "sap_discrete", "factor_vae", "mutual_info_score"} <= cheap
    assert {name for name in cheap if name in METRICS and METRICS[name].cost == "costly"} == set()
    assert [row.name for row in evaluate(NOISY, GRID, scores=["irs", "mig"], bootstrap=0, chance=0)] == [
        "irs",
        "mig",
    ]
    parts = evaluate(NOISY[:60], GRID[:60], scores="dci_completeness", bootstrap=0, chance=0)
    assert [row.name for row in parts] == ["dci_completeness"]
    labels = evaluate(assignments=GRID[:, 1], labels=GRID[:, 1], bootstrap=3, chance=3)
    assert labels["nmi"].value == nmi(GRID[:, 1], GRID[:, 1]) == 1.0
    assert labels["nmi"].chance is not None
    assert labels["nmi"].chance < 0.1


def test_intervals_hold_the_mean_score_of_other_samples_as_often_as_they_promise() -> None:
    def sample(seed: int) -> tuple[Any, Any]:
        random = np.random.default_rng(seed)
        factors = random.integers(0, 3, (300, 2))
        return factors + random.normal(scale=0.7, size=factors.shape), factors

    mean = np.mean([mig(*sample(seed), n_bins=20) for seed in range(1000, 1150)])
    hits = 0
    for seed in range(25):
        row = evaluate(*sample(seed), scores="mig", bootstrap=40, chance=0)["mig"]
        assert row.low is not None
        assert row.high is not None
        hits += row.low <= mean <= row.high
    assert hits / 25 >= 0.8


def test_chance_is_the_score_of_codes_that_know_nothing() -> None:
    table = evaluate(NOISY, GRID, scores=["mig", "factor_vae", "mutual_info_score"], bootstrap=0, chance=10)
    noise = [mig(np.random.default_rng(i).normal(size=NOISY.shape), GRID) for i in range(10)]
    assert table["mig"].chance == pytest.approx(np.mean(noise), abs=0.01)
    assert table["factor_vae"].chance == pytest.approx(0.5, abs=0.1)  # two factors
    assert table["mutual_info_score"].chance is None  # it has no factors that could be shuffled


def test_the_seed_decides() -> None:
    first, again, other = (
        evaluate(NOISY, GRID, scores=["mig", "sap_discrete"], bootstrap=5, chance=2, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first.to_json() == again.to_json()
    assert first["mig"].low != other["mig"].low


def test_a_score_that_is_not_defined_says_why_and_stops_no_other() -> None:
    table = evaluate(NOISY, GRID[:, :1], bootstrap=2, chance=0)
    assert table["modularity"].value is None
    assert "single factor" in table["modularity"].reason
    assert table["mig"].value is not None


def test_costly_scores_are_repeated_only_when_asked() -> None:
    row = evaluate(NOISY, GRID, scores="explicitness", bootstrap=2, chance=1)["explicitness"]
    assert row.value is not None
    assert (row.low, row.chance) == (None, None)
    assert "repeat_costly" in row.reason
    row = evaluate(NOISY, GRID, scores="explicitness", bootstrap=2, chance=1, repeat_costly=True)[
        "explicitness"
    ]
    assert row.low is not None
    assert row.chance == pytest.approx(0.5, abs=0.15)
    assert (row.n, row.n_test) == (160, 80)


def test_a_score_of_discrete_factors_has_no_value_of_others_unless_they_are_cut() -> None:
    factors = np.random.default_rng(1).uniform(size=(400, 2))
    scores = ["mig", "sap_continuous"]
    refused = evaluate(factors, factors, scores=scores, bootstrap=2, chance=1)
    assert refused["mig"].value is None
    assert refused["mig"].reason == (
        "not defined: factor 0 is continuous; cut it into bins with factor_bins (--factor-bins N), "
        "or take `mig_continuous`"
    )
    assert refused["sap_continuous"].value == sap_continuous(factors, factors)
    cut = evaluate(factors, factors, scores=scores, bootstrap=2, chance=1, factor_bins=8)
    assert cut["mig"].value == mig(factors, bin_factors(factors, 8))
    assert cut["mig"].warnings[0] == "factors that are not discrete were cut into 8 bins: 0, 1"
    assert (cut["mig"].factor_bins, cut["sap_continuous"].factor_bins) == (8, None)
    assert cut.to_dict()["factor_bins"] == 8
    assert json.loads(cut.to_json())["scores"][0]["factor_bins"] == 8
    assert cut["sap_continuous"].value == sap_continuous(factors, factors)
    by_protocol = evaluate(factors, factors, scores="mig", protocol="ubisoft", bootstrap=0, chance=0)
    assert by_protocol["mig"].factor_bins == 10


def test_kinds_reach_the_scores_that_take_them() -> None:
    random = np.random.default_rng(0)
    angle, width = 360 * random.random(5000), 30.0
    turned = np.mod(angle + width * (random.random(5000) - 0.5), 360)
    frame = pd.DataFrame({"azimuth": angle, "size": random.integers(0, 4, 5000)})
    codes = np.column_stack([turned, frame["size"] + 0.1 * random.normal(size=5000)])
    scores = ["mig_continuous", "mcc_spearman", "mig", "sap_continuous"]
    kinds = {"azimuth": "circular:360"}
    table = evaluate(codes, frame, scores=scores, bootstrap=0, chance=0, kinds=kinds)
    # A uniform angle with uniform noise: I = ln(360 / width) nats
    known = table["mig_continuous"].score.informations.mutual  # type: ignore[union-attr]
    assert known[0, 0] == pytest.approx(np.log(360 / width), abs=0.08)
    # the resultant length of uniform noise of 30 degrees, and a rank of four values
    assert table["mcc_spearman"].score.per_factor[0] == pytest.approx(  # type: ignore[union-attr]
        np.sin(np.pi / 12) / (np.pi / 12), abs=0.02
    )
    assert table["mig_continuous"].options["kinds"] == ["circular:360", None]
    assert table.to_dict()["kinds"] == ["circular:360", None]
    assert table["mig"].reason.startswith("not defined: factor azimuth is circular; cut it into bins")
    assert "factor azimuth is circular" in table["sap_continuous"].reason
    assert table.to_dict() == evaluate(
        codes, frame.to_numpy(), scores=scores, bootstrap=0, chance=0, kinds=["circular:360", None]
    ).to_dict() | {"scores": table.to_dict()["scores"]}


def test_a_circular_factor_is_cut_around_the_turn() -> None:
    angles = np.arange(-360, 720, 0.5)[:, None]
    expected = np.floor(np.mod(angles, 360) / 90)
    table = evaluate(
        angles % 360, angles, scores="mig", kinds="circular:360", factor_bins=4, bootstrap=0, chance=0
    )
    assert table["mig"].value == mig(angles % 360, expected)


def test_text_and_numbers_stand_side_by_side() -> None:
    shape, size = np.array(["heart", "oval", "square"])[GRID[:, 0]], GRID[:, 1] / 4
    factors = np.column_stack([shape.astype(object), size.astype(object)])
    table = evaluate(NOISY, factors, scores=["mig", "linear_probe"], factor_bins=4, bootstrap=2, chance=1)
    assert table["mig"].value == mig(NOISY, GRID)
    assert [str(kind) for kind in table["linear_probe"].score.kinds] == ["category", "continuous"]  # type: ignore[union-attr]


def test_tensors_are_taken_and_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = torch.tensor(NOISY, requires_grad=True)
    copies = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: copies.append(1) or tensor)
    table = evaluate(codes, torch.tensor(GRID), bootstrap=2, chance=1)
    assert table["mig"].value == mig(NOISY, GRID)
    assert len(copies) == 2  # codes and factors, whatever the number of scores


def test_scores_of_mutual_information_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    count = information._count
    monkeypatch.setattr(information, "_count", lambda *given: counted.append(1) or count(*given))
    evaluate(NOISY, GRID, scores=["mig", "mig_sup", "jemmig", "dcimig", "modularity"], bootstrap=3, chance=2)
    assert len(counted) == 1 + 3 + 2


def test_the_forms_of_the_table_agree() -> None:
    table = evaluate(NOISY, GRID[:, :1], scores=["mig", "modularity"], bootstrap=5, chance=2)
    document = json.loads(table.to_json())
    assert document["protocol"] == "infogan-bench"
    assert [row["name"] for row in document["scores"]] == ["mig", "modularity"]
    frame = table.to_frame()
    assert frame.loc["mig", "value"] == document["scores"][0]["value"] == table["mig"].value
    assert np.isnan(frame.loc["modularity", "value"])
    value = f"{table['mig'].value:.4f}"
    assert f"mig         {' ' * 5}{value}" in str(table)
    assert f"| `mig` | {value} |" in table.to_markdown()
    assert f"mig & {value} &" in table.to_latex()
    assert "modularity & not defined & - & - & 240 & 20" in table.to_latex()
    assert table.to_csv().splitlines()[1].startswith(f"mig,{table['mig'].value},")
    figure = table.plot()
    assert list(figure.data[0].x) == ["mig"]
    assert figure.data[0].y[0] == table["mig"].value


@pytest.mark.parametrize(
    ("arrays", "options", "fault"),
    [
        ((NOISY, GRID), {"scores": "migg"}, "unknown score `migg`; did you mean `mig`?"),
        ((NOISY, GRID), {"protocol": "ubi"}, "unknown protocol `ubi`"),
        (
            (NOISY, GRID),
            {"scores": "sap_discrete", "protocol": "ubisoft"},
            "`ubisoft` has no score `sap_discrete`: the source uses decision trees",
        ),
        (
            (NOISY, None),
            {"scores": "mig"},
            "`mig` needs `codes`, `factors`, but has no `factors`; there is `codes`",
        ),
        ((NOISY, GRID), {"label": GRID}, "no score takes `label`; did you mean `labels`?"),
        ((NOISY[:9], GRID), {}, "one row per sample, but have 9 and 240 rows"),
        ((np.full((240, 2), np.nan), GRID), {}, "`codes` must be finite"),
        ((None, GRID), {}, "has no cheap score of `factors` alone"),
        (
            (NOISY, GRID),
            {"kinds": ["ordered"]},
            "name one kind for each of the 2 columns of `factors`, but names 1",
        ),
        (
            (NOISY, GRID),
            {"kinds": {"hue": "ordered"}},
            "the factor `hue`, which is not there; there is `0`, `1`",
        ),
        ((NOISY, GRID), {"kinds": "angle"}, "a kind must be one of category, ordered, continuous, circular"),
        ((NOISY, GRID), {"factor_bins": 1}, "`factor_bins` must be at least 2, but is 1"),
        ((NOISY, None), {"kinds": "ordered"}, "`kinds` are of `factors`, but there are none"),
    ],
)
def test_malformed_calls_are_told(arrays: tuple[Any, Any], options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("?", r"\?")):
        evaluate(*arrays, **options)


def test_constant_factors_are_left_out_with_a_note() -> None:
    """As dSprites' colour: alone it would leave every score without a value."""
    factors = np.random.default_rng(0).integers(0, 3, (300, 3))
    codes = factors + np.random.default_rng(1).normal(scale=0.3, size=factors.shape)
    text = factors.astype(str).astype(object)
    text[:, 1] = "white"
    for whole in (factors * [1, 0, 1], text, pd.DataFrame(factors * [1, 0, 1])):
        table = evaluate(codes, whole, scores=["mig", "sap_discrete"], bootstrap=3, chance=2)
        assert table["mig"].value == mig(codes, factors[:, [0, 2]]).value
        assert table["sap_discrete"].value is not None
        assert table.left_out == {"factor 1": "it is constant"}
        assert str(table).endswith("\nfactor 1 is left out: it is constant")
    kinds = evaluate(
        codes, factors * [1, 0, 1], scores="mig", kinds={1: "category", 2: "ordered"}, bootstrap=0
    )
    assert kinds["mig"].value == mig(codes, factors[:, [0, 2]]).value
    assert kinds.kinds == (None, "category", "ordered")
    assert not evaluate(codes, factors * 0, scores="mig", bootstrap=0).left_out
