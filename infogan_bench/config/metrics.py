"""Names of the metrics that a run reports, as a sweep file may name them."""

from __future__ import annotations

from typing import Literal

LabelScore = Literal["cluster_accuracy", "purity", "nmi", "ari"]
LABEL_SCORES: tuple[LabelScore, ...] = ("cluster_accuracy", "purity", "nmi", "ari")


def uses_labels(metric: str) -> bool:
    """Whether `metric` compares with labels, so that choosing by it is supervision."""
    return metric in LABEL_SCORES


def metric_names(codes: tuple[str, ...]) -> tuple[str, ...]:
    """What a run whose codes have these names (`cat_0`, `uniform_0`, ...) reports, best known first."""
    categorical = [code for code in codes if code.startswith("cat_")]
    of_categories = (*LABEL_SCORES, "H", *(f"H/{code}" for code in categorical)) if categorical else ()
    of_codes = ("L_I", *(f"L_I/{code}" for code in codes))
    return (*of_categories, *of_codes, "loss/d", "loss/g")
