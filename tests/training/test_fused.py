"""Many seeds at once: each replica's numbers are those of its seed alone, in whatever company and after any stop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from infogan_bench.config import (
    ConfigError,
    DatasetConfig,
    EvaluationConfig,
    RunConfig,
    apply,
    parse_sweep,
    plan,
)
from infogan_bench.config.params import OWN_TO_A_REPLICA
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.records.results import Status, TrialUpdate
from infogan_bench.training import DivergedError, FusedTrainer, Trainer, TrainingInterval, fuse
from infogan_bench.training.batched import BatchedLayers
from infogan_bench.trial import Trial, TrialSpec

PAPER_S_RECIPE: dict[str, Any] = {}
ALL_OF_IT = {
    "codes.gaussian": 1,
    "objective.fixed_std": False,
    "objective.transform.rotation": 10.0,
    "objective.transform.shift": 2.0,
    "objective.transform.share": 0.5,
    "objective.consistency": 0.5,
    "objective.balance": 0.5,
    "objective.vat": 0.5,
    "objective.contrastive": 0.5,
    "objective.instance_noise": 0.2,
    "optimiser.decay": 0.5,
    "optimiser.ema": 0.9,
}
BATCH = 16
IMAGES = 50  # 3 steps an epoch


def run_of(architecture: str, changes: Mapping[str, Any] = PAPER_S_RECIPE) -> RunConfig:
    """Six steps of a tiny `architecture`."""
    tiny = {"architecture.name": architecture, "architecture.width": 0.0625, "batch": BATCH, "steps": 6}
    return apply(RunConfig(), {**tiny, **changes})


def trainers(run: RunConfig, images: Tensor, seeds: tuple[int, ...] = (0, 1, 2)) -> list[Trainer]:
    return [Trainer(run, images[:IMAGES], seed) for seed in seeds]


def assert_close_states(found: Trainer, expected: Trainer, tolerance: float) -> None:
    """Compare each tensor to `tolerance` of its size; what is no float, and where it lies in memory, exactly."""
    ours, theirs = found.state(), expected.state()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].stride() == tensor.stride(), name
        assert ours[name].dtype == tensor.dtype, name
        if tensor.is_floating_point():
            assert float((ours[name] - tensor).norm()) <= tolerance * float(tensor.norm()), name
        else:
            assert torch.equal(ours[name], tensor), name


# The numbers -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("changes", [PAPER_S_RECIPE, ALL_OF_IT], ids=["paper's recipe", "all of it"])
@pytest.mark.parametrize(
    ("architecture", "batched"),
    [("paper", False), ("mlp", False), ("dcgan", False), ("paper", True), ("dcgan", True)],
)
def test_each_replica_trains_as_it_would_alone(
    mnist: ImageDataset,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    batched: bool,
    changes: dict[str, Any],
) -> None:
    if batched:  # as on a GPU
        monkeypatch.setattr(
            "infogan_bench.training.fused.layers", lambda device: BatchedLayers(convolutions=True)
        )
    run = run_of(architecture, changes)
    together, alone = (trainers(run, mnist.train_images) for _ in range(2))
    group = FusedTrainer(together)
    for steps in (2, 3):  # the moments of Adam are carried over, and 5 steps cross into the second epoch
        for found, single in zip(group.train(steps), alone, strict=True):
            expected = single.train(steps).metrics
            assert isinstance(found, TrainingInterval)
            assert list(found.metrics) == list(expected)
            assert found.metrics == pytest.approx(expected, rel=1e-5)  # sums of the reports are in float32
    for ours, theirs in zip(together, alone, strict=True):
        assert ours.step == 5
        assert_close_states(ours, theirs, 1e-8)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("batched", [False, True], ids=["as on a CPU", "as on a GPU"])
@pytest.mark.parametrize(
    ("architecture", "changes"),
    [
        ("infogan-cr", {"codes.categorical": (), "codes.uniform": 3}),
        ("infogan-cr", {"codes.categorical": (), "codes.uniform": 3, "objective.contrastive": 0.5}),
        ("infogan-cr", ALL_OF_IT),
        ("paper", ALL_OF_IT | {"architecture.spectral_norm": True}),
    ],
    ids=["factors", "contrastive", "all of it", "paper"],
)
def test_spectral_normalisation_is_fused_too(
    monkeypatch: pytest.MonkeyPatch, architecture: str, changes: dict[str, Any], batched: bool
) -> None:
    if batched:
        monkeypatch.setattr("infogan_bench.networks.spectral.on_gpu", lambda weight: True)
        monkeypatch.setattr(
            "infogan_bench.training.fused.layers", lambda device: BatchedLayers(convolutions=True)
        )
    images = torch.randint(
        256, (IMAGES, 1, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    run = run_of(architecture, changes)
    together, alone = (trainers(run, images) for _ in range(2))
    group = FusedTrainer(together)
    for steps in (1, 2):
        for found, single in zip(group.train(steps), alone, strict=True):
            assert isinstance(found, TrainingInterval)
            assert found.metrics == pytest.approx(single.train(steps).metrics, rel=1e-5)
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-8)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("batched", [False, True], ids=["as on a CPU", "as on a GPU"])
@pytest.mark.parametrize("architecture", ["paper-svhn", "paper-chairs"])
def test_the_paper_s_networks_for_colour_and_for_chairs_are_fused_too(
    monkeypatch: pytest.MonkeyPatch, architecture: str, batched: bool
) -> None:
    if batched:
        monkeypatch.setattr(
            "infogan_bench.training.fused.layers", lambda device: BatchedLayers(convolutions=True)
        )
    drawn = torch.Generator().manual_seed(0)
    images = torch.randint(256, (IMAGES, 3, 32, 32), generator=drawn, dtype=torch.uint8)
    together, alone = (trainers(run_of(architecture, PAPER_S_RECIPE), images) for _ in range(2))
    for found, single in zip(FusedTrainer(together).train(2), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(2).metrics, rel=1e-5)
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-8)


OWN = {
    "objective.lambda_cat": (1.0, 0.5, 2.0),
    "objective.lambda_cont": (1.0, 1.0, 0.1),
    "objective.consistency": (0.5, 2.0, 0.5),
    "objective.balance": (0.5, 1.0, 2.0),
    "objective.vat": (0.5, 1.0, 2.0),
    "objective.contrastive": (0.5, 1.0, 0.1),
    "objective.instance_noise": (0.2, 0.1, 0.2),
    "optimiser.lr_g": (1e-3, 2e-3, 1e-3),
    "optimiser.lr_d": (2e-4, 2e-4, 8e-4),
    "optimiser.decay": (0.5, 1.0, 0.5),
    "steps": (6, 6, 12),
}


@pytest.mark.usefixtures("double_precision")
def test_weights_and_step_sizes_may_differ_from_replica_to_replica(mnist: ImageDataset) -> None:
    assert set(OWN) == set(OWN_TO_A_REPLICA)
    runs = [
        apply(run_of("paper", ALL_OF_IT), {key: values[r] for key, values in OWN.items()}) for r in range(3)
    ]
    together, alone = ([Trainer(run, mnist.train_images[:IMAGES], 7) for run in runs] for _ in range(2))
    for found, single in zip(FusedTrainer(together).train(5), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(5).metrics, rel=1e-5)
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture.width": 0.125}, r"may differ in objective\.lambda_cat, .*, and nothing else$"),
        ({"objective.lambda_cat": 0.0}, r"^objective\.lambda_cat: 0 in some of the runs"),
    ],
)
def test_what_may_not_differ_is_refused(mnist: ImageDataset, changes: dict[str, Any], message: str) -> None:
    runs = [run_of("paper"), run_of("paper", changes)]
    with pytest.raises(InputError, match=message):
        FusedTrainer([Trainer(run, mnist.train_images[:IMAGES], 0) for run in runs])


def test_in_single_precision_too(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    together, alone = (trainers(tiny_run, mnist.train_images) for _ in range(2))
    for found, single in zip(FusedTrainer(together).train(6), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(6).metrics, rel=1e-4, abs=1e-5)
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-3)


def test_company_does_not_matter(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    three = trainers(tiny_run, mnist.train_images, (5, 0, 7))
    FusedTrainer(three).train(3)
    two = trainers(tiny_run, mnist.train_images, (7, 5))
    FusedTrainer(two).train(3)
    assert_close_states(two[0], three[2], 1e-4)
    assert_close_states(two[1], three[0], 1e-4)


def test_torch_s_global_random_state_is_neither_read_nor_changed(
    tiny_run: RunConfig, mnist: ImageDataset
) -> None:
    before = torch.get_rng_state()
    FusedTrainer(trainers(tiny_run, mnist.train_images)).train(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_replica_s_time_is_its_share(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    intervals = FusedTrainer(trainers(tiny_run, mnist.train_images)).train(2)
    seconds = {interval.seconds for interval in intervals if isinstance(interval, TrainingInterval)}
    assert len(seconds) == 1
    for interval in intervals:
        assert isinstance(interval, TrainingInterval)
        assert interval.images_per_second == pytest.approx(2 * 32 / seconds.copy().pop())


# Divergence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["paper", "mlp"])
def test_one_that_diverges_is_named_and_leaves_the_others_alone(
    mnist: ImageDataset, architecture: str
) -> None:
    run = run_of(architecture, ALL_OF_IT)
    together, alone = (trainers(run, mnist.train_images) for _ in range(2))
    for each in (together, alone):
        *_, q_bias = each[1].model.networks.Q_head.parameters()
        with torch.no_grad():
            q_bias[10] = torch.nan  # 10 logits, then the mean of uniform_0
    first, second, third = FusedTrainer(together).train(3)
    assert isinstance(second, DivergedError)
    assert str(second) == "diverged at step 1: L_I/uniform_0 is not finite"
    assert second.step == 1
    with pytest.raises(DivergedError, match=f"^{second}$"):
        alone[1].train(3)
    for found, single in ((first, alone[0]), (third, alone[2])):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(3).metrics, rel=1e-3, abs=1e-3)


def test_a_weight_that_goes_bad_in_the_last_update_is_named(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    run = apply(tiny_run, {"optimiser.lr_g": 3e38, "optimiser.beta1": 0.9})
    for found in FusedTrainer(trainers(run, mnist.train_images)).train(1):
        assert isinstance(found, DivergedError)
        assert str(found).startswith("diverged at step 1: G.")


# A trial ---------------------------------------------------------------------------------------------------

Spec = Callable[[str], TrialSpec]


@pytest.fixture
def spec(tiny_run: RunConfig) -> Spec:
    """Two seeds of six steps, reported every two, to be trained as `seeds_together` says."""

    def make(seeds_together: Any) -> TrialSpec:
        dataset, evaluation = DatasetConfig(train_size=256, test_size=100), EvaluationConfig(every=2)
        return TrialSpec("0003", {}, tiny_run, dataset, evaluation, (0, 1), seeds_together)

    return make


def finish(trial: Trial) -> TrialUpdate:
    while trial.update.status is Status.RUNNING:
        trial.advance()
    return trial.update


def losses(update: TrialUpdate) -> list[float]:
    assert update.status is Status.FINISHED
    return [seed.metrics[name] for seed in update.seeds for name in ("loss/d", "loss/g", "L_I", "L_I/cat_0")]


def test_a_trial_reports_the_same_either_way(spec: Spec) -> None:
    fused, one_by_one = (finish(Trial(spec(how))) for how in ("fused", "one-by-one"))
    assert losses(fused) == pytest.approx(losses(one_by_one), rel=1e-3, abs=1e-5)
    for ours, theirs in zip(fused.seeds, one_by_one.seeds, strict=True):
        assert (ours.seed, ours.step, ours.metrics.keys()) == (
            theirs.seed,
            theirs.step,
            theirs.metrics.keys(),
        )
    assert min(seed.seconds for seed in fused.seeds) > 0


@pytest.mark.parametrize(("before", "after"), [("fused", "one-by-one"), ("one-by-one", "fused")])
def test_what_one_way_saved_the_other_goes_on_with(
    spec: Spec, tmp_path: Path, before: str, after: str
) -> None:
    whole = finish(Trial(spec("one-by-one")))
    stopped = Trial(spec(before))
    stopped.advance()
    stopped.save(tmp_path)
    resumed = Trial(spec(after))
    resumed.load(tmp_path)
    memory = resumed.update.peak_memory  # its own process's
    assert resumed.update == replace(stopped.update, peak_memory=memory)
    assert losses(finish(resumed)) == pytest.approx(losses(whole), rel=1e-3, abs=1e-5)


def test_one_diverged_seed_ends_a_fused_trial_and_the_others_are_scored(spec: Spec, tmp_path: Path) -> None:
    start = Trial(spec("fused"))
    start.save(tmp_path)
    broken = tmp_path / "seed-1" / "checkpoint.safetensors"
    break_weights(broken)
    trial = Trial(spec("fused"))
    trial.load(tmp_path)
    update = trial.advance()
    assert update.status is Status.DIVERGED
    assert update.error == "seed 1: diverged at step 1: loss/d is not finite"
    assert [(seed.status, seed.step) for seed in update.seeds] == [(Status.STOPPED, 2), (Status.DIVERGED, 1)]
    assert "cluster_accuracy" in update.seeds[0].metrics


def break_weights(checkpoint: Path) -> None:
    """Make all weights of a checkpoint's trunk infinite."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(checkpoint, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a mapping
    for name, tensor in tensors.items():
        if name.startswith("networks/trunk") and name.endswith("weight"):
            tensor.fill_(torch.inf)
    save_file(tensors, checkpoint, metadata=metadata)


