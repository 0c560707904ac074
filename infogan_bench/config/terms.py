"""The rows of the terms of InfoGAN's objective: what a configuration must know of each, without torch.

The maths of a term is in the file of `infogan_bench/objective/` that has its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infogan_bench.records.quantities import Quantity

if TYPE_CHECKING:
    from infogan_bench.config.objective import ObjectiveConfig


@dataclass(frozen=True)
class TermRow:
    """A term: its keys in `objective`, the number that it reports, and its needs.

    Attributes:
        name: of the term; the file and, where it has one weight, the key in `objective`.
        weights: keys in `objective` of its weights; the term is off if all of them are 0.
        title: a few words.
        explanation: of the number that it reports.
        unit: of that number.
        source: paper or equation.
        reported: whether runs report `loss/NAME`.
        categorical: whether it needs a categorical code; without one it is off.
        continuous: how many continuous codes it needs.
        transform: whether it needs transformed images.
        share_key: the key in `objective` of the share of a batch that it uses, if it has one.
        mutable: whether its weights may change while a run trains (population based training).
        own: whether its weights may differ among seeds that train fused.
        in_memory: whether a step takes more memory with it.
    """

    name: str
    weights: tuple[str, ...]
    title: str
    explanation: str = ""
    unit: str = "nats"
    source: str = ""
    reported: bool = True
    categorical: bool = False
    continuous: int = 0
    transform: bool = False
    share_key: str | None = None
    mutable: bool = False
    own: bool = True
    in_memory: bool = True

    @property
    def metric(self) -> str | None:
        """The name under which runs report it."""
        return f"loss/{self.name}" if self.reported else None

    @property
    def needs(self) -> str:
        """The codes that it needs, in words."""
        numbers = {1: "a continuous code", 2: "two continuous codes"}
        return numbers.get(self.continuous, "a categorical code" if self.categorical else "")


TERMS: dict[str, TermRow] = {
    row.name: row
    for row in (
        TermRow(
            "information", ("lambda_cat", "lambda_cont"), "mutual information of codes and images",
            source="arXiv 1606.03657, equation 5", reported=False, share_key="transform.share", mutable=True,
            in_memory=False,
        ),
        TermRow(
            "consistency", ("consistency",), "Q's categories of an image and of its transformed copy",
            "how much Q's categories of an image and of its transformed copy differ, in nats",
            source="arXiv 1702.08720", categorical=True, transform=True, share_key="transform.share", mutable=True,
        ),
        TermRow(
            "balance", ("balance",), "how evenly Q uses the categories",
            "how unevenly Q uses the categories over a batch, in nats",
            source="Krause et al., 2010", categorical=True, mutable=True,
        ),
        TermRow("instance_noise", ("instance_noise",), "noise on the images that D judges", source="arXiv 1610.04490",
                reported=False),
        TermRow(
            "vat", ("vat",), "Q's categories under the worst small change",
            "how much Q's categories of real images move under the worst small change of them, in nats",
            source="arXiv 1704.03976", categorical=True, share_key="vat_share",
        ),
        TermRow(
            "contrastive", ("contrastive",), "the code that two images share",
            "how hard it is to tell which continuous code two generated images share, in nats",
            source="arXiv 1906.06034, section 4", continuous=2, share_key="contrastive_share",
        ),
        TermRow("r1", ("r1",), "gradient penalty on D", source="arXiv 1801.04406, equation 9", unit="", reported=False,
                own=False),
    )
}  # fmt: skip
"""The terms that ship, besides the adversarial one, in the order in which an update draws for them and adds them."""

OUTSIDE_TERMS: dict[str, TermRow] = {}
"""Terms of the user's own, which `infogan_bench.objective.register_term` adds."""


def term_rows() -> tuple[TermRow, ...]:
    """All known terms: those that ship, and the user's own whose `extensions` are loaded."""
    return (*TERMS.values(), *OUTSIDE_TERMS.values())


def weight_keys(rows: Iterable[TermRow]) -> tuple[str, ...]:
    """The dotted keys of the weights of terms."""
    return tuple(f"objective.{key}" for row in rows for key in row.weights)


def share_of(objective: ObjectiveConfig, row: TermRow) -> float:
    """The share of a batch that a term uses: its own, else the share of the transformed images."""
    own = getattr(objective, row.share_key) if row.share_key and "." not in row.share_key else None
    return objective.transform.share if own is None else float(own)


def memory_sizes(objective: ObjectiveConfig) -> tuple[float, ...]:
    """Numbers that grow with the memory that a step needs for its terms: for each term its share of the batch."""
    sizes = [objective.transform.share if objective.transform.any else 0.0]
    for row in TERMS.values():
        if row.in_memory:
            is_on = any(getattr(objective, key) for key in row.weights)
            share = share_of(objective, row) if row.share_key else 1.0
            sizes.append(share if is_on else 0.0)
    return (*sizes, float(sum(bool(options.get("weight")) for options in objective.terms.values())))


MEMORY_KEYS = (
    "objective.transform",
    "objective.terms",
    *(f"objective.{key}" for row in TERMS.values() if row.in_memory for key in row.weights),
    *(f"objective.{row.share_key}" for row in TERMS.values() if row.share_key and "." not in row.share_key),
)
"""Prefixes of the dotted keys on which `memory_sizes` depends."""


_ADVERSARIAL = (
    Quantity("loss/d", "Loss of D", "adversarial loss of D, in nats: 2 ln 2 = 1.3863 where D cannot tell real from "
             "generated images", "nats", "min", None, "arXiv 1406.2661"),
    Quantity("loss/g", "Loss of G", "adversarial loss of G, in nats: ln 2 = 0.6931 there", "nats", "min", None,
             "arXiv 1406.2661"),
    Quantity("L_I", "L_I, all codes", "lower bound of the information that images hold about the codes, in nats; "
             "L_I/CODE is that of one code", "nats", "max", None, "arXiv 1606.03657, equation 5"),
    Quantity("gaussian_mi_bound", "information about the continuous codes", "lower bound of the information that "
             "images hold about the continuous codes, in nats: H(c) - 1/2 ln(2 pi e MSE), which is L_I with the best "
             "Gaussian deviation in place of Q's. The deviation is at least e^-6, so the bound of a uniform code is at "
             "most 5.77 nats, if Q reads it exactly; -0.18 nats mean that Q reads nothing", "nats", "max", None,
             "Barber and Agakov 2003; arXiv 1606.03657, equation 4"),
    Quantity("code_r2", "share of the continuous codes that Q reads", "1 - MSE / Var(c), the share of a continuous "
             "code's variance that Q's reading of generated images explains: 1 where it is exact, 0 where it says "
             "nothing; the mean over the codes", "", "max", None, "closed form, beside Barber and Agakov 2003",
             (None, 1.0)),
    Quantity("H", "entropy of the codes", "entropy of the codes, in nats: the most that L_I can be for a categorical "
             "code", "nats", None, None, "arXiv 1606.03657, section 4"),
)  # fmt: skip


def objective_quantities() -> tuple[Quantity, ...]:
    """All numbers that a run of the method `infogan` reports of its losses."""
    own = [
        Quantity(row.metric, row.title, row.explanation, row.unit, "min", None, row.source)
        for row in term_rows()
        if row.metric
    ]
    return (*_ADVERSARIAL, *own)
