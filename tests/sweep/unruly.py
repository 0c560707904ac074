"""A user's modules that do what they should not; an extension for the sweep in `three_trials`.

Where something is to happen once, or at a place in time, files in the folder MARKS remember or tell.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

from torch import Tensor, nn

from infogan_bench import trial
from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import ImageDataset, load_dataset, register_dataset
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp

FOLDER = Path(os.environ.get("MARKS", "/nonexistent"))


def once(name: str) -> bool:
    """Whether this is the first call with `name` of all processes."""
    try:
        (FOLDER / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


# Architectures that act in the middle of the second of two intervals, at the 30th batch of 40 ----------------------


class _Acts(nn.Module):
    def __init__(self, act) -> None:
        super().__init__()
        self.act = act
        self.batches = 0

    def forward(self, x: Tensor) -> Tensor:
        self.batches += self.training
        if self.batches == 30:
            self.act()
        return x


def _acting(name: str):
    def register(act):
        @register_architecture(name)
        def build(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
            networks = mlp(image_shape, latent_dim, q_dim, width)
            networks.G = nn.Sequential(networks.G, _Acts(act))
            return networks

        return act

    return register


class Odd(BaseException):
    pass


@_acting("raises-a-base-exception")
def _odd() -> None:
    raise Odd("not even an Exception")


@_acting("raises-a-keyboard-interrupt")
def _interrupt() -> None:
    raise KeyboardInterrupt


@_acting("raises-unpicklable")
def _unpicklable() -> None:
    class LocalError(Exception):
        def __reduce__(self):
            raise TypeError("no pickle")

    raise LocalError("holds an open file, say \ud800")


@_acting("raises-mute")
def _mute() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    raise MuteError


@_acting("raises-a-megabyte")
def _long() -> None:
    raise RuntimeError("x" * 1_000_000)


@_acting("exits")
def _exits() -> None:
    raise SystemExit(0)


@_acting("kills-its-process-once")
def _kills() -> None:
    if once("killed"):
        os.kill(os.getpid(), signal.SIGKILL)


@_acting("lingers")
def _lingers() -> None:
    if not once("first-trial-passed") and once("lingered"):  # the second trial waits for the sweep's end
        time.sleep(600)


@_acting("takes-its-time")
def _takes_its_time() -> None:
    time.sleep(2)


@register_architecture("narrow-only")
def _narrow_only(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    if width > 0.05:
        raise ValueError(f"width {width} is too much for me")
    return mlp(image_shape, latent_dim, q_dim, width)


# A dataset that cannot be read the second time: the first is the check before the sweep ----------------------------


@register_dataset("moody")
def _moody(data_dir: Path | None) -> ImageDataset:
    if not once("moody-read"):
        raise RuntimeError("the archive is locked right now")
    return load_dataset(DatasetConfig(train_size=512, test_size=200))


# Disks -------------------------------------------------------------------------------------------------------------


@_acting("fills-the-disk")
def _fills() -> None:
    """Once a trial has ended, write until nothing more fits; `disk` is a link to the file system."""
    disk = FOLDER / "disk"
    if not list(disk.glob("*/trials/*/trial.json")) or not once("filled"):
        return
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (2**16, 1):
            try:
                while filler.write(bytes(size)):
                    pass
            except OSError:
                pass


_save_checkpoint = trial.save_checkpoint


def _over_quota(trainer, dataset, path: Path) -> None:
    if (FOLDER / "quota-used-up").exists():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(path))
    _save_checkpoint(trainer, dataset, path)


trial.save_checkpoint = _over_quota
