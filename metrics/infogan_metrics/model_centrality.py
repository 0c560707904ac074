"""ModelCentrality: do the encoders of other models read off what a model's generator varies?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes, constant_columns, unit_size
from infogan_metrics.factor_vae import count_votes, least_varying_code, majority_accuracy
from infogan_metrics.intake import as_plain
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class ModelCentrality(Score):
    """The mean over models, and what it is made of; `n` is the number of votes of a pair of models."""

    per_model: NDArray[np.float64]  # (n_models,) in [0, 1]: the mean similarity to the others
    similarity: NDArray[np.float64]  # (n_models, n_models), symmetric, in [0, 1]; NaN on the diagonal
    pairwise: NDArray[np.float64]  # the same, [i, j]: encoder j on images of generator i

    @property
    def medoid(self) -> int:
        """The model that is most like the others, which the paper selects; the first of equals."""
        return int(np.argmax(self.per_model))


def model_centrality(
    encodings: Sequence[Sequence[ArrayLike]],
    fixed: Sequence[ArrayLike],
    *,
    categorical: Sequence[ArrayLike] | None = None,
    scored_on: Literal["held_out", "learned"] = "held_out",
    seed: int = 0,
) -> ModelCentrality:
    """ModelCentrality of models that have a generator and an encoder each. No labels and no factors are used.

    Each model's codes are taken for the ground truth of the images it generates, and every other model's
    encoder is given FactorVAE's score about them: a vote is a batch of images that share one code of the
    generator, and names the encoder's code that varies least in the batch. A random half of the votes is
    learned from, the other half scored; InfoGAN-CR's own code scores the votes that it learned from, which
    `scored_on` can ask for. Two models' similarity is the mean of both directions; a model's score is its mean
    similarity to the others. Models that fail alike score well: it ranks within a set of models that mostly
    succeed.

    Args:
        encodings: [i][j] holds what encoder j says of the images of generator i, float array
            (n_votes, batch, n_codes of j), the images of a vote sharing one code. [i][i] is not used.
        fixed: [i] says which code of generator i each vote holds, int array (n_votes,).
        categorical: [j] says which codes of encoder j are numbers of categories, bool array (n_codes of j,), whose
            differences mean nothing: they vary by how often two images of a batch differ in them, whatever the
            categories are called. Default: none, so that a category's number counts as a distance.
        scored_on: `held_out`: the half of the votes that was not learned from. `learned`: all votes, learned from
            as well, as in InfoGAN-CR's code; higher by at most a few hundredths, and most so for few votes.
        seed: of the draw of the halves.
    Returns:
        In [0, 1], no unit; higher is better. A pair whose encoder is constant has 0.
    Raises:
        NotDefinedError: if there are fewer than two models, or a generator's votes hold one code alone.
        ValueError: if an array is malformed or does not fit the others.
    Reference: Lin et al. 2020, arXiv:1906.06034, section 4.
    """
    n_models = len(encodings)
    if n_models < 2:
        raise NotDefinedError(f"ModelCentrality compares models, but is given {n_models}")
    if len(fixed) != n_models or any(len(row) != n_models for row in encodings):
        raise ValueError(
            "`encodings` must be a square of arrays, and `fixed` as long, "
            f"but have rows of {[len(row) for row in encodings]} and {len(fixed)} entries"
        )
    if scored_on not in ("held_out", "learned"):
        raise ValueError(f"`scored_on` must be `held_out` or `learned`, but is {scored_on!r}")
    held = [_as_held(values, i) for i, values in enumerate(fixed)]
    flags = _as_flags(categorical, n_models)
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(votes)) for votes in held]
    pairwise = np.full((n_models, n_models), np.nan)
    for i, j in np.argwhere(~np.eye(n_models, dtype=bool)):
        votes = _as_votes(encodings[i][j], i, j, len(held[i]))
        found = _found(votes, None if flags is None else _fitting(flags[j], votes.shape[2], j))
        half = len(votes) // 2 if scored_on == "held_out" else 0
        learned, scored = orders[i][:half] if half else orders[i], orders[i][half:]
        pairwise[i, j] = 0.0 if found is None else _accuracy(held[i], found, learned, scored)
    similarity = (pairwise + pairwise.T) / 2
    per_model: NDArray[np.float64] = np.nanmean(similarity, axis=1)
    return ModelCentrality(float(per_model.mean()), len(held[0]), per_model, similarity, pairwise)


def _found(codes: Codes, categorical: NDArray[np.bool_] | None) -> Indices | None:
    """Return the code that varies least in each vote, (n_votes,), or None if all codes are constant."""
    samples = codes.reshape(-1, codes.shape[2])
    active = ~constant_columns(samples)
    if not active.any():
        return None
    within, overall = codes.var(axis=1, ddof=1), samples.var(axis=0, ddof=1)
    for k in () if categorical is None else np.flatnonzero(active & categorical):
        numbers = np.unique(samples[:, k], return_inverse=True)[1]
        overall[k] = _disagreement(numbers[None])[0]
        within[:, k] = _disagreement(numbers.reshape(codes.shape[:2]))
    return least_varying_code(within, overall, active)


def _disagreement(categories: Indices) -> NDArray[np.float64]:
    """Return for each row of (n, batch) the share of pairs that differ, the variance of a one-hot code."""
    n, batch = categories.shape
    width = int(categories.max()) + 1
    cells = (np.arange(n)[:, None] * width + categories).ravel()
    counts = np.bincount(cells, minlength=n * width).reshape(n, width)
    differing: NDArray[np.float64] = 1 - (counts * (counts - 1)).sum(axis=1) / (batch * (batch - 1))
    return differing


def _accuracy(held: Indices, found: Indices, learned: Indices, scored: Indices) -> float:
    votes = count_votes(held[learned], found[learned], (int(held.max()) + 1, int(found.max()) + 1))
    return majority_accuracy(votes, held[scored], found[scored])


def _as_flags(categorical: Sequence[ArrayLike] | None, n_models: int) -> list[NDArray[np.bool_]] | None:
    if categorical is None:
        return None
    if len(categorical) != n_models:
        raise ValueError(
            f"`categorical` must have an entry per model, {n_models}, but has {len(categorical)}"
        )
    return [np.asarray(flags, dtype=bool) for flags in categorical]


def _fitting(flags: NDArray[np.bool_], n_codes: int, j: int) -> NDArray[np.bool_]:
    if flags.shape != (n_codes,):
        raise ValueError(
            f"`categorical[{j}]` must have one flag per code, ({n_codes},), but has shape {flags.shape}"
        )
    return flags


def _as_held(values: ArrayLike, i: int) -> Indices:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) < 2 or array.min() < 0:
        raise ValueError(
            f"`fixed[{i}]` must hold two or more codes' numbers, 1-D from 0, "
            f"but has shape {array.shape} and dtype {array.dtype}"
        )
    if (array == array[0]).all():
        raise NotDefinedError(
            f"the votes of generator {i} hold code {array[0]} alone: nothing is to be guessed"
        )
    return array.astype(np.intp)


def _as_votes(values: ArrayLike, i: int, j: int, n_votes: int) -> Codes:
    array = as_plain(values, f"encodings[{i}][{j}]")
    if array.ndim != 3 or len(array) != n_votes or array.shape[1] < 2 or not array.shape[2]:
        raise ValueError(
            f"`encodings[{i}][{j}]` must be ({n_votes}, batch, n_codes) with batches of 2 or more, "
            f"but has shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"`encodings[{i}][{j}]` must be finite")
    samples, _ = unit_size(as_codes(array.reshape(-1, array.shape[2]), f"encodings[{i}][{j}]"))
    return samples.reshape(array.shape)
