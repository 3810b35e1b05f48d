"""A smoke check in words."""

import math
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from reports.compare import Rule
from reports.formats.html.report import render_smoke as smoke_page
from reports.formats.markdown import smoke_markdown
from reports.smoke.result import BaselineSource
from reports.terminal.smoke_summary import render_smoke
from reports.text import smoke_text
from reports.text.formatting import format_figure
from tests.reports.samples import NOON, SMOKES, budget, check, smoke, step


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1.354, "+35 %"), (0.5, "-50 %"), (1.0, "0 %"), (1.0004, "0 %"), (0.985, "-1.5 %"), (1.0996, "+10 %"), (math.inf, "–")],
)
def test_a_change_is_told_as_exactly_as_it_matters(ratio: float, said: str) -> None:
    assert smoke_text.format_ratio(ratio) == said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("latency", 0.1234, "0.123 s"),
        ("bytes", 13_400.0, "13.4 kB"),
        ("cls", 0.1, "0.100"),
        ("failed_requests", 2.0, "2"),
        ("lcp", None, "–"),
        ("lcp", math.nan, "–"),
    ],
)
def test_a_figure_has_its_unit(name: str, value: float | None, said: str) -> None:
    assert format_figure(name, value) == said


def test_a_budget_is_told_with_its_statistic_and_where_it_is_written() -> None:
    assert smoke_text.describe_missed_budget(budget(0.31, 0.125, "failed_requests")) == (
        "p95 failed requests of 0.31 is over the budget of 0.125 (budgets.latency)"
    )
    assert smoke_text.format_budget(budget(0.06, 0.2, "ttfb")) == "p95 ttfb 0.060 s of 0.200 s"


def test_the_rule_is_told_with_its_own_numbers() -> None:
    checked = smoke(
        "passed", rule=Rule(tolerance=0.25, floor_seconds=0.0, alarm=0.002, miss=0.1, looks=(5, 9)), fail_undecided=True
    )
    text = " ".join(smoke_text.describe_rule(checked))
    for part in ("more than 25% of the baseline's;", "at most 0.2%", "at most 10.0%", "after 5 or 9 runs", "counts as missed"):
        assert part in text, part
    assert "after 40 runs" in " ".join(smoke_text.describe_rule(replace(checked, rule=Rule(looks=(40,)))))


def test_what_makes_the_figures_uncertain_is_remarked() -> None:
    one = check(
        "buy", "passed", step("new", note="the baseline has no step of this name"), contended_runs=1, flaky_runs=("1", "2")
    )
    assert smoke_text.list_remarks(one) == [
        "2 runs of 12 passed only at a later attempt (flaky)",
        "1 run of 12 measured on a busy machine: latencies may be too high",
        "new: the baseline has no step of this name",
    ]


def test_runs_on_a_crowded_machine_are_counted_on_both_sides() -> None:
    runs = tuple(map(str, range(12)))
    one = check("buy", "passed", step("open"), contended_runs=24, baseline_runs=runs)
    assert smoke_text.list_remarks(one) == ["24 runs of 24 measured on a busy machine: latencies may be too high"]


def test_where_nothing_was_decided_no_report_says_passed() -> None:
    result = SMOKES["undecided"]
    assert (smoke_text.mark_verdict(result), smoke_text.format_verdict(result)) == ("?", "nothing decided")
    console = Console(width=200, file=StringIO(), record=True)
    console.print(render_smoke(result))
    pages = {"terminal": console.export_text(), "markdown": smoke_markdown(result), "html": smoke_page(result, Path()).decode()}
    for name, text in pages.items():
        assert "nothing decided" in text, name
        assert "✓" not in text, name
        assert ">passed" not in text, name
    kept = replace(result.journeys[0].steps[0], budgets=(budget(0.05),))
    partly = replace(result, journeys=(replace(result.journeys[0], steps=(kept,)),))
    assert smoke_text.format_verdict(partly) == "passed", "a budget was kept"


def test_the_baseline_is_named() -> None:
    assert (
        smoke_text.describe_baseline(BaselineSource(kind="saved", name="main", made_at=NOON))
        == "saved baseline main, made 2026-01-01 12:00:00Z"
    )
    assert (
        smoke_text.describe_baseline(BaselineSource(kind="against", name="https://shop.example"))
        == "the other address, https://shop.example"
    )


def test_the_medians_are_those_that_were_compared() -> None:
    pay = SMOKES["slower"].journeys[0].steps[1]
    assert pay.comparison is not None
    assert smoke_text.find_medians(pay) == (pay.comparison.baseline_seconds, pay.comparison.candidate_seconds)
    assert smoke_text.find_medians(step("a", 0.12))[0] is None
    before, after = smoke_text.find_medians(SMOKES["over"].journeys[0].whole)
    assert before is None
    assert after == pytest.approx(0.908, abs=0.001)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((1.02, 1.40), "undecided against the baseline, probably slower, but perhaps by no more than the tolerance"),
        ((0.60, 0.98), "undecided against the baseline, probably faster, but perhaps by no more than the tolerance"),
        ((0.90, 1.40), "undecided against the baseline, too close to the tolerance or too noisy"),
    ],
)
def test_an_undecided_step_says_which_way_it_leans(interval: tuple[float, float], words: str) -> None:
    comparison = step("pay", 1.1, before=1.0, outcome="undecided").comparison
    assert comparison is not None
    assert smoke_text.describe_comparison(replace(comparison, interval=interval)).startswith(f"{words} (")
