"""docs/extending.md shows the files that the tests follow, each of at most 25 lines, with valid sweep files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from infogan_bench.config import parse_sweep

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "extending.md").read_text()
KINDS = ("term", "method", "architecture", "dataset", "score", "search", "section")
MOST_LINES = 25


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_the_file_that_is_tested(kind: str) -> None:
    text = (HERE / f"{kind}_example.py").read_text()
    assert f"```python\n{text}```\n" in PAGE
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("kind", ["term", "method", "architecture", "dataset", "score"])
def test_its_sweep_file_is_valid(kind: str) -> None:
    text = (HERE / f"{kind}_example.py").read_text()
    block = re.search(r"```yaml\n(.*?)```", PAGE.partition(text)[2], re.DOTALL)
    assert block is not None
    tree = yaml.safe_load(block[1]) | {"name": "t", "extensions": [str(HERE / f"{kind}_example.py")]}
    assert parse_sweep(tree).name == "t"
