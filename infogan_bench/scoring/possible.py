"""The scores that a dataset and a layout of codes allow, found before training starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from infogan_metrics import Kind, Metric

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
    rare: tuple[str, ...]  # factors with a value that a half of the test set has less than twice

    @classmethod
    def of(cls, dataset: ImageDataset, codes: LatentCodes) -> Facts:
        """Read the facts off a dataset and a layout of codes."""
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
            rare=() if truth is None else tuple(truth.names[k] for k in varied if _is_rare(truth, k)),
        )


def _varies(truth: Factors, k: int) -> bool:
    return bool((truth.test[:, k] != truth.test[0, k]).any())


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
    if "assignments" in metric.inputs and not facts.has_categories:
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
    for k in facts.varied:
        kind = "discrete" if facts.kinds[k].discrete else facts.kinds[k].name
        if kind not in metric.factor_kinds:
            taken = (
                "whole numbers and continuous factors"
                if "continuous" in metric.factor_kinds
                else "whole numbers"
            )
            return f"takes {taken} alone, and the factor `{facts.factors[k]}` of {facts.dataset} is {kind}"
    if needs.per_value > 1 and facts.rare:
        return (
            f"needs every value of `{facts.rare[0]}` twice or more in each half of the test set; "
            f"{facts.n_test} images are too few: give a larger `dataset.test_size`"
        )
    return None


def constant_factors(facts: Facts) -> tuple[str, ...]:
    """Return the factors that scores leave out: those constant in the test set, if others vary."""
    if facts.factors is None or not facts.varied:
        return ()
    return tuple(name for k, name in enumerate(facts.factors) if k not in facts.varied)


def check_scores(dataset: ImageDataset, layouts: Iterable[LatentCodes], names: Sequence[str]) -> None:
    """Refuse scores that no layout of codes can have on `dataset`, whatever the training does.

    Args:
        dataset: of all trials.
        layouts: of the codes, one or more.
        names: of scores, as a sweep file has them.

    Raises:
        InputError: if a score needs labels or factors that the dataset does not have, or more of them, or more codes
            than any trial has.
    """
    facts = [Facts.of(dataset, codes) for codes in layouts]
    for name in names:
        metric = metric_of(name)
        reasons = [lacking(metric, each) for each in facts] if metric else []
        if reasons and all(reasons):
            raise InputError(f"evaluation.scores: `{name}` {reasons[0]}")


def _number(count: int) -> str:
    return {2: "two", 3: "three"}.get(count, str(count))


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}" if count else "is none"
