"""The searches: a row for each algorithm that `search.algorithm` may name.

A row holds everything that a sweep file, its plan, the docs and the report must know of a search, without Optuna. It
names the function that makes the search, which is imported when a sweep begins.

A user's own search is one more row, registered in a module that the sweep file names under `extensions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infogan_bench.config.errors import code_list, show
from infogan_bench.config.makers import imported
from infogan_bench.config.names import not_among
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions

if TYPE_CHECKING:
    from infogan_bench.config.models import SearchConfig

OPTIONS = ("trials", "population", "startup", "warm_start")
"""Keys of `search:` that some searches take and others do not; all take `seed` and `time_limit`."""

_SLOW_GP = 500  # trials; beyond it a Gaussian process needs seconds or more for a proposal


@dataclass(frozen=True)
class RandomStart:
    """The trials that a search draws at random before it learns from any.

    Attributes:
        count: their number in a sweep.
        described: a phrase for `infogan-bench validate`, with {} for the number.
        name: of the number, for a notice.
    """

    count: Callable[[SearchConfig], int]
    described: str
    name: str


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        name: as in `search.algorithm`.
        title: for the report.
        make: the maker, or "MODULE:FUNCTION" to import it from. For a search that learns, it makes Optuna's sampler for
            the next proposal from a `SamplerRequest` (infogan_bench/sweep/search/samplers.py). For a search that draws
            its trials before the first one runs, it yields configurations without end from three arguments: the space,
            {dotted key: domain}, `search.seed`, and Python's generator with that seed. None: every combination is
            tried.
        learns: trials are proposed while the sweep runs, from the results so far.
        options: those of `OPTIONS` that it takes.
        lists: it takes lists of values, and not only ranges of numbers.
        least_parameters: the smallest space that it searches.
        several_goals: it takes several goals. A search that does not learn ignores goals.
        random_start: of a search that learns.
        caution: gives a warning for a number of trials, or None.
        use: when to take it, for docs/search.md.
        source: the paper.
    """

    name: str
    title: str
    make: str | Callable[..., Any] | None
    learns: bool = False
    options: Sequence[str] = ("trials",)
    lists: bool = True
    least_parameters: int = 1
    several_goals: bool = True
    random_start: RandomStart | None = None
    caution: Callable[[int], str | None] = lambda trials: None
    use: str = ""
    source: str = ""

    @property
    def exhaustive(self) -> bool:
        """Say whether it tries every combination of the values."""
        return self.make is None

    def maker(self) -> Callable[..., Any]:
        """Import and return the function `make`."""
        assert self.make is not None, "an exhaustive search has no maker"  # noqa: S101
        return imported(self.make)

    def random_trials(self, search: SearchConfig) -> int:
        """Return the number of trials that the search draws at random before it learns."""
        return self.random_start.count(search) if self.random_start else 0


def _startup(search: SearchConfig) -> int:
    return search.startup or min(max((search.trials or 0) // 4, 4), 10)


def generation_size(search: SearchConfig) -> int:
    """Return the number of configurations in a generation of NSGA-II."""
    return search.population or min(max((search.trials or 0) // 8, 8), 50)


STARTUP = RandomStart(_startup, "the first {} at random", "search.startup")
GENERATION = RandomStart(generation_size, "generations of {}", "a generation")


def _gp_caution(trials: int) -> str | None:
    if trials <= _SLOW_GP:
        return None
    return (
        "the time that gp takes for a proposal grows as the cube of the trials so far; beyond "
        f"{_SLOW_GP}, `tpe` is quicker"
    )


_SAMPLING = "infogan_bench.config.sampling"
_SAMPLERS = "infogan_bench.sweep.search.samplers"

SEARCHES: dict[str, Search] = {
    row.name: row
    for row in (
        Search(
            "grid",
            "a full grid",
            None,
            options=(),
            use="you have few parameters with few values, and want every combination",
        ),
        Search(
            "random",
            "random search",
            f"{_SAMPLING}:random_points",
            use="you know nothing yet, or want trials that do not depend on each other",
        ),
        Search(
            "sobol",
            "a Sobol sequence",
            f"{_SAMPLING}:sobol_points",
            use="as `random`, but with points that fill the space evenly; 16 to 200 trials, best a power of 2",
            source="Sobol, 1967; scrambled as in Matousek, 1998",
        ),
        Search(
            "tpe",
            "TPE",
            f"{_SAMPLERS}:tpe",
            learns=True,
            options=("trials", "startup", "warm_start"),
            random_start=STARTUP,
            use="in most cases: lists and numbers, 30 to a few thousand trials, many at a time",
            source="Bergstra et al., 2011; several goals: Ozaki et al., 2022",
        ),
        Search(
            "cmaes",
            "CMA-ES",
            f"{_SAMPLERS}:cmaes",
            learns=True,
            options=("trials", "population", "warm_start"),
            lists=False,
            least_parameters=2,
            several_goals=False,
            use="you search two or more ranges of numbers (lists are refused) with 100 trials or more",
            source="Hansen, 2016, arXiv 1604.00772; begun from known trials as in Nomura et al., 2021",
        ),
        Search(
            "gp",
            "a Gaussian process",
            f"{_SAMPLERS}:gp",
            learns=True,
            options=("trials", "startup", "warm_start"),
            random_start=STARTUP,
            caution=_gp_caution,
            use="each trial is expensive; up to a few hundred trials, since the time for a proposal grows as the "
            "cube of their number",
            source="log expected improvement (of hypervolume), Matern 5/2 kernel: Ament et al., 2023, arXiv 2310.20708",
        ),
        Search(
            "nsga2",
            "NSGA-II",
            f"{_SAMPLERS}:nsga2",
            learns=True,
            options=("trials", "population", "warm_start"),
            random_start=GENERATION,
            use="you have several goals and want a Pareto front; 8 generations or more",
            source="Deb et al., 2002",
        ),
    )
}


def register_search(search: Search) -> Search:
    """Register a search under its name, for `search.algorithm` in a sweep file.

    Raises:
        ValueError: if the name is taken, or an option is none of `OPTIONS`.
    """
    if search.name in SEARCHES:
        raise ValueError(f"there is a search `{search.name}` already")
    unknown = [option for option in search.options if option not in OPTIONS]
    if unknown:
        raise ValueError(f"unknown option {show(unknown[0])} of a search; known: {code_list(OPTIONS)}")
    SEARCHES[search.name] = search
    return search


def find_search(name: str, extensions: Sequence[str] = ()) -> Search:
    """The row of a search. If the name is unknown, the user's modules are imported first.

    Raises:
        InputError: if there is no such search.
    """
    if name not in SEARCHES:
        load_extensions(extensions)
    if name not in SEARCHES:
        raise InputError(not_among(name, SEARCHES))
    return SEARCHES[name]


def searches_that(which: Callable[[Search], bool]) -> str:
    """Return the names of the searches for which `which` is true, as a message lists them."""
    return code_list(name for name, row in SEARCHES.items() if which(row))


def table() -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table in docs/search.md: name, when its trials are known, when to take it."""
    for row in SEARCHES.values():
        yield row.name, "as it goes" if row.learns else "before the first", row.use
