from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, dci_continuous
from sklearn.linear_model import LassoCV

RANDOM = np.random.default_rng(0)
CODES, TEST_CODES = RANDOM.normal(size=(600, 2)), RANDOM.normal(size=(300, 2))
MIXING = np.array([[3.0, 4.0], [4.0, -3.0]])


def split(score: Any, codes: Any, factors: Any, **options: Any) -> Any:
    half = len(codes) // 2
    return score(codes[:half], factors[:half], codes[half:], factors[half:], **options)


def test_lasso_importances_are_the_coefficients() -> None:
    score = dci_continuous(CODES, CODES @ MIXING, TEST_CODES, TEST_CODES @ MIXING, estimator="lasso")
    scaled = MIXING * CODES.std(axis=0)[:, None] / (CODES @ MIXING).std(axis=0)
    np.testing.assert_allclose(score.importance, np.abs(scaled), atol=0.01)
    # Shares of about 3/7 and 4/7 in every row and column: 1 - H(3/7) / ln 2
    share = np.array([3, 4]) / 7
    expected = 1 + np.sum(share * np.log2(share))
    assert score.disentanglement.value == pytest.approx(expected, abs=0.01)
    assert score.completeness.value == pytest.approx(expected, abs=0.01)
    assert score.informativeness == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("estimator", ["lasso", "forest"])
def test_perfect_codes_score_one(estimator: Any) -> None:
    score = dci_continuous(CODES[:, ::-1], CODES, TEST_CODES[:, ::-1], TEST_CODES, estimator=estimator)
    assert float(score) == score.disentanglement.value == pytest.approx(1.0, abs=0.02)
    assert score.completeness.value == pytest.approx(1.0, abs=0.02)
    assert score.informativeness == pytest.approx(1.0, abs=0.05)
    assert score.importance.argmax(axis=0).tolist() == [1, 0]
    assert [kind.name for kind in score.kinds] == ["continuous", "continuous"]


def test_informativeness_is_the_share_of_variance() -> None:
    factors = RANDOM.normal(size=(20_000, 2))
    codes = factors + [0.5, 1.0] * RANDOM.normal(size=(20_000, 2))
    score = split(dci_continuous, codes, factors, estimator="lasso")
    assert score.informativeness_per_factor == pytest.approx([1 / 1.25, 1 / 2], abs=0.02)  # 1 / (1 + var e)
    assert score.informativeness == pytest.approx(score.informativeness_per_factor.mean())


def test_lasso_agrees_with_scikit_learn() -> None:
    factors = CODES @ MIXING + RANDOM.normal(size=CODES.shape)
    score = split(dci_continuous, CODES, factors, estimator="lasso")
    x, y = CODES[:300], factors[:300]
    model = LassoCV(cv=5).fit((x - x.mean(axis=0)) / x.std(axis=0), y[:, 1] / y[:, 1].std())
    np.testing.assert_allclose(score.importance[:, 1], np.abs(model.coef_), atol=1e-12)


def test_factors_of_every_kind_at_once() -> None:
    shape, size, angle = RANDOM.integers(3, size=900), RANDOM.normal(size=900), 360 * RANDOM.random(900)
    codes = np.column_stack([shape, size, np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    factors = np.column_stack([shape, size, angle])
    kinds = ["category", "continuous", "circular:360"]
    for estimator in ("lasso", "forest"):
        score = split(dci_continuous, codes, factors, kinds=kinds, estimator=estimator)
        assert score.importance.argmax(axis=1).tolist() == [0, 1, 2, 2]
        assert score.disentanglement.value > 0.9
    assert score.informativeness_per_factor == pytest.approx([1, 1, 1], abs=0.06)
    # The angle needs two codes alike: completeness 1 - ln 2 / ln 4
    assert score.completeness.per_factor[2] == pytest.approx(1 - math.log(2) / math.log(4), abs=0.03)


def test_a_forest_reads_what_a_line_cannot() -> None:
    factors = CODES**2
    line, forest = (split(dci_continuous, CODES, factors, estimator=name) for name in ("lasso", "forest"))
    assert line.informativeness < 0.1 < 0.8 < forest.informativeness


@pytest.mark.parametrize("estimator", ["lasso", "forest"])
def test_scale_offset_sign_and_order_of_codes_do_not_matter(estimator: Any) -> None:
    factors = CODES @ MIXING
    expected = split(dci_continuous, CODES, factors, estimator=estimator)
    again = split(dci_continuous, CODES, factors, estimator=estimator)
    changed = split(dci_continuous, CODES[:, ::-1] * [8, -0.5] + [1, 2], factors, estimator=estimator)
    assert again.value == expected.value
    assert changed.value == pytest.approx(expected.value, abs=1e-6 if estimator == "lasso" else 0.03)


def test_dead_codes_are_of_no_importance() -> None:
    with_dead = np.c_[CODES, np.full(len(CODES), 0.7)]
    for estimator in ("lasso", "forest"):
        assert split(dci_continuous, with_dead, CODES, estimator=estimator).importance[2].tolist() == [0, 0]
    assert split(dci_continuous, with_dead[:, [2, 2]], CODES).value == 0


def test_what_is_not_defined_and_what_is_refused() -> None:
    for codes, factors in ((CODES[:, :1], CODES), (CODES, CODES[:, :1])):
        with pytest.raises(NotDefinedError, match="single code or a single factor"):
            split(dci_continuous, codes, factors)
    with pytest.raises(NotDefinedError, match="factor 1 is constant"):
        split(dci_continuous, CODES, CODES * [1, 0])
    with pytest.raises(ValueError, match="`estimator` must be `lasso` or `forest`, but is 'ridge'"):
        split(dci_continuous, CODES, CODES, estimator="ridge")
