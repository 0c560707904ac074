from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from infogan_metrics import NotDefinedError, model_centrality
from numpy.typing import NDArray

VOTES, BATCH, CODES = 400, 16, 3
FIXED = np.arange(VOTES) % CODES


def latents(seed: int) -> NDArray[np.float64]:
    """(VOTES, BATCH, CODES), each batch sharing the code that `FIXED` names."""
    codes = np.random.default_rng(seed).uniform(-1, 1, (VOTES, BATCH, CODES))
    votes = np.arange(VOTES)
    codes[votes, :, FIXED] = codes[votes, 0, FIXED][:, None]
    return codes


def noise(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(VOTES, BATCH, CODES))


def test_models_that_permute_and_scale_each_others_codes_are_alike() -> None:
    images = [latents(i) for i in range(3)]
    encodings = [[image, -3.0 * image[:, :, ::-1], image[:, :, [1, 2, 0]] + 5] for image in images]
    score = model_centrality(encodings, [FIXED] * 3)
    assert score.value == 1.0
    assert score.per_model.tolist() == [1.0, 1.0, 1.0]
    assert score.n == VOTES


def test_a_failed_model_lies_apart() -> None:
    good = [latents(i) for i in range(2)]
    encodings: list[list[Any]] = [[good[i], good[i], noise(i)] for i in range(2)]
    encodings.append([noise(7), noise(8), noise(9)])  # whatever it generates, nobody reads its codes there
    score = model_centrality(encodings, [FIXED] * 3)
    assert score.similarity[0, 1] == 1.0
    assert score.similarity[2, :2] == pytest.approx(1 / 3, abs=0.1)  # chance
    assert score.per_model[:2] == pytest.approx(2 / 3, abs=0.05)
    assert score.medoid in (0, 1)


def test_similarity_is_the_mean_of_both_directions() -> None:
    codes = latents(0)
    score = model_centrality([[codes, codes], [np.zeros_like(codes), codes]], [FIXED] * 2)
    assert score.pairwise[0, 1] == 1.0  # encoder 1 reads generator 0
    assert score.pairwise[1, 0] == 0.0  # encoder 0 is constant on images of generator 1
    assert score.per_model.tolist() == [0.5, 0.5]


def test_models_may_have_different_numbers_of_codes() -> None:
    codes = latents(0)
    wide = np.concatenate([codes, noise(1)], axis=2)
    assert model_centrality([[codes, wide], [codes, wide]], [FIXED] * 2).value == 1.0


def test_sorted_votes_score_as_mixed_ones_do() -> None:
    order = np.argsort(FIXED, kind="stable")
    images = [latents(i)[order] for i in range(2)]
    score = model_centrality([[image, -image] for image in images], [FIXED[order]] * 2)
    assert score.value == 1.0


def categories(seed: int, numbers: Any) -> Any:
    """Encodings whose first code is a category, by its number, read without error, beside two continuous ones."""
    codes = latents(seed)
    codes[:, :, 0] = np.asarray(numbers)[np.digitize(codes[:, :, 0], [-0.6, -0.2, 0.2, 0.6])]
    return codes + np.random.default_rng(seed).normal(size=codes.shape) * [0, 0.4, 0.4]


@pytest.mark.parametrize("numbers", [[4, 0, 3, 1, 2], [0, 1, 2, 3, 1000], [7, 5, 9, 1, 0]])
def test_the_numbers_of_categories_do_not_matter(numbers: Any) -> None:
    flags = [np.array([True, False, False])] * 2
    plain = [[categories(i, range(5))] * 2 for i in range(2)]
    renamed = [[categories(i, numbers)] * 2 for i in range(2)]
    expected = model_centrality(plain, [FIXED] * 2, categorical=flags).pairwise
    np.testing.assert_array_equal(
        model_centrality(renamed, [FIXED] * 2, categorical=flags).pairwise, expected
    )


def test_scored_on_the_votes_that_were_learned_from_as_infogan_cr_does() -> None:
    encodings = [[noise(2 * i + j) for j in range(2)] for i in range(2)]
    theirs = model_centrality(encodings, [FIXED] * 2, scored_on="learned").pairwise
    for i, j in ((0, 1), (1, 0)):
        codes = encodings[i][j]
        ratios = codes.var(axis=1, ddof=1) / codes.reshape(-1, CODES).var(axis=0, ddof=1)
        table = np.zeros((CODES, CODES))
        np.add.at(table, (FIXED, ratios.argmin(axis=1)), 1)
        assert theirs[i, j] == table.max(axis=0).sum() / VOTES  # the share of votes that their majority names
    ours = model_centrality(encodings, [FIXED] * 2).pairwise
    assert np.nanmean(theirs) > np.nanmean(ours)


def test_what_is_not_defined() -> None:
    with pytest.raises(NotDefinedError, match="compares models, but is given 1"):
        model_centrality([[latents(0)]], [FIXED])
    with pytest.raises(NotDefinedError, match="votes of generator 0 hold code 0 alone"):
        model_centrality([[latents(0)] * 2] * 2, [np.zeros(VOTES, int), FIXED])


def test_wrong_input_is_refused() -> None:
    codes = latents(0)
    with pytest.raises(ValueError, match="a square of arrays"):
        model_centrality([[codes, codes], [codes]], [FIXED] * 2)
    with pytest.raises(ValueError, match=r"`categorical\[1\]` must have one flag per code, \(3,\), but has"):
        model_centrality([[codes] * 2] * 2, [FIXED] * 2, categorical=[[True] * 2] * 2)
    with pytest.raises(ValueError, match="`scored_on` must be `held_out` or `learned`, but is 'all'"):
        model_centrality([[codes] * 2] * 2, [FIXED] * 2, scored_on="all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`fixed\[1\]` must hold two or more codes' numbers"):
        model_centrality([[codes] * 2] * 2, [FIXED, FIXED + 0.5])
    with pytest.raises(ValueError, match=r"`encodings\[0\]\[1\]` must be \(400, batch, n_codes\)"):
        model_centrality([[codes, codes[:7]], [codes, codes]], [FIXED] * 2)
    with pytest.raises(ValueError, match=r"`encodings\[0\]\[1\]` must be finite"):
        model_centrality([[codes, codes * np.nan], [codes, codes]], [FIXED] * 2)
