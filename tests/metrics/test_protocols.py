"""Protocols give the values of the libraries whose names they have."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import METRICS, PROTOCOLS, NotDefinedError, evaluate, factor_vae
from infogan_metrics.protocols import ubisoft_mig, ubisoft_mig_sup
from infogan_metrics.regressed_dci import infogan_cr_dci, ubisoft_dci
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if PROTOCOLS[name].settings])
def test_settings_name_scores_and_options_that_exist(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert set(protocol.settings) | set(protocol.left_out) <= set(METRICS)
    assert not set(protocol.settings) & set(protocol.left_out)
    for score, setting in protocol.settings.items():
        if setting.function is None:
            assert set(setting.options) <= set(METRICS[score].options), score


def test_disentanglement_lib_gives_its_values_on_its_samples(golden: Any) -> None:
    case = "noisy_1.0"
    table = evaluate(
        golden.codes(case),
        golden.factors(),
        scores=["mig", "modularity", "sap_continuous", "irs", "sap_discrete"],
        protocol="disentanglement_lib",
        bootstrap=0,
        chance=0,
        test_codes=golden.codes(case, "test"),
        test_factors=golden.factors("test"),
    )
    reference = golden.values[case]
    keys = {"mig": "discrete_mig", "modularity": "modularity_score", "irs": "IRS"}
    for row in table:
        expected = reference[row.name][keys.get(row.name, "SAP_score")]
        assert row.value == pytest.approx(expected, abs=2e-4), row.name
    assert {row.n for row in table} == {10_000}
    assert table["sap_discrete"].n_test == 5_000


def plain_ubisoft(codes: Any, factors: Any) -> Any:
    """Mutual information over the entropy of the code, (n_factors, n_codes), as ubisoft's utils.py has it."""
    unit = (codes - codes.min(axis=0)) / np.ptp(codes, axis=0)
    bins = np.digitize(unit, np.linspace(0, 1, 11)[:-1])
    shares = [
        [mutual_info_score(f, c) / entropy(np.unique(c, return_counts=True)[1]) for c in bins.T]
        for f in factors.T
    ]
    return np.array(shares)


def test_ubisoft_divides_by_the_entropy_of_the_code(golden: Any) -> None:
    codes, factors = golden.codes("noisy_1.0").astype(float), golden.factors()
    shares = plain_ubisoft(codes, factors)
    by_factor, by_code = np.sort(shares, axis=1), np.sort(shares, axis=0)
    assert ubisoft_mig(codes, factors) == pytest.approx(
        np.mean(by_factor[:, -1] - by_factor[:, -2]), abs=1e-9
    )
    assert ubisoft_mig_sup(codes, factors) == pytest.approx(np.mean(by_code[-1] - by_code[-2]), abs=1e-9)
    table = evaluate(codes, factors, scores=["mig", "mig_sup"], protocol="ubisoft", bootstrap=0, chance=0)
    assert table["mig"].value == ubisoft_mig(codes, factors)
    assert table["mig"].n_bins == 10


def test_ubisoft_stretches_chance_to_zero(golden: Any) -> None:
    codes, factors = golden.codes("noise"), golden.factors()
    row = evaluate(codes, factors, scores="factor_vae", protocol="ubisoft", bootstrap=0, chance=0)[
        "factor_vae"
    ]
    accuracy = factor_vae(codes, factors, batch=200, n_train=800, n_test=800)
    assert row.value == pytest.approx((accuracy - 0.2) / 0.8)
    assert row.value == pytest.approx(0.0, abs=0.06)


def test_infogan_cr_scores_the_votes_that_it_learned_from(golden: Any) -> None:
    codes, factors = golden.codes("noise"), golden.factors()
    row = evaluate(codes, factors, scores="factor_vae", protocol="infogan-cr", bootstrap=0, chance=0)[
        "factor_vae"
    ]
    learned = factor_vae(codes, factors, batch=100, n_train=500, n_test=1, min_std=0.0)
    assert row.value == learned.train_value == learned.votes.max(axis=0).sum() / 500
    assert row.value > 0.22  # chance is 0.2, and the best of 500 votes lies above it


