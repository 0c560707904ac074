"""Sweeps side by side: numbers worked out by hand, sentences, and what makes a comparison unfair."""

import base64
import hashlib
import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from infogan_reports import Comparison, ReportError, build_comparison, compare, load
from infogan_reports.noise import lead, mean_interval
from scipy import stats
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.errors import InputError

T_2 = 4.302652729911275  # Student's t at 0.975, 2 degrees of freedom


@pytest.fixture
def sweeps(
    tmp_path: Path, written_trial: type, write_folder: Callable[..., Path]
) -> Callable[..., Sequence[Path]]:
    """Folders in tmp_path by name: each a list of trials (id, params, values of its seeds, and more)."""

    def write(**folders: Any) -> Sequence[Path]:
        return [
            write_folder(
                tmp_path / name,
                [
                    written_trial(*trial[:3], **(trial[3] if len(trial) > 3 else {}))
                    for trial in given.pop("trials")
                ],
                **given,
            )
            for name, given in folders.items()
        ]

    return write


def compared(folders: Sequence[Path]) -> Comparison:
    return compare([load(folder) for folder in folders])


LR = "optimiser.lr_g"


def of(*trials: Any, **config: Any) -> dict[str, Any]:
    return {"trials": list(trials), "config": {"base": {"steps": 100}, **config}}


# The lead of one trial over another -----------------------------------------------------------------------


def test_a_lead_over_shared_seeds_is_paired() -> None:
    ahead, behind = {0: 0.80, 1: 0.84, 2: 0.88, 9: 0.1}, {0: 0.70, 1: 0.72, 2: 0.80, 7: 0.9}
    found = lead(ahead, behind, higher_is_better=True)
    margin = T_2 * 0.02 / math.sqrt(3)  # differences 0.10, 0.12, 0.08: mean 0.10, standard deviation 0.02
    assert found.mean == pytest.approx(0.10)
    assert found.least == pytest.approx(0.10 - margin, abs=1e-5)  # wider than the bootstrap of three seeds
    assert found.beyond_the_noise
    assert found.how == "over the 3 seeds that both have"
    assert lead(behind, ahead, higher_is_better=False).mean == pytest.approx(0.10)


def test_a_lead_over_other_seeds_is_welchs() -> None:
    ahead, behind = [0.80, 0.84, 0.88], [0.70, 0.72, 0.80]
    found = lead(dict(enumerate(ahead)), dict(enumerate(behind, 5)), higher_is_better=True)
    assert found.mean == pytest.approx(0.10)
    exact = stats.ttest_ind(ahead, behind, equal_var=False).confidence_interval(0.95).low
    assert found.least is not None
    assert found.least < exact  # as said: a little too wide
    assert found.least == pytest.approx(0.10 - T_2 * math.sqrt(0.04**2 / 3 + 0.0028 / 3), abs=1e-5)
    assert not found.beyond_the_noise


def test_a_lead_of_single_seeds_is_not_known() -> None:
    found = lead({0: 0.9}, {0: 0.1}, higher_is_better=True)
    assert found.mean == pytest.approx(0.8)
    assert (found.least, found.beyond_the_noise) == (None, False)


def test_the_interval_of_a_mean_is_students() -> None:
    values = [0.1, 0.2, 0.4, 0.1]
    expected = stats.t.interval(0.95, 3, loc=0.2, scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected, abs=1e-5)
    assert mean_interval([1.0]) is None


# The answer -----------------------------------------------------------------------------------------------


def test_the_answer_is_made_from_the_numbers(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(
            a=of(
                ("0000", {LR: 1}, (0.70, 0.72, 0.80), {"scores": {"nmi": 0.5}}),
                ("0001", {LR: 2}, (0.1, 0.1, 0.1)),
            ),
            b=of(
                ("0000", {LR: 1}, (0.5, 0.5, 0.5)),
                ("0007", {LR: 3}, (0.80, 0.84, 0.88), {"scores": {"nmi": 0.4}}),
            ),
        )
    )
    least = 0.10 - T_2 * 0.02 / math.sqrt(3)
    assert found.answer == (
        "On cluster_accuracy (higher is better), the best trial of B (0007) is first with 0.8400 ± 0.0400 over "
        "3 seeds: 0.1000 ahead of the best of A (0000, 0.7400 ± 0.0529 over 3 seeds), beyond the noise "
        f"(at least {least:.4f} with 95 % confidence, over the 3 seeds that both have)."
    )
    assert (
        found.others == "Of the other 1 common score, the best trial of A is ahead beyond the noise in nmi."
    )
    assert [score.name for score in found.scores] == ["cluster_accuracy", "nmi"]
    assert [score.leader for score in found.scores] == [1, 0]
    assert found.scores[0].supervision == "labels"
    assert found.cautions == ()


