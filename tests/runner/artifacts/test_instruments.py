"""Chromium's own profilers: what pages do not use, how long their scripts run, and which functions take the time."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from runner import measures
from runner.artifacts.coverage import find_used
from runner.artifacts.profile_summary import summarize_profile
from runner.dsl.plan import Plan
from runner.page.signals import describe_signals
from runner.result import StepResult
from runner.settings.sections.budgets import parse_budgets
from tests.conftest import Monitor
from tests.pages import Page, answer, serving_pages
from tests.support.browsers import module_chrome
from tests.support.npm import INSTALL, build, npm

chrome = module_chrome
SPEEDSCOPE = Path(__file__).parent / "speedscope"
SCRIPT = """
function used() { document.title = "used"; }
function unused() { document.title = "a long function that nobody calls, ever, on any page of this site"; }
function busyLoop() { const ends = performance.now() + 120; while (performance.now() < ends); }
used();
"""
STYLE = "p { color: red }\n.nowhere-on-the-page { color: blue }\n"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A page that works when a button is clicked."""
    pages: dict[str, Page] = {
        "/": "<link rel='stylesheet' href='/a.css'><p>hello</p><button onclick='busyLoop()'>work</button><script src='/a.js'></script>",
        "/a.js": lambda request: answer(request, SCRIPT.encode(), kind="text/javascript"),
        "/a.css": lambda request: answer(request, STYLE.encode(), kind="text/css"),
    }
    with serving_pages(pages) as address:
        yield address


CODE = """
@journey(coverage="on", cpu_profile="on")
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("work"):
        page.get_by_role("button").click()
"""


def test_a_step_has_coverage_script_time_and_a_profile(monitor: Monitor, site: str) -> None:
    result = monitor.run(CODE, base_url=site, script_cpu=True)
    assert (result.status, result.notes) == ("passed", ()), result.failure
    opened, worked = (measures.measure_step(one) for one in result.steps)

    assert opened["script.unused_bytes"] > worked["script.unused_bytes"] > len("nobody calls, ever")
    # What comes before the first rule that is used counts with the rest.
    assert len(".nowhere-on-the-page") < opened["style.unused_bytes"] < len(STYLE)
    lines = [json.loads(line) for line in (monitor.saved() / "coverage.jsonl").read_text().splitlines()]
    (script,) = [one for one in lines if one["url"] == f"{site}/a.js"]
    unused = [SCRIPT[start:end] for start, end in script["unused"]]
    assert any("nobody calls" in one for one in unused)
    assert not any("busyLoop" in one or "used()" in one for one in unused if "unused" not in one)
    (style,) = [one for one in lines if one["type"] == "style"]
    assert (style["url"], style["bytes"]) == (f"{site}/a.css", len(STYLE))

    assert worked["task.cpu"] >= worked["script.cpu"] >= 0.1
    assert opened["script.cpu"] < worked["script.cpu"]

    profile = json.loads((monitor.saved() / "cpu-profiles" / "work.cpuprofile").read_text())
    assert {"nodes", "samples", "timeDeltas", "startTime", "endTime"} <= set(profile)
    busiest = summarize_profile(profile).functions[0]
    assert (busiest.function, busiest.url, busiest.line) == ("busyLoop", f"{site}/a.js", 4)
    assert busiest.total_seconds >= busiest.self_seconds > 0.08
    said = [line for line, _ in describe_signals(result.steps[1])]
    assert any("busyLoop" in line for line in said)
    assert any("not used so far" in line for line in said)
    assert measures.measure_run(result)["script.unused_bytes"] == worked["script.unused_bytes"]


def test_only_a_budget_or_the_setting_asks_for_the_time_of_scripts(monitor: Monitor) -> None:
    def measures_it(budget: str, **settings: bool) -> bool:
        return Plan(
            journey="a",
            file=monitor.folder / "a.py",
            budgets=parse_budgets(f'"a/*" = {{ {budget} }}'),
            **settings,  # type: ignore[arg-type]
        ).measures_script_cpu

    assert measures_it('"script.cpu" = "200ms"')
    assert measures_it('latency = "2s"', script_cpu=True)
    assert not measures_it('latency = "2s"')


def test_without_instruments_their_figures_are_absent() -> None:
    figures = measures.measure_step(StepResult(name="a", index=0, status="passed"))
    assert not {"script.cpu", "task.cpu", "script.unused_bytes", "style.unused_bytes"} & set(figures)


def test_inner_ranges_say_what_is_used() -> None:
    ranges = [(0, 100, 1), (10, 60, 0), (20, 30, 2), (70, 80, 0), (70, 75, 1)]
    found = find_used([{"startOffset": start, "endOffset": end, "count": count} for start, end, count in ranges])
    assert found == [(0, 10), (20, 30), (60, 75), (80, 100)]


def test_a_recursive_function_has_its_time_once() -> None:
    def node(number: int, name: str, *children: int) -> dict[str, object]:
        frame = {
            "functionName": name,
            "url": "" if name.startswith("(") or name == "agent" else "http://x/a.js",
            "lineNumber": 0,
            "columnNumber": 0,
        }
        return {"id": number, "callFrame": frame, "children": list(children)}

    idle, own = node(5, "(idle)"), node(6, "agent")
    profile = {
        "nodes": [node(1, "(root)", 2, 5, 6), node(2, "walk", 3), node(3, "walk", 4), node(4, "leaf"), idle, own],
        "samples": [3, 4, 5, 6, 2],
        "timeDeltas": [0, 1000, 2000, 2000, 2000],
        "startTime": 0,
        "endTime": 8000,
    }
    summary = summarize_profile(profile)
    assert [(one.function, one.self_seconds, one.total_seconds) for one in summary.functions] == [
        ("leaf", 0.002, 0.002),
        ("walk", 0.002, 0.004),
    ]


@pytest.mark.thorough
def test_speedscope_opens_a_profile(monitor: Monitor, site: str, chrome: Browser) -> None:
    monitor.run(CODE, base_url=site)
    profile = (monitor.saved() / "cpu-profiles" / "work.cpuprofile").read_bytes()
    build(SPEEDSCOPE, SPEEDSCOPE / "node_modules", npm(SPEEDSCOPE, *INSTALL))
    viewer = SPEEDSCOPE / "node_modules" / "speedscope" / "dist" / "release"
    kinds = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
    files = {f"/{one.name}": _serve(one.read_bytes(), kinds[one.suffix]) for one in viewer.iterdir() if one.suffix in kinds}
    with serving_pages({**files, "/work.cpuprofile": _serve(profile, "application/json")}) as address:
        page = chrome.new_page()
        with page.expect_console_message(lambda one: one.text.startswith("Importing as")) as said:
            page.goto(f"{address}/index.html#profileURL={address}/work.cpuprofile")
        assert said.value.text == "Importing as Chrome CPU Profile"
        page.get_by_text("Sandwich").click()
        expect(page.get_by_text("busyLoop")).to_be_visible()
        page.close()


def _serve(content: bytes, kind: str) -> Page:
    return lambda request: answer(request, content, kind=kind)
