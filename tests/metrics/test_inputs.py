"""Arrays as other programs hold them: taken with the same value, or refused in one sentence."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infogan_metrics import (
    METRICS,
    NotDefinedError,
    evaluate,
    irs,
    mig,
    mutual_info_score,
    sap_continuous,
    udr,
)
from infogan_metrics.arrays import as_codes, constant_columns

GRID = np.tile(list(itertools.product(range(3), range(4))), (15, 1))
CODES = GRID + np.random.default_rng(0).normal(scale=0.3, size=GRID.shape)
EXPECTED = mig(CODES, GRID).value
OF_FACTORS = sorted(
    name for name, metric in METRICS.items() if metric.uses_factors and "codes" in metric.inputs
)


def call(name: str, codes: Any, factors: Any) -> float:
    arrays = {"codes": codes, "factors": factors, "test_codes": codes, "test_factors": factors}
    return float(METRICS[name].function(*(arrays[argument] for argument in METRICS[name].inputs)))


@pytest.mark.parametrize(
    "codes",
    [
        torch.tensor(CODES, requires_grad=True),
        pd.DataFrame(CODES),
        pd.DataFrame(CODES).astype("Float64"),
        np.ma.masked_invalid(CODES),
        CODES.astype(object),
        CODES.tolist(),
    ],
    ids=["requires_grad", "frame", "Float64", "masked", "objects", "lists"],
)
def test_codes_of_other_libraries(codes: Any) -> None:
    assert mig(codes, GRID).value == EXPECTED


def test_bfloat16_is_taken_with_its_precision() -> None:
    codes = torch.tensor(CODES).bfloat16()
    assert mig(codes, GRID).value == mig(codes.double().numpy(), GRID).value


@pytest.mark.parametrize(
    "factors",
    [
        torch.tensor(GRID),
        pd.DataFrame(GRID).astype("Int64"),
        pd.DataFrame({"shape": np.array(["a", "b", "c"])[GRID[:, 0]], "size": GRID[:, 1]}),
        pd.DataFrame(GRID).astype("category"),
        GRID.astype(float),
        np.array(["a", "b", "c", "d"])[GRID],
        GRID * 10**15 - 7,
    ],
    ids=["tensor", "Int64", "text and numbers", "category", "float", "text", "large"],
)
def test_factors_of_other_libraries(factors: Any) -> None:
    assert mig(CODES, factors).value == pytest.approx(EXPECTED, abs=1e-12)


def with_entry(value: Any) -> Any:
    factors = GRID.astype(object)
    factors[5, 1] = value
    return factors


@pytest.mark.parametrize(
    ("codes", "factors", "fault"),
    [
        (CODES, with_entry(None), "`factors` must have no missing values, but row 5, column 1 is None"),
        (CODES, with_entry(pd.NA), "`factors` must have no missing values, but row 5, column 1 is <NA>"),
        (CODES, with_entry(np.nan), "`factors` must be finite, but row 5, column 1 is NaN"),
        (CODES, with_entry("red"), "one of them in each column, but column 1 holds 'red' among others"),
        (CODES, with_entry(np.inf), "`factors` must be finite, but row 5, column 1 is inf"),
        (
            CODES,
            np.ma.masked_equal(GRID, 3),
            r"must have no missing values, but its entry \[3, 1\] is masked",
        ),
        (with_entry("red"), GRID, "`codes` must hold real numbers, but row 5, column 1 is 'red'"),
        ([[1.0], [1.0, 2.0]], GRID, "`codes` cannot be read as one array"),
        (CODES.T, GRID, "but have 2 and 180 rows; `codes` has fewer rows than columns: is it transposed"),
    ],
)
def test_what_cannot_be_read_is_said(codes: Any, factors: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        mig(codes, factors)


def test_arrays_that_look_transposed_get_a_hint() -> None:
    with pytest.warns(UserWarning, match="`codes` has fewer rows than columns: a row is a sample"):
        mig(CODES[:7].T[[0, 1, 0]], [[0], [1], [1]])


def test_two_samples_warn() -> None:
    with pytest.warns(UserWarning, match="a score of 2 samples says nothing"):
        sap_continuous([[0.0], [1.0]], [[0], [1]])


# Constant codes -------------------------------------------------------------------------------------------

SMALL = np.tile(list(itertools.product(range(2), range(3))), (10, 1))
SMALL_CODES = SMALL + np.random.default_rng(0).normal(scale=0.3, size=SMALL.shape)
ULP = np.nextafter(0.1, 1)
TANH = np.tanh(np.linspace(8, 12, len(SMALL)).astype(np.float32))  # saturated: 1 less up to two ulps


@pytest.fixture(scope="module")
def with_a_constant() -> dict[tuple[str, str], float]:
    """Scores with a code that is 0.5, by the name of the score and the type of the codes."""
    return {}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", OF_FACTORS)
@pytest.mark.parametrize(
    "code",
    [np.resize([0.1, ULP], len(SMALL)), TANH, np.full(len(SMALL), 1e300)],
    ids=["ulp", "tanh", "1e300"],
)
def test_a_code_that_varies_by_rounding_is_constant_to_every_score(
    name: str, code: Any, with_a_constant: dict[tuple[str, str], float]
) -> None:
    def score(column: Any) -> float:
        return call(name, np.column_stack([SMALL_CODES.astype(code.dtype), column]), SMALL)

    if name == "beta_vae" and code[0] > 1:
        with pytest.raises(ValueError, match="too large for BetaVAE's classifier"):
            score(code)
        return
    key = (name, str(code.dtype))
    if key not in with_a_constant:
        with_a_constant[key] = score(np.full_like(code, 0.5))
    assert score(code) == pytest.approx(with_a_constant[key], abs=0.02 if "dci" in name else 1e-9)


def test_the_rule_knows_the_precision_of_the_codes() -> None:
    eps = {kind: float(np.finfo(kind).eps) for kind in (np.float32, np.float64)}
    for kind, step in eps.items():
        few, many = (np.array([[1], [1 + steps * step]], dtype=kind) for steps in (8, 9))
        assert constant_columns(as_codes(few)).all()
        assert not np.ptp(as_codes(few))
        assert not constant_columns(as_codes(many)).any()


# Values beyond squares ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", sorted(set(OF_FACTORS) - {"dci"}))
@pytest.mark.parametrize("exponent", [-997, -565, 515, 997])  # 1e-300, 1e-170, 1e155, 1e300
def test_codes_whose_squares_overflow_or_vanish(name: str, exponent: int) -> None:
    codes = np.ldexp(CODES, exponent)
    if name == "beta_vae" and exponent > 0:
        with pytest.raises(ValueError, match="too large for BetaVAE's classifier"):
            call(name, codes, GRID)
    elif name in ("factor_vae", "z_max_variance") and exponent < 0:
        assert call(name, codes, GRID) == 0  # below `min_std`: no code is active
    elif name == "beta_vae":
        assert call(name, codes, GRID) == pytest.approx(
            0.5, abs=0.02
        )  # a regularised classifier sees nothing
    else:
        assert call(name, codes, GRID) == pytest.approx(call(name, CODES, GRID), abs=1e-9)


def test_scores_of_codes_alone_beyond_squares() -> None:
    codes = CODES @ [[1, 0.5], [0, 1]]
    distance, total = (
        METRICS[name].function for name in ("gaussian_wasserstein_correlation", "gaussian_total_correlation")
    )
    for exponent in (-997, 997):
        large = np.ldexp(codes, exponent)
        assert mutual_info_score(large).value == mutual_info_score(codes).value
        with np.errstate(over="ignore"):
            assert total(large).value == pytest.approx(total(codes).value)
        with pytest.raises(ValueError, match="have no distance in float64: scale them"):
            distance(large)


# Factors with many values ---------------------------------------------------------------------------------


def test_irs_does_not_cut_text_and_warns_where_it_cuts_numbers() -> None:
    random = np.random.default_rng(0)
    factors = random.integers(0, (30, 3), (3000, 2))
    codes = random.permutation(30)[factors[:, :1]] + random.normal(scale=0.1, size=(3000, 1))
    names = np.array([f"{value:02}" for value in range(30)])
    renamed = random.permutation(names)
    text = np.column_stack([names[factors[:, 0]], factors[:, 1].astype(str)])
    with pytest.warns(UserWarning, match="IRS cuts the 30 values of factor 0 into 20 bins"):
        cut = irs(codes, factors).value
    whole = irs(codes, text).value
    assert whole == irs(codes, factors, n_bins=30).value > cut
    other = np.column_stack([renamed[factors[:, 0]], factors[:, 1].astype(str)])
    assert irs(codes, other).value == pytest.approx(whole)


def test_collapse_is_no_goal_for_jemmig() -> None:
    with pytest.raises(NotDefinedError, match="JEMMIG is not defined: no code knows anything"):
        call("jemmig", np.full((len(GRID), 2), 0.7), GRID)


def test_evaluate_copies_each_tensor_off_its_device_once(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    plain_cpu = torch.Tensor.cpu

    def cpu(tensor: torch.Tensor) -> torch.Tensor:
        copied.append(tensor.shape)
        return plain_cpu(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    factors = torch.arange(120).reshape(60, 2) % 3
    codes = factors + 0.1 * torch.arange(120).reshape(60, 2).sin()
    models = [codes, -codes]
    table = evaluate(
        codes, factors, models=models, scores=["mig", "irs", "udr", "mcc"], bootstrap=3, chance=2
    )
    assert table["udr"].value == udr([codes.numpy(), -codes.numpy()])
    assert copied == [(60, 2)] * 4
