"""Scores of Q's codes against ground-truth factors, each with what it assumed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from infogan_metrics import METRICS, NotDefinedError, Score
from numpy.typing import NDArray

from infogan_bench.codes import LatentCodes, Posterior
from infogan_bench.config.metrics import DciEstimator

N_BINS = 20  # what papers cut codes into, so that scores compare with theirs

Codes = NDArray[np.float64]
FactorValues = NDArray[np.int64]

_DCI = "dci_"  # three scores are parts of one: `dci_completeness` is `completeness` of the metric `dci`
_BINNED = ("mig", "mig_sup", "jemmig", "dcimig", "modularity")
_DRAWN = ("factor_vae", "beta_vae", "z_max_variance")
_DRAWS = {"batch": 64, "n_train": 10_000, "n_test": 5_000}


@dataclass(frozen=True)
class FactorScores:
    """Scores by name, what each assumed, and why those that are missing have no value."""

    scores: dict[str, float] = field(default_factory=dict)
    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_defined: dict[str, str] = field(default_factory=dict)


def representation(codes: LatentCodes, posterior: Posterior) -> Codes:
    """What Q says an image's codes are: (n, n_codes), columns in the order of `codes.all`.

    The most likely category of each categorical code, the mean of each continuous one.
    """
    categories = [logits.argmax(dim=1).double().numpy() for logits in posterior.logits]
    return np.column_stack([*categories, *posterior.mean.double().numpy().T])


def n_bins(codes: LatentCodes) -> int:
    """Bins that codes are cut into: 20, or as many as the largest categorical code has categories."""
    return max([N_BINS, *(code.size for code in codes.categorical)])


def score_factors(
    codes: Codes,
    factors: FactorValues,
    names: Sequence[str],
    *,
    n_bins: int = N_BINS,
    dci_estimator: DciEstimator = "forest",
) -> FactorScores:
    """Compute scores by their names in a sweep file.

    Scores that fit a predictor fit it on the first half of the samples and test it on the second.

    Args:
        codes: (n_samples, n_codes).
        factors: (n_samples, n_factors).
        n_bins: for scores that cut codes into bins.
        dci_estimator: for DCI.

    Raises:
        ValueError: if there are too few samples: a value that occurs once, or in the second half alone.
    """
    options: Mapping[str, dict[str, Any]] = {
        **{metric: {"n_bins": n_bins} for metric in _BINNED},
        **dict.fromkeys(_DRAWN, _DRAWS),
        "irs": {"n_bins": N_BINS, "quantile": 0.99},
        "dci": {"estimator": dci_estimator},
    }
    found = FactorScores()
    results: dict[str, Score] = {}
    for name in names:
        metric = _metric_of(name)
        try:
            if metric not in results:
                results[metric] = _compute(metric, codes, factors, options.get(metric, {}))
        except NotDefinedError as reason:
            found.not_defined[name] = str(reason)
            continue
        found.scores[name] = float(_part(results[metric], name))
        found.protocols[name] = {**_samples(metric, len(codes)), **options.get(metric, {})}
    return found


def _metric_of(name: str) -> str:
    return "dci" if name.startswith(_DCI) else name


def _part(result: Score, name: str) -> Any:
    return getattr(result, name.removeprefix(_DCI)) if name.startswith(_DCI) else result


def _samples(metric: str, n: int) -> dict[str, int]:
    """Samples that a score is computed from; where it fits a predictor, those it is fitted to and tested on."""
    half = n // 2
    return {"n": half, "n_held_out": n - half} if _fits(metric) else {"n": n}


def _fits(metric: str) -> bool:
    return "test_codes" in METRICS[metric].inputs


def _compute(metric: str, codes: Codes, factors: FactorValues, options: Mapping[str, Any]) -> Score:
    half = len(codes) // 2
    split = (codes[:half], factors[:half], codes[half:], factors[half:])
    with warnings.catch_warnings():  # fewer bins than values is papers' convention, and kept in the protocol
        warnings.filterwarnings("ignore", message="a factor has .* values")
        return METRICS[metric].function(*(split if _fits(metric) else (codes, factors)), **options)
