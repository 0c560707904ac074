from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, udr, udr_pair

STORED = [
    "perfect",
    "permuted",
    "rotated",
    "missing",
    "noise",
]  # of seven models, those whose codes are stored


@pytest.mark.parametrize("kind", ["udr_lasso", "udr_lasso_nofilter", "udr_spearman"])
def test_reference_values_of_the_stored_similarities(golden: Any, kind: str) -> None:
    expected, stored = golden.values["udr_set"][kind], golden.expected("udr")
    names = expected["models"]
    threshold = 0.0 if kind.endswith("nofilter") else 0.01
    kept = [np.array(expected["kl"][name]) > threshold for name in names]
    for i, j in np.argwhere(~np.eye(len(names), dtype=bool)):
        similarities = stored[f"{kind}_raw"][i, j][np.ix_(kept[i], kept[j])]
        assert udr_pair(similarities) == pytest.approx(stored[f"{kind}_pairwise"][i, j], abs=1e-12)


@pytest.mark.parametrize("similarity", ["lasso", "spearman"])
def test_reference_values(golden: Any, similarity: Literal["lasso", "spearman"]) -> None:
    expected = golden.values["udr_set"][f"udr_{similarity}"]
    score = udr(
        [golden.codes(name)[:1000] for name in STORED],
        similarity=similarity,
        informative=[np.array(expected["kl"][name]) > 0.01 for name in STORED],
    )
    places = [expected["models"].index(name) for name in STORED]
    pairwise = golden.expected("udr")[f"udr_{similarity}_pairwise"][np.ix_(places, places)]
    np.testing.assert_allclose(score.pairwise, pairwise, atol=1e-9)
    others = ~np.eye(len(STORED), dtype=bool)
    medians = [np.median(pairwise[others[:, j], j]) for j in range(len(STORED))]
    assert score.per_model.tolist() == pytest.approx(medians)
    assert score.value == pytest.approx(np.mean(medians))


def test_closed_forms_of_a_pair() -> None:
    assert udr_pair(np.eye(3)[[2, 0, 1]]) == pytest.approx(1.0)
    assert udr_pair(np.full((2, 4), 0.5)) == pytest.approx((0.25 / 2 + 0.25 / 1) / 2)
    assert udr_pair([[0.9, 0.0], [0.0, 0.0]]) == pytest.approx(0.45)
    assert udr_pair(np.zeros((2, 3))) == 0


def test_unequal_numbers_of_codes_have_a_stated_weighting() -> None:
    # Rows score 1 and 1, columns 1, 1 and 0: means 1 and 2/3, or four fifths of five codes
    similarities = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert udr_pair(similarities) == pytest.approx((1 + 2 / 3) / 2)
    assert udr_pair(similarities, weighting="codes") == pytest.approx(4 / 5)
    codes = np.random.default_rng(0).normal(size=(500, 3))
    assert udr([codes, codes[:, :2]]).weighting == "models"
    assert udr([codes, codes[:, :2]], weighting="codes").value == pytest.approx(0.9 * 4 / 5, abs=0.02)
    with pytest.raises(ValueError, match="`weighting` must be `models` or `codes`, but is 'rows'"):
        udr([codes, codes], weighting="rows")  # type: ignore[arg-type]


def test_codes_in_another_order_sign_and_scale_match() -> None:
    codes = np.random.default_rng(0).normal(size=(500, 3))
    other = np.column_stack([-5 * codes[:, 2], codes[:, 0], 0.1 * codes[:, 1], np.full(500, 0.7)])
    lasso = udr([codes, other])  # a coefficient of 1 is shrunk by 0.1, correlations by chance to 0
    assert lasso.per_model.tolist() == pytest.approx([0.9, 0.9])
    assert udr([codes, other], similarity="spearman").value > 0.9


def test_models_without_informative_codes_score_zero() -> None:
    codes = np.random.default_rng(0).normal(size=(50, 2))
    assert udr([codes, np.ones((50, 3))]).pairwise.tolist() == [[0, 0], [0, 0]]


def test_models_may_have_one_code() -> None:
    code = np.random.default_rng(0).normal(size=(50, 1))
    for similarity in ("lasso", "spearman"):
        best = {"lasso": 0.9, "spearman": 1.0}[similarity]
        assert udr([code, -code], similarity=similarity).value == pytest.approx(best)


def test_what_is_not_defined_or_refused() -> None:
    codes = np.eye(4)
    with pytest.raises(NotDefinedError, match="UDR compares models, but is given 1"):
        udr([codes])
    with pytest.raises(ValueError, match=r"models\[0\] has 4 rows and models\[1\] has 3"):
        udr([codes, codes[:3]])
    with pytest.raises(ValueError, match=r"one flag per code, \(4,\), but has \(3,\)"):
        udr([codes, codes], informative=[[True] * 4, [True] * 3])
    with pytest.raises(ValueError, match="an entry per model, 2, but has 1"):
        udr([codes, codes], informative=[[True] * 4])
    with pytest.raises(ValueError, match=r"`models\[1\]` must be finite"):
        udr([codes, codes * np.nan])