def test_a_protocol_can_be_changed_and_is_then_called_so() -> None:
    codes = np.random.default_rng(0).normal(size=(200, 2))
    factors = np.random.default_rng(1).integers(0, 3, (200, 2))
    changed = PROTOCOLS["disentanglement_lib"].with_options("mig", n_bins=5)
    table = evaluate(codes, factors, scores="mig", protocol=changed, bootstrap=0, chance=0)
    assert (table["mig"].n_bins, table.protocol) == (5, "disentanglement_lib, changed")
    with pytest.raises(ValueError, match="has no score `jemmig`"):
        changed.with_options("jemmig", n_bins=5)


@pytest.mark.parametrize(
    ("protocol", "case", "expected"),
    [  # disentanglement, completeness of the first 2,000 training samples, by ubisoft's own file and by a program
        # written after InfoGAN-CR's
        ("ubisoft", "rotated", (0.096193, 0.093921)),
        ("ubisoft", "noisy_1.0", (0.901840, 0.910463)),
        ("infogan-cr", "rotated", (0.103133, 0.106033)),
        ("infogan-cr", "noisy_1.0", (0.968690, 0.969019)),
    ],
)
def test_dci_by_regression_has_the_values_of_other_programs(
    golden: Any, protocol: str, case: str, expected: tuple[float, float]
) -> None:
    codes, factors = golden.codes(case)[:2000].astype(float), golden.factors()[:2000]
    table = evaluate(codes, factors, scores="dci", protocol=protocol, bootstrap=0, chance=0)
    found = table["dci_disentanglement"].value, table["dci_completeness"].value
    assert found == pytest.approx(expected, abs=2e-6)
    if (protocol, case) == ("ubisoft", "noisy_1.0"):
        assert table["dci_informativeness"].value == pytest.approx(0.334390, abs=2e-6)  # 1 - 12 MSE


def test_dci_by_regression_takes_continuous_factors_as_they_are() -> None:
    random = np.random.default_rng(0)
    factors = random.random((300, 2))
    codes = np.column_stack([factors[:, 0], 0.5 * factors[:, 1] + 0.5 * random.random(300)])
    row = evaluate(codes, factors, scores="dci", protocol="ubisoft", bootstrap=0, chance=0)[
        "dci_informativeness"
    ]
    assert row.factor_bins is None
    # the second factor v from v / 2 + u / 2: half of its variance is left, 1 - 12 / 24
    assert row.value == pytest.approx((1 + 0.5) / 2, abs=0.06)


def test_ubisoft_counts_codes_up_to_the_first_that_no_factor_uses() -> None:
    grid = np.array(list(itertools.product(range(3), repeat=3)) * 4, dtype=float)
    mixed = grid[:, 1] + grid[:, 2]  # of two of three factors: 1 - log_3 2, at twice the weight
    after = np.column_stack([grid[:, 0], 0 * mixed, mixed])
    before = np.column_stack([grid[:, 0], mixed, 0 * mixed])
    assert ubisoft_dci(after, grid, after, grid) == pytest.approx(1.0)
    assert ubisoft_dci(before, grid, before, grid) == pytest.approx(1 - math.log(2, 3) * 2 / 3, abs=0.01)


def test_dci_by_regression_refuses_what_has_no_value() -> None:
    codes, factors = np.arange(24.0).reshape(12, 2) % 7, np.arange(24).reshape(12, 2) % 3
    for function in (ubisoft_dci, infogan_cr_dci):
        with pytest.raises(NotDefinedError, match="single code or a single factor"):
            function(codes[:, :1], factors, codes[:, :1], factors)
        with pytest.raises(NotDefinedError, match="factor 1 is constant"):
            function(codes, factors * [1, 0], codes, factors)
