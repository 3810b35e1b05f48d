"""What a run ends with: its status, its reason, its steps, its artifacts."""

import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import psutil
import pytest

from runner.browser.chromium import Browser
from runner.events import AttemptEnded, AttemptStarted, RunEnded, RunStarted, StepEnded, StepStarted
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until


def test_a_journey_of_six_lines_runs_and_is_saved(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def look_around(page, step):
            with step("open the shop"):
                page.goto("/")
    """)
    assert (result.status, result.attempts, [step.name for step in result.steps]) == ("passed", 1, ["open the shop"])
    saved = json.loads((monitor.saved() / "result.json").read_text())
    assert (saved["version"], saved["id"], saved["status"]) == (1, result.id, "passed")
    assert saved["steps"][0]["latency_seconds"] == result.steps[0].latency_seconds
    assert result.environment.browser.startswith("chromium ")


def test_listeners_hear_the_moments_in_order_and_the_end_after_it_is_saved(monitor: Monitor) -> None:
    monitor.run("@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n")
    assert [type(moment) for moment in monitor.moments] == [
        RunStarted,
        AttemptStarted,
        StepStarted,
        StepEnded,
        AttemptEnded,
        RunEnded,
    ]
    last = monitor.moments[-1]
    assert isinstance(last, RunEnded)
    assert last.folder is not None
    assert (last.folder / "result.json").is_file()


def test_an_assertion_that_does_not_hold_fails_its_step_and_skips_the_rest(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/cart")
            with step("look"):
                expect(page.get_by_text("Check out")).to_be_visible(timeout=300)
            with step("buy"):
                page.goto("/checkout")
    """)
    assert [(step.name, step.status) for step in result.steps] == [("open", "passed"), ("look", "failed"), ("buy", "skipped")]
    failure = result.failure
    assert failure is not None
    assert (result.status, failure.kind, failure.step) == ("failed", "assertion", "look")
    assert (failure.line, failure.code) == (8, 'expect(page.get_by_text("Check out")).to_be_visible(timeout=300)')
    assert failure.url == f"{monitor.shop}/cart"
    assert "site-packages" not in failure.message


def test_a_failing_step_leaves_its_screenshot_and_a_trace_with_the_steps_as_groups(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('find the / tea'):\n        assert page.goto('/') is None\n"
    )
    assert {(one.kind, one.path) for one in result.artifacts} == {
        ("trace", "trace.zip"),
        ("screenshot", "screenshots/find-the-tea.png"),
        ("aria", "aria/find-the-tea.yaml"),
        ("replay", "replay.json.gz"),
    }
    assert (monitor.saved() / "screenshots" / "find-the-tea.png").read_bytes().startswith(b"\x89PNG")
    with zipfile.ZipFile(monitor.saved() / "trace.zip") as trace:
        assert b"find the / tea" in trace.read("trace.trace")
    assert "heading" in (monitor.saved() / "aria" / "find-the-tea.yaml").read_text()
    assert sorted(one.name for one in (monitor.folder / "runs").iterdir()) == [".scratch", "walk"]
    assert list((monitor.folder / "runs" / ".scratch").glob("*/*")) == []


@pytest.mark.parametrize(
    ("policy", "code", "kept"),
    thorough_but(
        2,
        [
            ("retain-on-failure", "assert False", ["trace-attempt-1.zip", "trace.zip"]),
            ("on", "pass", ["trace.zip"]),
            ("retain-on-failure", "pass", []),
            ("off", "assert False", []),
            ("on-first-retry", "assert False", ["trace.zip"]),
        ],
    ),
)
def test_traces_are_kept_by_policy(monitor: Monitor, policy: str, code: str, kept: list[str]) -> None:
    body = f"@journey(retries=1)\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n        {code}\n"
    result = monitor.run(body, trace=policy, screenshots="off", aria="off", replay="off")
    assert [one.path for one in result.artifacts] == kept
    assert sorted(file.name for file in monitor.saved().glob("*.zip")) == kept


