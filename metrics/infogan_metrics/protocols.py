"""The conventions of other libraries and papers, as options of the scores; docs/metrics-protocols.md compares them.

Two published values compare only where bins, samples, classifiers and the treatment of dead codes are the same. A
protocol names all of them. `exact` says whether a score then equals its source's on the same arrays, up to the
source's own random draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from infogan_metrics.information import informations
from infogan_metrics.mig import MIG
from infogan_metrics.mig_sup import MIGSup
from infogan_metrics.regressed_dci import infogan_cr_dci, ubisoft_dci
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True)
class Setting:
    """The way in which a protocol computes and reads a score."""

    options: Mapping[str, object] = field(default_factory=dict)  # keyword arguments of the score's function
    reads: str = "value"  # the attribute of the result that is reported
    above: Callable[[int], float] | None = (
        None  # number of factors: the value that is stretched to 0; 1 stays 1
    )
    function: Callable[..., Score] | None = None  # in place of the score's own, where no option does it
    numbers: bool = False  # it regresses on the numbers of factors, where the score takes discrete ones
    differs: str = ""  # how the source still differs; empty: not at all

    @property
    def exact(self) -> bool:
        """True if the source has the same value on the same arrays, up to its random draws."""
        return not self.differs

    def value(self, score: Score, n_factors: int) -> float:
        """Return the number that the protocol reports of a result."""
        number = float(getattr(score, self.reads))
        if self.above is None:
            return number
        low = self.above(n_factors)
        return (number - low) / (1 - low)


@dataclass(frozen=True)
class Protocol:
    """A set of conventions. Without `settings` every score is computed with its own defaults."""

    name: str
    source: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    n_train: int | None = None  # at most so many samples are used; None: all
    n_test: int | None = None  # of a test split; 0: scores are tested on the samples that they learn from
    factor_bins: int | None = (
        None  # of factors that are not discrete, for the scores that need such; None: not cut
    )
    left_out: Mapping[str, str] = field(
        default_factory=dict
    )  # scores of the source that are not computed, and why

    def setting(self, name: str) -> Setting | None:
        """Return how a score is computed; None if the protocol has no such score."""
        return self.settings.get(name) if self.settings else Setting()

    def with_options(self, name: str, **options: object) -> Protocol:
        """Return the protocol with other options for one score.

        Raises:
            ValueError: if the protocol has no such score.
        """
        setting = self.setting(name)
        if setting is None:
            raise ValueError(f"the protocol `{self.name}` has no score `{name}`")
        changed = replace(setting, options={**setting.options, **options})
        return replace(self, name=f"{self.name}, changed", settings={**self.settings, name: changed})


def _chance_vote(n_factors: int) -> float:
    return 1 / n_factors


def _half(_n_factors: int) -> float:
    return 0.5


def ubisoft_mig(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 10) -> MIG:
    """MIG with each mutual information over the entropy of the code, as in ubisoft-laforge-disentanglement-metrics.

    The paper divides by the entropy of the factor. A code of few values gains by it.

    Raises:
        NotDefinedError: if a code is constant: it would be divided by 0.
        ValueError: as `mig` does.
    """
    known = informations(codes, factors, n_bins)
    shares = known.mutual / _code_entropies(known.code_entropy)
    with_zero = np.vstack([shares, np.zeros(shares.shape[1])])
    second, best = np.sort(with_zero, axis=0)[-2:]
    gaps = best - second
    return MIG(float(gaps.mean()), known.n, gaps, known.mutual, known.factor_entropy, n_bins)


def ubisoft_mig_sup(codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 10) -> MIGSup:
    """MIG-sup with each mutual information over the entropy of the code; see `ubisoft_mig`.

    Raises:
        NotDefinedError: if a code is constant: it would be divided by 0.
        ValueError: as `mig_sup` does.
    """
    known = informations(codes, factors, n_bins)
    shares = known.mutual / _code_entropies(known.code_entropy)
    with_zero = np.column_stack([shares, np.zeros(len(shares))])
    second, best = np.sort(with_zero, axis=1)[:, -2:].T
    gaps = best - second
    return MIGSup(float(gaps.mean()), known.n, gaps, known.alive, known.mutual, known.factor_entropy, n_bins)


def _code_entropies(entropies: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray:
    if not entropies.all():
        raise NotDefinedError(
            f"not defined: code {int(np.argmin(entropies))} is constant (0 / 0 in the source)"
        )
    return entropies[:, None]


_VOTES = {"batch": 64, "n_train": 10_000, "n_test": 5_000}
_TEN_BINS = {"n_bins": 10}
_ZERO_OVER_ZERO = "a constant code makes the source's value 0 / 0; here it is left out"
_FIXED_EVENLY = "the source fixes each value of a factor equally often, this fixes it as often as it occurs"

_PROTOCOLS = (
    Protocol("infogan-bench", "this package: every score with its own defaults"),
    Protocol(
        "disentanglement_lib",
        "google-research/disentanglement_lib; Locatello et al. 2019, arXiv:1811.12359",
        {
            "mig": Setting({"n_bins": 20}),
            "modularity": Setting({"n_bins": 20, "dead_codes": "zero"}),
            "explicitness": Setting(),
            "sap_discrete": Setting({"scale_codes": False}),
            "sap_continuous": Setting(),
            "dci": Setting({"estimator": "boosting"}),
            "irs": Setting({"quantile": 0.99, "n_bins": 20, "weights": "deviation"}),
            "factor_vae": Setting({**_VOTES, "min_std": 0.05}),
            "beta_vae": Setting(_VOTES),
            "mutual_info_score": Setting({"n_bins": 20}),
            "gaussian_total_correlation": Setting(),
            "gaussian_wasserstein_correlation": Setting(),
        },
        n_train=10_000,
        n_test=5_000,
    ),
    Protocol(
        "ubisoft",
        "ubisoft/ubisoft-laforge-disentanglement-metrics; Zaidi et al. 2020, arXiv:2012.09276",
        {
            "mig": Setting(_TEN_BINS, function=ubisoft_mig),
            "mig_sup": Setting(_TEN_BINS, function=ubisoft_mig_sup),
            "jemmig": Setting(_TEN_BINS),
            "dcimig": Setting(_TEN_BINS),
            "modularity": Setting(_TEN_BINS, differs=_ZERO_OVER_ZERO),
            "sap_continuous": Setting(),
            "dci": Setting(function=ubisoft_dci, numbers=True),
            "irs": Setting(
                {"quantile": 1.0, "n_bins": 10}, differs="the source bins continuous factors alone"
            ),
            "explicitness": Setting(
                reads="train_value",
                above=_half,
                differs="the source weighs classes alike and fits each value against the rest",
            ),
            "factor_vae": Setting(
                {"batch": 200, "n_train": 800, "n_test": 800, "min_std": 0.05},
                above=_chance_vote,
                differs=_FIXED_EVENLY,
            ),
            "beta_vae": Setting(
                {"batch": 200, "n_train": 10_000, "n_test": 5_000}, above=_chance_vote, differs=_FIXED_EVENLY
            ),
        },
        n_test=0,
        factor_bins=10,
        left_out={
            "sap_discrete": "the source uses decision trees, their depth chosen by cross-validation",
            "z_max_variance": "the source draws values of all factors but one anew for each vote",
        },
    ),
    Protocol(
        "infogan-cr",
        "fjxmlzn/InfoGAN-CR; Lin et al. 2020, arXiv:1906.06034",
        {
            "factor_vae": Setting(
                {"batch": 100, "n_train": 500, "n_test": 1, "min_std": 0.0}, reads="train_value"
            ),
            "beta_vae": Setting(
                {"batch": 50, "n_train": 500, "n_test": 1},
                reads="train_value",
                differs="the source fixes one value for all pairs of a point, this one for each pair",
            ),
            "mig": Setting({"n_bins": 20}),
            "modularity": Setting({"n_bins": 20}, differs=_ZERO_OVER_ZERO),
            "sap_discrete": Setting({"scale_codes": False}),
            "sap_continuous": Setting(),
            "explicitness": Setting(reads="train_value", differs="the source does not standardise the codes"),
            "dci": Setting(
                function=infogan_cr_dci,
                numbers=True,
                differs="a code that no factor uses makes the source's disentanglement 0 / 0; here it counts nothing",
            ),
        },
        n_test=0,
    ),
)

PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in _PROTOCOLS}
