"""Scores of clusters and codes: pure functions on arrays. Importing this loads numpy alone."""

from infogan_metrics.best_codes import BestCodes, best_codes
from infogan_metrics.beta_vae import BetaVAE, beta_vae
from infogan_metrics.bootstrap import Interval, bootstrap
from infogan_metrics.clustering import (
    ClusteringScore,
    Confusion,
    PerClassAccuracy,
    VMeasure,
    ari,
    balanced_accuracy,
    cluster_accuracy,
    confusion,
    nmi,
    per_class_accuracy,
    purity,
    v_measure,
)
from infogan_metrics.continuous_gaps import ContinuousJEMMIG, ContinuousMIG, jemmig_continuous, mig_continuous
from infogan_metrics.correlation import MCC, correlation_matrix, mcc
from infogan_metrics.dci import DCI, Completeness, Disentanglement, completeness, dci, disentanglement
from infogan_metrics.dci_continuous import ContinuousDCI, dci_continuous
from infogan_metrics.dci_es import DCIES, dci_es, explicitness_of_curve
from infogan_metrics.dcimig import DCIMIG, dcimig
from infogan_metrics.evaluation import evaluate
from infogan_metrics.explicitness import Explicitness, explicitness
from infogan_metrics.factor_vae import FactorVAE, factor_vae
from infogan_metrics.features import (
    FID,
    KID,
    PRDC,
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    fid,
    kid,
    prdc,
    precision_recall,
)
from infogan_metrics.gaussian import (
    GaussianScore,
    WassersteinCorrelation,
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
)
from infogan_metrics.gaussian_mi_bound import GaussianMIBound, gaussian_mi_bound
from infogan_metrics.infomec import InfoMEC, infomec
from infogan_metrics.information import (
    MutualInfoScore,
    bin_factors,
    mutual_info_score,
    mutual_information_matrix,
)
from infogan_metrics.irs import IRS, irs
from infogan_metrics.jemmig import JEMMIG, jemmig
from infogan_metrics.kinds import Kind
from infogan_metrics.med import MED, med
from infogan_metrics.metric import Metric, Needs, Part
from infogan_metrics.mi_bound import MIBound, mi_bound
from infogan_metrics.mig import MIG, mig
from infogan_metrics.mig_sup import MIGSup, mig_sup
from infogan_metrics.model_centrality import ModelCentrality, model_centrality
from infogan_metrics.modularity import Modularity, modularity
from infogan_metrics.probes import Probe, linear_probe, neighbour_probe
from infogan_metrics.protocols import PROTOCOLS, Protocol, Setting
from infogan_metrics.rank_correlation import rank_correlation
from infogan_metrics.registry import METRICS
from infogan_metrics.rmig import RMIG, rmig
from infogan_metrics.sap import SAP, sap_continuous, sap_discrete
from infogan_metrics.score import NotDefinedError, Score
from infogan_metrics.shape_factors import slant, stroke_width
from infogan_metrics.streaming import StreamingScores, equal_edges
from infogan_metrics.table import Row, Table
from infogan_metrics.traversal import TraversalEffect, traversal_effect
from infogan_metrics.typed_information import typed_information_matrix
from infogan_metrics.udr import UDR, udr, udr_pair
from infogan_metrics.version import __version__
from infogan_metrics.z_max import ZMaxVariance, z_max_variance

__all__ = [
    "DCI",
    "DCIES",
    "DCIMIG",
    "FID",
    "IRS",
    "JEMMIG",
    "KID",
    "MCC",
    "MED",
    "METRICS",
    "MIG",
    "PRDC",
    "PROTOCOLS",
    "RMIG",
    "SAP",
    "UDR",
    "BestCodes",
    "BetaVAE",
    "ClusteringScore",
    "Completeness",
    "Confusion",
    "ContinuousDCI",
    "ContinuousJEMMIG",
    "ContinuousMIG",
    "DensityCoverage",
    "Disentanglement",
    "Explicitness",
    "FactorVAE",
    "GaussianMIBound",
    "GaussianScore",
    "InfoMEC",
    "Interval",
    "Kind",
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
    "Probe",
    "Protocol",
    "Row",
    "Score",
    "Setting",
    "StreamingScores",
    "Table",
    "TraversalEffect",
    "VMeasure",
    "WassersteinCorrelation",
    "ZMaxVariance",
    "__version__",
    "ari",
    "balanced_accuracy",
    "best_codes",
    "beta_vae",
    "bin_factors",
    "bootstrap",
    "cluster_accuracy",
    "completeness",
    "confusion",
    "correlation_matrix",
    "dci",
    "dci_continuous",
    "dci_es",
    "dcimig",
    "density_coverage",
    "disentanglement",
    "equal_edges",
    "evaluate",
    "explicitness",
    "explicitness_of_curve",
    "factor_vae",
    "fid",
    "gaussian_mi_bound",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "infomec",
    "irs",
    "jemmig",
    "jemmig_continuous",
    "kid",
    "linear_probe",
    "mcc",
    "med",
    "mi_bound",
    "mig",
    "mig_continuous",
    "mig_sup",
    "model_centrality",
    "modularity",
    "mutual_info_score",
    "mutual_information_matrix",
    "neighbour_probe",
    "nmi",
    "per_class_accuracy",
    "prdc",
    "precision_recall",
    "purity",
    "rank_correlation",
    "rmig",
    "sap_continuous",
    "sap_discrete",
    "slant",
    "stroke_width",
    "traversal_effect",
    "typed_information_matrix",
    "udr",
    "udr_pair",
    "v_measure",
    "z_max_variance",
]