def test_a_run_that_passes_on_its_second_attempt_is_passed_and_flaky(monitor: Monitor) -> None:
    result = monitor.run("""
        from pathlib import Path
        once = Path(__file__).with_name("once")
        @journey(retries=2)
        def walk(page, step):
            with step("open"):
                page.goto("/")
            with step("luck"):
                first = not once.exists()
                once.touch()
                assert not first, "bad luck"
    """)
    assert (result.status, result.attempts, result.flaky) == ("passed", 2, True)
    (earlier,) = result.earlier_attempts
    assert (earlier.status, earlier.failure and earlier.failure.message) == ("failed", "bad luck")
    assert [one.path for one in result.artifacts if one.kind == "trace"] == ["trace.zip"]


FAILING = """
    from pathlib import Path
    walks = Path(__file__).with_name("walks")
    @journey{options}
    def walk(page, step):
        walks.write_text(walks.read_text() + "x" if walks.exists() else "x")
        with step("open"):
            page.goto("/")
        with step("luck"):
            assert {condition}, "bad luck"
"""


def test_a_failure_is_walked_once_more_for_its_trace_and_replay_and_that_walk_does_not_count(monitor: Monitor) -> None:
    result = monitor.run(FAILING.format(options="", condition="len(walks.read_text()) == 2"))
    assert (result.status, result.attempts, result.flaky, result.failure and result.failure.message) == (
        "failed",
        1,
        False,
        "bad luck",
    )
    assert [(step.name, step.status) for step in result.steps] == [("open", "passed"), ("luck", "failed")]
    assert {one.kind: one.attempt for one in result.artifacts} == {"screenshot": 1, "aria": 1, "trace": 2, "replay": 2}
    assert result.notes == (
        "the journey was walked once more, to record trace and replay; that walk passed and does not count",
    )
    assert [moment.step.name for moment in monitor.moments if isinstance(moment, StepEnded)] == ["open", "luck"]
    assert (monitor.folder / "walks").read_text() == "xx"
    look = result.second_look
    assert look is not None
    assert (look.number, look.status, [step.status for step in look.steps]) == (2, "passed", ["passed", "passed"])


@pytest.mark.parametrize(
    ("options", "condition", "settings", "walks", "traces"),
    thorough_but(
        2,
        [
            ("", "True", {}, "x", 0),
            ("", "False", {}, "xx", 1),
            ("(retries=1)", "False", {}, "xx", 1),
            ("", "False", {"trace": "retain-on-failure", "replay": "off"}, "x", 1),
            ("(timeout='4s')", "page.wait_for_timeout(2500)", {}, "x", 0),
        ],
    ),
    ids=["passed", "failed", "retried", "recorded at once", "no time left"],
)
def test_a_journey_is_walked_once_more_only_where_nothing_was_recorded_and_there_is_time(
    monitor: Monitor, options: str, condition: str, settings: dict[str, str], walks: str, traces: int
) -> None:
    result = monitor.run(FAILING.format(options=options, condition=condition), **settings)
    assert (monitor.folder / "walks").read_text() == walks
    assert len([one for one in result.artifacts if one.kind == "trace"]) == traces


def test_a_soft_step_that_fails_lets_the_journey_go_on_and_fails_the_run(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(page, step):
            with step("banner", soft=True):
                assert False, "no banner"
            with step("open"):
                page.goto("/")
    """)
    assert (result.status, [step.status for step in result.steps]) == ("failed", ["failed", "passed"])
    assert result.failure is not None
    assert (result.failure.step, result.failure.message) == ("banner", "no banner")


def test_a_document_with_an_error_status_fails_its_step(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/product/cracked-teapot')")
    assert step.failure is not None
    assert (step.status, step.failure.kind) == ("failed", "http")
    assert step.failure.message == f"HTTP 500 from {monitor.shop}/product/cracked-teapot"


def test_a_journey_can_allow_an_error_status(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('missing', allow_status={404}):\n        page.goto('/nowhere')\n"
    )
    assert (result.status, result.steps[0].navigations[0].status) == ("passed", 404)


def test_a_caught_failure_of_a_step_still_fails_the_run(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(step):
            try:
                with step("a"):
                    assert False, "hidden"
            except AssertionError:
                pass
    """)
    assert (result.status, result.failure and result.failure.message) == ("failed", "hidden")


