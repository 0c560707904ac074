"""What only a card can tell; skipped where there is none."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from infogan_bench.config import RunConfig, apply
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Networks, register_architecture, registry, spectral
from infogan_bench.networks.architectures import mlp
from infogan_bench.networks.triton_here import triton_works
from infogan_bench.training import FusedTrainer, PackedTrainer, Trainer, TrainingInterval
from infogan_bench.training.device import arithmetic, device_name
from infogan_bench.training.memory import PeakMemory, is_out_of_memory
from infogan_bench.training.patches import PatchOperations, Window, form_of
from tests.training.test_patches import WINDOWS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")

ALL_OF_IT = {
    "objective.transform.rotation": 10.0,
    "objective.transform.share": 0.5,
    "objective.consistency": 0.5,
    "objective.balance": 0.5,
    "objective.vat": 0.5,
    "objective.contrastive": 0.5,
    "objective.instance_noise": 0.2,
    "optimiser.decay": 0.5,
    "optimiser.ema": 0.9,
}
IMAGES = 256  # 8 steps an epoch
SQUARES = torch.randint(
    256, (IMAGES, 1, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
)


def run_of(architecture: str = "paper", changes: Mapping[str, Any] = ALL_OF_IT) -> RunConfig:
    few = {"architecture.name": architecture, "architecture.width": 0.125, "batch": 32, "steps": 20}
    return apply(RunConfig(), {**few, **changes})


def on_card(run: RunConfig, mnist: ImageDataset, seed: int = 0) -> Trainer:
    return Trainer(run, mnist.train_images[:IMAGES], seed, "cuda")


def assert_close_states(found: Trainer, expected: Trainer, tolerance: float) -> None:
    ours, theirs = found.state(), expected.state()
    for name, tensor in theirs.items():
        if tensor.is_floating_point():
            assert float((ours[name] - tensor).norm()) <= tolerance * float(tensor.norm()) + 1e-6, name
        else:
            assert torch.equal(ours[name], tensor), name


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it, and trainers made from then on capture nothing."""
    return lambda: monkeypatch.setattr(registry, "_TAKE_CUDA_GRAPH", set())


