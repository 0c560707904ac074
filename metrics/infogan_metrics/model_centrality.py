"""ModelCentrality: do the encoders of other models read off what a model's generator varies?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, constant_columns
from infogan_metrics.factor_vae import count_votes, least_varying_code, majority_accuracy
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


def model_centrality(encodings: Sequence[Sequence[ArrayLike]], fixed: Sequence[ArrayLike]) -> ModelCentrality:
    """ModelCentrality of models that have a generator and an encoder each. No labels and no factors are used.

    Each model's codes are taken for the ground truth of the images it generates, and every other model's
    encoder is given FactorVAE's score about them: a vote is a batch of images that share one code of the
    generator, and names the encoder's code that varies least in the batch. The first half of the votes is
    learned from, the second half scored. Two models' similarity is the mean of both directions; a model's
    score is its mean similarity to the others. Models that fail alike score well: it ranks within a set of
    models that mostly succeed.

    Args:
        encodings: [i][j] holds what encoder j says of the images of generator i, float array
            (n_votes, batch, n_codes of j), the images of a vote sharing one code. [i][i] is not used.
        fixed: [i] says which code of generator i each vote holds, int array (n_votes,).
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
    held = [_as_held(values, i) for i, values in enumerate(fixed)]
    pairwise = np.full((n_models, n_models), np.nan)
    for i in range(n_models):
        for j in range(n_models):
            if i != j:
                pairwise[i, j] = _agreement(_as_votes(encodings[i][j], i, j, len(held[i])), held[i])
    similarity = (pairwise + pairwise.T) / 2
    per_model: NDArray[np.float64] = np.nanmean(similarity, axis=1)
    return ModelCentrality(float(per_model.mean()), len(held[0]), per_model, similarity, pairwise)


def _agreement(codes: Codes, held: Indices) -> float:
    samples = codes.reshape(-1, codes.shape[2])
    active = ~constant_columns(samples)
    if not active.any():
        return 0.0
    found = least_varying_code(codes.var(axis=1, ddof=1), samples.var(axis=0, ddof=1), active)
    half = len(held) // 2
    votes = count_votes(held[:half], found[:half], (int(held.max()) + 1, codes.shape[2]))
    return majority_accuracy(votes, held[half:], found[half:])


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
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 3 or len(array) != n_votes or array.shape[1] < 2 or not array.shape[2]:
        raise ValueError(
            f"`encodings[{i}][{j}]` must be ({n_votes}, batch, n_codes) with batches of 2 or more, "
            f"but has shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"`encodings[{i}][{j}]` must be finite")
    return array