@pytest.mark.parametrize(
    ("body", "status", "kind", "message"),
    thorough_but(
        8,
        [
            (
                "page.goto('/switch/timer')\npage.get_by_text('no such text').click(timeout=200)",
                "failed",
                "timeout",
                "Timeout 200ms exceeded",
            ),
            ("page.goto('http://127.0.0.1:9')", "failed", "navigation", "net::ERR_"),
            ("page.evaluate('nothing.at.all')", "failed", "page", "nothing is not defined"),
            ("{}['x']", "error", "journey", "KeyError: 'x'"),
            ("page.goto('http://')", "error", "journey", "Cannot navigate to invalid URL"),
            ("page.close()\npage.title()", "error", "journey", "has been closed"),
            ("page.keyboard.press('Foo')", "error", "journey", "Unknown key"),
            ("context.add_cookies([{'name': 'a', 'value': 'b'}])", "error", "journey", "Cookie should have a url"),
            (
                "page.context.browser.browser_type.launch(executable_path='/no/chrome')",
                "error",
                "journey",
                "executable doesn't exist",
            ),
            ("context.tracing.start()", "error", "journey", 'set trace="off" for this journey'),
            ("page.wait_for_load_state('loaded')", "error", "journey", "expected one of"),
            ("page.evaluate('(((')", "error", "journey", "SyntaxError"),
            ("context.set_geolocation({'latitude': 500, 'longitude': 0})", "error", "journey", "precondition"),
            ("page.context.browser.new_context(locale=5)", "error", "journey", "expected string, got number"),
            ("raise SystemExit('no stock today')", "failed", "assertion", "sys.exit: no stock today"),
            ("raise SystemExit(0)", "error", "journey", "ended the journey before its end"),
            ("import pytest; pytest.fail('no results')", "failed", "assertion", "no results"),
            ("import pytest; pytest.skip('closed today')", "error", "journey", "closed today"),
            ("raise KeyboardInterrupt", "error", "journey", "KeyboardInterrupt"),
            ("import asyncio; raise asyncio.CancelledError()", "error", "journey", "CancelledError"),
            ("step(5)", "error", "journey", "5 is not a name for a step; write a text"),
            ("step('x', allow_status='404')", "error", "journey", "allow_status is '404'; write statuses as numbers"),
            ("raise ValueError('x' * 3_000_000)", "error", "journey", "characters left out"),
            ("page.goto('chrome://crash')", "error", "crash", "crashed"),
        ],
    ),
)
def test_the_status_tells_the_site_from_the_monitor(monitor: Monitor, body: str, status: str, kind: str, message: str) -> None:
    failure = monitor.step(body).failure
    assert failure is not None
    assert (failure.kind, message in failure.message) == (kind, True), failure.message
    assert monitor.archive.find("last").result.status == status


@pytest.mark.parametrize(
    ("policy", "act", "status"),
    thorough_but(
        1,
        [
            ("on", "start()", "error"),
            ("on-first-retry", "start()", "error"),
            ("off", "start()", "passed"),
            ("on", "stop()", "passed"),
            ("on-first-retry", "stop()", "passed"),
        ],
    ),
)
def test_a_journey_that_traces_itself_ends_alike_whether_this_attempt_is_recorded_or_not(
    monitor: Monitor, policy: str, act: str, status: str
) -> None:
    code = f"@journey\ndef walk(page, context, step):\n    with step('open'):\n        page.goto('/')\n        context.tracing.{act}\n"
    assert monitor.run(code, trace=policy).status == status


