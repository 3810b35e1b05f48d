"""Two spans or two releases of a journey held against each other: on its page and in the API."""

import csv
import io
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import Page, expect

from runner.archive.run_id import run_id
from runner.result import RunResult
from runner.settings.sections.budgets import Budget
from tests.support.services.dashboard import Visited, made

JSON = {"accept": "application/json"}
HOUR = 3600.0


def releases(slower: float = 1.5, runs: int = 20) -> list[RunResult]:
    """A run every six minutes: release 1.0, then 1.1, which takes so many times as long in the step `pay`."""
    chance = random.Random(2)
    found = []
    for number in range(2 * runs):
        one = made(ago=(2 * runs - number) * 360, seconds=chance.uniform(1.0, 1.1), release="1.0" if number < runs else "1.1")
        if number >= runs:
            first, last = one.steps
            slow = (last.latency_seconds or 0.0) * slower
            one = replace(one, steps=(first, replace(last, latency_seconds=slow, wall_seconds=slow, budget_seconds=0.9)))
        found.append(one)
    return found


@pytest.fixture(scope="module")
def released(lasting: Callable[[str], Callable[..., Visited]]) -> tuple[Visited, list[RunResult]]:
    served = lasting("released")(bounds=[Budget(journey="buy", step="open", figure="latency", bound=0.5)])
    runs = releases()
    for one in runs:
        served.store.add(one)
    return served, runs


@pytest.fixture(scope="module")
def few(lasting: Callable[[str], Callable[..., Visited]]) -> Visited:
    """The same with two runs of each release."""
    served = lasting("few")()
    for one in releases(runs=2):
        served.store.add(one)
    return served


# The API


@pytest.mark.long
def test_a_release_that_made_a_step_slower_is_told_with_the_change_and_the_runs(
    released: tuple[Visited, list[RunResult]],
) -> None:
    served, runs = released
    told = served.get("/api/v1/journeys/buy/comparison?release=1.1&with_release=1.0", **JSON).json()
    steps = {one["step"]: one["comparison"] for one in told["steps"]}
    assert {step: one["outcome"] for step, one in steps.items()} == {"open": "same", "pay": "slower"}
    before, after = (
        median(one.steps[1].latency_seconds or 0 for one in runs if one.release == name) for name in ("1.0", "1.1")
    )
    assert steps["pay"]["ratio"] == pytest.approx(after / before)
    low, high = steps["pay"]["interval"]
    assert low < after / before < high
    assert steps["pay"]["runs"] == [20, 20]
    assert (told["baseline"]["release"], told["candidate"]["release"], told["candidate"]["compared"]) == ("1.0", "1.1", 20)
    assert told["notes"] == []


@pytest.mark.long
def test_a_span_is_compared_with_the_one_before_it(released: tuple[Visited, list[RunResult]]) -> None:
    served, _ = released
    # The second release began 20 * 6 minutes ago.
    told = served.get("/api/v1/journeys/buy/comparison?range=120m", **JSON).json()
    assert {one["step"]: one["comparison"]["outcome"] for one in told["steps"]} == {"open": "same", "pay": "slower"}
    swapped = served.get(
        f"/api/v1/journeys/buy/comparison?from={told['baseline']['start']}&to={told['baseline']['end']}"
        f"&with_from={told['candidate']['start']}&with_to={told['candidate']['end']}",
        **JSON,
    ).json()
    assert {one["step"]: one["comparison"]["outcome"] for one in swapped["steps"]} == {"open": "same", "pay": "faster"}


def test_few_runs_decide_nothing_and_it_is_said_why(few: Visited) -> None:
    told = few.get("/api/v1/journeys/buy/comparison?release=1.1&with_release=1.0", **JSON).json()
    assert {one["comparison"]["outcome"] for one in told["steps"]} == {"undecided"}
    assert any("2 of the runs shown passed; with fewer than 8 a difference says little" in note for note in told["notes"])


