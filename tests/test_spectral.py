"""Spectral normalisation: torch's numbers, torch's names, and a form that `vmap` takes."""

from __future__ import annotations

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


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a process without a GPU")
def test_where_triton_cannot_compile_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("triton")
    triton_works.cache_clear()
    assert not triton_works()
    assert not triton_works()
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "Triton cannot compile kernels here"
    ]
