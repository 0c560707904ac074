"""One call scores one pair of arrays: values, intervals, chance levels, and why there are none."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import METRICS, evaluate, information, mig, modularity, nmi, sap_continuous

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


def test_continuous_factors_are_binned_for_the_scores_that_need_it_and_the_row_says_so() -> None:
    factors = np.random.default_rng(1).uniform(size=(400, 2))
    table = evaluate(factors, factors, scores=["mig", "sap_continuous"], bootstrap=2, chance=0)
    assert table["mig"].warnings == ("continuous factors were cut into 20 bins",)
    assert table["mig"].value == pytest.approx(1.0, abs=0.2)
    assert table["sap_continuous"].warnings == ()
    assert table["sap_continuous"].value == sap_continuous(factors, factors)


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
            {"scores": "dci", "protocol": "ubisoft"},
            "`ubisoft` has no score `dci`: the source regresses",
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
    ],
)
def test_malformed_calls_are_told(arrays: tuple[Any, Any], options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("?", r"\?")):
        evaluate(*arrays, **options)
