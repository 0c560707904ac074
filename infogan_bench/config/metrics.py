"""Names of the numbers that a run reports. The facts on a score come from its row in the catalogue."""

from __future__ import annotations

from typing import Literal

from infogan_bench.config.catalogue import metric_of, run_metrics
from infogan_bench.config.terms import TERMS

DciEstimator = Literal["forest", "boosting"]


def uses_labels(metric: str) -> bool:
    """Return whether `metric` compares with labels, so that choosing by it is supervision."""
    row = metric_of(metric)
    return row is not None and row.uses_labels


def uses_factors(metric: str) -> bool:
    """Return whether `metric` compares with ground-truth factors, so that choosing by it is supervision."""
    row = metric_of(metric)
    return row is not None and row.uses_factors


def is_better_low(metric: str) -> bool:
    """Return whether low values of `metric` are the good ones: losses, and distances of images from real ones."""
    row = metric_of(metric)
    return metric.startswith("loss/") if row is None else row.direction == "min"


def is_score(metric: str) -> bool:
    """Return whether `metric` is computed only where `evaluation.scores` names it."""
    row = metric_of(metric)
    return row is not None and not row.on_request


def at_last_evaluation_only(metric: str) -> bool:
    """Return whether `metric` is computed once a run, when its steps are done, since it may take seconds."""
    row = metric_of(metric)
    return row is not None and not row.every_evaluation and not row.on_request


def score_of(metric: str) -> str:
    """Return the score that `metric` belongs to: `slant_correlation/uniform_0` is one code's `slant_correlation`."""
    return metric.partition("/")[0]


def needs_a_category(metric: str) -> bool:
    """Return whether `metric` is of the categories of a code."""
    row = metric_of(metric)
    return metric == "H" or (row is not None and row.takes_categories)


def needs_a_continuous_code(metric: str) -> bool:
    """Return whether `metric` is of continuous codes."""
    row = metric_of(metric)
    return row is not None and row.needs.continuous_codes > 0


def metric_names(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics that a run with codes of these names (`cat_0`, `uniform_0`, ...) can report, best known
    first."""
    categorical = [code for code in codes if code.startswith("cat_")]
    continuous = [code for code in codes if code not in categorical]
    scores = []
    for row in run_metrics():
        fits = len(continuous) >= row.needs.continuous_codes and len(codes) >= row.needs.codes
        if row.on_request or not fits or (row.takes_categories and not categorical):
            continue
        of_codes = {
            "code": codes,
            "continuous code": continuous,
            "categorical code": categorical if len(categorical) > 1 else (),
        }.get(row.per or "", ())
        for name in row.names:
            scores += [name, *(f"{name}/{code}" for code in of_codes)]
    of_terms = [
        row.metric
        for row in TERMS.values()
        if row.metric and len(continuous) >= row.continuous and (categorical or not row.categorical)
    ]
    return (
        *scores,
        *(("H", *(f"H/{code}" for code in categorical)) if categorical else ()),
        *of_terms,
        "L_I",
        *(f"L_I/{code}" for code in codes),
        *(
            name
            for whole in ("gaussian_mi_bound", "code_r2")
            if continuous
            for name in (whole, *(f"{whole}/{code}" for code in continuous))
        ),
        "loss/d",
        "loss/g",
    )
