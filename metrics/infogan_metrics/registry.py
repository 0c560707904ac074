"""All scores by name, with what a user has to know before choosing by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from infogan_metrics import clustering
from infogan_metrics.beta_vae import beta_vae
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
    """One score: how to call it and how to read it."""

    name: str
    function: Callable[..., Score]
    inputs: tuple[str, ...]  # the names of its positional arguments
    range: tuple[float, float]
    direction: Literal["max", "min"]  # which way is better
    cost: Literal["cheap", "costly"]  # cheap: well under a second for 10,000 samples
    source: str

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
_SPLIT_FACTORS = ("codes", "factors", "test_codes", "test_factors")

_ALL = (
    Metric(
        "cluster_accuracy",
        clustering.cluster_accuracy,
        _LABELLED,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Yang et al. 2010",
    ),
    Metric(
        "per_class_accuracy",
        clustering.per_class_accuracy,
        _LABELLED,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Yang et al. 2010",
    ),
    Metric(
        "purity",
        clustering.purity,
        _LABELLED,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Manning et al. 2008",
    ),
    Metric(
        "nmi",
        clustering.nmi,
        _LABELLED,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Strehl and Ghosh 2002",
    ),
    Metric(
        "ari",
        clustering.ari,
        _LABELLED,
        range=(-0.5, 1.0),
        direction="max",
        cost="cheap",
        source="Hubert and Arabie 1985",
    ),
    Metric(
        "v_measure",
        clustering.v_measure,
        _LABELLED,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Rosenberg and Hirschberg 2007",
    ),
    Metric(
        "mig",
        mig,
        _FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Chen et al. 2018, arXiv:1802.04942",
    ),
    Metric(
        "modularity",
        modularity,
        _FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Ridgeway and Mozer 2018, arXiv:1802.05312",
    ),
    Metric(
        "explicitness",
        explicitness,
        _SPLIT_FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="costly",
        source="Ridgeway and Mozer 2018, arXiv:1802.05312",
    ),
    Metric(
        "sap_continuous",
        sap_continuous,
        _FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Kumar et al. 2018, arXiv:1711.00848",
    ),
    Metric(
        "sap_discrete",
        sap_discrete,
        _SPLIT_FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="costly",
        source="Kumar et al. 2018, arXiv:1711.00848",
    ),
    Metric(
        "dci",
        dci,
        _SPLIT_FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="costly",
        source="Eastwood and Williams 2018",
    ),
    Metric(
        "factor_vae",
        factor_vae,
        _FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Kim and Mnih 2018, arXiv:1802.05983",
    ),
    Metric(
        "beta_vae",
        beta_vae,
        _FACTORS,
        range=(0.0, 1.0),
        direction="max",
        cost="costly",
        source="Higgins et al. 2017",
    ),
    Metric(
        "irs",
        irs,
        _FACTORS,
        range=(-math.inf, 1.0),
        direction="max",
        cost="cheap",
        source="Suter et al. 2019, arXiv:1811.00007",
    ),
    Metric(
        "gaussian_total_correlation",
        gaussian_total_correlation,
        ("codes",),
        range=(0.0, math.inf),
        direction="min",
        cost="cheap",
        source="Locatello et al. 2019, arXiv:1811.12359",
    ),
    Metric(
        "gaussian_wasserstein_correlation",
        gaussian_wasserstein_correlation,
        ("codes",),
        range=(0.0, math.inf),
        direction="min",
        cost="cheap",
        source="Locatello et al. 2019, arXiv:1811.12359",
    ),
    Metric(
        "udr",
        udr,
        ("models",),
        range=(0.0, 1.0),
        direction="max",
        cost="cheap",
        source="Duan et al. 2020, arXiv:1905.12614",
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
