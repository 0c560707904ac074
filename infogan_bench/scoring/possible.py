"""The scores that a dataset and a layout of codes allow, found before training starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from infogan_metrics import METRICS, Kind, Metric
from infogan_metrics.metric import FactorKind

from infogan_bench.codes import LatentCodes
from infogan_bench.config.catalogue import metric_of
from infogan_bench.datasets import Factors, ImageDataset
from infogan_bench.errors import InputError


@dataclass(frozen=True)
class Facts:
    """The facts of a dataset and a model that decide which scores are possible."""

    dataset: str  # its name
    n_test: int
    channels: int
    n_codes: int
    n_continuous: int
    has_categories: bool
    has_labels: bool
    factors: tuple[str, ...] | None  # names; the label alone, where there are no others; None for neither
    varied: tuple[int, ...]  # columns of the factors that are not constant in the test set
    kinds: tuple[Kind, ...]  # of the factors
    rare: tuple[int, ...]  # columns of factors with a value that a half of the test set has less than twice
    factor_bins: int | None  # into which a score's factors are cut if it cannot take them as they are

    @classmethod
    def of(cls, dataset: ImageDataset, codes: LatentCodes, factor_bins: int | None = None) -> Facts:
        """Read the facts off a dataset, a layout of codes and `evaluation.factor_bins`."""
        truth = dataset.ground_truth
        varied = () if truth is None else tuple(k for k in range(len(truth.names)) if _varies(truth, k))
        return cls(
            dataset=dataset.name,
            n_test=len(dataset.test_images),
            channels=dataset.image_shape[0],
            n_codes=len(codes.all),
            n_continuous=len(codes.continuous),
            has_categories=codes.scored is not None,
            has_labels=dataset.test_labels is not None,
            factors=None if truth is None else truth.names,
            varied=varied,
            kinds=() if truth is None else truth.kinds,
            rare=() if truth is None else tuple(k for k in varied if _is_rare(truth, k)),
            factor_bins=factor_bins,
        )

    def taken(self, metric: Metric) -> tuple[int, ...]:
        """Return the columns of the factors that a score is of: those that vary.

        A score of factors of any kind leaves out those with rare values if it needs each value more than once, and if
        enough factors remain: among poses and lights, an identity of 200 values does not forbid it.
        """
        if metric.needs.per_value < 2 or "kinds" not in metric.options:
            return self.varied
        kept = tuple(k for k in self.varied if k not in self.rare)
        return kept if len(kept) >= metric.needs.factors else self.varied

    def to_be_cut(self, metric: Metric) -> tuple[int, ...]:
        """Return the columns of the factors whose kind a score cannot take as it is."""
        return tuple(k for k in self.taken(metric) if _named(self.kinds[k]) not in metric.factor_kinds)


def _varies(truth: Factors, k: int) -> bool:
    return bool((truth.test[:, k] != truth.test[0, k]).any())


def _named(kind: Kind) -> FactorKind:
    """Return a kind as `Metric.factor_kinds` has it."""
    if kind.name == "category" or kind.name == "ordered":
        return "discrete"
    return kind.name


def _is_rare(truth: Factors, k: int) -> bool:
    """Return whether a value that the test set has occurs less than twice in either half of it."""
    if (size := truth.sizes[k]) is None:
        return False
    values, half = truth.test[:, k].long(), len(truth.test) // 2
    first, second = (part.bincount(minlength=size) for part in (values[:half], values[half:]))
    present = first + second > 0
    return bool((torch.minimum(first, second)[present] < 2).any())


def lacking(metric: Metric, facts: Facts) -> str | None:
    """Return the reason why a score can never have a value, whatever training does; None if it can."""
    needs = metric.needs
    if metric.uses_labels and not facts.has_labels:
        other = "" if facts.factors is None else "; it has factors: ask for `mig` or another score of those"
        return f"needs labels, which {facts.dataset} has none of{other}"
    if metric.takes_categories and not facts.has_categories:
        return "needs a categorical code, and there is none"
    if facts.n_continuous < needs.continuous_codes:
        return "needs a continuous code, and there is none"
    if facts.n_codes < needs.codes:
        return f"needs {_number(needs.codes)} codes or more, and there {_are(facts.n_codes)}"
    if needs.channels is not None and facts.channels != needs.channels:
        return f"needs images of one channel, and those of {facts.dataset} have {facts.channels}"
    if "digits" in metric.inputs and facts.dataset != "mnist":
        return f"is measured by a network that reads MNIST's digits, and the dataset is {facts.dataset}"
    if metric.uses_factors:
        return _lacking_of_factors(metric, facts)
    too_few = facts.n_test < needs.samples
    return f"needs {needs.samples} test images, and there {_are(facts.n_test)}" if too_few else None


def _lacking_of_factors(metric: Metric, facts: Facts) -> str | None:
    needs = metric.needs
    if facts.factors is None:
        return f"needs ground-truth factors, which {facts.dataset} has none of"
    names = [facts.factors[k] for k in facts.varied]
    if not names:
        return f"is not defined: {', '.join(f'factor `{name}`' for name in facts.factors)} is constant in the test set"
    if len(names) < needs.factors == 2:
        constant = "" if len(facts.factors) == 1 else " that varies in the test set"
        return (
            f"is not defined for a single factor, and {facts.dataset} has one alone{constant}: the {names[0]}"
        )
    if len(names) < needs.factors:
        return f"needs {needs.factors} factors that vary, and there {_are(len(names))}"
    if (places := facts.to_be_cut(metric)) and facts.factor_bins is None:
        return _cannot_take(metric, facts, places[0])
    if needs.categories and not any(facts.kinds[k].name == "category" for k in facts.varied):
        return f"needs a factor that is a category, and those of {facts.dataset} are {_listed_kinds(facts)}"
    rare = [facts.factors[k] for k in facts.taken(metric) if k in facts.rare]
    if needs.per_value > 1 and rare:
        return (
            f"needs every value of `{rare[0]}` twice or more in each half of the test set; "
            f"{facts.n_test} images are too few: give a larger `dataset.test_size`"
        )
    return None


def _cannot_take(metric: Metric, facts: Facts, place: int) -> str:
    """Return why a score cannot take a factor as it is, and what to do."""
    others = " and continuous factors" if "continuous" in metric.factor_kinds else ""
    name, kind = (facts.factors or ())[place], facts.kinds[place].name
    form = METRICS[metric.continuous_form].names if metric.continuous_form else ()
    ask = f"ask for {', '.join(f'`{each}`' for each in form)}, or " if form else ""
    return (
        f"takes whole numbers{others} alone, and the factor `{name}` of {facts.dataset} is {kind}; "
        f"{ask}say into how many bins to cut it (`evaluation.factor_bins`)"
    )


def _listed_kinds(facts: Facts) -> str:
    return ", ".join(dict.fromkeys(facts.kinds[k].name for k in facts.varied))


def left_out(metric: Metric, facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the factors that a score leaves out: those constant in the test set, and those with rare values."""
    if facts.factors is None or not facts.varied:
        return (), ()
    constant = tuple(name for k, name in enumerate(facts.factors) if k not in facts.varied)
    return constant, tuple(facts.factors[k] for k in facts.varied if k not in facts.taken(metric))