@pytest.fixture(autouse=True)
def deterministic() -> Any:
    """cuDNN's algorithms that add in one order: else two equal trainings differ in the last bits."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = before


# CUDA graphs -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures(
    "double_precision"
)  # on a card the gradient of a transformation adds up in any order
@pytest.mark.parametrize("changes", [{}, ALL_OF_IT], ids=["paper's recipe", "all of it"])
@pytest.mark.parametrize("architecture", ["paper", "mlp", "dcgan"])
def test_a_replayed_update_does_what_the_update_does(
    mnist: ImageDataset, eager: Any, architecture: str, changes: dict[str, Any]
) -> None:
    run = run_of(architecture, changes)
    replayed = on_card(run, mnist)
    eager()
    launched = on_card(run, mnist)
    for steps in (8, 2, 7):  # into the third epoch
        found, expected = (each.train(steps) for each in (replayed, launched))
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-4)
    assert replayed._loop._graph is not None
    assert launched._loop._graph is None
    assert torch.equal(replayed.generator.get_state(), launched.generator.get_state())
    assert_close_states(replayed, launched, 1e-6)


@pytest.mark.parametrize("changes", [{"objective.r1": 0.1}, {"architecture.spectral_norm": True}])
def test_penalty_and_spectral_normalisation_are_captured_too(
    mnist: ImageDataset, eager: Any, changes: dict[str, Any]
) -> None:
    replayed = on_card(run_of(changes=changes), mnist)
    eager()
    launched = on_card(run_of(changes=changes), mnist)
    found, expected = (each.train(10) for each in (replayed, launched))
    assert replayed._loop._graph is not None
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-2, abs=2e-3)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("changes", [{}, {"objective.contrastive": 0.5}])
def test_spectral_normalisation_trains_fused_as_alone(changes: dict[str, Any]) -> None:
    run = run_of("infogan-cr", {"codes.categorical": (), "codes.uniform": 3, **changes})
    together, alone = ([Trainer(run, SQUARES, seed, "cuda") for seed in range(3)] for _ in range(2))
    group = FusedTrainer(together)
    for found, single in zip(group.train(6), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(6).metrics, rel=1e-4)
    assert group._loop._graph is not None
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-6)


def test_spectral_normalisation_by_triton_is_that_of_torch_s_operations() -> None:
    if not triton_works():
        pytest.skip("needs Triton")
    for height, width in ((32, 16), (70, 1500), (1, 128), (1024, 6272)):
        generator = torch.Generator().manual_seed(0)
        shapes = [(2, height, width), (2, height), (2, width)]
        given = [torch.randn(shape, generator=generator) for shape in shapes]
        on_card, double = [each.cuda() for each in given], [each.double() for each in given]
        kernels = spectral.form_of(on_card[0])
        assert kernels is not spectral.SpectralOperations
        found = kernels.normalise(on_card[0], on_card[1], on_card[2])
        expected = spectral.SpectralOperations.normalise(double[0], double[1], double[2])
        gradient = torch.randn(shapes[0], generator=generator)
        of_found = kernels.gradient(gradient.cuda(), *found)
        of_expected = spectral.SpectralOperations.gradient(gradient.double(), *expected)
        pairs = zip((*found, of_found, *on_card[1:]), (*expected, of_expected, *double[1:]), strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours.cpu().double(), theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize(
    ("channels", "dtype"), [(1, torch.float32), (32, torch.float32), (70, torch.bfloat16)]
)
def test_patches_by_triton_are_those_of_torch_s_operations(
    window: Window, channels: int, dtype: torch.dtype
) -> None:
    if not triton_works():
        pytest.skip("needs Triton")
    images = torch.randn(3, 9, 2, 11, channels, device="cuda", dtype=dtype).transpose(1, 2)
    kernels = form_of(images)
    assert kernels is not PatchOperations
    patches = PatchOperations.gather(images, window)
    assert torch.equal(kernels.gather(images, window), patches)
    found, expected = (each.add_up(patches.float(), 9, 11, window) for each in (kernels, PatchOperations))
    torch.testing.assert_close(found, expected)


def test_a_loaded_state_is_trained_on_and_not_the_one_that_was_captured(mnist: ImageDataset) -> None:
    run = run_of()
    first = on_card(run, mnist)
    first.train(8)
    kept = {name: tensor.clone() for name, tensor in first.state().items()}
    went_on = first.train(6).metrics
    first.load_state(kept)
    fresh = on_card(run, mnist)
    fresh.load_state(kept)
    for trainer in (first, fresh):
        assert trainer.step == 8
        assert trainer.train(6).metrics == pytest.approx(went_on, rel=1e-2, abs=2e-3)


def test_new_random_numbers_after_a_reseed(mnist: ImageDataset) -> None:
    once, again = (on_card(run_of(), mnist) for _ in range(2))
    for trainer in (once, again):
        trainer.train(8)
    again.reseed(1, 2)
    assert once.train(5).metrics["loss/d"] != again.train(5).metrics["loss/d"]


class Waits(nn.Module):
    """Looks at a value on its way, which no graph can."""

    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.detach().sum()) < torch.inf else -x


@pytest.mark.parametrize("cuda_graph", [False, True])
def test_an_own_architecture_is_captured_if_it_says_so(
    mnist: ImageDataset, scratch_registry: None, cuda_graph: bool
) -> None:
    @register_architecture("waits", cuda_graph=cuda_graph)
    def waits(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        networks.trunk = nn.Sequential(networks.trunk, Waits())
        return networks

    trainer = on_card(run_of("waits"), mnist)
    if cuda_graph:
        with pytest.raises(
            InputError, match=r"cannot be captured as a CUDA graph \(.+\); register it without"
        ):
            trainer.train(8)
    else:
        assert trainer.train(8).metrics["L_I"] == pytest.approx(0, abs=20)
    assert on_card(run_of("mlp"), mnist).train(8).seconds > 0  # the card is as good as before


def test_a_graph_that_the_garbage_collector_could_free_in_a_capture_does_not_spoil_it(
    mnist: ImageDataset,
) -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(0)  # never on its own
    try:
        on_card(run_of(), mnist).train(8)  # a cycle of references, so the collector's from here on
        trainer = on_card(run_of(), mnist)
        update = trainer._loop._update

        def with_garbage(indices: Tensor, rates: Tensor) -> Tensor:
            if torch.cuda.is_current_stream_capturing():
                gc.set_threshold(1)
            lists: list[list[int]] = [[] for _ in range(100)]
            return update(indices, rates[: len(lists)])

        trainer._loop._update = with_garbage
        trainer.train(8)
    finally:
        gc.set_threshold(*thresholds)
    assert trainer._loop._graph is not None


# Many seeds at once ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("architecture", ["paper", "mlp", "dcgan"])
def test_replicas_train_as_each_would_alone(mnist: ImageDataset, architecture: str) -> None:
    run = run_of(architecture)
    together, alone = ([on_card(run, mnist, seed) for seed in range(3)] for _ in range(2))
    group = FusedTrainer(together)
    for steps in (6, 4):
        for found, single in zip(group.train(steps), alone, strict=True):
            assert isinstance(found, TrainingInterval)
            assert found.metrics == pytest.approx(single.train(steps).metrics, rel=1e-4)
    assert group._loop._graph is not None
    for ours, theirs in zip(together, alone, strict=True):
        assert_close_states(ours, theirs, 1e-6)


@pytest.mark.usefixtures("double_precision")
def test_trainers_join_and_leave_a_stack_and_train_as_each_would_alone(mnist: ImageDataset) -> None:
    a, b, c = ((on_card(run_of(), mnist, seed), on_card(run_of(), mnist, seed)) for seed in range(3))
    pack = PackedTrainer(a[0])
    for members, steps in (([a, b], 5), ([a, b, c], 5), ([c], 4), ([a, c], 4)):
        found = pack.advance([together for together, _ in members], steps)
        for done, (together, alone) in zip(found, members, strict=True):
            expected = alone.train(steps).metrics
            assert together.report(done).metrics == pytest.approx(expected, rel=1e-4)
    for together, alone in (a, b, c):
        assert_close_states(together, alone, 1e-6)


# Precision and memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("precision", "tolerance"), [("tf32", 1e-2), ("bf16", 5e-2)])
def test_losses_in_less_precision_are_those_of_float32(
    mnist: ImageDataset, precision: str, tolerance: float
) -> None:
    exact = on_card(run_of(), mnist).train(3).metrics
    rough = on_card(run_of(changes={**ALL_OF_IT, "precision": precision}), mnist).train(3).metrics
    assert rough == pytest.approx(exact, rel=tolerance, abs=tolerance)
    assert rough != exact


def test_tf32_rounds_factors_and_float32_does_not() -> None:
    x = torch.full((64, 64), 1 + 2**-12, device="cuda")
    exact = 64 * (1 + 2**-12) ** 2
    with arithmetic("float32"):
        assert float((x @ x)[0, 0]) == pytest.approx(exact, rel=1e-6)
    with arithmetic("tf32"):
        assert float((x @ x)[0, 0]) == pytest.approx(64, rel=1e-6)  # 2^-12 is below TF32's last bit


def test_no_memory_left_is_told_as_such() -> None:
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**50, dtype=torch.uint8, device="cuda")
    assert is_out_of_memory(told.value)
    assert device_name(torch.device("cuda")) == torch.cuda.get_device_name()


def test_peak_memory_of_the_card() -> None:
    peak = PeakMemory(torch.device("cuda"))
    before = torch.cuda.memory_allocated()
    block = torch.empty(2**28, dtype=torch.uint8, device="cuda")
    del block
    assert peak.bytes is not None
    assert peak.bytes - before == pytest.approx(2**28, rel=0.1)
