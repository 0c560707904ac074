"""The scores that a run can report: those of infogan_metrics, those of the images that G makes, and a user's own.

A row says everything that a configuration, a search or a report must know of a score. Its function takes only arrays,
which `infogan_bench.scoring` supplies by the names in `INPUTS`. Importing this module loads neither torch nor
scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar

from infogan_metrics import METRICS, Metric, Needs, Part, fid, kid
from infogan_metrics.of_categories import best_code_of, category_codes
from infogan_metrics.of_images import code_readings, mi_bounds, shape_correlation, traversal_effects

from infogan_bench.config.names import nearest
from infogan_bench.config.objective import LOG_STD_RANGE
from infogan_bench.errors import InputError

INPUTS = {
    "assignments": "(n,) the most likely category of the scored code for each test image",
    "categories": "(n, n_categorical) the most likely category of each categorical code for each test image",
    "labels": "(n,) the class of each test image",
    "codes": "(n, n_codes) what the encoder says of each test image: a category's number, a continuous code's mean",
    "factors": "(n, n_factors) the ground-truth factors of each test image; the label, where there are none",
    "test_codes": "codes of the second half of the test set; `codes` are those of the first half then",
    "test_factors": "factors of the second half of the test set",
    "generated_images": "(1000, C, H, W) uint8 images that G makes of random latents",
    "grey_images": "(1000, H, W) the same, where they have one channel",
    "latents": "(1000, n_continuous) the continuous codes that these were made from",
    "latent_categories": "(1000,) the category of the scored code that these were made from; None without such a code",
    "log_q": "(10000, n_codes) log Q(c|x), in nats, of the codes that generated images were made from",
    "entropies": "(n_codes,) entropies of the codes in nats",
    "drawn_codes": "(10000, n_continuous) the continuous codes that generated images were made from",
    "readings": "(10000, n_continuous) the means of Q(c|x) of these images",
    "continuous_entropies": "(n_continuous,) entropies of the continuous codes in nats",
    "traversals": "of each code, (50, n_values, n_pixels) images along which it alone changes",
    "digits": "(10000, 64) features of MNIST's test images in a network that reads digits",
    "generated_digits": "(10000, 64) features of generated images in the same network",
}
"""The arrays that a run supplies to its scores, by the names that `Metric.inputs` uses."""

DEFAULT_SCORES = ("cluster_accuracy", "purity", "nmi", "ari")
ScoreFunction = TypeVar("ScoreFunction", bound=Callable[..., float])

_MIN_STD = math.exp(LOG_STD_RANGE[0])
_POSITIVE = (0.0, math.inf)
_OF_DIGITS = ("digits", "generated_digits")
_DIGITS_ASK = "are generated digits distributed like MNIST's, in the features of a network that reads digits"
_SETTING_CHOOSES = {"dci_forest"}  # `evaluation.dci_estimator` turns `dci` into this score

_OF_LABELS = (
    "cluster_accuracy",
    "per_class_accuracy",
    "purity",
    "balanced_accuracy",
    "nmi",
    "ari",
    "v_measure",
)
_PER_FACTOR = ("mcc", "mcc_spearman", "mig_continuous", "linear_probe", "neighbour_probe")

_OWN = (
    *(
        replace(
            METRICS[name],
            function=best_code_of(METRICS[name].function),
            inputs=("categories", "labels"),
            per="categorical code",
        )
        for name in _OF_LABELS
    ),
    *(replace(METRICS[name], per="factor") for name in _PER_FACTOR),
    Metric(
        "category_codes",
        "does one categorical code tell each factor that is a category",
        category_codes,
        ("categories", "factors"),
        (0.0, 1.0),
        "max",
        "cheap",
        METRICS["nmi"].source,
        Needs(categories=1),
        (
            Part(
                "category_nmi", "nmi", "how much do one categorical code and each category know of each other"
            ),
            Part(
                "category_purity",
                "purity",
                "do the values of one categorical code hold one value of each category",
            ),
            Part(
                "category_balanced_accuracy",
                "balanced_accuracy",
                "do the values of one categorical code name each category, all its values weighing alike",
            ),
        ),
        per="category factor",
        factor_kinds=frozenset({"discrete", "continuous", "circular"}),
    ),
    Metric(
        "shape_correlation",
        "does a continuous code slant the images of a category, or thicken their strokes",
        shape_correlation,
        ("grey_images", "latents", "latent_categories"),
        (0.0, 1.0),
        "max",
        "costly",
        "absolute Spearman correlation",
        Needs(continuous_codes=1, channels=1),
        (
            Part("slant_correlation", "slant", "does a continuous code slant the images of a category"),
            Part("width_correlation", "width", "does a continuous code thicken the strokes of a category"),
        ),
        per="continuous code",
    ),
    Metric("fid_digits", _DIGITS_ASK, fid, _OF_DIGITS, _POSITIVE, "min", "costly", METRICS["fid"].source),
    Metric(
        "kid_digits",
        "the same, without bias at few samples",
        kid,
        _OF_DIGITS,
        METRICS["kid"].range,
        "min",
        "costly",
        METRICS["kid"].source,
    ),
    replace(
        METRICS["mi_bound"],
        name="L_I",
        function=mi_bounds,
        inputs=("log_q", "entropies"),
        per="code",
        on_request=True,
        convention="nats, a lower bound: what Q reads off generated images",
    ),
    replace(
        METRICS["gaussian_mi_bound"],
        name="code_readings",
        function=partial(code_readings, min_std=_MIN_STD),
        inputs=("drawn_codes", "readings", "continuous_entropies"),
        needs=Needs(continuous_codes=1),
        parts=(
            Part(
                "gaussian_mi_bound",
                "bound",
                "how much information do images hold about the continuous codes, with the best Gaussian deviation",
                (-math.inf, math.inf),
            ),
            Part("code_r2", "r2", "how much of the continuous codes does Q read", (-math.inf, 1.0)),
        ),
        per="continuous code",
        on_request=True,
        convention=f"the deviation is at least e^-6 = {_MIN_STD:.4f}, the smallest that Q may have",
    ),
    replace(
        METRICS["traversal_effect"],
        function=traversal_effects,
        inputs=("traversals",),
        per="code",
        on_request=True,
    ),
)


def _is_of_a_run(metric: Metric) -> bool:
    """Return whether a run supplies all inputs of a score."""
    return set(metric.inputs) <= INPUTS.keys() and metric.name not in _SETTING_CHOOSES


_SHIPPED = {
    metric.name: metric
    for metric in (
        *(m for m in METRICS.values() if _is_of_a_run(m)),
        *_OWN,
    )
}
_REGISTERED: dict[str, Metric] = {}


def run_metrics() -> tuple[Metric, ...]:
    """Return the rows of all scores that a run can have: those that ship, then those that are registered."""
    return (*_SHIPPED.values(), *_REGISTERED.values())


def score_names(*, on_request: bool = False) -> tuple[str, ...]:
    """Return the names that `evaluation.scores` takes; with `on_request`, all scores that a checkpoint can have."""
    return tuple(
        name for metric in run_metrics() if on_request or not metric.on_request for name in metric.names
    )


def metric_of(name: str) -> Metric | None:
    """Find the row that a reported name belongs to: its own name, a part's, or `NAME/CODE`; None for no score."""
    score = name.partition("/")[0]
    for metric in run_metrics():
        if score in metric.names and (score == name or metric.per):
            return metric
    return None


