"""The pages of docs/metrics: one for each score, as the catalogue and the docstrings are, with examples that run."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import metric_pages
import protocols
import pytest
from infogan_metrics import METRICS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", METRICS)
def test_a_page_says_what_the_catalogue_and_the_docstring_say(name: str) -> None:
    written = (DOCS / "metrics" / f"{name}.md").read_text()
    known = metric_pages.page(METRICS[name], with_values=False).rsplit("\n[All scores]", 1)[0]
    assert written.startswith(known), "run `python benchmarks/metric_pages.py`"
    assert f"metrics/{name}.md" in (DOCS / "metrics.md").read_text()


@pytest.mark.parametrize("name", METRICS)
def test_a_page_has_all_its_parts(name: str) -> None:
    """Every part stands on the page and says something; that the examples and known values hold is tested below."""
    page = (DOCS / "metrics" / f"{name}.md").read_text()
    sections = dict(
        re.findall(r"^## ([^\n]+)\n\n(.*?)(?=\n## |\n\[All scores|\Z)", page, flags=re.DOTALL | re.MULTILINE)
    )
    assert list(sections)[: len(metric_pages.PARTS)] == list(metric_pages.PARTS)
    for part in metric_pages.PARTS:
        assert len(sections[part].strip()) > 1, f"{name}: {part} is empty"
    assert sections["Asks"].strip().endswith("?")
    assert all(f"**{kind}.** " in sections["Weaknesses"] for kind in ("Rewards wrongly", "Cannot see"))
    for part in ("Reference value", "Example"):
        assert re.search(r"```python\n.*^assert ", sections[part], flags=re.DOTALL | re.MULTILINE), part


def test_no_text_is_of_a_score_that_does_not_exist() -> None:
    assert set(metric_pages.TEXTS) == set(METRICS)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.cost == "cheap"])
def test_the_values_on_a_page_are_those_of_today(name: str) -> None:
    lines = metric_pages.measured(METRICS[name])
    assert "\n".join(lines) in (DOCS / "metrics" / f"{name}.md").read_text()


@pytest.mark.parametrize("name", METRICS)
def test_the_known_value_and_the_example_on_a_page_hold(name: str) -> None:
    """Each is a program that ends with assertions, which `exec` raises."""
    blocks = re.findall(
        r"```python\n(.*?)```", (DOCS / "metrics" / f"{name}.md").read_text(), flags=re.DOTALL
    )
    assert len(blocks) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks:
            assert re.search(r"^assert ", block, flags=re.MULTILINE), block
            exec(block, {})


def test_the_table_of_protocols_is_that_of_today() -> None:
    scores = ("mig", "mig_sup", "sap_continuous", "modularity")
    page = (DOCS / "metrics-protocols.md").read_text()
    cells = {
        tuple(line.split(" | ")[:2]): line.split(" | ")[2:] for line in page.splitlines() if line[:3] == "| `"
    }
    place = protocols.CASES.index("noise")
    for line in protocols.rows(["noise"], scores):
        score, protocol, value = line.removesuffix(" |").split(" | ")
        assert cells[score, protocol][place].removesuffix(" |") == value
