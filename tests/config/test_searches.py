"""The rows of searches and schedulers: docs/search.md shows them, and each names a function that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infogan_bench.config import ConfigError, parse_sweep, plan
from infogan_bench.config import schedulers as scheduler_rows
from infogan_bench.config import searches as search_rows
from infogan_bench.config.schedulers import SCHEDULERS
from infogan_bench.config.searches import SEARCHES, Search, find_search, register_search
from infogan_bench.errors import InputError

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()


def rows_under(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table in docs/search.md whose first heading is `heading`."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in table]


def test_the_page_shows_the_rows() -> None:
    assert rows_under("algorithm") == [(f"`{name}`", *rest) for name, *rest in search_rows.table()]
    assert rows_under("scheduler") == [(f"`{name}`", *rest) for name, *rest in scheduler_rows.table()]


def test_every_row_has_a_maker_that_is_there() -> None:
    for row in SEARCHES.values():
        assert row.exhaustive or callable(row.maker())
    for scheduler in SCHEDULERS.values():
        assert callable(scheduler.maker())


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match=r"^search.algorithm: expected `grid`, .*did you mean `sobol`\?$"):
        parse_sweep({"name": "s", "search": {"algorithm": "soboll"}})
    with pytest.raises(ConfigError, match=r"^scheduler.name: expected `none`, .*did you mean `asha`\?$"):
        parse_sweep({"name": "s", "scheduler": "ahsa"})


def test_a_row_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="there is a search `tpe` already"):
        register_search(Search("tpe", "another TPE", "nowhere:nothing"))
    with pytest.raises(ValueError, match="unknown option 'step' of a search; known: `trials`, "):
        register_search(Search("mine", "mine", "nowhere:nothing", options=("step",)))


def test_a_search_from_an_extension_is_found_where_the_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "middle.py").write_text(
        "from infogan_bench.sweep.search import Search, register_search\n\n"
        "def middle(space, seed, rng):\n"
        "    while True:\n"
        "        yield {key: domain.at_quantile(rng.random() / 2 + 0.25) for key, domain in space.items()}\n\n"
        "register_search(Search('middle', 'the middle of each range', middle))\n"
    )
    tree = {
        "name": "s",
        "space": {"optimiser.beta1": {"uniform": [0.0, 0.8]}},
        "search": {"algorithm": "middle", "trials": 8},
        "extensions": ["middle.py"],
    }
    with pytest.raises(InputError, match="expected `grid`"):
        find_search("middle")
    try:
        assignments = plan(parse_sweep(tree, folder=tmp_path)).assignments
        assert assignments is not None
        assert len(assignments) == 8
        assert all(0.2 <= each["optimiser.beta1"] <= 0.6 for each in assignments)
    finally:
        del SEARCHES["middle"]