# What cannot be stacked ------------------------------------------------------------------------------------


class ReplacedBuffer(nn.Module):
    """Scales by a running mean that is a new tensor after every pass, which vmap never sees."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.detach().abs().mean()
        return x * self.mean


class OwnConstant(nn.Module):
    """Scales by a number that is neither a parameter nor a buffer, so that every replica has its own."""

    made = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.scale = next(self.made)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class LooksAtValues(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.mean() > 0 else 2 * x


UNSTACKABLE: dict[str, Callable[[], nn.Module]] = {
    "torch's spectral_norm": lambda: spectral_norm(nn.Linear(4, 1)),
    "dropout": nn.Dropout,
    "replaced buffer": ReplacedBuffer,
    "own constant": OwnConstant,
    "looks at values": LooksAtValues,
}


@pytest.fixture(params=list(UNSTACKABLE))
def unstackable(request: pytest.FixtureRequest, scratch_registry: None) -> str:
    """The name of an architecture with a part that cannot be stacked, or would be stacked wrongly."""
    part = UNSTACKABLE[request.param]

    @register_architecture("odd")
    def odd(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        if request.param == "torch's spectral_norm":
            networks.D_head = spectral_norm(networks.D_head)
        else:
            networks.D_head = nn.Sequential(networks.D_head, part())
        return networks

    return "odd"


def test_under_fused_it_is_refused_before_training(spec: Spec, unstackable: str) -> None:
    run = apply(spec("fused").run, {"architecture.name": unstackable})
    with pytest.raises(
        InputError, match=r"^seeds_together: this architecture cannot .*, use `one-by-one` \(.+\)$"
    ):
        Trial(replace(spec("fused"), run=run))
    Trial(replace(spec("fused"), run=run, seeds=(0,)))  # a single seed needs no stack
    assert Trial(replace(spec("auto"), run=run)).update.status is Status.RUNNING


def check_planned(tree: dict[str, Any]) -> None:
    """Check a sweep as it is checked before it starts."""
    from infogan_bench.sweep.check import check

    sweep = parse_sweep(tree)
    check(sweep, plan(sweep))


def test_a_sweep_under_fused_is_refused_before_it_starts(unstackable: str) -> None:
    tree = {
        "name": "odd",
        "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
        "base": {"architecture": {"name": unstackable}, "batch": 32},
        "seeds": 2,
    }
    with pytest.raises(InputError, match=r"^seeds_together: this architecture cannot"):
        check_planned({**tree, "seeds_together": "fused"})
    check_planned(tree)


def test_r1_is_refused_since_vmap_does_not_take_it(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    group = trainers(apply(tiny_run, {"objective.r1": 0.1}), mnist.train_images)
    with pytest.raises(InputError, match=r"^seeds_together: with `objective\.r1` .* use `one-by-one`$"):
        FusedTrainer(group)
    tree = {"name": "r1", "dataset": {"name": "mnist", "train_size": 64, "test_size": 64}, "seeds": 2}
    tree |= {"base": {"batch": 32}, "space": {"objective.r1": [0.0, 1.0]}, "seeds_together": "fused"}
    with pytest.raises(InputError, match=r"^seeds_together: with `objective\.r1`"):
        check_planned(tree)


# The choice ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "device", "n", "is_fused"),
    [
        ("auto", "cpu", 2, False),
        ("auto", "cuda", 2, True),
        ("auto", "cuda", 1, False),
        ("fused", "cpu", 2, True),
        ("fused", "cpu", 1, False),
        ("one-by-one", "cuda", 2, False),
    ],
)
def test_when_seeds_are_fused(
    tiny_run: RunConfig, mnist: ImageDataset, choice: Any, device: str, n: int, is_fused: bool
) -> None:
    group = trainers(tiny_run, mnist.train_images, tuple(range(n)))
    for each in group:
        each.device = torch.device(device)  # where it says that it is: nothing is trained here
    assert (fuse(choice, group) is not None) == is_fused


def test_auto_goes_one_by_one_where_the_architecture_cannot_be_stacked(
    tiny_run: RunConfig, mnist: ImageDataset, unstackable: str
) -> None:
    group = trainers(apply(tiny_run, {"architecture.name": unstackable}), mnist.train_images)
    for each in group:
        each.device = torch.device("cuda")
    assert fuse("auto", group) is None


def test_the_key_of_a_sweep_file() -> None:
    assert parse_sweep({"name": "x"}).seeds_together == "auto"
    for how in ("auto", "fused", "one-by-one"):
        assert parse_sweep({"name": "x", "seeds_together": how}).seeds_together == how
    message = r"seeds_together: expected `auto`, `fused` or `one-by-one`, got 'one_by_one'; did you mean `one-by-one`\?"
    with pytest.raises(ConfigError, match=message):
        parse_sweep({"name": "x", "seeds_together": "one_by_one"})
