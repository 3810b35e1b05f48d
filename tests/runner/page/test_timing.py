"""The page clock and what it reads, on real pages in a real browser. The shop's delays are exact, so that a latency below
one is a mistake; no test asserts an upper bound of a time, but for `latency <= wall`, which Monitor.step always asserts."""

import ssl
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import Monitor
from tests.pages import answer, serving_pages
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE

TICK = 0.001
"""Seconds, several times what a browser rounds its stamps to, and a server's sleep to."""
CHANGED = ("dom", "paint")
"""A change of the page; on a busy machine it may take long enough to be drawn that the drawing counts."""
GO = "page.get_by_role('button', name='Go').click()\n"
DONE = "expect(page.get_by_text('done')).to_be_visible()\n"
TWO_FRAMES = 0.035
"""Seconds."""
DRAWN = "page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))')\n"
"""The frame after a change is over. `DONE` may find the change before it is drawn."""
OBSERVED = """(type) => new Promise((resolve) => {
    new PerformanceObserver(() => setTimeout(resolve)).observe({ type, buffered: true });
})"""
"""An entry of the performance timeline is there, and the page agent, which observes them too, has heard of it."""
SHOWN = {"awaited", "paint"}
"""What ends a step that waits for a text: on a busy machine, the frame that draws it takes long."""
IN_FRAME = (
    "frame = page.frame_locator('iframe')\nframe.get_by_role('button', name='Go').click()\n"
    "expect(frame.get_by_text('done')).to_be_visible()"
)