@pytest.mark.long
def test_a_step_that_only_one_side_has_is_named(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    served.store.add(made(release="1.0", step="pay", ago=100))
    served.store.add(made(release="1.1", step="pay at once", ago=50))
    told = served.get("/api/v1/journeys/buy/comparison?release=1.1&with_release=1.0", **JSON).json()
    assert {one["step"]: one["note"] for one in told["steps"]} == {
        "open": "",
        "pay at once": "not in the runs that it is compared with",
        "pay": "only in the runs that it is compared with",
    }


@pytest.mark.long
def test_a_comparison_comes_as_columns_for_a_spreadsheet(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    for one in releases():
        served.store.add(one)
    served.store.add(made(step="pay at once", release="1.1", ago=5))
    answer = served.get("/api/v1/journeys/buy/comparison?release=1.1&with_release=1.0&format=csv")
    rows = {row["step"]: row for row in csv.DictReader(io.StringIO(answer.body.decode(), newline=""))}
    assert rows["pay"]["comparison.outcome"] == "slower"
    assert float(rows["pay"]["comparison.ratio"]) > 1.3
    assert (rows["pay at once"]["comparison.outcome"], rows["pay at once"]["comparison.ratio"]) == ("", "")
    assert rows["pay at once"]["note"] == "not in the runs that it is compared with"


@pytest.mark.long
def test_a_journey_and_a_list_of_runs_name_the_releases(released: tuple[Visited, list[RunResult]]) -> None:
    served, runs = released
    data = served.get("/api/v1/journeys/buy", **JSON).json()
    assert [(one["release"], one["runs"]) for one in data["releases"]] == [("1.0", 20), ("1.1", 20)]
    assert {one["step"]: one["budget_seconds"] for one in data["steps"]} == {"open": 0.5, "pay": 0.9}
    rows = list(csv.DictReader(io.StringIO(served.get("/api/v1/runs?format=csv&limit=100").body.decode(), newline="")))
    assert [row["release"] for row in rows] == [one.release for one in reversed(runs)]


@pytest.mark.long
def test_runs_are_found_by_their_release(released: tuple[Visited, list[RunResult]]) -> None:
    served, runs = released
    found = served.get("/api/v1/runs?release=1.0&limit=100", **JSON).json()["runs"]
    assert [one["id"] for one in found] == [one.id for one in reversed(runs) if one.release == "1.0"]
    assert served.get("/api/v1/runs?release=1", **JSON).json()["runs"] == []
    link = "/runs?range=24h&amp;journey=buy&amp;release=1.0"
    assert link in served.get("/journeys/buy?range=24h").body.decode()
    page = served.get(f"{link.replace('&amp;', '&')}&status=failed").body.decode()
    assert "No matching runs in" in page
    assert 'name="release" value="1.0"' in page


@pytest.mark.parametrize(
    ("query", "parameter", "fix"),
    [
        ("with=same", "with", "name two releases with release and with_release"),
        ("release=1.1", "with", "both sides would have the same runs"),
        ("release=1.1&with_release=1.1", "with", "both sides would have the same runs"),
        ("with=now", "with", "choose one of same, before"),
        ("with_from=2026-01-01T00:00:00Z", "with_from", "needs both with_from and with_to"),
        ("with_from=soon&with_to=2026-01-01T00:00:00Z", "with_from", "write one such as"),
        ("with_from=2026-01-02T00:00:00Z&with_to=2026-01-01T00:00:00Z", "with_from", "is not before with_to"),
        ("release=" + "x" * 101, "release", "100 characters"),
        ("relaese=1", "relaese", "did you mean release?"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_fix(few: Visited, query: str, parameter: str, fix: str) -> None:
    answer = few.get(f"/api/v1/journeys/buy/comparison?{query}", **JSON)
    told = answer.json()
    assert (answer.status, told["parameter"]) == (400, parameter)
    assert fix in told["detail"]
    if not query.startswith("relaese"):
        page = few.get(f"/journeys/buy?{query}")
        assert page.status == 200
        assert fix in page.body.decode()


# The page


@pytest.fixture
def page(chrome: Playwright) -> Iterator[Page]:
    context = chrome.new_context()
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    assert wrong == []
    context.close()


@pytest.mark.long
def test_two_releases_are_compared_from_the_page_and_the_address_keeps_it(
    released: tuple[Visited, list[RunResult]], page: Page
) -> None:
    served, _ = released
    page.goto(f"{served.address}/journeys/buy?range=24h")
    page.get_by_role("link", name="compare with 1.0").click()
    expect(page).to_have_url(re.compile(r"range=24h&release=1\.1&with_release=1\.0"))
    region = page.get_by_role("region", name="Faster or slower?")
    row = region.get_by_role("row", name=re.compile("^pay"))
    expect(row).to_contain_text("slower")
    expect(row).to_contain_text(re.compile(r"\+\d\d %"))
    expect(row).to_contain_text("20 and 20")
    expect(region.get_by_role("row", name=re.compile("^open"))).to_contain_text("same")
    # Another span keeps the question.
    page.get_by_role("link", name="7d", exact=True).click()
    expect(page).to_have_url(re.compile(r"range=7d&release=1\.1&with_release=1\.0"))
    expect(region.get_by_role("row", name=re.compile("^pay"))).to_contain_text("slower")


@pytest.mark.thorough
def test_a_span_is_compared_with_the_form(released: tuple[Visited, list[RunResult]], page: Page) -> None:
    served, _ = released
    page.goto(f"{served.address}/journeys/buy?range=120m&location=berlin")
    region = page.get_by_role("region", name="Faster or slower?")
    region.get_by_label("Compare with").select_option("the time range before")
    region.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(r"range=2h&location=berlin&.*with=before"))
    expect(region.get_by_role("row", name=re.compile("^pay"))).to_contain_text("slower")
    region.get_by_label("Compare with").select_option("the same time range")
    region.get_by_role("button", name="Compare").click()
    expect(region.get_by_role("alert")).to_contain_text("both sides would have the same runs")


@pytest.mark.thorough
def test_how_the_chart_is_drawn_stands_in_the_address(released: tuple[Visited, list[RunResult]], page: Page) -> None:
    served, _ = released
    page.goto(f"{served.address}/journeys/buy?range=24h")
    page.get_by_label("stacked").check()
    expect(page).to_have_url(re.compile(r"range=24h&form=stacked"))
    page.get_by_role("link", name="7d", exact=True).click()
    expect(page).to_have_url(re.compile(r"range=7d&form=stacked"))
    expect(page.get_by_label("stacked")).to_be_checked()


def test_the_chart_knows_releases_budgets_failures_and_crowded_runs(dashboard: Callable[..., Visited], page: Page) -> None:
    served = dashboard()
    at = datetime.now(UTC)
    bad = made(status="failed", ago=30, release="1.1")
    runs = [*releases(), bad, replace(bad, id=run_id(), started_at=at - timedelta(seconds=25), steps=())]
    runs.append(replace(runs[-3], id=run_id(), started_at=at - timedelta(seconds=20), contended=True))
    for one in runs:
        served.store.add(one)
    page.goto(f"{served.address}/journeys/buy?range=24h")
    chart = page.evaluate("JSON.parse(document.getElementById('series').textContent)")
    assert [name for _, name in chart["releases"]] == ["1.0", "1.1"]
    assert chart["releases"][1][0] == pytest.approx(runs[20].started_at.timestamp(), abs=0.01)
    assert [share for _, share in chart["bad"]] == [1.0, 1.0]
    assert chart["crowded"] == [pytest.approx(runs[-1].started_at.timestamp(), abs=0.01)]
    assert {one["name"]: one["budget"] for one in chart["series"]} == {"open": None, "pay": 0.9}
    # What is said there is drawn: pixels in the colours of a failure, and of a release's name.
    drawn = page.evaluate(
        """colours => {
            const {canvas} = document.querySelector('[data-chart] canvas').getContext('2d');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const near = (colour, at) => data[at + 3] > 40 && colour.every((part, place) => Math.abs(data[at + place] - part) < 40);
            return colours.map(colour => data.reduce((sum, _, at) => sum + (at % 4 === 0 && near(colour, at)), 0));
        }""",
        [[179, 38, 30], [28, 35, 33]],
    )
    assert drawn[0] > 100
    assert drawn[1] > 50


WRITTEN = """
const { fillText } = CanvasRenderingContext2D.prototype;
globalThis.written = [];
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const { width } = this.measureText(text);
  written.push({ text, left: x, right: x + width, top: y, canvas: [this.canvas.width, this.canvas.height] });
  return fillText.call(this, text, x, y);
};
"""


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_the_legend_has_a_value_for_each_step_and_the_line_of_a_budget_has_a_name_within_the_chart(
    released: tuple[Visited, list[RunResult]], page: Page, width: int
) -> None:
    served, runs = released
    page.set_viewport_size({"width": width, "height": 844})
    page.add_init_script(WRITTEN)
    page.goto(f"{served.address}/journeys/buy?range=24h")
    legend = page.locator("[data-chart] .u-legend")
    for name, step in zip(("open", "pay"), runs[-1].steps, strict=True):
        seconds = step.latency_seconds or 0.0
        newest = f"{round(seconds * 1000)} ms" if seconds < 1 else f"{seconds:.2f} s"
        expect(legend.get_by_role("row").filter(has_text=name)).to_contain_text(newest)
    labels = {one["text"]: one for one in page.evaluate("written")}
    assert {one for one in labels if "budget" in one} == {"budget of open", "budget of pay"}
    for name in ("budget of open", "budget of pay"):
        wide, high = labels[name]["canvas"]
        assert 0 <= labels[name]["left"] < labels[name]["right"] <= wide
        assert 0 < labels[name]["top"] <= high
