"""Which processors compute in bfloat16, by the lines that Linux has for them, and who refuses the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from infogan_bench.config import describe, parse_sweep, plan, processor
from infogan_bench.errors import InputError
from infogan_bench.sweep import start
from infogan_bench.training.device import check_precision, device_name
from infogan_bench.trial import Trial, TrialSpec

GENOA = "model name\t: AMD EPYC 9R14\nflags\t\t: fpu sse2 avx2 avx512f avx512_bf16 avx512_vnni\n"
SAPPHIRE = "model name\t: Intel(R) Xeon(R) Platinum 8481C\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n"
ROME = "model name\t: AMD EPYC 7B12\nflags\t\t: fpu sse2 avx2\n"
GRAVITON_3 = "processor\t: 0\nFeatures\t: fp asimd sve i8mm bf16 dgh\n"
GRAVITON_2 = "processor\t: 0\nFeatures\t: fp asimd asimdhp\n"

Told = Callable[[str | None], None]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """A function that lets the system say this of its processor; None: nothing."""

    def tell(text: str | None) -> None:
        processor._line.cache_clear()
        monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
        if text is not None:
            (tmp_path / "cpuinfo").write_text(text)

    yield tell
    processor._line.cache_clear()


@pytest.mark.parametrize(
    ("text", "computes"),
    [(GENOA, True), (SAPPHIRE, True), (ROME, False), (GRAVITON_3, True), (GRAVITON_2, False), (None, None)],
)
def test_a_processor_computes_in_bfloat16_or_not(told: Told, text: str | None, computes: bool | None) -> None:
    told(text)
    assert processor.computes_in_bfloat16() is computes


def test_bf16_is_refused_on_a_processor_that_emulates_it(told: Told) -> None:
    told(ROME)
    with pytest.raises(
        InputError, match="AMD EPYC 7B12 would emulate it, up to hundreds of times slower: use"
    ):
        check_precision("bf16", "cpu")
    check_precision("float32", "cpu")
    check_precision("tf32", "cpu")
    check_precision("bf16", "cuda")
    told(GENOA)
    check_precision("bf16", "cpu")


def test_a_trial_in_bf16_is_refused_before_it_trains(told: Told) -> None:
    told(ROME)
    sweep = parse_sweep({"name": "x", "base": {"precision": "bf16"}})
    spec = TrialSpec("0000", {}, sweep.base, sweep.dataset, sweep.evaluation, seeds=(0,))
    with pytest.raises(InputError, match="precision: bf16 needs a GPU"):
        Trial(spec)


@pytest.mark.parametrize(
    ("text", "precision", "line"),
    [
        (ROME, "bf16", "precision  bf16; bf16 needs a GPU here, since AMD EPYC 7B12 emulates it"),
        (ROME, "float32", "precision  float32"),
        (
            GENOA,
            "float32",
            "precision  float32; on this processor `base.precision: bf16` is faster for networks of width 0.5 and more",
        ),
        (GENOA, "bf16", "precision  bf16"),
    ],
)
def test_validate_offers_bf16_where_the_processor_has_it(
    told: Told, text: str, precision: str, line: str
) -> None:
    told(text)
    sweep = parse_sweep({"name": "x", "base": {"precision": precision}})
    assert line in describe(sweep, plan(sweep)).splitlines()


def test_the_device_of_a_trial_has_the_processor_s_name(told: Told) -> None:

    told(SAPPHIRE)
    assert device_name(torch.device("cpu")) == "cpu Intel(R) Xeon(R) Platinum 8481C"


def test_a_sweep_in_bf16_is_refused_before_ray_starts(told: Told, tmp_path: Path, no_ray: None) -> None:
    told(ROME)
    base = {"steps": 2, "precision": "bf16"}
    sweep = parse_sweep(
        {"name": "x", "base": base, "resources": {"gpus": 0}, "tracking": "none", "output": str(tmp_path)}
    )
    with pytest.raises(InputError, match="precision: bf16 needs a GPU"):
        start(sweep)
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "cpuinfo"])  # no folder is left behind
