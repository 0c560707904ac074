"""Results of scores are numbers, and keep what they were computed from."""

from __future__ import annotations

import copy
import json
import math
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from infogan_metrics import NotDefinedError, bootstrap, mig, nmi, udr
from infogan_metrics.information import informations, one_pass
from infogan_metrics.mig import mig_of

FACTORS = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (25, 1))
HALF = mig(np.column_stack([FACTORS[:, 0], np.zeros(100)]), FACTORS, n_bins=2)  # one factor of two is known


def test_a_score_calculates_compares_rounds_and_formats_as_its_value() -> None:
    assert HALF == 0.5
    assert 0.4 < HALF < 0.6
    assert round(HALF * 3, 1) == 1.5
    assert f"{HALF}" == "0.5"
    assert f"{HALF:.3f}" == "0.500"
    assert max(HALF, 0.2) is HALF
    assert repr(HALF) == "MIG(0.5, n=100)"


def test_json_numpy_and_pandas_take_a_score_for_a_number() -> None:
    assert json.dumps({"mig": HALF}) == '{"mig": 0.5}'
    assert np.array([HALF, 1.0]).dtype == np.float64
    assert np.mean([HALF, HALF]) == 0.5
    assert pd.Series([HALF, HALF]).dtype == np.float64
    assert pd.DataFrame({"mig": [HALF]}).mig.sum() == 0.5


def test_to_dict_has_every_field_in_the_types_of_json() -> None:
    document = json.loads(json.dumps(HALF.to_dict(), allow_nan=False))
    assert document.keys() == {"value", "n", "per_factor", "mutual_information", "factor_entropy", "n_bins"}
    assert document["per_factor"] == [1.0, 0.0]
    assert document["mutual_information"][0][0] == pytest.approx(math.log(2))


def test_to_dict_has_none_for_what_json_has_no_number_for_and_opens_nested_results() -> None:
    clusters = nmi(["a", "b", "b"], [0, 1, 1]).to_dict()["confusion"]
    assert clusters == {
        "clusters": ["a", "b"],
        "classes": [0, 1],
        "counts": [[1, 0], [0, 2]],
        "match": [0, 1],
    }
    models = [np.random.default_rng(i).normal(size=(50, 2)) for i in range(2)]
    assert json.dumps(udr(models).to_dict(), allow_nan=False)


def test_scores_are_copied_and_pickled_with_all_they_hold() -> None:
    for again in (copy.deepcopy(HALF), pickle.loads(pickle.dumps(HALF))):
        assert again == HALF
        assert type(again) is type(HALF)
        np.testing.assert_array_equal(again.mutual_information, HALF.mutual_information)


def test_within_one_pass_the_same_arrays_are_counted_once() -> None:
    codes = FACTORS + 0.0
    with one_pass():
        first = informations(codes, FACTORS, 2)
        assert informations(codes, FACTORS, 2) is first
        assert informations(codes, FACTORS, 3) is not first
        assert informations(codes.copy(), FACTORS, 2) is not first
        assert mig(codes, FACTORS, n_bins=2) == mig_of(first) == 1.0
    assert informations(codes, FACTORS, 2) is not first


def test_plot_draws_the_matrix_behind_a_score() -> None:
    heat = HALF.plot().data[0]
    np.testing.assert_allclose(heat.z, HALF.mutual_information)
    assert list(heat.x) == ["factor 0", "factor 1"]
    assert list(heat.y) == ["code 0", "code 1"]
    table = nmi(["a", "b", "b"], [0, 1, 1]).plot().data[0]
    assert (list(table.y), list(table.x)) == (["a", "b"], ["0", "1"])
    with pytest.raises(NotDefinedError, match="no matrix"):
        bootstrap(np.mean, FACTORS, n_resamples=2).plot()


def test_plot_says_what_to_install_where_plotly_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'infogan-metrics\[plots\]'"):
        HALF.plot()
