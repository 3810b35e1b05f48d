"""The Markdown of a pull request's comment, rendered by GitHub's own parser."""

from pathlib import Path

import pytest
from hypothesis import given
from lxml import html

from reports.formats.markdown import LIMIT, runs_markdown, smoke_markdown
from tests.reports.hostile import assert_inert, hostile_run, hostile_smoke, rendered, texts
from tests.reports.samples import FAILURE, LONG, RUN, RUNS, SMOKE, SMOKES, budget, check, run, smoke, step
from tests.support.thorough import thorough_but


def first_line(markdown: str) -> str:
    line: str = rendered(markdown.splitlines()[0]).text_content().strip().replace("\u200b", "")
    return line


def cells(page: html.HtmlElement, row: str) -> list[str]:
    """The cells of the row that begins with `row`."""
    (found,) = [one for one in page.xpath("//tr") if one[0].text_content() == row]
    return [one.text_content() for one in found]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("passed", "✓ Smoke check passed: 4 steps of 2 journeys"),
        ("failed", "✗ Smoke check failed: buy, step “pay”: Locator expected to be visible"),
        (
            "monitor",
            "! Smoke check error: buy: not passed on the reference site main, so nothing can be said: the browser was gone",
        ),
        (
            "slower",
            "▲ Smoke check missed: buy, step “pay”: 35 % slower than main (0.403 s → 0.545 s, +28 % to +43 %, 12 and 12 runs)",
        ),
        (
            "over",
            "▲ Smoke check missed: buy: p95 duration of 1.400 s is over the budget of 1.200 s (budgets.duration); and 1 more",
        ),
        (
            "never measured",
            "▲ Smoke check missed: buy, step “open”: p95 lcp was never measured, though it has a budget of 0.200 s (budgets.latency)",
        ),
        ("undecided", "? Smoke check nothing decided: 1 step of 1 journey"),
        ("nothing", "✓ Smoke check passed: 0 steps of 0 journeys"),
    ],
)
def test_the_first_line_says_the_verdict_and_what_failed(name: str, said: str) -> None:
    assert first_line(smoke_markdown(SMOKES[name])) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("passed", "✓ buy passed"),
        ("flaky", "✓ buy passed at attempt 2 (flaky)"),
        ("failed", "✗ buy failed: buy, step “pay”: Locator expected to be visible"),
        ("several", "✗ 2 of 3 runs did not pass: buy, step “pay”: Locator expected to be visible; and 1 more"),
        ("over budget", "✓ buy passed: buy, step “pay”: 0.900 s is over its budget of 0.500 s"),
        ("cancelled", "○ buy cancelled"),
        ("none", "no runs"),
    ],
)
def test_the_first_line_says_what_came_of_runs(name: str, said: str) -> None:
    assert first_line(runs_markdown(RUNS[name])) == said


def test_a_table_tells_each_step_against_the_baseline() -> None:
    page = rendered(smoke_markdown(SMOKES["slower"]))
    assert cells(page, "open the shop") == ["open the shop", "0.121 s", "0.121 s", "+0.1 % (-4.9 % to +6.1 %)", "same", "–"]
    assert cells(page, "pay") == ["pay", "0.403 s", "0.545 s", "+35 % (+28 % to +43 %)", "slower", "–"]


def test_budgets_that_are_missed_stand_in_the_table() -> None:
    page = rendered(smoke_markdown(SMOKES["over"]))
    assert cells(page, "open the shop")[-1] == "p95 latency 0.310 s of 0.125 s"
    assert cells(page, "whole journey") == ["whole journey", "–", "0.908 s", "–", "–", "p95 duration 1.400 s of 1.200 s"]


def test_a_failure_shows_message_code_and_how_to_look_at_it() -> None:
    page = rendered(smoke_markdown(SMOKES["failed"]))
    (why,) = [one for one in page.xpath("//details") if one[0].text_content() == "Why buy, step “pay” failed"]
    text = why.xpath("pre")[0].text_content()
    for part in (*FAILURE.message.splitlines(), FAILURE.code, f"{FAILURE.file}:14", FAILURE.url, "/repo/runs/buy/x/trace.zip"):
        assert str(part) in text
    assert [one.text for one in why.xpath("p/code")] == [f"journey show {RUN}", f"journey trace {RUN}"]


def test_rule_environment_and_remarks_are_there() -> None:
    text = rendered(smoke_markdown(SMOKES["undecided"])).text_content().replace("\u200b", "")
    for part in (
        "changed by more than 10% of the baseline's and by more than 0.020 s",
        "undecided, which does not fail the check",
        "chromium 156",
        "baseline's browser",
        "1 run of 12 passed only at a later attempt (flaky)",
        "3 runs of 12 measured on a busy machine",
    ):
        assert part in text, part
    assert "undecided, which counts as missed" in rendered(smoke_markdown(SMOKES["undecided fails"])).text_content()


@pytest.mark.parametrize("name", SMOKES)
def test_every_smoke_check_is_inert_markdown(name: str) -> None:
    markdown = smoke_markdown(SMOKES[name])
    assert_inert(rendered(markdown))
    assert len(markdown) < LIMIT


@pytest.mark.parametrize("name", RUNS)
def test_all_runs_are_inert_markdown(name: str) -> None:
    assert_inert(rendered(runs_markdown(RUNS[name])))


@pytest.mark.long
@given(texts)
def test_nothing_that_a_page_says_gets_out(text: str) -> None:
    for markdown in (smoke_markdown(hostile_smoke(text)), runs_markdown([hostile_run(text), hostile_run(text)])):
        assert_inert(rendered(markdown))
        assert first_line(markdown).startswith(("✗ Smoke check failed: ", "✗ 2 of 2 runs did not pass: "))


@pytest.mark.long
@pytest.mark.parametrize("wide", thorough_but(1, [3000, 1]))
@pytest.mark.parametrize("count", thorough_but(1, [40, 1, 1000]))
def test_it_always_fits_into_a_comment(count: int, wide: int) -> None:
    name = "*@#" * wide
    steps = [
        step(f"{name} {index}", 0.5, before=0.4, outcome="slower", budgets=[budget(9.9, where=name)]) for index in range(count)
    ]
    failing = check(name, "failed", *steps, failure=FAILURE, failed_run=RUN)
    # Many steps in few journeys, or many journeys with many steps: one beyond the other takes seconds.
    journeys = min(count, 40) if count < 1000 else 2
    markdown = smoke_markdown(smoke("failed", *[failing] * journeys, notes=(LONG,) * count))
    assert len(markdown) <= LIMIT
    assert_inert(rendered(markdown))
    assert first_line(markdown).startswith("✗ Smoke check failed: ")
    if count > 1:
        assert markdown.endswith(f"The whole report: `journey report {SMOKE} --format html`_\n")


@pytest.mark.long
def test_many_runs_fit_too() -> None:
    markdown = runs_markdown([run("failed", Path("/x"), journey=f"walk_{number}") for number in range(2000)])
    assert len(markdown) <= LIMIT
    assert "and 1980 more" in markdown
    assert_inert(rendered(markdown))
