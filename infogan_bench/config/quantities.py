"""All named numbers that runs can report, as `quantities.json` and the report have them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from infogan_metrics import Metric

from infogan_bench.config.catalogue import run_metrics
from infogan_bench.config.methods import training_quantities
from infogan_bench.records import Quantity


def run_quantities() -> tuple[Quantity, ...]:
    """Return the losses, bounds and entropies of training, then the scores, a user's own among both."""
    of_training = training_quantities()
    taken = {quantity.name for quantity in of_training}
    of_scores = (quantity for row in run_metrics() for quantity in _of_score(row))
    return (*of_training, *(quantity for quantity in of_scores if quantity.name not in taken))


def _of_score(row: Metric) -> Iterator[Quantity]:
    """Yield a quantity for each name that a score is reported by. Its explanation is the question that it answers."""
    uses = "labels" if row.uses_labels else "factors" if row.uses_factors else None
    for name in row.names:
        part = row.part(name)
        asks = part.asks if part else row.asks
        question = f"{asks[0].upper()}{asks[1:]}?"
        low, high = (end if math.isfinite(end) else None for end in (part or row).range)
        title = name.replace("_", " ")
        yield Quantity(name, title, question, "", row.direction, uses, row.source, (low, high))