@pytest.mark.parametrize(
    ("listen", "act", "kind", "message"),
    thorough_but(
        2,
        [
            ("page.on('console', lambda one: 1 / 0)", "page.evaluate('console.log(1)')", "journey", "ZeroDivisionError"),
            # What is no Exception would end Playwright's connection, and with it all further runs.
            (
                "page.on('console', lambda one: exit('no tea'))",
                "page.evaluate('console.log(1)')",
                "assertion",
                "sys.exit: no tea",
            ),
            ("page.on('console', lambda one: fail('no tea'))", "page.evaluate('console.log(1)')", "assertion", "no tea"),
            # The call in it fails when it is answered.
            (
                "page.on('dialog', lambda one: one.accept(5))",
                "page.evaluate('prompt()')",
                "journey",
                "expected string, got number",
            ),
            # A route that its handler does not answer holds the page until the timeout.
            (
                "page.route('**/*', lambda route: route.fulfill(path='/no/file'))",
                "page.goto('/')",
                "journey",
                "FileNotFoundError",
            ),
            (
                "page.route('**/*', lambda route: {}['x'])",
                "page.goto('/')",
                "journey",
                "KeyError: 'x'\nso the step waited: Page.goto: Time",
            ),
            (
                "page.on('console', spin)",
                "page.evaluate('console.log(1)')\n    page.wait_for_timeout(30_000)",
                "deadline",
                "own code was still",
            ),
            ("page.route('**/*', spin)", "page.goto('/', timeout=0)", "deadline", "s expired, and was ended"),
        ],
    ),
)
def test_what_a_listener_or_a_route_handler_raises_is_why_the_step_failed(
    monitor: Monitor, listen: str, act: str, kind: str, message: str
) -> None:
    body = f"""
from sys import exit
from time import sleep
from pytest import fail
def spin(_):
    while True:
        sleep(0.01)
@journey(timeout="8s")
def walk(page, step):
  page.set_default_timeout(4000)
  with step("do"):
    {listen}
    {act}
"""
    failure = monitor.run(body, trace="off", screenshots="off", aria="off", replay="off").failure
    assert failure is not None
    assert (failure.kind, failure.step, message in failure.message) == (kind, "do", True), failure.message
    assert monitor.step("page.goto('/')").status == "passed"


RAISED = "raised by the function 'f' that the journey exposes to its pages"


@pytest.mark.parametrize(
    ("function", "act", "kind", "message"),
    thorough_but(
        2,
        [
            ("lambda: 1 / 0", "page.evaluate('f()')", "journey", f"ZeroDivisionError: division by zero\n{RAISED}"),
            ("late", "page.evaluate('f()')", "journey", f"ValueError: late\n{RAISED}"),
            ("lambda: exit('no tea')", "page.evaluate('f()')", "assertion", f"sys.exit: no tea\n{RAISED}"),
            (
                "lambda: 1 / 0",
                "page.evaluate('void f()')\n    expect(page.locator('nav')).to_have_text('x', timeout=300)",
                "assertion",
                "meanwhile the function 'f' that the journey exposes to its pages raised ZeroDivisionError: division by zero",
            ),
            ("lambda: 1 / 0", "page.evaluate('f().catch(() => nothing.x)')", "page", "ReferenceError: nothing is not defined"),
            ("lambda: 1 / 0", "page.evaluate('f().catch(() => 0)')", None, ""),
        ],
    ),
)
def test_what_an_exposed_function_raises_is_the_journeys(
    monitor: Monitor, function: str, act: str, kind: str | None, message: str
) -> None:
    body = f"""
from sys import exit
async def late():
    raise ValueError("late")
@journey
def walk(page, step):
  with step("do"):
    page.goto("/")
    page.expose_function("f", {function})
    {act}
"""
    failure = monitor.run(body, trace="off", screenshots="off", aria="off", replay="off").failure
    assert (failure and failure.kind) == kind, failure
    assert failure is None or message in failure.message, failure


