"""Scores of a sweep's models that need no labels and no factors. They ask whether the models find the same codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import infogan_metrics
import numpy as np
import torch
from infogan_reports import ReportError, SweepData, load
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents, Posterior
from infogan_bench.config.base import recorded_data_dir
from infogan_bench.config.metrics import uses_factors, uses_labels
from infogan_bench.datasets import ImageDataset, to_uint8
from infogan_bench.datasets.moved import at_folder, load_moved
from infogan_bench.errors import InputError
from infogan_bench.networks import Model
from infogan_bench.records import Status, SweepPaths
from infogan_bench.scoring.outcome import number_text, table_text
from infogan_bench.scoring.representation import Codes, representation
from infogan_bench.training import load_checkpoint, restore_model

_VOTES, _VOTE_IMAGES = 300, 32  # votes of each generator for ModelCentrality, and images of a vote
_CALIBRATION_IMAGES = 1_000  # of these images, for BatchNorm of the encoder that reads them
_BATCH = 500
_MIN_STD = (
    0.01  # a column that varies less says nothing: say, the probability of a category that Q never sees
)


@dataclass(frozen=True)
class SweepModel:
    """A finished seed of a trial, and its scores; a score is None if the seed was left out."""

    trial: str
    seed: int
    codes: str  # its codes in words
    objective: float | None  # the sweep's, None where it has no value
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class LeftOut:
    """A seed that some scores, or all of them, leave out."""

    trial: str
    seed: int
    scores: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class SweepScores:
    """Scores of every model of a sweep by the others, the best first by the first score."""

    folder: Path
    metric: str  # that of the sweep's goal
    protocols: Mapping[str, str]  # score -> what it compares, and on what
    models: tuple[SweepModel, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def supervision(self) -> str | None:
        """The supervision that the sweep's goal uses and these scores do not: `uses labels` or `uses factors`."""
        if uses_labels(self.metric):
            return "uses labels"
        return "uses factors" if uses_factors(self.metric) else None


def score_sweep(
    folder: Path, names: Sequence[str] = (), *, seed: int = 0, data_dir: Path | None = None
) -> SweepScores:
    """Score every finished seed of a sweep by the others; all scores are in [0, 1], and higher is better.

    `udr` compares a model with the other seeds of its trial, as its paper does; `udr_all` and `model_centrality`
    compare it with all other models of the sweep. Models may differ in their codes.

    Args:
        folder: a sweep folder, of a sweep that has ended or still runs.
        names: of scores; none: all that have two models to compare.
        seed: of the latents that images are generated from.
        data_dir: the folder of the dataset; None: where the sweep had it.

    Raises:
        InputError: if `folder` holds no sweep, a checkpoint or the dataset cannot be read, a name is unknown, or
            a score that is asked for (or every score) has no two models to compare.
    """
    unknown = [name for name in names if name not in _SCORES]
    if unknown:
        raise InputError(f"--score: unknown score `{unknown[0]}` of a sweep; there are {', '.join(_SCORES)}")
    try:
        data = load(folder)
    except ReportError as error:
        raise InputError(str(error)) from None
    asked = tuple(dict.fromkeys(names)) or tuple(_SCORES)
    places, left_out = _finished(data, asked)
    if len(places) < 2:
        raise InputError(
            f"{folder}: a sweep's models are scored by each other, two or more, "
            f"but of {len(data.trials)} seeds {len(places)} finished with a checkpoint"
        )
    recorded = recorded_data_dir(data.config, data.environment, folder)
    trained, dataset = _restore(places, data_dir or recorded)
    groups = {name: [group for group in _SCORES[name].groups(trained) if len(group) > 1] for name in asked}
    for name in names:
        if not groups[name]:
            raise InputError(f"--score: `{name}` has no two models to compare; each is {_SCORES[name].alone}")
    comparison = _Comparison([each.model for each in trained], dataset, seed)
    values = {name: _values(_SCORES[name], comparison, groups[name]) for name in asked if groups[name]}
    left_out += [
        LeftOut(each.trial_id, each.seed, (name,), _SCORES[name].alone)
        for name in asked
        for i, each in enumerate(trained)
        if i not in values.get(name, {})
    ]
    models = [
        _scored(each, {name: found.get(i) for name, found in values.items()})
        for i, each in enumerate(trained)
    ]
    first = next(iter(values))
    return SweepScores(
        folder=folder,
        metric=data.metric,
        protocols={name: _SCORES[name].protocol.format(n=len(dataset.test_images)) for name in values},
        models=tuple(sorted(models, key=lambda model: _order(model.scores[first]))),
        left_out=tuple(left_out),
    )


