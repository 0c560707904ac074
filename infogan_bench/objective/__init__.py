"""InfoGAN's objective: min over G, Q, max over D of V(D, G) - lambda L_I(G, Q) (equation 6). Each term has a file."""

from infogan_bench.objective.objective import Objective
from infogan_bench.objective.step import Call, Contribution, Draws, Parts, Pass, Prepared, Step, Weight
from infogan_bench.objective.term import Term, TermSetting, outside_terms, register_term

__all__ = [
    "Call",
    "Contribution",
    "Draws",
    "Objective",
    "Parts",
    "Pass",
    "Prepared",
    "Step",
    "Term",
    "TermSetting",
    "Weight",
    "outside_terms",
    "register_term",
]