@pytest.mark.thorough
def test_a_site_that_floods_the_runner_with_events_still_fails_at_the_runs_timeout(monitor: Monitor) -> None:
    flood = "for (let i = 0; i < 20; i++) setInterval(() => console.log(i), 1)"
    result = monitor.run(f"""
        @journey(timeout="4s")
        def walk(page, step):
            page.on("console", lambda one: None)
            with step("wait"):
                page.goto("/")
                page.evaluate("{flood}")
                page.get_by_text("never").wait_for(timeout=0)
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.failure.step) == ("failed", "timeout", "wait"), result.failure
    assert monitor.step("page.goto('/')").status == "passed"


@pytest.mark.thorough
def test_a_killed_driver_ends_its_run_and_no_other(monitor: Monitor) -> None:
    kill = "import psutil\nfor one in psutil.Process().children():\n    one.kill() if 'node' in one.name() else None\npage.goto('/')"
    failure = monitor.step(kill).failure
    assert failure is not None
    assert (failure.kind, "the browser was gone" in failure.message) == ("browser", True), failure
    assert monitor.step("page.goto('/')").status == "passed"


@pytest.mark.thorough
def test_a_browser_that_a_journey_starts_is_watched_like_the_runners_own(monitor: Monitor) -> None:
    result = monitor.run(f"""
        @journey
        def walk(browser, step):
            own = browser.browser_type.launch(executable_path={str(monitor.chromium.path)!r}, args=["--no-sandbox"])
            with step("open"):
                own.new_page().goto("{monitor.shop}/nowhere")
            own.close()
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("failed", "http"), result.failure


def test_a_step_keeps_its_name_as_it_is_written(monitor: Monitor) -> None:
    names = ["a/b", "{0!r}", "new\nline", "\0nul", "\033[31mred", "x" * 5000, "", ".", "\u202e evil", "half \ud83d"]
    steps = "".join(f"    with step({name!r}):\n        page.goto('/')\n" for name in names)
    result = monitor.run(f"@journey\ndef walk(page, step):\n{steps}")
    assert (result.status, [step.name for step in result.steps]) == ("passed", [*names[:-1], "half \ufffd"])


def test_a_step_that_is_named_but_not_begun_is_an_error(monitor: Monitor) -> None:
    result = monitor.run("@journey\ndef walk(page, step):\n    step('open')\n    page.goto('/')\n")
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "journey")
    assert "step 'open' was named but never begun; write `with step('open'):`" in result.failure.message


def test_the_browsers_own_page_about_an_error_is_not_recorded(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('http://127.0.0.1:9')\n", replay="on"
    )
    assert result.failure
    assert (result.status, result.failure.kind) == ("failed", "navigation")
    assert "replay" not in {one.kind for one in result.artifacts}


def test_a_killed_browser_is_an_error_of_the_monitor_and_the_next_run_has_a_new_one(monitor: Monitor) -> None:
    kill = (
        "import psutil\nfor one in psutil.Process().children(recursive=True):\n"
        "    one.kill() if 'headless' in one.name() else None\npage.goto('/')"
    )
    failure = monitor.step(kill, "page.goto('/')").failure
    assert failure is not None
    assert (failure.kind, "killed" in failure.message) == ("browser", True)
    assert monitor.step("page.goto('/')").status == "passed"


@pytest.mark.thorough
def test_a_page_that_hangs_fails_the_run_at_its_timeout(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey(timeout='2s')\ndef walk(page, step):\n    with step('hang'):\n        page.goto('/switch/hang', timeout=0)\n"
    )
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.failure.step) == ("failed", "timeout", "hang")
    assert "timeout of 2 s" in result.failure.message