def _scored(trained: _Trained, scores: Mapping[str, float | None]) -> SweepModel:
    codes = _layout(trained.model.codes)
    return SweepModel(trained.trial_id, trained.seed, codes, trained.objective, scores)


def _order(score: float | None) -> tuple[bool, float]:
    """Return a key that sorts high scores first and missing ones last."""
    return (True, 0.0) if score is None else (False, -score)


# The models -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    trial_id: str
    seed: int
    objective: float | None
    checkpoint: Path


@dataclass(frozen=True)
class _Trained:
    trial_id: str
    seed: int
    objective: float | None
    model: Model


def _finished(data: SweepData, asked: tuple[str, ...]) -> tuple[list[_Place], list[LeftOut]]:
    """The seeds that can be compared, and the others with the reason why they cannot."""
    places: list[_Place] = []
    left_out: list[LeftOut] = []
    for row in data.trials.to_dict("records"):
        trial, seed, status = str(row["trial"]), int(row["seed"]), Status(row["status"])
        checkpoint = SweepPaths(data.folder).trial(trial).seed(seed).checkpoint
        if status is not Status.FINISHED:
            left_out.append(LeftOut(trial, seed, asked, f"{status} at step {row['step']}"))
        elif not checkpoint.is_file():
            left_out.append(LeftOut(trial, seed, asked, "no checkpoint"))
        else:
            places.append(_Place(trial, seed, row["scores"].get(data.metric), checkpoint))
    return places, left_out


def _restore(places: Sequence[_Place], data_dir: Path | str | None) -> tuple[list[_Trained], ImageDataset]:
    """All models, and the one dataset on which the sweep trained them."""
    trained = []
    for place in places:
        checkpoint = load_checkpoint(place.checkpoint)
        trained.append(_Trained(place.trial_id, place.seed, place.objective, restore_model(checkpoint)))
    return trained, load_moved(at_folder(checkpoint.dataset, data_dir))


def _layout(codes: LatentCodes) -> str:
    """`categorical 10, uniform 2`."""
    config = codes.config
    sizes = "+".join(str(size) for size in config.categorical)
    counts = {"categorical": sizes, "uniform": config.uniform, "gaussian": config.gaussian}
    return ", ".join(f"{kind} {count}" for kind, count in counts.items() if count)


# The scores -----------------------------------------------------------------------------------------------


class _Comparison:
    """The codes that each model reads off the same images, computed once."""

    def __init__(self, models: Sequence[Model], dataset: ImageDataset, seed: int) -> None:
        self.models = models
        self.dataset = dataset
        self.seed = seed

    @cached_property
    def columns(self) -> list[Codes]:
        """The codes that each model reads off the test images."""
        return [
            udr_columns(model.codes, model.encode(self.dataset.test_images, self.dataset.train_images))
            for model in self.models
        ]

    def udr(self, group: Sequence[int]) -> NDArray[np.float64]:
        """Each model's score by the others of `group`."""
        columns = [self.columns[i] for i in group]
        return infogan_metrics.udr(columns, informative=[c.std(axis=0) > _MIN_STD for c in columns]).per_model

    def centrality(self, group: Sequence[int]) -> NDArray[np.float64]:
        """Each model's score by the others of `group`."""
        models = [self.models[i] for i in group]
        console = Console(stderr=True)
        encodings, fixed = [], []
        for generator in track(
            models, "ModelCentrality", console=console, disable=not console.is_terminal, transient=True
        ):
            images, held = held_code_images(generator, self.seed)
            fixed.append(held)
            encodings.append(
                [np.empty(0) if other is generator else read_votes(other, images) for other in models]
            )
        categorical = [[code.kind == "categorical" for code in model.codes.all] for model in models]
        return infogan_metrics.model_centrality(encodings, fixed, categorical=categorical).per_model


def udr_columns(codes: LatentCodes, posterior: Posterior) -> Codes:
    """Return the columns that UDR compares: (n, n_columns), in the order of `codes.all`.

    A column is the probability of a category, since categories have no order, or the mean of a continuous code. A code
    of two categories has one column, since the second would repeat the first.
    """
    probabilities = [F.softmax(logits.double(), dim=1) for logits in posterior.logits]
    parts = [part[:, 1:] if part.shape[1] == 2 else part for part in probabilities]
    return torch.cat([*parts, posterior.mean.double()], dim=1).numpy()


