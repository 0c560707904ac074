"""docs/sweep-file.md lists every key with its default; the sweep file in README.md is a valid one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from infogan_bench.config import SweepConfig, load_sweep
from infogan_bench.config.section import ConfigSection
from infogan_bench.config.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]


def sweep_file_of(page: str, folder: Path) -> Path:
    """The first block of YAML on a page, as a file."""
    block = re.search(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert block is not None
    path = folder / "page.yaml"
    path.write_text(block[1])
    return path


def missing_keys(section: ConfigSection, tree: Any, at: str = "") -> list[str]:
    """Dotted keys of a section that a tree of YAML lacks; a section that is written as one word counts as whole."""
    if not isinstance(tree, dict):
        return []
    missing = []
    for key in type(section).model_fields:
        part = getattr(section, key)
        if key not in tree:
            missing.append(f"{at}{key}")
        elif isinstance(part, ConfigSection):
            missing += missing_keys(part, tree[key], f"{at}{key}.")
    return missing


def test_the_page_has_every_key_with_its_default(tmp_path: Path) -> None:
    path = sweep_file_of("docs/sweep-file.md", tmp_path)
    defaults = SweepConfig(name="my-sweep")
    assert load_sweep(path) == defaults
    # a list of goals and `tracking: none` stand in a comment instead
    assert missing_keys(defaults, read_yaml(path).tree) == ["goal.also", "tracking.enabled"]


def test_the_sweep_of_the_readme_is_valid(tmp_path: Path) -> None:
    assert load_sweep(sweep_file_of("README.md", tmp_path)).search.trials == 12