@pytest.mark.thorough
def test_a_call_whose_answer_went_with_the_browser_ends_the_run_as_the_browsers_failure(monitor: Monitor) -> None:
    # Playwright drops an answer that names an object which is gone with the browser; the call then waits for ever.
    result = monitor.run("""
        import asyncio
        import psutil
        @journey(timeout="60s")
        def walk(page, step):
            with step("lost"):
                for one in psutil.Process().children(recursive=True):
                    try:
                        if "headless" in one.name():
                            one.kill()
                    except psutil.NoSuchProcess:
                        pass  # it has ended with another
                page._sync(asyncio.Event().wait())
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.failure.step) == ("error", "browser", "lost")
    assert result.duration_seconds < 60
    assert monitor.step("page.goto('/')").status == "passed"


def test_an_endless_loop_in_a_journey_is_ended(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey(timeout='1s')\ndef walk(page, step):\n    with step('spin'):\n        while True:\n            pass\n"
    )
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "deadline")
    assert result.failure.code in {"pass", "while True:"}


@pytest.mark.thorough
def test_a_journey_that_will_not_be_ended_loses_its_worker_and_nothing_else(monitor: Monitor) -> None:
    # The worker has a browser by now. The journey itself opens no page: a busy machine might take all of its second for that.
    assert monitor.step("page.goto('/')").status == "passed"
    result = monitor.run("""
        import signal, time
        @journey(timeout="1s")
        def walk(step):
            with step("before"):
                pass
            with step("stubborn"):
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                while True:
                    time.sleep(1)
            with step("after"):
                pass
    """)
    assert [(step.name, step.status) for step in result.steps] == [
        ("before", "passed"),
        ("stubborn", "error"),
        ("after", "skipped"),
    ]
    assert result.failure is not None
    assert (result.failure.kind, "its worker was ended" in result.failure.message) == ("deadline", True)
    assert [file.name for file in monitor.saved().iterdir()] == ["result.json"]
    assert monitor.step("page.goto('/')").status == "passed"


def test_a_worker_that_dies_is_named_with_how_it_died(monitor: Monitor) -> None:
    result = monitor.run("import os\n@journey\ndef walk(step):\n    with step('die'):\n        os.kill(os.getpid(), 9)\n")
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.failure.step) == ("error", "monitor", "die")
    assert "ended by signal 9" in result.failure.message


def is_browser(process: psutil.Process) -> bool:
    try:
        return "headless" in process.name()
    except psutil.NoSuchProcess:
        return False  # it has ended since it was listed


@pytest.mark.thorough
def test_no_browser_is_left_when_a_worker_was_ended(monitor: Monitor) -> None:
    monitor.step("page.goto('/')")
    before = [one for one in psutil.Process(os.getpid()).children(recursive=True) if is_browser(one)]
    monitor.run("import os\n@journey\ndef walk(page, step):\n    page.goto('/')\n    os.kill(os.getpid(), 9)\n")
    assert before

    def is_alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False  # between the two

    wait_until(lambda: not any(map(is_alive, before)), "the browsers of the worker to end")


def test_nested_steps_are_refused(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(step):
            with step("outer"):
                with step("inner"):
                    pass
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "journey")
    assert "step 'inner' begins inside step 'outer'" in result.failure.message


def test_a_step_name_used_twice_is_refused(monitor: Monitor) -> None:
    result = monitor.run("@journey\ndef walk(step):\n    for _ in range(2):\n        with step('a'):\n            pass\n")
    assert result.failure is not None
    assert (result.status, "step named 'a' has already run" in result.failure.message) == ("error", True)


def test_a_recorded_script_is_one_step_under_the_journeys_name(monitor: Monitor) -> None:
    result = monitor.run("""
        import re
        from playwright.sync_api import Page, expect
        @journey
        def test_example(page: Page) -> None:
            page.goto("/")
            page.get_by_role("searchbox", name="Search the shop").click()
            page.get_by_role("searchbox", name="Search the shop").fill("tea")
            page.get_by_role("button", name="Search").click()
            expect(page.get_by_role("heading")).to_contain_text("Results")
    """)
    assert [(step.name, step.status) for step in result.steps] == [("test_example", "passed")]
    assert len(result.steps[0].navigations) == 2


def test_everything_that_can_be_injected_is(monitor: Monitor) -> None:
    result = monitor.run(
        """
        @journey
        def walk(page, context, browser, step, request, params, secrets):
            with step("all"):
                assert page.context is context and context.browser is browser
                assert request.get("/healthz").text() == "ok"
                assert params == {"size": "big"}
                assert "NOT_SET" not in secrets
        """,
        params={"size": "big"},
    )
    assert (result.status, result.failure) == ("passed", None)


def test_the_context_is_as_the_options_say(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey(viewport="800x600", locale="de-DE", timezone="Asia/Tokyo", geolocation=(52.5, 13.4), user_agent_suffix="probe/1",
                 headers={"X-Team": "shop"}, basic_auth=("me", "secret"), ignore_https_errors=True)
        def walk(page, step):
            seen = {}
            page.on("request", lambda request: seen.update(request.all_headers()) if request.is_navigation_request() else None)
            with step("look"):
                page.goto("/")
                assert page.viewport_size == {"width": 800, "height": 600}
                told = page.evaluate("[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.userAgent]")
                assert told[:2] == ["de-DE", "Asia/Tokyo"], told
                assert told[2].endswith(" probe/1"), told
                where = page.evaluate("new Promise(done => navigator.geolocation.getCurrentPosition(p => done(p.coords.latitude)))")
                assert where == 52.5
                assert seen["x-team"] == "shop"
    """)
    assert result.failure is None
    device = monitor.run("""
        @journey(device="Pixel 7")
        def walk(page, step):
            with step("look"):
                page.goto("/")
                assert page.evaluate("[innerWidth, navigator.maxTouchPoints > 0]") == [412, True]
    """)
    assert device.failure is None


