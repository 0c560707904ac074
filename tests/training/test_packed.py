"""A stack that trainers join and leave: each trains as it would alone, whoever trains beside it and since when."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from infogan_bench.config import RunConfig, apply
from infogan_bench.config.params import structure_of
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.training import DivergedError, PackedTrainer, Trainer, Updates
from tests.training.test_fused import ALL_OF_IT, IMAGES, OwnConstant, assert_close_states, run_of

# Three trials: all that a replica may own differs, and two of them have one seed.
OWN: tuple[dict[str, Any], ...] = (
    {},
    {"objective.vat": 2.0, "objective.lambda_cont": 0.1, "optimiser.lr_d": 8e-4, "steps": 12},
    {"objective.instance_noise": 0.1, "optimiser.lr_g": 2e-3, "optimiser.decay": 1.0, "steps": 9},
)
SEEDS = (0, 0, 4)


def pairs(mnist: ImageDataset) -> list[tuple[Trainer, Trainer]]:
    """For each trial a trainer for the stack, and one that stays alone."""
    runs = [apply(run_of("paper", ALL_OF_IT), changes) for changes in OWN]
    images = mnist.train_images[:IMAGES]
    return [
        (Trainer(run, images, seed), Trainer(run, images, seed))
        for run, seed in zip(runs, SEEDS, strict=True)
    ]


@pytest.mark.usefixtures("double_precision")
def test_trainers_join_and_leave_in_the_middle_and_train_as_each_would_alone(mnist: ImageDataset) -> None:
    a, b, c = pairs(mnist)
    pack = PackedTrainer(a[0])
    turns = [([a, b], 2), ([a, b, c], 1), ([c], 1), ([a, c], 3), ([b, c], 2)]
    for members, steps in turns:
        found = pack.advance([together for together, _ in members], steps)
        for done, (together, alone) in zip(found, members, strict=True):
            expected = alone.train(steps).metrics
            assert together.report(done).metrics == pytest.approx(expected, rel=1e-5)
    for (together, alone), steps in zip((a, b, c), (6, 5, 7), strict=True):
        assert together.step == steps
        assert_close_states(together, alone, 1e-8)


def test_what_a_trainer_saved_in_a_stack_it_goes_on_with_alone(mnist: ImageDataset) -> None:
    (a, alone), (b, _), _ = pairs(mnist)
    PackedTrainer(a).advance([a, b], 3)
    resumed = Trainer(a.run, a.images, 0)
    resumed.load_state({name: tensor.clone() for name, tensor in a.state().items()})
    resumed.train(2)
    alone.train(5)
    assert_close_states(resumed, alone, 1e-3)


def test_one_that_diverges_in_a_stack_leaves_the_others_as_they_are(mnist: ImageDataset) -> None:
    (a, alone), (b, _), _ = pairs(mnist)
    with torch.no_grad():
        next(b.model.networks.trunk.parameters()).fill_(torch.nan)
    pack = PackedTrainer(a)
    of_a, of_b = pack.advance([a, b], 1)
    more_of_a, more_of_b = pack.advance([a, b], 2)
    with pytest.raises(DivergedError, match=r"^diverged at step 1: "):
        b.report(of_b.then(more_of_b))
    expected = alone.train(3).metrics
    assert a.report(of_a.then(more_of_a)).metrics == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_updates_add_up() -> None:
    before = Updates(3, (1.0, 2.0, 3.0), (-1, 1, -1), 0.5)
    after = Updates(2, (10.0, 20.0, 30.0), (1, 0, -1), 0.25)
    assert before.then(after) == Updates(5, (11.0, 22.0, 33.0), (4, 1, -1), 0.75)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"objective.vat": 0.1, "optimiser.lr_g": 1.0, "optimiser.decay": 0.0, "steps": 7}, True),
        ({"objective.vat": 0.0}, False),  # a term that is off draws nothing
        ({"objective.vat_share": 0.25}, False),
        ({"optimiser.beta1": 0.9}, False),
        ({"batch": 8}, False),
        ({"architecture.width": 0.125}, False),
        ({"codes.uniform": 1}, False),
        ({"precision": "tf32"}, False),
    ],
)
def test_runs_of_one_structure_differ_in_factors_of_an_update_alone(
    changes: dict[str, Any], same: bool
) -> None:
    run: RunConfig = run_of("paper", ALL_OF_IT)
    assert (structure_of(apply(run, changes)) == structure_of(run)) is same


def test_what_cannot_be_stacked_is_said_at_once(mnist: ImageDataset, scratch_registry: None) -> None:
    @register_architecture("odd")
    def odd(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        networks.D_head = nn.Sequential(networks.D_head, OwnConstant())
        return networks

    for changes in ({"architecture.name": "odd"}, {"objective.r1": 1.0}):
        trainer = Trainer(run_of("paper", changes), mnist.train_images[:IMAGES], 0)
        with pytest.raises(InputError, match=r"^seeds_together: "):
            PackedTrainer(trainer)
