"""Adam against `torch.optim.Adam`, whose class it does without."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from infogan_bench.training.adam import Adam

BETAS = (0.5, 0.999)
STEPS = 5


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(4, 3, 5, 5, generator=generator).contiguous(memory_format=torch.channels_last)
    return [
        nn.Parameter(image),
        nn.Parameter(torch.randn(7, generator=generator)),
        nn.Parameter(torch.ones(2)),
    ]


def set_gradients(parameters: list[nn.Parameter], step: int) -> None:
    """Of all but the last, which takes no part."""
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters[:-1]:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def rate(step: int) -> Tensor:
    return torch.tensor(1e-2 / (1 + step), dtype=torch.float64)


def test_it_does_what_torchs_class_does() -> None:
    ours, theirs = parameters(), parameters()
    adam = Adam(ours, 1e-2, BETAS)
    expected = torch.optim.Adam(theirs, lr=1e-2, betas=BETAS, fused=True)
    for step in range(STEPS):
        for each in (ours, theirs):
            set_gradients(each, step)
        adam.lr = expected.param_groups[0]["lr"] = rate(step)
        adam.step()
        expected.step()
    for found, wanted in zip(ours, theirs, strict=True):
        assert torch.equal(found, wanted)


def test_its_first_step_is_as_long_as_the_step_size() -> None:
    # m / (1 - beta1) is g and v / (1 - beta2) is g^2, so that a step is lr g / |g|: the paper's section 2.1
    parameter = nn.Parameter(torch.zeros(3))
    parameter.grad = torch.tensor([1e-3, -20.0, 5.0])
    Adam([parameter], 0.1, BETAS).step()
    torch.testing.assert_close(parameter.detach(), torch.tensor([-0.1, 0.1, -0.1]), rtol=1e-4, atol=0)


def test_a_loaded_state_goes_on_bit_for_bit() -> None:
    whole, first = parameters(), parameters()
    through, before = Adam(whole, 1e-2, BETAS), Adam(first, 1e-2, BETAS)
    for step in range(STEPS):
        set_gradients(whole, step)
        through.step()
    for step in range(2):
        set_gradients(first, step)
        before.step()
    second = [nn.Parameter(each.detach().clone()) for each in first]
    after = Adam(second, 1e-2, BETAS)
    after.load_state(
        {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in before.state().items()}
    )
    for step in range(2, STEPS):
        set_gradients(second, step)
        after.step()
    for found, wanted in zip(second, whole, strict=True):
        assert torch.equal(found, wanted)


def test_a_state_with_a_tensor_missing_is_refused() -> None:
    weights = parameters()
    set_gradients(weights, 0)
    adam = Adam(weights, 1e-2, BETAS)
    adam.step()
    state = adam.state()
    del state["1/exp_avg"]
    with pytest.raises(KeyError, match="1/exp_avg"):
        adam.load_state(state)


def test_training_does_not_import_torchs_compiler() -> None:
    code = """
import sys, torch
from infogan_bench.config import RunConfig, apply
from infogan_bench.training import Trainer
run = apply(RunConfig(), {"architecture.width": 0.02, "batch": 4})
Trainer(run, torch.zeros(8, 1, 28, 28, dtype=torch.uint8), 0).train(1)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