def test_a_slower_network_and_processor_make_slower_pages(monitor: Monitor) -> None:
    slow = monitor.run(
        "@journey(network='fast-3g', cpu=4)\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n"
    )
    # The preset adds 0.5625 s to every request, and the page needs two in a row.
    assert slow.steps[0].latency_seconds is not None
    assert slow.steps[0].latency_seconds >= 0.5625


def test_a_saved_sign_in_is_used(monitor: Monitor) -> None:
    monitor.run("""
        from pathlib import Path
        @journey
        def sign_in(page, context, step):
            with step("sign in"):
                page.goto("/login")
                page.get_by_label("Email").fill("tea@example.com")
                page.get_by_label("Password").fill("oolong-and-milk")
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_text("tea@example.com")).to_be_visible()
            context.storage_state(path=Path(__file__).with_name("state.json"))
    """)
    result = monitor.run("""
        @journey(storage_state="state.json")
        def walk(page, step):
            with step("checkout"):
                page.goto("/checkout")
                expect(page.get_by_role("heading", name="Checkout")).to_be_visible()
    """)
    assert result.status == "passed"


def test_a_step_over_its_budget_passes_and_says_so(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('a', budget='100ms'):\n        page.goto('/?delay=200')\n"
    )
    assert (result.status, result.steps[0].over_budget, result.steps[0].budget_seconds) == ("passed", True, 0.1)


def test_a_failed_run_keeps_the_time_of_the_last_success(monitor: Monitor) -> None:
    good = monitor.run("@journey\ndef walk(step):\n    with step('a'):\n        pass\n")
    bad = monitor.run("@journey\ndef walk(step):\n    with step('a'):\n        assert False\n")
    assert good.last_success_at == good.ended_at
    assert bad.last_success_at == good.ended_at


def test_a_journey_that_never_passed_has_no_last_success(monitor: Monitor) -> None:
    assert monitor.run("@journey\ndef walk(step):\n    with step('a'):\n        assert False\n").last_success_at is None


