"""Scores of clusters and codes: pure functions on arrays. Importing this loads numpy alone."""

from infogan_metrics.beta_vae import BetaVAE, beta_vae
from infogan_metrics.clustering import (
    ClusteringScore,
    Confusion,
    PerClassAccuracy,
    VMeasure,
    ari,
    cluster_accuracy,
    confusion,
    nmi,
    per_class_accuracy,
    purity,
    v_measure,
)
from infogan_metrics.dci import DCI, Completeness, Disentanglement, completeness, dci, disentanglement
from infogan_metrics.explicitness import Explicitness, explicitness
from infogan_metrics.factor_vae import FactorVAE, factor_vae
from infogan_metrics.gaussian import (
    GaussianScore,
    WassersteinCorrelation,
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
)
from infogan_metrics.information import mutual_information_matrix
from infogan_metrics.irs import IRS, irs
from infogan_metrics.mig import MIG, mig
from infogan_metrics.modularity import Modularity, modularity
from infogan_metrics.registry import METRICS, Metric
from infogan_metrics.sap import SAP, sap_continuous, sap_discrete
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.udr import UDR, udr, udr_pair

__all__ = [
    "DCI",
    "IRS",
    "METRICS",
    "MIG",
    "SAP",
    "UDR",
    "BetaVAE",
    "ClusteringScore",
    "Completeness",
    "Confusion",
    "Disentanglement",
    "Explicitness",
    "FactorVAE",
    "GaussianScore",
    "Metric",
    "Modularity",
    "NotDefinedError",
    "PerClassAccuracy",
    "Score",
    "VMeasure",
    "WassersteinCorrelation",
    "ari",
    "beta_vae",
    "cluster_accuracy",
    "completeness",
    "confusion",
    "dci",
    "disentanglement",
    "explicitness",
    "factor_vae",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "irs",
    "mig",
    "modularity",
    "mutual_information_matrix",
    "nmi",
    "per_class_accuracy",
    "purity",
    "sap_continuous",
    "sap_discrete",
    "udr",
    "udr_pair",
    "v_measure",
]
