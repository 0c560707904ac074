"""Modules of the user's own: found by name or by file, imported once, and blamed by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infogan_bench.config import RunConfig, apply
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.extensions import extension_sources, load_extensions
from infogan_bench.networks import architecture_names
from infogan_bench.training import Trainer

ARCHITECTURE = """
from infogan_bench.networks import register_architecture
from infogan_bench.networks.architectures import mlp

@register_architecture("{name}")
def build(image_shape, latent_dim, q_dim, width):
    return mlp(image_shape, latent_dim, q_dim, width / 2)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scratch_registry: None) -> Iterator[Path]:
    """A folder on the module path, which is the current one as well; what is imported from it is forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_an_architecture_from_a_file_can_be_trained(
    folder: Path, tiny_run: RunConfig, mnist: ImageDataset
) -> None:
    (folder / "mine.py").write_text(ARCHITECTURE.format(name="half"))
    load_extensions([str(folder / "mine.py")])
    run = apply(tiny_run, {"architecture.name": "half"})
    trainer = Trainer(run, mnist.train_images, 0)
    trainer.train(1)
    assert next(trainer.model.networks.G.parameters()).shape[0] == 32  # 512 units at width 0.125 / 2


def test_by_relative_path_and_by_dotted_name(folder: Path) -> None:
    (folder / "one.py").write_text(ARCHITECTURE.format(name="from-file"))
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "two.py").write_text(ARCHITECTURE.format(name="from-module"))
    load_extensions(["one.py", "package.two"])
    assert {"from-file", "from-module"} <= set(architecture_names())


def test_a_module_is_imported_once(folder: Path) -> None:
    (folder / "counts.py").write_text("from pathlib import Path\nPath('log').open('a').write('x')\n")
    for _ in range(2):
        load_extensions(["counts.py", str(folder / "counts.py"), "counts.py"])
    assert (folder / "log").read_text() == "x"


def test_two_files_of_one_name_are_two_modules(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "mine.py").write_text(ARCHITECTURE.format(name=f"from-{name}"))
    load_extensions(["a/mine.py", "b/mine.py"])
    assert {"from-a", "from-b"} <= set(architecture_names())


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=rf"^extensions: no such file: {folder}/absent\.py$"):
        load_extensions(["absent.py"])


def test_a_missing_module_is_named(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"^extensions: 'no\.such\.module' cannot be imported: No module named"
    ):
        load_extensions(["no.such.module"])


@pytest.mark.parametrize("name", ["broken.py", "broken"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise RuntimeError('my own fault')", "my own fault"),
        ("import a_library_that_is_not_there", "No module named 'a_library_that_is_not_there'"),
        ("def f(:\n", "invalid syntax"),
        ("raise SystemExit(0)", "0"),  # else the process would end, and end well
    ],
)
def test_a_module_that_raises_is_named_with_its_reason(
    folder: Path, name: str, body: str, reason: str
) -> None:
    (folder / "broken.py").write_text(body)
    with pytest.raises(InputError, match=rf"^extensions: '{name}' cannot be imported: .*{reason}"):
        load_extensions([name])


def test_a_file_that_was_mended_is_read_again(folder: Path) -> None:
    (folder / "mine.py").write_text("raise RuntimeError")
    with pytest.raises(InputError):
        load_extensions(["mine.py"])
    (folder / "mine.py").write_text(ARCHITECTURE.format(name="mended"))
    load_extensions(["mine.py"])
    assert "mended" in architecture_names()


def test_a_file_that_is_elsewhere_is_imported_from_what_stands_in_it(folder: Path) -> None:
    """As on a node that does not see the file; its `__file__` and its traceback name the place it came from."""
    text = (
        ARCHITECTURE.format(name="sent") + "\nPLACE = __file__\ndef fail():\n    raise RuntimeError('mine')\n"
    )
    (folder / "mine.py").write_text(text)
    name = str(folder / "mine.py")
    sources = extension_sources([name, "some.module"])
    assert sources == {name: text.encode()}
    (folder / "mine.py").unlink()
    load_extensions([name], sources)
    assert "sent" in architecture_names()
    (module,) = (module for module in sys.modules.values() if getattr(module, "PLACE", None) == name)
    with pytest.raises(RuntimeError, match="mine") as raised:
        module.fail()
    assert f'File "{name}"' in str(raised.getrepr(style="native"))
    assert "raise RuntimeError('mine')" in str(raised.getrepr(style="native"))
