"""A term from outside, in one file, through a whole sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infogan_bench.config import parse_sweep
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.training import FusedTrainer, Trainer

EXAMPLE = Path(__file__).with_name("term_example.py")
BASE: dict[str, Any] = {
    "architecture": {"name": "mlp", "width": 0.05}, "codes": {"noise": 4}, "steps": 6, "batch": 16,
}  # fmt: skip


def base(options: object) -> dict[str, Any]:
    return {"name": "t", "base": {**BASE, "objective": {"terms": {"darkness": options}}}}


def test_it_pulls_g_where_its_options_say_alone_and_fused(mnist: ImageDataset) -> None:
    load_extensions([str(EXAMPLE)])
    run = parse_sweep(base({"weight": 30, "target": -1})).base
    alone = Trainer(run, mnist.train_images, 0)
    group = FusedTrainer([Trainer(run, mnist.train_images, seed) for seed in (0, 1)])
    first, then = (alone.train(10).metrics["loss/darkness"] for _ in range(2))
    assert then < first < 1.1  # images begin grey, 1 from black
    found, _ = group.train(10)
    assert not isinstance(found, Exception)
    assert found.metrics["loss/darkness"] == pytest.approx(first, rel=1e-3)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"gloom": 1}, r"objective\.terms\.gloom: no such term.*`extensions`"),
        ({"darkness": {"wieght": 1}}, r"objective\.terms\.darkness\.wieght: no such option.*weight"),
    ],
)
def test_an_unknown_term_or_option_is_one_clear_error(
    mnist: ImageDataset, terms: dict[str, Any], message: str
) -> None:
    load_extensions([str(EXAMPLE)])
    run = parse_sweep({"name": "t", "base": {**BASE, "objective": {"terms": terms}}}).base
    with pytest.raises(InputError, match=message):
        Trainer(run, mnist.train_images, 0)


def test_a_term_that_weighs_nothing_is_off(mnist: ImageDataset) -> None:
    load_extensions([str(EXAMPLE)])
    run = parse_sweep(base(0)).base
    assert "loss/darkness" not in Trainer(run, mnist.train_images, 0).quantities
