"""Two scores: how evenly the categories are used, and how often the category is the label."""

import numpy as np
from infogan_metrics import NotDefinedError

from infogan_bench.scoring import register_score


@register_score(
    "evenness",
    asks="does the encoder use all categories alike",
    inputs=("assignments",),
    source="entropy of the categories over its largest value",
)
def evenness(assignments, *, base=10):
    if len(assignments) < 2:
        raise NotDefinedError("one image says nothing of how often categories are used")
    shares = np.bincount(assignments, minlength=base) / len(assignments)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum() / np.log(base))


@register_score("hits", asks="is the category the label", inputs=("assignments", "labels"))
def hits(assignments, labels):
    return float((assignments == labels).mean())
