"""A page says what it likes, and replaces what it likes: the run ends as the site deserves."""

import json

import pytest

from tests.conftest import Monitor
from tests.pages import answer, serving_pages
from tests.support.thorough import thorough_but

ALL = {"console": "on", "page_errors": "on", "failed_requests": "on", "replay": "on", "aria": "on", "trace": "on", "har": "on"}
SPOILING = {
    "toJSON of arrays": "Array.prototype.toJSON = function () { return 'x' }",
    "toJSON of everything": "Object.prototype.toJSON = String.prototype.toJSON = function () { return 1 }",
    "JSON": "globalThis.JSON = {stringify() { return 'no' }, parse() { throw 1 }}",
    "timeStamp": "Object.defineProperty(Event.prototype, 'timeStamp', {get() { return NaN }})",
    "startTime": "Object.defineProperty(PerformanceEntry.prototype, 'startTime', {get() { return 'x' }})",
    "frozen": "Object.freeze(Object.prototype); Object.freeze(Array.prototype)",
    "Promise": "globalThis.Promise = class { constructor() { throw 1 } }",
    "the agent": "__journeyAgent.read = () => new Date(NaN)",
    "the agent's answer": "__journeyAgent.read = () => '{\"now\":1e300}'",
    "the bindings": """
        __journeyReport('caf\\ud83d'); __journeyReport('['.repeat(100000)); __journeyReport('{"inputs":{"first":1e300}}');
        __journeyReport('{"asked":1,"id":"caf\\ud83d"}'); __journeyReport('{"asked":1,"id":[1]}');
        __journeyReplay('[{"a":"\\ud83d"}]'); __playwright__binding__('no');
    """,
    "marks": "performance.mark('m', {startTime: 1e300}); performance.measure('l', {start: 0, end: 1e300})",
}
NOT_BELIEVED = {"startTime", "Promise", "the agent's answer", "the bindings", "the agent"}
"""After which the stopwatch is the clock."""
HALF = r"'caf\ud83d'"


@pytest.mark.parametrize("what", thorough_but(3, SPOILING))
def test_a_page_that_replaces_what_the_agent_needs_does_not_end_the_run(monitor: Monitor, what: str) -> None:
    page = f"<title>t</title><script>{SPOILING[what]}</script><button onclick='this.textContent = 1'>go</button>"
    code = """
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
            with step("click"):
                page.get_by_role("button").click()
                expect(page.get_by_role("button")).to_have_text("1")
    """
    with serving_pages({"/": page}) as site:
        result = monitor.run(code, base_url=site, **ALL)
    assert (result.status, result.failure) == ("passed", None)
    # Without promises Playwright cannot ask a page for what is left of its recording.
    assert {one.kind for one in result.artifacts} >= {"trace", "har", "aria"} | ({"replay"} if what != "Promise" else set())
    assert result.steps[1].clock == ("stopwatch" if what in NOT_BELIEVED else "page"), result.notes


def test_half_a_character_is_kept_as_the_replacement_character_wherever_it_is(monitor: Monitor) -> None:
    page = f"""<p></p><script>
        console.log({HALF}); performance.mark({HALF}); document.title = {HALF}; document.querySelector('p').textContent = {HALF};
        setTimeout(() => {{ throw new Error({HALF}) }});
    </script>"""
    code = """
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
                page.wait_for_function("document.readyState === 'complete'")
            with step("on " + page.title(), soft=True):
                print(page.title(), flush=True)
                expect(page.locator("p")).to_have_text("coffee", timeout=300)
            with step("say"):
                assert page.locator("p").text_content() == "coffee", page.locator("p").text_content()
    """
    with serving_pages({"/": page}) as site:
        result = monitor.run(code, base_url=site, **ALL)
    assert result.status == "failed"
    opened, titled, said = result.steps
    assert [one.name for one in opened.user_timing] == ["caf\ufffd"]
    assert titled.name == "on caf\ufffd"
    assert titled.failure is not None
    assert titled.failure.kind == "assertion"
    assert said.failure is not None
    assert (said.failure.kind, said.failure.message.splitlines()[0]) == ("assertion", "caf\ufffd")
    assert "caf\ufffd" in {one.message for step in result.steps for one in step.page_errors}
    assert {one.kind for one in result.artifacts} >= {"trace", "har", "replay", "aria", "console", "page_errors"}
    assert not result.notes
    assert "caf\ufffd" in (monitor.saved() / "console.jsonl").read_text()


@pytest.mark.thorough
def test_a_megabyte_of_text_makes_a_message_that_can_be_read(monitor: Monitor) -> None:
    page = "<p>short</p><pre></pre><script>document.querySelector('pre').textContent = 'word '.repeat(100000) + '\\nx'.repeat(100000)</script>"
    code = """
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
                expect(page.locator("pre")).to_have_text("coffee", timeout=300)
    """
    with serving_pages({"/": page}) as site:
        result = monitor.run(code, base_url=site, trace="off", aria="off")
    assert result.failure is not None
    assert result.failure.kind == "assertion"
    assert "coffee" in result.failure.message
    assert "characters left out" in result.failure.message
    assert len(result.failure.message) <= 4000
    assert sum(file.stat().st_size for file in monitor.saved().rglob("*.json")) < 50_000


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("say", "log"),
    [("console.log(i)", "console.jsonl"), ("setTimeout(() => { throw new Error(i) })", "page-errors.jsonl")],
)
def test_a_burst_of_messages_or_errors_is_heard_for_a_while_in_each_step(monitor: Monitor, say: str, log: str) -> None:
    code = """
        @journey(console="on", page_errors="on")
        def walk(page, step):
            for name in ("first", "second"):
                with step(name):
                    page.goto("/")
                    page.wait_for_function("window.done")
    """
    burst = f"<script>for (let i = 0; i < 1100; i++) {say}; setTimeout(() => window.done = true)</script>"
    with serving_pages({"/": burst}) as site:
        result = monitor.run(code, base_url=site)
    assert result.status == "passed", result.failure
    lines = [json.loads(line) for line in (monitor.saved() / log).read_text().splitlines()]
    cuts = [number for number, line in enumerate(lines) if line.get("cut") == "only the first 1000 of this step are recorded"]
    assert cuts == [1000, 2001]
    assert len(lines) == 2002


PLAIN = {
    "image/svg+xml": ("<svg xmlns='http://www.w3.org/2000/svg'><text>hello</text></svg>", "hello"),
    "application/xml": ("<greeting>hello</greeting>", "hello"),
    "text/html": ("<p>hello</p><script>document.documentElement.remove()</script>", ""),
}


@pytest.mark.parametrize("kind", thorough_but(1, PLAIN))
def test_a_page_that_has_no_body_has_a_tree_at_once(monitor: Monitor, kind: str) -> None:
    content, shown = PLAIN[kind]
    code = "@journey(aria='on')\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n"
    with serving_pages({"/": lambda request: answer(request, content.encode(), kind=kind)}) as site:
        result = monitor.run(code, base_url=site)
    assert (result.status, result.notes) == ("passed", ())
    assert shown in (monitor.saved() / "aria" / "open.yaml").read_text()