def held_code_images(model: Model, seed: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Generate images for ModelCentrality's votes. In a vote, one code is held and everything else varies.

    Returns:
        Images (votes * images of a vote, C, H, W) uint8, vote after vote, and (votes,) the held code of each vote, as
        its place in `codes.all`.
    """
    codes = model.codes
    held = torch.arange(_VOTES) % len(codes.all)
    generator = torch.Generator(model.device).manual_seed(seed)
    drawn = codes.sample(_VOTES * _VOTE_IMAGES, generator)
    holds = F.one_hot(held, len(codes.all)).bool().to(model.device)[:, None]  # (votes, 1, codes)
    of_categories, of_continuous = holds.tensor_split([len(codes.categorical)], dim=2)

    def hold(values: Tensor, mask: Tensor) -> Tensor:
        votes = values.reshape(_VOTES, _VOTE_IMAGES, values.shape[1])
        return torch.where(mask, votes[:, :1], votes).reshape(values.shape)

    latents = Latents(drawn.z, hold(drawn.categories, of_categories), hold(drawn.continuous, of_continuous))
    parts = zip(*(torch.split(part, _BATCH) for part in latents), strict=True)
    images = torch.cat([to_uint8(model.generate(Latents(*part))).cpu() for part in parts])
    return images, held.numpy()


def read_votes(model: Model, images: Tensor) -> Codes:
    """Return the codes that Q reads off the images of `held_code_images`: (votes, images of a vote, codes).

    BatchNorm's statistics are those of the images.
    """
    codes = representation(model.codes, model.encode(images, images[:_CALIBRATION_IMAGES]))
    return codes.reshape(_VOTES, _VOTE_IMAGES, -1)


@dataclass(frozen=True)
class _Score:
    groups: Callable[[Sequence[_Trained]], list[list[int]]]  # the models that are compared with each other
    compute: Callable[[_Comparison, Sequence[int]], NDArray[np.float64]]  # for a group, a value of each
    alone: str  # why a model is in no group of two
    protocol: str


def _values(score: _Score, comparison: _Comparison, groups: Sequence[Sequence[int]]) -> dict[int, float]:
    """{place of a model: its score} for all models in a group."""
    return {
        i: float(value)
        for group in groups
        for i, value in zip(group, score.compute(comparison, group), strict=True)
    }


def _by_trial(trained: Sequence[_Trained]) -> list[list[int]]:
    trials = dict.fromkeys(each.trial_id for each in trained)
    return [[i for i, each in enumerate(trained) if each.trial_id == trial] for trial in trials]


def _all(trained: Sequence[_Trained]) -> list[list[int]]:
    return [list(range(len(trained)))]


def _with_two_codes(trained: Sequence[_Trained]) -> list[list[int]]:
    return [[i for i, each in enumerate(trained) if len(each.model.codes.all) > 1]]


_LASSO = "similarity by Lasso, {n:,} test images, the median over"
_SCORES = {
    "udr": _Score(
        _by_trial,
        _Comparison.udr,
        "the only finished seed of its trial",
        f"{_LASSO} the other seeds of the trial",
    ),
    "udr_all": _Score(
        _all, _Comparison.udr, "the only model", f"{_LASSO} all other models, whatever their trial"
    ),
    "model_centrality": _Score(
        _with_two_codes,
        _Comparison.centrality,
        "one code alone, where a vote asks which of several is held, or no other model with several",
        f"{_VOTES} votes of {_VOTE_IMAGES} images from each generator, the mean over all other models; "
        "by chance about 1 / the number of the generator's codes",
    ),
}
SWEEP_SCORES = tuple(_SCORES)


# In print -------------------------------------------------------------------------------------------------


def sweep_json(found: SweepScores) -> str:
    """The scores as JSON."""
    document = {
        "scored": str(found.folder),
        "objective": {"metric": found.metric, "supervision": found.supervision},
        "protocols": dict(found.protocols),
        "models": [asdict(model) for model in found.models],
        "left_out": [asdict(each) for each in found.left_out],
    }
    return json.dumps(document, indent=1, allow_nan=False)


def sweep_table(found: SweepScores) -> str:
    """The scores as text, a line a model; what they compare and what is left out follow below."""
    mark = f" ({found.supervision})" if found.supervision else ""
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("trial", "seed", *found.protocols, f"{found.metric}{mark}", "codes"):
        table.add_column(name, justify="left" if name in ("trial", "codes") else "right")
    for model in found.models:
        values = [*model.scores.values(), model.objective]
        cells = ["-" if value is None else number_text(value) for value in values]
        table.add_row(model.trial, str(model.seed), *cells, model.codes)
    protocols = [f"{name}: {protocol}" for name, protocol in found.protocols.items()]
    return "\n".join([table_text(table), *protocols, *_left_out_lines(found.left_out)])


def _left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """A line for each reason."""
    seeds: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for each in left_out:
        seeds.setdefault((each.scores, each.reason), []).append(f"trial {each.trial} seed {each.seed}")
    return [
        f"left out of {', '.join(scores)}: {', '.join(places)} ({reason})"
        for (scores, reason), places in seeds.items()
    ]
