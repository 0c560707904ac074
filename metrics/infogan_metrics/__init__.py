"""Scores of clusters and codes: pure functions on arrays. Importing this loads numpy alone."""

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
from infogan_metrics.information import mutual_information_matrix
from infogan_metrics.mig import MIG, mig
from infogan_metrics.modularity import Modularity, modularity
from infogan_metrics.registry import METRICS, Metric
from infogan_metrics.sap import SAP, sap_continuous, sap_discrete
from infogan_metrics.score import NotDefinedError, Score

__all__ = [
    "DCI",
    "METRICS",
    "MIG",
    "SAP",
    "ClusteringScore",
    "Completeness",
    "Confusion",
    "Disentanglement",
    "Explicitness",
    "Metric",
    "Modularity",
    "NotDefinedError",
    "PerClassAccuracy",
    "Score",
    "VMeasure",
    "ari",
    "cluster_accuracy",
    "completeness",
    "confusion",
    "dci",
    "disentanglement",
    "explicitness",
    "mig",
    "modularity",
    "mutual_information_matrix",
    "nmi",
    "per_class_accuracy",
    "purity",
    "sap_continuous",
    "sap_discrete",
    "v_measure",
]