def test_a_folder_that_cannot_be_written_changes_nothing_but_a_note(monitor: Monitor) -> None:
    result = monitor.run("""
        from pathlib import Path
        @journey
        def walk(step):
            with step("a"):
                (Path(__file__).parent / "runs" / "walk").write_text("a file where the journey's folder should be")
    """)
    assert (result.status, "not saved" in result.notes[0]) == ("passed", True)


LOOK = "@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n"


@pytest.mark.thorough
def test_video_without_playwrights_ffmpeg_is_a_note_and_no_failure(no_ffmpeg: Path, monitor: Monitor) -> None:
    with Workers(1) as monitor.pool:
        result = monitor.run(LOOK, video="on")
    assert (result.status, result.artifacts) == ("passed", ())
    assert "playwright install ffmpeg" in result.notes[0]


@pytest.mark.long
def test_a_video_is_saved_and_can_be_played(ffmpeg: str, monitor: Monitor) -> None:
    with Workers(1) as monitor.pool:
        result = monitor.run(LOOK, video="on")
        dropped = monitor.run(LOOK, video="retain-on-failure")
    (video,) = result.artifacts
    assert (video.kind, video.path, dropped.artifacts) == ("video", "video.webm", ())
    film = next(folder for folder in monitor.folder.glob(f"runs/walk/*{result.id}")) / "video.webm"
    played = subprocess.run([ffmpeg, "-i", film, "-f", "null", "-"], capture_output=True, text=True, check=True)
    assert re.search(r"Video: (vp[89]|av1)", played.stderr), played.stderr


@pytest.mark.thorough
def test_a_page_that_eats_all_memory_is_the_monitors_error(monitor: Monitor, tmp_path: Path) -> None:
    program = tmp_path / "small-chromium"
    program.write_text(f'#!/bin/sh\nexec {monitor.chromium.path} --js-flags=--max-old-space-size=32 "$@"\n')
    program.chmod(0o755)
    monitor.chromium = Browser(path=program, found="with little memory")
    result = monitor.run("""
        @journey
        def walk(page, step):
            with step("eat"):
                page.goto("/")
                page.evaluate("() => { const all = []; for (;;) all.push(new Array(10000).fill(0).map(Math.random)) }")
    """)
    assert (result.status, result.failure and result.failure.kind) == ("error", "crash")
    assert result.failure
    assert "out of memory" in result.failure.message


@pytest.mark.thorough
def test_an_artifact_without_room_is_dropped_whole_with_a_note(monitor: Monitor) -> None:
    sizes = {one.kind: one.bytes for one in monitor.run(LOOK, trace="on", screenshots="on").artifacts}
    # A picture is always about as large; a trace holds as many frames as the browser had time to draw.
    limit = sizes["screenshot"] + 2_000
    result = monitor.run(LOOK, trace="on", screenshots="on", artifact_limit=limit)
    assert (result.status, {one.kind for one in result.artifacts}) == ("passed", {"screenshot"})
    assert any(re.fullmatch(r"trace\.zip: not kept, \d+ bytes are over what artifact_limit .*", note) for note in result.notes)
    assert not (monitor.saved() / "trace.zip").exists()


def test_an_artifact_that_cannot_be_redacted_is_not_kept(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    # What Playwright could one day write: a trace whose lines are no JSON.
    code = """
        import runner.artifacts.trace as trace
        import zipfile
        stop = trace.stop_trace
        def spoiled(context, file):
            stop(context, file)
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr("1-trace.network", b'{"name": "cookie", ')
        trace.stop_trace = spoiled  # while the file is imported: what the journey replaces is put back before the trace is saved
        @journey
        def walk(page, step):
            with step("a"):
                page.goto("/")
    """
    with Workers(1) as monitor.pool:
        result = monitor.run(code, trace="on", har="on")
    assert (result.status, {one.kind for one in result.artifacts}) == ("passed", {"har"})
    assert any(note.startswith("trace: not kept, it could not be redacted") for note in result.notes)
    assert {one.name for one in monitor.saved().iterdir()} == {"result.json", "requests.har"}
