"""All scores by name, with what a user has to know before choosing by one.

Importing this loads numpy alone: a function imports scipy, scikit-learn or torch when it is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from infogan_metrics.best_codes import best_codes
from infogan_metrics.beta_vae import beta_vae
from infogan_metrics.clustering import (
    ari,
    balanced_accuracy,
    cluster_accuracy,
    nmi,
    per_class_accuracy,
    purity,
    v_measure,
)
from infogan_metrics.continuous_gaps import jemmig_continuous, mig_continuous
from infogan_metrics.correlation import mcc
from infogan_metrics.dci import dci
from infogan_metrics.dci_continuous import dci_continuous
from infogan_metrics.dci_es import dci_es
from infogan_metrics.dcimig import dcimig
from infogan_metrics.explicitness import explicitness
from infogan_metrics.factor_vae import factor_vae
from infogan_metrics.features import density_coverage, fid, kid, precision_recall
from infogan_metrics.gaussian import gaussian_total_correlation, gaussian_wasserstein_correlation
from infogan_metrics.gaussian_mi_bound import gaussian_mi_bound
from infogan_metrics.infomec import infomec
from infogan_metrics.information import mutual_info_score
from infogan_metrics.irs import irs
from infogan_metrics.jemmig import jemmig
from infogan_metrics.med import med
from infogan_metrics.metric import FactorKind, Invariance, Metric, Needs, Part
from infogan_metrics.mi_bound import mi_bound
from infogan_metrics.mig import mig
from infogan_metrics.mig_sup import mig_sup
from infogan_metrics.model_centrality import model_centrality
from infogan_metrics.modularity import modularity
from infogan_metrics.probes import linear_probe, neighbour_probe
from infogan_metrics.rmig import rmig
from infogan_metrics.sap import sap_continuous, sap_discrete
from infogan_metrics.traversal import traversal_effect
from infogan_metrics.udr import udr
from infogan_metrics.z_max import z_max_variance

_LABELLED = ("assignments", "labels")
_FACTORS = ("codes", "factors")
_SPLIT = ("codes", "factors", "test_codes", "test_factors")
_FEATURES = ("real", "fake")
_UNIT = (0.0, 1.0)
_POSITIVE = (0.0, math.inf)
_ANY = (-math.inf, math.inf)
_TWO_CODES = Needs(codes=2)
_TWO_FACTORS = Needs(factors=2)
_TWO_MODELS = Needs(models=2)
_TWO_SAMPLES = Needs(samples=2)
_ORDERED: frozenset[FactorKind] = frozenset({"discrete", "continuous"})
_KNOWN_VALUES = Needs(per_value=2)  # no value in one split alone, and two samples to compare
_DCI = Needs(codes=2, factors=2, per_value=2)
_DCI_PARTS = (
    Part("dci_disentanglement", "disentanglement", "does each code matter to one factor"),
    Part("dci_completeness", "completeness", "does one code alone matter to each factor"),
    Part("dci_informativeness", "informativeness", "can the factors be predicted from the codes"),
)
_EVERY_CHANGE: frozenset[Invariance] = frozenset({"scale", "offset", "sign", "order", "one code scaled"})
_COMMON_SCALE: frozenset[Invariance] = _EVERY_CHANGE - {"one code scaled"}  # codes weigh by their size
_NO_SCALE: frozenset[Invariance] = _COMMON_SCALE - {"scale"}

_AT_MOST_1 = (-math.inf, 1.0)
_ANY_KIND: frozenset[FactorKind] = frozenset({"discrete", "continuous", "circular"})
_CONTINUOUS_PAGE = "metrics.md#continuous-factors"
_FURTHER_PAGE = "metrics.md#further-scores"
_DCI_ES_PARTS = (
    Part(
        "dci_es_explicitness",
        "explicitness",
        "do the smallest probes read all that the codes tell",
        _AT_MOST_1,
    ),
    Part("dci_es_disentanglement", "disentanglement", "does each code matter to one factor"),
    Part("dci_es_completeness", "completeness", "does one code alone matter to each factor"),
    Part(
        "dci_es_informativeness", "informativeness", "can the factors be predicted from the codes", _AT_MOST_1
    ),
    Part("dci_es_size", "size", "how many factors are there for each code", _POSITIVE),
)
_INFOMEC_PARTS = (
    Part("infomec", "value", "the mean of InfoM, InfoC and InfoE", _AT_MOST_1),
    Part("infomec_modularity", "modularity", "does each code know one factor alone (InfoM)"),
    Part("infomec_compactness", "compactness", "does one code alone know each factor (InfoC)"),
    Part("infomec_explicitness", "explicitness", "does a linear model read the factors (InfoE)", _AT_MOST_1),
)
_DCI_CONTINUOUS_PARTS = (
    Part("dci_continuous_disentanglement", "disentanglement", "does each code matter to one factor"),
    Part("dci_continuous_completeness", "completeness", "does one code alone matter to each factor"),
    Part(
        "dci_continuous_informativeness",
        "informativeness",
        "can the factors be predicted from the codes",
        _AT_MOST_1,
    ),
)


# fmt: off
_ALL = (
    # Clusters against labels
    Metric("cluster_accuracy", "is each class one cluster, and each cluster one class",
           cluster_accuracy, _LABELLED, _UNIT, "max", "cheap", "Yang et al. 2010"),
    Metric("per_class_accuracy", "the same, every class weighing alike",
           per_class_accuracy, _LABELLED, _UNIT, "max", "cheap", "Yang et al. 2010"),
    Metric("purity", "does a cluster hold one class",
           purity, _LABELLED, _UNIT, "max", "cheap", "Manning et al. 2008"),
    Metric("balanced_accuracy", "does each cluster name its class, every class weighing alike",
           balanced_accuracy, _LABELLED, _UNIT, "max", "cheap", "Brodersen et al. 2010"),
    Metric("nmi", "how much do clusters and classes know of each other",
           nmi, _LABELLED, _UNIT, "max", "cheap", "Strehl and Ghosh 2002",
           convention="divided by the arithmetic mean of both entropies"),
    Metric("ari", "do clusters and classes agree on pairs, beyond chance",
           ari, _LABELLED, (-0.5, 1.0), "max", "cheap", "Hubert and Arabie 1985"),
    Metric("v_measure", "are clusters homogeneous and classes complete",
           v_measure, _LABELLED, _UNIT, "max", "cheap", "Rosenberg and Hirschberg 2007"),
    # Codes against factors
    Metric("mig", "does one code alone know a factor",
           mig, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.04942", continuous_form="mig_continuous",
           invariances=_EVERY_CHANGE, chance="0", cuts_codes=True),
    Metric("mig_sup", "does a code know one factor alone",
           mig_sup, _FACTORS, _UNIT, "max", "cheap", "arXiv:2002.10549",
           invariances=_EVERY_CHANGE, chance="0", cuts_codes=True),
    Metric("jemmig", "does one code know a factor, and nothing else",
           jemmig, _FACTORS, _UNIT, "max", "cheap", "arXiv:1908.09961", continuous_form="jemmig_continuous",
           invariances=_EVERY_CHANGE, chance="about 0.1, above 0 where bins are not filled evenly", cuts_codes=True),
    Metric("dcimig", "how much of the factors do codes of one factor hold",
           dcimig, _FACTORS, _UNIT, "max", "cheap", "arXiv:1910.05587",
           invariances=_EVERY_CHANGE, chance="0", cuts_codes=True),
    Metric("modularity", "does a code know one factor alone, however little",
           modularity, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.05312", _TWO_FACTORS,
           invariances=_EVERY_CHANGE, chance="about 0.65 for five factors", cuts_codes=True),
    Metric("explicitness", "can a linear classifier read the factors off the codes",
           explicitness, _SPLIT, _UNIT, "max", "costly", "arXiv:1802.05312", _KNOWN_VALUES,
           invariances=_EVERY_CHANGE, continuous_form="linear_probe", chance="0.5"),
    Metric("sap_continuous", "does one code alone correlate with a factor",
           sap_continuous, _FACTORS, _UNIT, "max", "cheap", "arXiv:1711.00848", factor_kinds=_ORDERED,
           invariances=_EVERY_CHANGE, chance="0"),
    Metric("sap_discrete", "does one code alone classify a factor",
           sap_discrete, _SPLIT, _UNIT, "max", "cheap", "arXiv:1711.00848", _KNOWN_VALUES,
           invariances=_EVERY_CHANGE, chance="0"),
    Metric("dci", "does each code matter to one factor, in boosted trees",
           dci, _SPLIT, _UNIT, "max", "costly", "Eastwood and Williams 2018", _DCI, _DCI_PARTS,
           invariances=_EVERY_CHANGE, continuous_form="dci_continuous", chance="0"),
    Metric("dci_forest", "the same, in a random forest",
           partial(dci, estimator="forest"), _SPLIT, _UNIT, "max", "costly", "Eastwood and Williams 2018", _DCI,
           invariances=_EVERY_CHANGE, continuous_form="dci_continuous", chance="0"),
    Metric("irs", "does a code stay put while all but its factor change",
           irs, _FACTORS, (-math.inf, 1.0), "max", "cheap", "arXiv:1811.00007",
           invariances=_COMMON_SCALE, chance="about 0.4"),
    Metric("factor_vae", "does the code that varies least name the held factor",
           factor_vae, _FACTORS, _UNIT, "max", "cheap", "arXiv:1802.05983", Needs(factors=2, per_value=2),
           invariances=_NO_SCALE, chance="1 / n_factors"),
    Metric("z_max_variance", "does the code that varies most name the varied factor",
           z_max_variance, _FACTORS, _UNIT, "max", "cheap", "arXiv:1902.01568", _TWO_FACTORS,
           invariances=_NO_SCALE, chance="1 / n_factors"),
    Metric("beta_vae", "do differences of codes name the shared factor",
           beta_vae, _FACTORS, _UNIT, "max", "costly", "Higgins et al. 2017", Needs(factors=2, per_value=2),
           invariances=_NO_SCALE, chance="1 / n_factors"),
    # Codes against factors of any kind
    Metric("mcc", "does each factor have a code of its own that follows it in a straight line",
           mcc, _FACTORS, _UNIT, "max", "cheap", "arXiv:1605.06336", factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE,
           chance="a little above sqrt(2 / (pi n))", page=_CONTINUOUS_PAGE),
    Metric("mcc_spearman", "does each factor have a code of its own that rises or falls with it",
           partial(mcc, method="spearman"), _FACTORS, _UNIT, "max", "cheap", "arXiv:1605.06336",
           factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE, chance="a little above sqrt(2 / (pi n))",
           page=_CONTINUOUS_PAGE),
    Metric("best_codes", "how well does the best code of each factor rise or fall with it",
           best_codes, _FACTORS, _UNIT, "max", "costly", "Spearman 1904", factor_kinds=_ANY_KIND,
           invariances=_EVERY_CHANGE,
           chance="the largest of n_codes correlations by chance, each about sqrt(2 / (pi n))",
           page=_CONTINUOUS_PAGE),
    Metric("mig_continuous", "does one code alone know a factor of any kind",
           mig_continuous, _FACTORS, _UNIT, "max", "costly", "arXiv:1802.04942, cond-mat/0305641",
           Needs(samples=4), factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE, chance="0",
           page=_CONTINUOUS_PAGE),
    Metric("jemmig_continuous", "does one code know a factor of any kind, and nothing else",
           jemmig_continuous, _FACTORS, _UNIT, "max", "costly", "arXiv:1908.09961, cond-mat/0305641",
           Needs(samples=4), factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE,
           chance="1 - (H(z) + H(v)) / (H(v) + ln n_bins): 0 for codes that fill all bins evenly",
           page=_CONTINUOUS_PAGE),
    Metric("dci_continuous", "does each code matter to one factor of any kind, in a random forest",
           dci_continuous, _SPLIT, _UNIT, "max", "costly", "Eastwood and Williams 2018", _DCI, _DCI_CONTINUOUS_PARTS,
           factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE, chance="0", page=_CONTINUOUS_PAGE),
    Metric("linear_probe", "does a linear model read the factors off all codes",
           linear_probe, _SPLIT, _AT_MOST_1, "max", "costly", "arXiv:1610.01644", _KNOWN_VALUES,
           factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE, chance="mean of `chance` in its result",
           page=_FURTHER_PAGE),
    Metric("neighbour_probe", "do the nearest samples in the codes share the factors",
           neighbour_probe, _SPLIT, _AT_MOST_1, "max", "costly", "Cover and Hart 1967",
           Needs(samples=5, per_value=2), factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE,
           chance="below the mean of `chance` in its result", page=_FURTHER_PAGE),
    Metric("infomec", "are the codes modular, compact and explicit",
           infomec, _FACTORS, _AT_MOST_1, "max", "costly", "arXiv:2305.18378",
           Needs(samples=11, codes=2, factors=2), _INFOMEC_PARTS,
           factor_kinds=_ANY_KIND, invariances=_COMMON_SCALE, chance="0.4: InfoM of noise is far above 0",
           page=_FURTHER_PAGE),
    Metric("dci_es", "do small probes read all that the codes tell",
           dci_es, _SPLIT, _AT_MOST_1, "max", "costly", "arXiv:2210.00364", _DCI, _DCI_ES_PARTS,
           factor_kinds=_ANY_KIND, invariances=_EVERY_CHANGE, chance="1, with a warning", page=_FURTHER_PAGE),
    Metric("med", "does each code know one factor, weighed by what it knows",
           med, _FACTORS, _UNIT, "max", "cheap", "arXiv:2206.04756", Needs(codes=2, factors=2),
           invariances=_EVERY_CHANGE, chance="0", page=_FURTHER_PAGE),
    Metric("rmig", "does one code alone know a factor, its whole posterior counted",
           rmig, _FACTORS, _UNIT, "max", "cheap", "arXiv:1908.09961", invariances=_EVERY_CHANGE, chance="0",
           page=_FURTHER_PAGE),
    # Models alone
    Metric("mi_bound", "how much of a latent code can Q read off the images (L_I)",
           mi_bound, ("log_q", "entropy"), _ANY, "max", "cheap", "arXiv:1606.03657"),
    Metric("gaussian_mi_bound", "how much of a continuous code can be read, with the best deviation",
           gaussian_mi_bound, ("latents", "readings", "entropy"), _ANY, "max", "cheap", "arXiv:1606.03657",
           Needs(samples=2), chance="H(c) - 1/2 ln(2 pi e var c): -0.176 for U(-1, 1)", page=_CONTINUOUS_PAGE),
    Metric("traversal_effect", "how strongly does a code act on the images",
           traversal_effect, ("images",), _UNIT, "max", "cheap", "share of variance"),
    Metric("udr", "do models trained alike find the same codes",
           udr, ("models",), _UNIT, "max", "cheap", "arXiv:1905.12614", _TWO_MODELS),
    Metric("model_centrality", "do other models' encoders read this generator's codes",
           model_centrality, ("encodings", "fixed"), _UNIT, "max", "cheap", "arXiv:1906.06034", _TWO_MODELS),
    Metric("mutual_info_score", "do codes know of each other",
           mutual_info_score, ("codes",), _POSITIVE, "min", "cheap", "arXiv:1811.12359", _TWO_CODES, cuts_codes=True,
           invariances=_EVERY_CHANGE, chance="about (n_bins - 1)^2 / 2n for independent codes"),
    Metric("gaussian_total_correlation", "are codes independent, as if Gaussian",
           gaussian_total_correlation, ("codes",), _POSITIVE, "min", "cheap", "arXiv:1811.12359", _TWO_SAMPLES,
           invariances=_EVERY_CHANGE, chance="0 for independent codes"),
    Metric("gaussian_wasserstein_correlation", "the same, as a distance",
           gaussian_wasserstein_correlation, ("codes",), _POSITIVE, "min", "cheap", "arXiv:1811.12359", _TWO_SAMPLES,
           invariances=_NO_SCALE, chance="0 for independent codes"),
    # Features of images
    Metric("fid", "are generated images distributed like real ones, as if Gaussian",
           fid, _FEATURES, _POSITIVE, "min", "cheap", "arXiv:1706.08500", _TWO_SAMPLES),
    Metric("kid", "the same, without bias at few samples",
           kid, _FEATURES, _ANY, "min", "cheap", "arXiv:1801.01401", Needs(samples=4)),
    Metric("precision_recall", "do fakes lie among reals, and reals among fakes",
           precision_recall, _FEATURES, _UNIT, "max", "costly", "arXiv:1904.06991", Needs(samples=4)),
    Metric("density_coverage", "the same, robust to outliers",
           density_coverage, _FEATURES, _UNIT, "max", "costly", "arXiv:2002.09797", Needs(samples=6)),
)
# fmt: on

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
