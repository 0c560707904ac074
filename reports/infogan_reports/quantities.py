"""The named numbers that runs report: titles, explanations, ranges, and whether they compare with labels or factors.

A sweep folder holds them in `quantities.json`, with the user's own terms and scores. For a folder without that file,
the caller passes the quantities that it knows. The scores of `infogan_metrics` are always known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infogan_metrics import METRICS, Metric

from infogan_bench.records import Quantity, quantity_of


@dataclass(frozen=True)
class Quantities:
    """The quantities of a sweep, by the names under which trials report them."""

    by_name: Mapping[str, Quantity] = field(default_factory=dict)

    @classmethod
    def of(cls, quantities: Iterable[Quantity]) -> Quantities:
        """Collect quantities."""
        return cls({quantity.name: quantity for quantity in quantities})

    def find(self, name: str) -> Quantity | None:
        """Return the quantity that a reported name belongs to: `L_I/cat_0` to L_I, `floor/shuffled/mig` to mig."""
        return quantity_of(name, self.by_name)

    def uses(self, name: str) -> str:
        """Return `labels` or `factors` where a quantity compares with them, else an empty text."""
        if found := self.find(name):
            return found.uses or ""
        score = name.split("/", 2)[-1] if name.startswith("floor/") else name
        metric = metric_of(score)
        if metric is None:
            return ""
        return "labels" if metric.uses_labels else "factors" if metric.uses_factors else ""

    def direction(self, name: str) -> str | None:
        """Return which way a quantity is better, `max` or `min`, or None where that is not known."""
        if found := self.find(name):
            return found.direction
        metric = metric_of(name)
        if metric is not None:
            return metric.direction
        return "max" if name.partition("/")[0] == "L_I" else None


_WHOLE = {**{part.name: metric for metric in METRICS.values() for part in metric.parts}, **METRICS}


def metric_of(name: str) -> Metric | None:
    """Return the score of `infogan_metrics` that a name in a sweep stands for, or that it is a part or a kind of."""
    if name == "L_I":
        return METRICS["mi_bound"]
    return METRICS[name.partition("_")[0].lower()] if is_image_distance(name) else _WHOLE.get(name)


def question_of(name: str) -> str | None:
    """Return the question that a score of `infogan_metrics` answers, by its name in a sweep; None for another score."""
    metric = metric_of(name)
    if metric is None:
        return None
    asks = next((part.asks for part in metric.parts if part.name == name), metric.asks)
    return f"{asks[0].upper()}{asks[1:]}?"


def is_image_distance(name: str) -> bool:
    """Say whether a score is a distance of generated images from real ones: FID or KID, on whatever features."""
    return name.partition("_")[0].lower() in ("fid", "kid")
