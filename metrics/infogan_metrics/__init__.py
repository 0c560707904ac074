"""Scores of clusters and codes: pure functions on arrays. Importing this loads numpy alone."""

from infogan_metrics.beta_vae import BetaVAE, beta_vae
from infogan_metrics.bootstrap import Interval, bootstrap
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
from infogan_metrics.dcimig import DCIMIG, dcimig
from infogan_metrics.explicitness import Explicitness, explicitness
from infogan_metrics.factor_vae import FactorVAE, factor_vae
from infogan_metrics.features import (
    FID,
    KID,
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    fid,
    kid,
    precision_recall,
)
from infogan_metrics.gaussian import (
    GaussianScore,
    WassersteinCorrelation,
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
)
from infogan_metrics.information import (
    MutualInfoScore,
    bin_factors,
    mutual_info_score,
    mutual_information_matrix,
)
from infogan_metrics.irs import IRS, irs
from infogan_metrics.jemmig import JEMMIG, jemmig
from infogan_metrics.metric import Metric, Needs, Part
from infogan_metrics.mi_bound import MIBound, mi_bound
from infogan_metrics.mig import MIG, mig
from infogan_metrics.mig_sup import MIGSup, mig_sup
from infogan_metrics.model_centrality import ModelCentrality, model_centrality
from infogan_metrics.modularity import Modularity, modularity
from infogan_metrics.rank_correlation import rank_correlation
from infogan_metrics.registry import METRICS
from infogan_metrics.sap import SAP, sap_continuous, sap_discrete
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.shape_factors import slant, stroke_width
from infogan_metrics.traversal import TraversalEffect, traversal_effect
from infogan_metrics.udr import UDR, udr, udr_pair
from infogan_metrics.z_max import ZMaxVariance, z_max_variance

__all__ = [
    "DCI",
    "DCIMIG",
    "FID",
    "IRS",
    "JEMMIG",
    "KID",
    "METRICS",
    "MIG",
    "SAP",
    "UDR",
    "BetaVAE",
    "ClusteringScore",
    "Completeness",
    "Confusion",
    "DensityCoverage",
    "Disentanglement",
    "Explicitness",
    "FactorVAE",
    "GaussianScore",
    "Interval",
    "MIBound",
    "MIGSup",
    "Metric",
    "ModelCentrality",
    "Modularity",
    "MutualInfoScore",
    "Needs",
    "NotDefinedError",
    "Part",
    "PerClassAccuracy",
    "PrecisionRecall",
    "Score",
    "TraversalEffect",
    "VMeasure",
    "WassersteinCorrelation",
    "ZMaxVariance",
    "ari",
    "beta_vae",
    "bin_factors",
    "bootstrap",
    "cluster_accuracy",
    "completeness",
    "confusion",
    "dci",
    "dcimig",
    "density_coverage",
    "disentanglement",
    "explicitness",
    "factor_vae",
    "fid",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "irs",
    "jemmig",
    "kid",
    "mi_bound",
    "mig",
    "mig_sup",
    "model_centrality",
    "modularity",
    "mutual_info_score",
    "mutual_information_matrix",
    "nmi",
    "per_class_accuracy",
    "precision_recall",
    "purity",
    "rank_correlation",
    "sap_continuous",
    "sap_discrete",
    "slant",
    "stroke_width",
    "traversal_effect",
    "udr",
    "udr_pair",
    "v_measure",
    "z_max_variance",
]
