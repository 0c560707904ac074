"""Names of the metrics that a run reports, as a sweep file may name them."""

from __future__ import annotations

from typing import Literal, get_args

from infogan_bench.config.terms import TERMS

LabelScore = Literal["cluster_accuracy", "purity", "nmi", "ari"]
FactorScore = Literal[
    "mig",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "sap_discrete",
    "modularity",
    "explicitness",
    "factor_vae",
    "beta_vae",
    "irs",
    "mig_sup",
    "jemmig",
    "dcimig",
    "z_max_variance",
]
ShapeScore = Literal["slant_correlation", "width_correlation"]
DigitScore = Literal["fid_digits", "kid_digits"]
DciEstimator = Literal["forest", "boosting"]
ScoreName = Literal[LabelScore, FactorScore, ShapeScore, DigitScore]
LABEL_SCORES: tuple[LabelScore, ...] = get_args(LabelScore)
FACTOR_SCORES: tuple[FactorScore, ...] = get_args(FactorScore)
SHAPE_SCORES: tuple[ShapeScore, ...] = get_args(ShapeScore)
"""Scores of what continuous codes do to generated images; they use neither labels nor factors."""
DIGIT_SCORES: tuple[DigitScore, ...] = get_args(DigitScore)
"""Distances of generated digits from MNIST's test images, in the features of a network that learned to read them."""

LAST_EVALUATION_ONLY = frozenset(
    {
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
        "explicitness",
        "beta_vae",
        *SHAPE_SCORES,
        *DIGIT_SCORES,
    }
)
"""Scores that take up to seconds, and so are computed once a run: when its steps are done."""


def uses_labels(metric: str) -> bool:
    """Whether `metric` compares with labels, so that choosing by it is supervision."""
    return metric in LABEL_SCORES


def uses_factors(metric: str) -> bool:
    """Whether `metric` compares with ground-truth factors, so that choosing by it is supervision."""
    return metric in FACTOR_SCORES


def is_better_low(metric: str) -> bool:
    """Whether low values of `metric` are the good ones: losses, and distances of images from real ones."""
    return metric in DIGIT_SCORES or metric.startswith("loss/")


def score_of(metric: str) -> str:
    """The score that `metric` belongs to: `slant_correlation/uniform_0` is one code's `slant_correlation`."""
    return metric.partition("/")[0]


def metric_names(codes: tuple[str, ...]) -> tuple[str, ...]:
    """What a run whose codes have these names (`cat_0`, `uniform_0`, ...) can report, best known first."""
    categorical = [code for code in codes if code.startswith("cat_")]
    of_terms = [row.metric for row in TERMS.values() if row.metric and row.categorical]
    of_categories = (
        (*LABEL_SCORES, "H", *(f"H/{code}" for code in categorical), *of_terms) if categorical else ()
    )
    of_codes = ("L_I", *(f"L_I/{code}" for code in codes))
    continuous = [code for code in codes if code not in categorical]
    of_pairs = [row.metric for row in TERMS.values() if row.metric and 0 < row.continuous <= len(continuous)]
    of_shapes = [
        name for score in SHAPE_SCORES for name in (score, *(f"{score}/{code}" for code in continuous))
    ]
    return (
        *of_categories,
        *FACTOR_SCORES,
        *(of_shapes if continuous else ()),
        *DIGIT_SCORES,
        *of_pairs,
        *of_codes,
        "loss/d",
        "loss/g",
    )