def require_score(name: str, *, on_request: bool = False) -> str:
    """Return `name` if a run can report a score of that name.

    Raises:
        ValueError: if none has it; the message names the nearest.
    """
    known = score_names(on_request=on_request)
    if name in known:
        return name
    if name in _SHIPPED and (parts := _SHIPPED[name].names):
        raise ValueError(f"`{name}` is reported in parts; ask for {', '.join(f'`{part}`' for part in parts)}")
    alike = nearest(name, known)
    if alike:
        raise ValueError(f"unknown score `{name}`; did you mean `{alike}`?")
    raise ValueError(
        f"unknown score `{name}`; one of your own needs its `extensions`; there are {', '.join(known)}"
    )


def register_score(
    name: str,
    *,
    asks: str,
    inputs: Sequence[str],
    range: tuple[float, float] = (0.0, 1.0),
    direction: Literal["max", "min"] = "max",
    cost: Literal["cheap", "costly"] = "cheap",
    source: str = "your own",
    needs: Needs = Needs(),  # noqa: B008
) -> Callable[[ScoreFunction], ScoreFunction]:
    """Register a score of your own under `name`; decorates its function.

    The function takes the arrays that `inputs` names, in that order, and returns a number or an
    `infogan_metrics.Score`. Keyword arguments after them are options, whose defaults stand in the score's protocol. It
    raises ValueError or `NotDefinedError` if there is no value; the other scores keep theirs.

    Args:
        name: as in `evaluation.scores`.
        asks: the question that it answers, without the question mark.
        inputs: of `INPUTS`. A score that takes `labels` or `factors` is marked as using them.
        range: the smallest and the largest value.
        direction: which way is better.
        cost: `cheap` is computed at every evaluation, `costly` only at the last evaluation of a run.
        source: the paper that defines it.
        needs: the least that it needs to have a value.

    Raises:
        InputError: if the name is that of a score that ships, or an input is unknown.
    """
    if name in _SHIPPED or (name in score_names(on_request=True) and name not in _REGISTERED):
        raise InputError(f"a score `{name}` ships already; register yours under another name")
    if not name.isidentifier():
        raise InputError(f"a score's name is made of letters, digits and `_`, but yours is {name!r}")
    for each in inputs:
        if each not in INPUTS:
            raise InputError(f"score `{name}`: there is no input `{each}`; there are {', '.join(INPUTS)}")

    def register(function: ScoreFunction) -> ScoreFunction:
        row = Metric(name, asks, function, tuple(inputs), range, direction, cost, source, needs)  # type: ignore[arg-type]
        _REGISTERED[name] = row
        return function

    return register