def test_a_lead_within_the_noise_is_none(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(sweeps(a=of(("0", {}, (0.5, 0.7))), b=of(("0", {}, (0.6, 0.65)))))
    assert "it cannot be told apart from the best of A" in found.answer
    assert found.scores[0].leader is None


def test_a_single_seed_leaves_it_open(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(sweeps(a=of(("0", {}, (0.5,))), b=of(("0", {}, (0.6,)))))
    assert (
        "0.1000 ahead of the best of A (0, 0.5000 over 1 seed), and whether that is noise is not known"
        in found.answer
    )
    assert found.scores[0].leader is None


def test_low_scores_win_where_low_is_better(sweeps: Callable[..., Sequence[Path]]) -> None:
    objective = {"objective": {"metric": "fid", "mode": "min"}}
    found = compared(
        sweeps(a=of(("0", {}, (30.0, 31.0)), **objective), b=of(("0", {}, (10.0, 11.0)), **objective))
    )
    assert "On fid (lower is better), the best trial of B (0) is first with 10.50 ± 0.7071" in found.answer
    assert found.scores[0].leader == 1


def test_three_sweeps_and_a_leader_over_each(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(**{name: of(("0", {}, (v, v + 0.01))) for name, v in (("a", 0.1), ("b", 0.5), ("c", 0.9))})
    )
    assert found.scores[0].leader == 2
    assert found.answer.count("beyond the noise") == 2
    assert [matches.letters for matches in found.matches] == [("A", "B"), ("A", "C")]


# What cannot be compared ----------------------------------------------------------------------------------


def test_without_a_common_score(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(a=of(("0", {}, (0.5,))), b=of(("0", {}, (0.5,)), objective={"metric": "mig", "mode": "max"}))
    )
    assert found.answer == "The sweeps have no score in common, so there is nothing to compare."
    assert (found.scores, found.matches, found.parameters) == ((), (), ())
    assert "Their best trials were chosen by different objectives" in found.cautions[0]


def test_without_a_ranked_trial(sweeps: Callable[..., Sequence[Path]], tmp_path: Path) -> None:
    folders = sweeps(
        a=of(("0", {}, (0.5, 0.6))),
        b=of(("0", {}, (None, None), {"status": "failed", "error": "no"})),
        c=of(("0", {}, (math.nan, 0.5))),
        d=of(),
    )
    found = compared(folders)
    assert found.answer.startswith("Fewer than two of the sweeps have a trial that can be ranked")
    assert found.ranked == (0,)
    for letter in "BCD":
        assert (
            f"{letter} has no trial that can be ranked, so it takes part in no comparison of scores."
            in found.cautions
        )
    page = build_comparison(folders, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "none can be ranked" in page


def test_one_without_a_ranked_trial_leaves_the_others(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(
            a=of(("0", {}, (0.5, 0.51))),
            b=of(),
            c=of(("0", {}, (0.7, 0.71)), ("1", {}, (0.6,), {"status": "running"})),
        )
    )
    assert "the best trial of C (0) is first" in found.answer
    assert found.scores[0].means[1] is None
    assert "C has not ended: 1 trial had not when this page was made." in found.cautions


def test_the_same_folder_twice_is_refused(mixed: Path) -> None:
    with pytest.raises(ReportError, match="is given twice"):
        build_comparison([mixed, mixed / ".." / mixed.name])


def test_one_folder_is_no_comparison(mixed: Path) -> None:
    with pytest.raises(ReportError, match="two sweep folders or more, but got 1"):
        compare([load(mixed)])


# What makes it unfair -------------------------------------------------------------------------------------


def evaluation(n: int, bins: int) -> Mapping[str, Any]:
    return {
        "step": 100,
        "scores": {},
        "codes": [],
        "confusion": {"code": "cat_0", "classes": ["a"], "counts": [[n]], "match": [0]},
        "protocols": {"mig": {"n": n, "n_bins": bins}},
    }


def test_what_is_unfair_is_said_the_gravest_first(sweeps: Callable[..., Sequence[Path]]) -> None:
    identity = {"sweep_id": "x"}
    found = compared(
        sweeps(
            a=of(("0", {LR: 1}, (0.5, 0.6)))
            | {"environment": {**identity, "torch": "2.1"}, "evaluation": evaluation(1000, 20)},
            b=of(
                ("0", {LR: 1}, (0.5, 0.6), {"step": 40}), ("1", {LR: 1}, (0.5, 0.6)),
                base={"steps": 40}, dataset={"name": "sprites"}, seeds=[0, 1, 2], scheduler={"name": "asha"},
                objective={"metric": "cluster_accuracy", "mode": "min"},
            )
            | {"environment": {**identity, "torch": "2.2"}, "evaluation": evaluation(2000, 30)},
        )
    )  # fmt: skip
    starts = [
        "A and B are copies of one sweep",
        "They were trained and scored on different datasets (A: mnist, B: sprites)",
        "Their test sets differ in size (A: 1,000, B: 2,000 images)",
        "cluster_accuracy is to be high in one of them and low in another",
        "The same score was computed in different ways: mig (A: n = 1000, n_bins = 20; B: n = 2000, n_bins = 30)",
        "They were trained for different numbers of steps (A: 100, B: 40)",
        "Trials were stopped early by different rules (A: none, B: asha)",
        "Their seeds differ (A: [0, 1], B: [0, 1, 2])",
        "They tried different numbers of configurations (A: 1 ranked, B: 2 ranked)",
        "They ran with different versions of the software: torch (A: 2.1, B: 2.2)",
    ]
    assert len(found.cautions) == len(starts)
    for caution, start in zip(found.cautions, starts, strict=True):
        assert caution.startswith(start)
    assert found.answer.startswith("Which way cluster_accuracy is better is not settled")


def test_differences_are_of_resolved_runs(sweeps: Callable[..., Sequence[Path]]) -> None:
    space = {"space": {LR: {"loguniform": [0.001, 0.1]}}}
    found = compared(
        sweeps(
            a=of(("0", {LR: 1}, (0.5,)), base={"steps": 100, "codes": {"uniform": 2}}, **space),
            b=of(
                ("0", {}, (0.5,)),
                base={"steps": 100, "codes": {"uniform": 3}, "optimiser": {"lr_g": 0.5}},
                space={},
            ),
        )
    )
    assert found.differences == (
        ("codes.uniform", ("2", "3")),
        (LR, ("swept: loguniform [0.001, 0.1]", "0.5")),
    )


# Best so far, parameters, matched configurations ----------------------------------------------------------


def test_best_so_far(sweeps: Callable[..., Sequence[Path]]) -> None:
    hour = {"seconds": 3600.0}
    failed = {"status": "failed", **hour}
    found = compared(
        sweeps(
            a=of(
                ("0", {}, (None,), failed),
                ("1", {}, (0.5,), hour),
                ("2", {}, (0.4,), hour),
                ("3", {}, (0.7,), hour),
            ),
            b=of(("0", {}, (0.2,), hour), ("1", {}, (0.6,), hour)),
        )
    )
    a, b = found.progress
    assert a is not None
    assert b is not None
    assert (a.trials, a.hours, a.best) == ((2, 4), (2.0, 4.0), (0.5, 0.7))  # a failed trial takes time too
    assert (b.trials, b.hours, b.best) == ((1, 2), (1.0, 2.0), (0.2, 0.6))
    assert found.at_equal_trials == (
        "After 2 trials each, the best cluster_accuracy so far was A: 0.5000, B: 0.6000."
    )


def test_matched_configurations_are_paired(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(
            a=of(
                ("0", {LR: 0.1}, (0.5, 0.7)), ("1", {LR: 1}, (0.2, 0.2)), ("2", {LR: 9}, (0.9, 0.9)),
                base={"objective": {"consistency": 0.0}},
            ),
            b=of(
                ("5", {LR: 1.0, "batch": 64}, (0.3, 0.5)), ("6", {LR: 0.1, "batch": 64}, (0.8,)),
                ("7", {LR: 9, "batch": 8}, (0.1, 0.1)), ("8", {LR: 9, "batch": 64}, (0.1,), {"status": "stopped"}),
                base={"objective": {"consistency": 1.0}, "batch": 64},
            ),
        )
    )  # fmt: skip
    (matches,) = found.matches
    assert matches.keys == (LR, "batch")
    assert matches.matches == ()  # A's base run has no batch, so none is the same
    (matches,) = compared(
        sweeps(
            c=of(
                ("0", {LR: 0.1}, (0.5, 0.7)), ("1", {LR: 1}, (0.2, 0.2)), ("2", {LR: 9}, (0.9, 0.9)), base={"batch": 64}
            ),
            d=of(
                ("5", {LR: 1.0, "batch": 64}, (0.3, 0.5)), ("6", {LR: 0.1, "batch": 64}, (0.8,)),
                ("7", {LR: 9, "batch": 8}, (0.1, 0.1)), ("8", {LR: 9, "batch": 64}, (0.1,), {"status": "stopped"}),
            ),
        )
    ).matches  # fmt: skip
    assert [(match.trials, match.n_seeds) for match in matches.matches] == [(("0", "6"), 1), (("1", "5"), 2)]
    assert [match.difference for match in matches.matches] == pytest.approx([0.8 - 0.5, 0.4 - 0.2])
    low, high = stats.t.interval(0.95, 1, loc=0.25, scale=0.05)
    assert matches.interval == pytest.approx((low, high), abs=1e-4)
    assert matches.statement == (
        "A and B have 2 configurations in common: cluster_accuracy of B less that of A is 0.2500 on average, "
        f"95 % from {low:.4f} to {high:.4f}, so that neither is ahead beyond the noise."
    )


def test_common_parameters(sweeps: Callable[..., Sequence[Path]]) -> None:
    found = compared(
        sweeps(
            a=of(("0", {LR: 0.001, "m": "x"}, (0.5,)), ("1", {LR: 1}, (0.6,))),
            b=of(("0", {LR: 0.1, "k": 1}, (0.7,))),
        )
    )
    (parameter,) = found.parameters
    assert (parameter.key, parameter.scale) == (LR, "log")
    assert parameter.points == ((("1", 1, 0.6), ("0", 0.001, 0.5)), (("0", 0.1, 0.7),))


# The page -------------------------------------------------------------------------------------------------


def test_sweeps_of_one_name_have_letters(sweeps: Callable[..., Sequence[Path]], tmp_path: Path) -> None:
    page = build_comparison(
        sweeps(a=of(("0", {}, (0.5, 0.6))), b=of(("0", {}, (0.7, 0.8)))), tmp_path / "c.html"
    ).read_text(encoding="utf-8")
    assert "<h1>A: demo, B: demo</h1>" in page
    assert str(tmp_path / "a") in page


def test_many_matches_are_counted_whole(sweeps: Callable[..., Sequence[Path]], tmp_path: Path) -> None:
    trials = [(f"{i:03d}", {LR: i}, (0.5 + i / 1000, 0.5)) for i in range(60)]
    folders = sweeps(a=of(*trials), b=of(*trials))
    page = build_comparison(folders, tmp_path / "c.html").read_text(encoding="utf-8")
    assert "A and B have 60 configurations in common" in page
    assert "Shown: the 50 largest differences of 60" in page
    assert page.partition('id="matches"')[2].partition("</section>")[0].count("<tr>") == 1 + 50


def test_it_lands_in_the_current_folder(
    sweeps: Callable[..., Sequence[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = sweeps(a=of(("0", {}, (0.5,))), b=of(("0", {}, (0.7,))))
    monkeypatch.chdir(tmp_path)
    assert build_comparison(folders) == Path("comparison.html")
    assert (tmp_path / "comparison.html").is_file()


PAYLOAD = "</script><img src=x onerror=alert(1)>"


def test_names_are_escaped_and_only_our_scripts_run(
    sweeps: Callable[..., Sequence[Path]], tmp_path: Path
) -> None:
    config = {
        "name": PAYLOAD,
        "objective": {"metric": PAYLOAD, "mode": "max"},
        "space": {PAYLOAD: [PAYLOAD]},
        "tracking": {"note": "{{7*7}}"},
    }
    trial = {PAYLOAD: PAYLOAD}
    folders = sweeps(
        a=of(("<em>0", trial, (0.5, 0.6)), dataset=PAYLOAD, **config) | {"files": False},
        b=of(("<em>1", trial, (0.7, 0.8)), dataset="<q>", **config) | {"files": False},
    )
    page = build_comparison(folders, tmp_path / "c.html").read_text(encoding="utf-8")
    ours = re.findall(r"<script>(.*?)</script>", page, re.S)
    text = page.partition("<script>")[0]
    for payload in (PAYLOAD, "<em>", "<q>", "<img", "onerror=alert(1)>"):
        assert payload not in text, payload
    assert "{{7*7}}" in text
    assert text.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") > 5
    policy = html.unescape(page.partition("script-src ")[2].partition('"')[0]).split()
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in ours]
    assert policy == [f"'sha256-{digest}'" for digest in digests]
    assert set(re.findall(r'(?:src|href)="([^"#]*)', text)) == {"data:,", ""}


def test_without_figures_there_is_no_script(sweeps: Callable[..., Sequence[Path]], tmp_path: Path) -> None:
    page = build_comparison(sweeps(a=of(), b=of()), tmp_path / "c.html").read_text(encoding="utf-8")
    assert "script-src 'none'\"" in html.unescape(page)
    assert "<script>" not in page


# The command ----------------------------------------------------------------------------------------------


def test_the_command_compares_several_folders(sweeps: Callable[..., Sequence[Path]], tmp_path: Path) -> None:
    folders = sweeps(a=of(("0", {}, (0.5,))), b=of(("0", {}, (0.7,))))
    run = CliRunner().invoke(app, ["report", *map(str, folders), "--output", str(tmp_path / "c.html")])
    assert (run.exit_code, run.output) == (0, f"{tmp_path / 'c.html'}\n")
    assert "comparison of sweeps" in (tmp_path / "c.html").read_text(encoding="utf-8")
    twice = CliRunner().invoke(app, ["report", str(folders[0]), str(folders[0])])
    assert isinstance(twice.exception, InputError)
    assert "is given twice" in str(twice.exception)
