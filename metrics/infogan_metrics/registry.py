"""All scores by name, with what a user has to know before choosing by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from infogan_metrics.beta_vae import beta_vae
from infogan_metrics.clustering import ari, cluster_accuracy, nmi, per_class_accuracy, purity, v_measure
from infogan_metrics.dci import dci
from infogan_metrics.explicitness import explicitness
from infogan_metrics.factor_vae import factor_vae
from infogan_metrics.gaussian import gaussian_total_correlation, gaussian_wasserstein_correlation
from infogan_metrics.irs import irs
from infogan_metrics.mig import mig
from infogan_metrics.modularity import modularity
from infogan_metrics.sap import sap_continuous, sap_discrete
from infogan_metrics.score import Score
from infogan_metrics.udr import udr


@dataclass(frozen=True)
class Metric:
    """One score: how to call it, `float` of what it returns being the value, and how to read that."""

    name: str
    function: Callable[..., Score]
    inputs: tuple[str, ...]  # the names of its positional arguments
    range: tuple[float, float]
    direction: Literal["max", "min"]  # which way is better
    cost: Literal["cheap", "costly"]  # cheap: well under a second for 10,000 samples
    source: str  # the paper that defines it

    @property
    def uses_labels(self) -> bool:
        """Whether it needs class labels; choosing a model by it is supervision."""
        return "labels" in self.inputs

    @property
    def uses_factors(self) -> bool:
        """Whether it needs ground-truth factors; choosing a model by it is supervision."""
        return "factors" in self.inputs


_LABELLED = ("assignments", "labels")
_FACTORS = ("codes", "factors")
_SPLIT = ("codes", "factors", "test_codes", "test_factors")
_UNIT = (0.0, 1.0)
_POSITIVE = (0.0, math.inf)

_ALL = (
    # Clusters against labels
    Metric("cluster_accuracy", cluster_accuracy, _LABELLED, _UNIT, "max", "cheap", "Yang et al. 2010"),
    Metric("per_class_accuracy", per_class_accuracy, _LABELLED, _UNIT, "max", "cheap", "Yang et al. 2010"),
    Metric("purity", purity, _LABELLED, _UNIT, "max", "cheap", "Manning et al. 2008"),
    Metric("nmi", nmi, _LABELLED, _UNIT, "max", "cheap", "Strehl and Ghosh 2002"),
    Metric("ari", ari, _LABELLED, (-0.5, 1.0), "max", "cheap", "Hubert and Arabie 1985"),
    Metric("v_measure", v_measure, _LABELLED, _UNIT, "max", "cheap", "Rosenberg and Hirschberg 2007"),
    # Codes against factors
    Metric("mig", mig, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.04942"),
    Metric("modularity", modularity, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.05312"),
    Metric("explicitness", explicitness, _SPLIT, _UNIT, "max", "costly", "arXiv:1802.05312"),
    Metric("sap_continuous", sap_continuous, _FACTORS, _UNIT, "max", "cheap", "arXiv:1711.00848"),
    Metric("sap_discrete", sap_discrete, _SPLIT, _UNIT, "max", "costly", "arXiv:1711.00848"),
    Metric("dci", dci, _SPLIT, _UNIT, "max", "costly", "Eastwood and Williams 2018"),
    Metric("irs", irs, _FACTORS, (-math.inf, 1.0), "max", "cheap", "arXiv:1811.00007"),
    Metric("factor_vae", factor_vae, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.05983"),
    Metric("beta_vae", beta_vae, _FACTORS, _UNIT, "max", "costly", "Higgins et al. 2017"),
    # Codes alone
    Metric("udr", udr, ("models",), _UNIT, "max", "cheap", "arXiv:1905.12614"),
    Metric(
        "gaussian_total_correlation",
        gaussian_total_correlation,
        ("codes",),
        _POSITIVE,
        "min",
        "cheap",
        "arXiv:1811.12359",
    ),
    Metric(
        "gaussian_wasserstein_correlation",
        gaussian_wasserstein_correlation,
        ("codes",),
        _POSITIVE,
        "min",
        "cheap",
        "arXiv:1811.12359",
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