def check_scores(
    dataset: ImageDataset,
    layouts: Iterable[LatentCodes],
    names: Sequence[str],
    factor_bins: int | None = None,
) -> None:
    """Refuse scores that no layout of codes can have on `dataset`, whatever the training does.

    Args:
        dataset: of all trials.
        layouts: of the codes, one or more.
        names: of scores, as a sweep file has them.
        factor_bins: `evaluation.factor_bins`.

    Raises:
        InputError: if a score needs labels or factors that the dataset does not have, or more of them, or more codes
            than any trial has.
    """
    facts = [Facts.of(dataset, codes, factor_bins) for codes in layouts]
    for name in names:
        metric = metric_of(name)
        reasons = [lacking(metric, each) for each in facts] if metric else []
        if reasons and all(reasons):
            raise InputError(f"evaluation.scores: `{name}` {reasons[0]}")


def check_factor(dataset: ImageDataset, layouts: Iterable[LatentCodes], metric: str) -> None:
    """Refuse a goal NAME/FACTOR if the score has no value of such a factor.

    Args:
        dataset: of all trials.
        layouts: of the codes, one or more.
        metric: the metric of a goal.

    Raises:
        InputError: if there is no such factor, or the score has no value of it.
    """
    row, (score, _, factor) = metric_of(metric), metric.partition("/")
    if row is None or not row.per_factor or not factor:
        return
    names = single_factors(row, Facts.of(dataset, next(iter(layouts))))
    if factor not in names:
        there = f"of {', '.join(f'`{name}`' for name in names)}" if names else "of no single factor"
        raise InputError(
            f"goal.metric: `{score}` has no value of `{factor}` in {dataset.name}; it has values {there}"
        )


def single_factors(metric: Metric, facts: Facts) -> list[str]:
    """Return the names of the factors that a score has single values of; none of an only factor, whose value is the
    score's."""
    taken = facts.taken(metric) if facts.factors and len(facts.varied) > 1 else ()
    return [
        (facts.factors or ())[k] for k in taken if metric.per == "factor" or facts.kinds[k].name == "category"
    ]


def _number(count: int) -> str:
    return {2: "two", 3: "three"}.get(count, str(count))


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}" if count else "is none"
