"""Spectral normalisation: torch's numbers, torch's names, and a form that `vmap` takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.utils import parametrizations

from infogan_bench.networks import spectral, spectral_norm
from infogan_bench.networks.triton_here import triton_works

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(6, 4), (3, 6)),
    "convolution": (lambda: nn.Conv2d(3, 5, 4, stride=2).to(memory_format=torch.channels_last), (2, 3, 8, 8)),
}


@pytest.fixture(params=["CPU", "GPU"])
def on_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to compute it, on the CPU."""
    monkeypatch.setattr(spectral, "on_gpu", lambda weight: request.param == "GPU")


@pytest.fixture(params=list(LAYERS))
def pair(request: pytest.FixtureRequest, on_gpu: None) -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    """Equal layers, normalised by this package and by torch, and the shape of a batch."""
    make, shape = LAYERS[request.param]
    made = []
    for normalise in (spectral_norm, parametrizations.spectral_norm):
        torch.manual_seed(0)
        made.append(normalise(make()))
    ours, theirs = made
    return ours, theirs, shape


def assert_equal_states(ours: nn.Module, theirs: nn.Module) -> None:
    found, expected = ours.state_dict(), theirs.state_dict()
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-6, atol=1e-6)


def test_values_and_gradients_are_those_of_torch_over_several_steps(
    pair: tuple[nn.Module, nn.Module, tuple[int, ...]],
) -> None:
    ours, theirs, shape = pair
    assert_equal_states(ours, theirs)  # the vectors before training too
    optimisers = [torch.optim.SGD(layer.parameters(), 0.5) for layer in (ours, theirs)]
    generator = torch.Generator().manual_seed(1)
    for step in range(4):
        # two uses before the gradient, as D has for real and for generated images
        batches = [torch.randn(shape, generator=generator) for _ in range(2)]
        made = []
        for layer, optimiser in zip((ours, theirs), optimisers, strict=True):
            layer.train(step != 2)  # the vectors stay in a step that does not train
            outputs = [layer(batch) for batch in batches]
            optimiser.zero_grad()
            (outputs[0].square().mean() - outputs[1].tanh().mean()).backward()
            made.append([*outputs, *(each.grad for each in layer.parameters() if each.grad is not None)])
            optimiser.step()
        assert len(made[0]) == 4
        for found, expected in zip(*made, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
        assert_equal_states(ours, theirs)


def test_what_torch_saved_is_loaded(pair: tuple[nn.Module, nn.Module, tuple[int, ...]]) -> None:
    ours, theirs, shape = pair
    with torch.no_grad():
        theirs.get_parameter("parametrizations.weight.original").normal_()
        theirs(torch.zeros(shape))
    names = list(theirs.state_dict())
    assert names[1:] == [f"parametrizations.weight.{name}" for name in ("original", "0._u", "0._v")]
    ours.load_state_dict(theirs.state_dict())
    assert_equal_states(ours, theirs)


def test_stacked_layers_move_as_each_would_alone(on_gpu: None) -> None:
    torch.manual_seed(0)
    layers = [nn.Sequential(spectral_norm(nn.Linear(6, 4))) for _ in range(3)]
    inputs = torch.randn(3, 5, 6)
    parameters, buffers = stack_module_state(layers)

    def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        made: Tensor = functional_call(layers[0], (parameters, buffers), (x,))
        return made

    for _ in range(2):
        found = vmap(of_one)(parameters, buffers, inputs)
        expected = torch.stack([layer(x) for layer, x in zip(layers, inputs, strict=True)])
        torch.testing.assert_close(found, expected)
    for name, stack in buffers.items():
        torch.testing.assert_close(stack, torch.stack([layer.state_dict()[name] for layer in layers]))
    gradients = torch.autograd.grad(found.square().sum(), list(parameters.values()))
    expected.square().sum().backward()  # type: ignore[no-untyped-call]
    for name, gradient in zip(parameters, gradients, strict=True):
        alone = [layer.get_parameter(name).grad for layer in layers]
        torch.testing.assert_close(gradient, torch.stack([each for each in alone if each is not None]))


def test_in_bfloat16_the_estimate_keeps_its_digits(on_gpu: None) -> None:
    torch.manual_seed(0)
    layer, twin = (spectral_norm(nn.Linear(60, 40)) for _ in range(2))
    twin.load_state_dict(layer.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        found = layer.weight
    assert found.dtype is torch.float32
    assert torch.equal(found, twin.get_submodule("parametrizations.weight")())


COMPARE = """
import torch
from infogan_bench.networks import spectral, spectral_kernel

for n, height, width in [(2, 70, 16), (1, 3, 1100), (2, 1, 128)]:  # 70, 1100: more than a kernel reads at a time
    generator = torch.Generator().manual_seed(0)
    matrices, u, v = (torch.randn(n, *shape, generator=generator) for shape in [(height, width), (height,), (width,)])
    states = [(u.clone(), v.clone()) for _ in range(2)]
    for _ in range(2):
        found = spectral_kernel.normalise(matrices, *states[0])
        expected = spectral.SpectralOperations.normalise(matrices, *states[1])
        gradient = torch.randn(n, height, width, generator=generator)
        found = (*found, spectral_kernel.gradient(gradient, *found))
        expected = (*expected, spectral.SpectralOperations.gradient(gradient, *expected))
        torch.testing.assert_close((*found, *states[0]), (*expected, *states[1]), rtol=1e-5, atol=1e-6)
    largest = torch.linalg.matrix_norm(matrices, ord=2)
    assert bool((expected[3] <= largest * 1.0001).all())
zero = torch.zeros(1, 2, 3)
assert not spectral_kernel.normalise(zero, zero[:, :, 0].clone(), zero[:, 0].clone())[0].any()

layers = [torch.nn.Sequential(spectral.spectral_norm(torch.nn.Conv2d(2, 5, 4, bias=False))) for _ in range(2)]
parameters, buffers = torch.func.stack_module_state(layers)
images = torch.randn(2, 3, 2, 8, 8)
spectral.on_gpu = lambda weight: True
spectral.form_of = lambda tensor: spectral_kernel
def of_one(*state): return torch.func.functional_call(layers[0], state[:2], (state[2],))
stacked = torch.vmap(of_one)(parameters, buffers, images).square().sum()
alone = sum(layer(x).square().sum() for layer, x in zip(layers, images))
(found,) = torch.autograd.grad(stacked, list(parameters.values()))
expected = torch.stack(torch.autograd.grad(alone, [each for layer in layers for each in layer.parameters()]))
torch.testing.assert_close((stacked, found), (alone, expected), rtol=1e-5, atol=1e-4)
for name, stack in buffers.items():
    torch.testing.assert_close(stack, torch.stack([layer.state_dict()[name] for layer in layers]))
print("equal")
"""


def test_triton_s_kernels_compute_what_torch_s_operations_compute() -> None:
    pytest.importorskip("triton")
    # Triton's interpreter, which needs no GPU, has to be chosen before Triton is imported
    env = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", COMPARE], env=env, capture_output=True, text=True)
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a process without a GPU")
def test_where_triton_cannot_compile_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("triton")
    triton_works.cache_clear()
    assert not triton_works()
    assert not triton_works()
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "Triton cannot compile kernels here"
    ]
