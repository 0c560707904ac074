"""The cache of drawn images: one drawing for many processes, whole files, a file for each array of parameters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infogan_bench.drawing import cache
from infogan_bench.drawing.cache import cached_file, drawn
from infogan_bench.errors import InputError

MODULE = '''
import os
from pathlib import Path
import numpy as np

def draw(parameters):
    """Images of 2 x 3 pixels; each call leaves a file behind."""
    log = Path(os.environ["DRAW_LOG"]) / f"{os.getpid()}-{len(parameters)}-{parameters[0, 0]}"
    log.touch()
    return np.broadcast_to(parameters[:, :1, None, None] % 251, (len(parameters), 1, 2, 3)).astype(np.uint8)

def fail(parameters):
    if len(parameters) > 1 and parameters[0, 0] > 600:
        raise ValueError("no ink")
    return draw(parameters)
'''
ASK = """
import numpy as np, ink
from infogan_bench.drawing import drawn
images = drawn(ink.draw, np.arange(3000.0)[:, None], "ink", 1)
assert images.shape == (3000, 1, 2, 3) and (images[:, 0, 0, 0] == np.arange(3000) % 251).all()
"""


@pytest.fixture
def ink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A module that draws, as its users import it, with an empty cache."""
    (tmp_path / "code").mkdir()
    (tmp_path / "log").mkdir()
    (tmp_path / "code" / "ink.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setenv("DRAW_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "cache"))
    sys.modules.pop("ink", None)
    import ink

    return ink


def calls(tmp_path: Path) -> int:
    return len(list((tmp_path / "log").iterdir()))


def test_images_are_drawn_once(ink, tmp_path: Path) -> None:
    parameters = np.arange(5.0)[:, None]
    first = drawn(ink.draw, parameters, "ink", 1)
    assert first[:, 0, 1, 2].tolist() == [0, 1, 2, 3, 4]
    n = calls(tmp_path)
    first[:] = 9  # of this process alone
    assert drawn(ink.draw, parameters, "ink", 1)[:, 0, 1, 2].tolist() == [0, 1, 2, 3, 4]
    assert calls(tmp_path) == n


def test_processes_that_start_at_once_draw_once(ink, tmp_path: Path) -> None:
    """Four processes ask for 3,000 images. The chunks of 128 and the image that tells the shape are drawn once each."""
    environment = {**__import__("os").environ, "PYTHONPATH": str(tmp_path / "code")}
    asking = [subprocess.Popen([sys.executable, "-c", ASK], env=environment) for _ in range(4)]
    assert [each.wait(timeout=120) for each in asking] == [0] * 4
    assert calls(tmp_path) == 24 + 1
    assert sorted(path.suffix for path in (tmp_path / "cache" / "drawn").iterdir()) == [".lock", ".npy"]


def test_a_half_written_file_is_not_taken(ink) -> None:
    """A killed process leaves a file of the right size, whose images are black."""
    parameters = np.arange(5.0)[:, None]
    path = cached_file(ink.draw, parameters, "ink", 1)
    path.parent.mkdir(parents=True)
    np.save(path.with_suffix(".npy.partial"), np.zeros((5, 1, 2, 3), np.uint8))
    path.with_suffix(".partial").write_bytes(b"half")
    assert drawn(ink.draw, parameters, "ink", 1)[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert not path.with_suffix(".partial").exists()


def test_another_parameter_or_version_draws_anew(ink, tmp_path: Path) -> None:
    parameters = np.arange(5.0)[:, None]
    asked = [
        (ink.draw, parameters, "ink", 1),
        (ink.draw, parameters, "ink", 2),
        (ink.fail, parameters, "ink", 1),
    ]
    asked.append((ink.draw, np.arange(5.0)[:, None] + [[0], [0], [0], [0], [1e-9]], "ink", 1))
    assert len({cached_file(*each) for each in asked}) == 4
    drawn(*asked[0])
    changed = drawn(ink.draw, parameters + 7, "ink", 1)
    assert changed[:, 0, 0, 0].tolist() == [7, 8, 9, 10, 11]


def test_a_drawing_that_fails_leaves_no_file_and_says_why(ink) -> None:
    parameters = np.arange(3000.0)[:, None]
    with pytest.raises((RuntimeError, ValueError), match="no ink"):
        drawn(ink.fail, parameters, "ink", 1)
    folder = cached_file(ink.fail, parameters, "ink", 1).parent
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_written_is_named(
    ink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        InputError, match=r"cannot be cached here \(Not a directory\); set INFOGAN_BENCH_CACHE to"
    ):
        drawn(ink.draw, np.zeros((1, 1)), "ink", 1)


def test_the_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("INFOGAN_BENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache.sys, "platform", "linux")
    assert cache.cache_folder() == tmp_path / "infogan-bench"