def test_a_plain_navigation_ends_with_the_load_event(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/?delay=200')")
    (navigation,) = step.navigations
    assert (step.clock, step.cause, step.ended_by) == ("page", "navigation", "load")
    assert step.latency_seconds == navigation.phases["total"]
    assert navigation.phases["request"] >= 0.2 - TICK
    assert (navigation.status, navigation.type) == (200, "navigate")


def test_every_phase_of_navigation_timing_is_there(monitor: Monitor) -> None:
    (navigation,) = monitor.step("page.goto('/')").navigations
    assert set(navigation.phases) == {
        "redirect",
        "dns",
        "connect",
        "tls",
        "request",
        "response",
        "dom",
        "load",
        "ttfb",
        "total",
    }
    assert navigation.phases["total"] >= navigation.phases["ttfb"] >= navigation.phases["request"]
    assert navigation.transfer_bytes > navigation.decoded_bytes > 0


def test_a_click_that_loads_a_document_starts_with_the_click(monitor: Monitor) -> None:
    step = monitor.step(
        "page.get_by_role('link', name='Sign in').click()\nexpect(page.get_by_label('Email')).to_be_visible()", "page.goto('/')"
    )
    assert (step.cause, len(step.navigations)) == ("input", 1)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= step.navigations[0].phases["ttfb"]


def test_a_redirect_chain_is_one_navigation(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/switch/redirect?n=3&hop=50&to=/cart')")
    (navigation,) = step.navigations
    assert navigation.redirects == 3
    assert navigation.phases["redirect"] >= 0.15 - TICK
    assert navigation.url.endswith("/cart")


def test_two_documents_in_one_step_are_both_there(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/?delay=100')\npage.goto('/cart?delay=100')")
    assert [navigation.url.partition("?")[0] for navigation in step.navigations] == [monitor.shop + "/", monitor.shop + "/cart"]
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.2 - TICK


def test_a_request_that_changes_the_page_lasts_until_the_change(monitor: Monitor) -> None:
    step = monitor.step(GO + DONE, "page.goto('/switch/xhr?delay=300')")
    assert (step.clock, step.cause, step.ended_by in SHOWN) == ("page", "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_route_of_a_single_page_app_is_no_navigation_and_is_timed(monitor: Monitor) -> None:
    step = monitor.step(GO + DONE, "page.goto('/switch/route?delay=300')")
    assert (step.navigations, step.cause, step.ended_by in SHOWN) == ((), "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_navigation_keeps_its_address_when_the_app_changes_the_route(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/switch/route?delay=0')\n" + GO + DONE + "assert page.url.endswith('/switch/route/next')")
    assert (step.failure, [one.url for one in step.navigations]) == (None, [f"{monitor.shop}/switch/route?delay=0"])


def test_a_popup_is_timed_from_the_click_to_its_load_event_or_to_what_was_awaited_in_it(monitor: Monitor) -> None:
    body = (
        "with page.expect_popup() as popup:\n    page.get_by_role('button', name='Go').click()\n"
        "expect(popup.value.get_by_role('heading', name='Results')).to_be_visible()"
    )
    step = monitor.step(body, "page.goto('/switch/popup?delay=300')")
    assert (step.cause, step.ended_by in {"load", "awaited"}) == ("input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK
    assert [navigation.status for navigation in step.navigations] == [200]
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_change_inside_a_frame_is_seen_and_the_frame_is_no_navigation(monitor: Monitor) -> None:
    body = IN_FRAME
    step = monitor.step(body, "page.goto('/switch/iframe?delay=300')")
    assert (step.navigations, step.cause, step.ended_by in SHOWN) == ((), "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_frame_of_another_origin_is_seen(monitor: Monitor) -> None:
    other = monitor.shop.replace("127.0.0.1", "localhost")
    before = f"page.goto('/')\npage.set_content('<iframe src=\"{other}/switch/timer?delay=300\"></iframe>')"
    body = IN_FRAME
    step = monitor.step(body, before)
    assert (step.cause, step.ended_by in SHOWN) == ("input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_change_inside_a_closed_shadow_root_is_seen(monitor: Monitor) -> None:
    before = "page.goto('/switch/shadow?delay=300')"
    body = (
        "box = page.locator('tea-box').bounding_box()\npage.mouse.click(box['x'] + 40, box['y'] + 20)\n"
        "page.wait_for_function('window.finished')"
    )
    step = monitor.step(body, before)
    assert step.cause == "input"
    assert step.ended_by in {*CHANGED, *SHOWN}
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_step_without_page_activity_has_its_stopwatch_time(monitor: Monitor) -> None:
    step = monitor.step("import time\ntime.sleep(0.2)", "page.goto('/')")
    assert (step.clock, step.cause) == ("stopwatch", "")
    assert step.latency_seconds == step.wall_seconds
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.2 - TICK


def test_a_step_of_api_requests_has_its_stopwatch_time(monitor: Monitor) -> None:
    step = monitor.step("assert request.get('/api/wait?delay=200').ok", "page.goto('/switch/ticker')")
    assert (step.clock, step.latency_seconds) == ("stopwatch", step.wall_seconds)


@pytest.mark.parametrize(
    "wait",
    thorough_but(
        2,
        [
            DONE,
            "page.get_by_text('done').wait_for()",
            "page.wait_for_selector('text=done')",
            "page.locator('body').element_handle().wait_for_selector('text=done')",
            "page.get_by_text('done').wait_for(state='attached')",
        ],
    ),
)
def test_a_page_that_never_rests_is_timed_to_what_was_waited_for(monitor: Monitor, wait: str) -> None:
    step = monitor.step(GO + wait, "page.goto('/switch/ticker?delay=300')")
    assert (step.clock, step.ended_by in SHOWN) == ("page", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


DOCUMENT = """
page.route("**/document", lambda route: route.fulfill(content_type="text/html", body={body!r}))
"""


def test_a_step_ends_with_the_text_that_it_waits_for_and_not_with_the_load_event(monitor: Monitor) -> None:
    body = "<h1>Tea</h1><img src='/api/wait?delay=600'>"
    step = monitor.step("page.goto('/document')\nexpect(page.get_by_text('Tea')).to_be_visible()", DOCUMENT.format(body=body))
    assert (step.status, step.cause, step.ended_by in SHOWN) == ("passed", "navigation", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds < step.navigations[0].phases["total"]
    assert step.navigations[0].phases["total"] >= 0.6 - TICK


def test_what_a_page_does_after_what_is_waited_for_is_not_counted(monitor: Monitor) -> None:
    body = (
        "<button>Go</button><p></p><i></i><script>document.querySelector('button').onclick = () => {"
        "setTimeout(() => { document.querySelector('p').textContent = 'done' }, 300);"
        "setTimeout(() => { document.querySelector('i').textContent = window.more = 'more' }, 900) }</script>"
    )
    code = f"{GO}page.wait_for_function('window.more')\n{DONE}"
    step = monitor.step(code, DOCUMENT.format(body=body) + "page.goto('/document')")
    assert (step.cause, step.ended_by in SHOWN) == ("input", True)
    assert step.latency_seconds is not None
    assert step.wall_seconds is not None
    assert 0.3 - TICK <= step.latency_seconds < 0.9 <= step.wall_seconds


def test_a_value_that_is_waited_for_is_waited_for_in_full(monitor: Monitor) -> None:
    """`checked` is set without any change of the document, 500 ms after the last one."""
    body = (
        "<button>Go</button><p></p><input type=checkbox><script>document.querySelector('button').onclick = () => {"
        "document.querySelector('p').textContent = 'started';"
        "setTimeout(() => { document.querySelector('input').checked = true }, 500) }</script>"
    )
    step = monitor.step(
        GO + "expect(page.get_by_role('checkbox')).to_be_checked()", DOCUMENT.format(body=body) + "page.goto('/document')"
    )
    assert (step.cause, step.ended_by in SHOWN) == ("input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.5 - TICK


@pytest.mark.parametrize(
    ("around", "early"),
    thorough_but(
        1, [("", TICK), ("setInterval(() => { document.querySelector('p').textContent = Date.now() }, 20);", TWO_FRAMES)]
    ),
)
def test_a_drawing_that_a_function_waits_for_ends_the_step(monitor: Monitor, around: str, early: float) -> None:
    """Nothing in the document says that it was made; on the second page, a change just before may be taken for its cause."""
    body = (
        f"<button>Go</button><p></p><canvas></canvas><script>{around} document.querySelector('button').onclick = () => {{"
        "setTimeout(() => { document.querySelector('canvas').getContext('2d').fillRect(0, 0, 9, 9); window.drawn = true }, 400) }</script>"
    )
    step = monitor.step(GO + "page.wait_for_function('window.drawn')\n", DOCUMENT.format(body=body) + "page.goto('/document')")
    # On a busy machine nobody can tell that the function did not hold at once: the last change of a page that never rests is then the end.
    ends = {*SHOWN, *CHANGED} if around else SHOWN
    assert (step.clock, step.cause, step.ended_by in ends) == ("page", "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.4 - early


def test_an_element_that_is_waited_for_without_an_assertion_is_waited_for_in_full(monitor: Monitor) -> None:
    step = monitor.step(GO + "page.get_by_text('done').wait_for()\n", "page.goto('/switch/xhr?delay=700')")
    assert (step.clock, step.cause, step.ended_by in SHOWN) == ("page", "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.7 - TICK


def test_a_control_that_comes_late_is_waited_for_in_full(monitor: Monitor) -> None:
    body = (
        "<p></p><script>setTimeout(() => { document.body.insertAdjacentHTML('afterbegin', '<button>Go</button>');"
        "document.querySelector('button').onclick = () => { document.querySelector('p').textContent = 'done' } }, 1500)</script>"
    )
    step = monitor.step(GO + DONE, DOCUMENT.format(body=body) + "page.goto('/document')")
    assert (step.cause, step.cause_at_seconds, step.ended_by in SHOWN) == ("step", 0.0, True)
    assert step.latency_seconds is not None
    assert 0.3 <= step.waited_seconds < step.latency_seconds


def test_a_control_that_is_there_is_not_waited_for_on_a_page_that_never_rests(monitor: Monitor) -> None:
    step = monitor.step(GO + DONE, "page.goto('/switch/ticker?delay=300')")
    assert (step.cause, step.waited_seconds) == ("input", 0.0)


def test_slow_rendering_is_part_of_the_latency(monitor: Monitor) -> None:
    step = monitor.step(GO + DONE + DRAWN, "page.goto('/switch/heavy?ms=400')")
    assert step.ended_by == "paint"
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.4 - TICK


def test_back_and_forward_are_navigations(monitor: Monitor) -> None:
    step = monitor.step("page.go_back()\npage.go_forward()", "page.goto('/')\npage.goto('/cart')")
    assert [navigation.type for navigation in step.navigations] == ["back_forward", "back_forward"]
    assert step.cause == "navigation"


def test_a_navigation_that_fails_has_its_stopwatch_time_and_no_timing(monitor: Monitor) -> None:
    step = monitor.step("page.goto('http://127.0.0.1:9')")
    assert (step.status, step.clock, step.navigations) == ("failed", "stopwatch", ())
    assert step.failure is not None
    assert (step.failure.kind, "net::ERR" in step.failure.message) == ("navigation", True)


def test_a_strict_content_security_policy_does_not_keep_the_clock_out(monitor: Monitor) -> None:
    before = "page.goto('/switch/csp?delay=300')"
    step = monitor.step(GO + DONE, before)
    assert (step.clock, step.ended_by in SHOWN) == ("page", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_a_site_that_replaces_the_browsers_functions_is_timed_all_the_same(monitor: Monitor) -> None:
    step = monitor.step(GO + DONE, "page.goto('/switch/hostile?delay=300')")
    assert (step.clock, step.cause, step.ended_by in SHOWN) == ("page", "input", True)
    assert step.latency_seconds is not None
    assert step.latency_seconds >= 0.3 - TICK


def test_web_vitals_belong_to_the_step_that_caused_them(monitor: Monitor) -> None:
    loaded = monitor.step("page.goto('/')").vitals
    assert loaded.ttfb is not None
    assert loaded.fcp is not None
    assert loaded.lcp is not None
    assert loaded.lcp >= loaded.fcp >= loaded.ttfb > 0
    assert (loaded.cls, loaded.inp) == (0.0, None)
    clicked = monitor.step(GO + DONE, "page.goto('/switch/timer?delay=50')").vitals
    assert clicked.inp is not None
    assert (clicked.lcp, clicked.cls) == (None, None)


def test_paints_are_credited_to_a_document_that_was_replaced_at_once(monitor: Monitor) -> None:
    result = monitor.run(f"""
        OBSERVED = {OBSERVED!r}
        @journey
        def walk(page, step):
            with step("first"):
                page.goto("/")
                expect(page.get_by_role("heading", name="Tea worth")).to_be_visible()
                page.evaluate(OBSERVED, "paint")
            with step("second"):
                page.goto("/cart")
    """)
    assert all(step.vitals.fcp for step in result.steps)


def test_marks_server_timing_long_tasks_failed_requests_and_shifts_are_collected(monitor: Monitor) -> None:
    seen = "".join(f"page.evaluate({OBSERVED!r}, {kind!r})\n" for kind in ("longtask", "long-animation-frame", "layout-shift"))
    step = monitor.step("page.goto('/switch/marks')\n" + seen)
    assert [(one.kind, one.name) for one in step.user_timing] == [("mark", "hero-shown"), ("measure", "busy")]
    assert step.user_timing[1].duration_seconds >= 0.12 - TICK
    assert [(one.name, one.duration_seconds) for one in step.navigations[0].server_timing] == [("db", 0.0125), ("cache", 0.0)]
    assert any(task.kind == "long-task" and task.duration_seconds >= 0.12 - TICK for task in step.long_tasks)
    assert any(task.kind == "long-animation-frame" for task in step.long_tasks)
    assert [(one.status, one.url.endswith("missing.png")) for one in step.requests.failures] == [(404, True)]
    assert step.vitals.cls is not None
    assert step.vitals.cls > 0


def test_requests_are_counted_with_their_bytes_and_the_slowest_named(monitor: Monitor) -> None:
    # By far the slowest, also on a machine that is busy with other things.
    step = monitor.step("page.goto('/?delay=1500')")
    requests = step.requests
    assert (requests.ok, requests.failed) == (3, 0)  # the document, its style sheet, its leaf
    assert requests.transfer_bytes > 5000
    assert (requests.slowest[0].kind, requests.slowest[0].method) == ("document", "GET")
    assert requests.slowest[0].duration_seconds >= 1.5 - TICK


def test_javascript_errors_are_named(monitor: Monitor) -> None:
    (error,) = monitor.step("page.goto('/switch/js-error')").page_errors
    assert ("the kettle is empty" in error.message, error.url) == (True, f"{monitor.shop}/switch/js-error")


def test_screenshots_and_traces_are_taken_after_the_step_has_ended(monitor: Monitor) -> None:
    step = monitor.step("page.goto('/')", screenshots="on", trace="on")
    picture = monitor.saved() / "screenshots" / "measured.png"
    assert step.started_at is not None
    assert step.wall_seconds is not None
    assert picture.stat().st_mtime >= step.started_at.timestamp() + step.wall_seconds


def test_a_site_that_calls_the_agents_own_channel_is_not_believed(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(page, step):
            with step("lie"):
                page.goto("/")
                page.evaluate("window.__journeyReport('{\\"origin\\": \\"nonsense\\"}')")
    """)
    assert result.status == "passed"
    assert result.steps[0].clock == "stopwatch"
    assert "was not the page agent's" in result.notes[0]


class _Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@pytest.mark.thorough
def test_the_handshake_of_an_https_site_is_a_phase_of_its_own(
    monitor: Monitor, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html><title>a</title><h1>hello</h1>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "site")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(PAUSE,), daemon=True)
    thread.start()
    code = "@journey({})\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n"
    try:
        address = f"https://127.0.0.1:{server.server_port}"
        (navigation,) = monitor.run(code.format("ignore_https_errors=True"), base_url=address).steps[0].navigations
        refused = monitor.run(code.format(""), base_url=address)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert navigation.phases["tls"] > 0
    # A connection on one machine may take less than the page's clock can tell.
    assert navigation.phases["connect"] >= 0
    assert (refused.status, refused.failure and refused.failure.kind) == ("failed", "navigation")
    assert refused.failure
    assert "ERR_CERT_AUTHORITY_INVALID" in refused.failure.message


ANSWERS = "<button onclick='setTimeout(() => { out.textContent = `done` }, 300)'>Go</button><p id=out></p>"


@pytest.mark.parametrize(
    "frame",
    thorough_but(
        1,
        [
            "<iframe sandbox src=/inner></iframe>",
            "<iframe sandbox srcdoc=hello></iframe>",
            LAZY := "<iframe loading=lazy src=/inner>",
        ],
    ),
    ids=["sandboxed", "sandboxed document", "not loaded yet"],
)
def test_a_frame_that_runs_no_script_keeps_no_step_from_being_timed(monitor: Monitor, frame: str) -> None:
    far = "<div style='height: 9000px'></div>" if frame == LAZY else ""
    with serving_pages({"/": ANSWERS + far + frame, "/inner": "<p>inner</p>"}) as site:
        code = (
            "@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n    with step('go'):\n        "
            + (GO + DONE).replace("\n", "\n        ")
        )
        result = monitor.run(code, base_url=site)
    assert (result.status, result.notes) == ("passed", ())
    assert [step.clock for step in result.steps] == ["page", "page"]
    latency = result.steps[1].latency_seconds
    assert latency is not None
    assert latency >= 0.3 - TICK


def test_a_document_that_may_not_run_scripts_has_its_navigation_timed(monitor: Monitor) -> None:
    sandboxed = partial(answer, content=b"<h1>Terms</h1>", Content_Security_Policy="sandbox")
    with serving_pages({"/": sandboxed}) as site:
        result = monitor.run(
            "@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n        page.get_by_text('Terms').wait_for()\n",
            base_url=site,
        )
    assert (result.status, result.notes, result.steps[0].clock, result.steps[0].cause) == ("passed", (), "page", "navigation")


@pytest.mark.thorough
def test_a_page_that_is_busy_for_seconds_after_its_answer_is_still_timed_by_its_answer(monitor: Monitor) -> None:
    busy = """<button onclick="setTimeout(() => { out.textContent = 'done'; setTimeout(() => {
        for (const end = Date.now() + 3000; Date.now() < end;);
    }, 200) }, 100)">Go</button><p id=out></p>"""
    with serving_pages({"/": busy}) as site:
        step = monitor.step(GO + DONE + "page.wait_for_timeout(300)\n", "page.goto('/')", base_url=site)
    assert (step.status, step.clock, step.cause) == ("passed", "page", "input")


def test_a_click_that_is_answered_by_a_download_is_timed_by_the_stopwatch(monitor: Monitor) -> None:
    file = partial(answer, content=b"tea", kind="application/octet-stream", Content_Disposition="attachment; filename=tea.bin")
    with serving_pages({"/": "<a href=/file>Get</a>", "/file": file}) as site:
        code = "with page.expect_download() as download:\n    page.get_by_role('link').click()\ndownload.value.path()\n"
        step = monitor.step(code, "page.goto('/')", base_url=site)
    assert (step.status, step.clock, step.latency_seconds) == ("passed", "stopwatch", step.wall_seconds)
