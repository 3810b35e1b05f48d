"""Nothing of one run reaches the next in the same worker."""

import builtins
import datetime
import decimal
import faulthandler
import gc
import json
import logging
import os
import random
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
from playwright import sync_api

from runner.execution.isolation.isolated_run import isolated_run
from tests.conftest import Monitor
from tests.support.services.http_server import serving_handler
from tests.support.thorough import thorough_but

CHANGES = """
    import locale, os, signal, socket, subprocess, sys, warnings

    @journey
    def walk(browser, page, step):
        with step("look"):
            page.goto("/")
            with open(os.path.join(FOLDER, "states"), "a") as file:
                home = subprocess.run(["sh", "-c", "echo $HOME"], capture_output=True).stdout
                print(home, os.getcwd(), os.environ.get("LEFT"), socket.getdefaulttimeout(), len(browser.contexts),
                      signal.getsignal(signal.SIGUSR1), sys.getrecursionlimit(), "left" in sys.path, len(sys.argv), file=file)
            os.chdir("/")
            os.environ["LEFT"] = "behind"
            os.unsetenv("HOME")
            socket.setdefaulttimeout(0.001)
            sys.setrecursionlimit(500)
            sys.path.append("left")
            sys.argv.append("left")
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            warnings.simplefilter("error")
            expect.set_options(timeout=1)
            browser.new_context()
            subprocess.Popen(["sleep", "1234"])
"""


def test_what_a_run_changes_of_its_process_is_put_back(monitor: Monitor) -> None:
    code = f"\n    FOLDER = {str(monitor.folder)!r}\n{CHANGES}"
    first, second = monitor.run(code), monitor.run(code)
    assert (first.status, second.status) == ("passed", "passed"), (first.failure, second.failure)
    states = (monitor.folder / "states").read_text().splitlines()
    assert len(states) == 2
    assert states[0] == states[1]
    assert second.notes == ("processes that the journey left running were ended: sleep",)
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "1234"]]


def test_what_concerns_the_whole_process_is_put_back() -> None:
    def state() -> tuple[object, ...]:
        mask = os.umask(0o022)
        os.umask(mask)
        hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook, sys.displayhook, sys.breakpointhook, sys.stdin)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        levels = (logging.root.manager.disable, logging.root.level, *logging.root.handlers, logging.getLogger("shop").handlers)
        functions = (time.time, datetime.datetime, os.getcwd, socket.create_connection, json.dumps, sys.modules.get("json"))
        patched = (re.compile, subprocess.run, ssl.create_default_context, sync_api.Page.goto, sync_api.expect)
        more = (threading.gettrace(), sys.get_int_max_str_digits(), sys.dont_write_bytecode)
        collection = (gc.isenabled(), gc.get_threshold())
        numbers = (
            decimal.getcontext().prec,
            random.getstate(),
            resource.getrlimit(resource.RLIMIT_NOFILE),
            signal.getitimer(signal.ITIMER_PROF),
        )
        return (
            mask,
            hooks,
            blocked,
            levels,
            functions,
            more,
            patched,
            (tempfile.tempdir, os.getpriority(os.PRIO_PROCESS, 0), gc.get_debug(), len(gc.callbacks), os.fstat(2).st_ino),
            "never_imported" in sys.modules,
            collection,
            sys.getswitchinterval(),
            time.tzname,
            print,
            hasattr(builtins, "left"),
            numbers,
        )

    before = state()
    with isolated_run():
        os.umask(0o777)
        sys.excepthook = lambda *_: None
        sys.unraisablehook = lambda _: None
        threading.excepthook = lambda _: None
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        logging.disable(logging.CRITICAL)
        logging.root.setLevel(1)
        logging.root.addHandler(logging.StreamHandler())
        logging.getLogger("shop").addHandler(logging.StreamHandler())
        tempfile.tempdir = "/nowhere"
        os.nice(1 if os.geteuid() == 0 else 0)  # nobody else gets it back
        gc.callbacks.append(lambda *_: None)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        faulthandler.dump_traceback_later(1000)
        time.time = lambda: 0.0
        datetime.datetime = os.getcwd = socket.create_connection = json.dumps = None  # type: ignore[assignment, misc]
        sys.modules["json"] = sys.modules["never_imported"] = None  # type: ignore[assignment]
        re.compile = subprocess.run = sync_api.Page.goto = sync_api.expect = None  # type: ignore[assignment, method-assign]
        ssl.create_default_context = None  # type: ignore[assignment]
        sys.displayhook = sys.breakpointhook = lambda *_: None
        sys.stdin = None
        threading.settrace(lambda *_: None)
        sys.set_int_max_str_digits(640)
        sys.dont_write_bytecode = not sys.dont_write_bytecode
        gc.disable()
        gc.set_threshold(1)
        sys.setswitchinterval(1)
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        decimal.getcontext().prec = 3
        random.seed(1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        signal.setitimer(signal.ITIMER_PROF, 1000)
        builtins.print = builtins.left = len  # type: ignore[assignment, attr-defined]
        assert state() != before
    assert state() == before


@pytest.mark.thorough
def test_errors_in_threads_are_notes_and_threads_that_go_on_cost_the_worker(monitor: Monitor) -> None:
    code = """
        import os, threading

        @journey
        def walk(page, step):
            with step("look"):
                page.goto("/")
                broken = threading.Thread(target=lambda: [][0], name="broken")
                broken.start()
                broken.join()
                threading.Thread(target=threading.Event().wait, name="endless", daemon=True).start()
            print(os.getpid())
    """
    first, second = monitor.run(code), monitor.run(code)
    assert (first.status, second.status) == ("passed", "passed"), (first.failure, second.failure)
    assert (
        first.notes
        == second.notes
        == (
            "the thread 'broken' of the journey ended with IndexError: list index out of range",
            "threads that the journey left running cannot be ended: endless; the next run gets another worker",
        )
    )


@pytest.mark.thorough
def test_a_generator_exit_of_the_journeys_own_ends_its_step_like_any_other_exception(monitor: Monitor) -> None:
    step = monitor.step("raise GeneratorExit('mine')")
    assert step.failure is not None
    assert (step.status, step.failure.kind, "GeneratorExit" in step.failure.message) == ("error", "journey", True)
    assert monitor.archive.find("last").result.steps[1].failure == step.failure


@pytest.mark.parametrize("held", thorough_but(1, ["", "held = "]))
def test_a_step_that_is_entered_by_hand_and_never_left_is_refused(monitor: Monitor, held: str) -> None:
    result = monitor.run(f"""
        @journey
        def walk(page, step):
            with step("first"):
                page.goto("/")
            {held}step("look").__enter__()
            page.goto("/")
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "journey")
    assert "step 'look' was begun and never ended; write `with step('look'):`" in result.failure.message


@pytest.mark.parametrize(
    ("body", "message"),
    thorough_but(
        2,
        [
            ("with one: pass\n    with one: pass", "step 'a' was begun a second time; write `with step(…):` for each step"),
            ("with one:\n        with one: pass", "step 'a' was begun a second time; write `with step(…):` for each step"),
            ("one.__exit__(None, None, None)", "step 'a' was ended before it began; write `with step('a'):`"),
            ("with step: pass", '`with step:` names no step; write `with step("search"):`'),
            ("look = one(page.title)\n    look()\n    look()", "a step named 'a' has already run in this journey"),
        ],
    ),
)
def test_a_step_is_entered_once(monitor: Monitor, body: str, message: str) -> None:
    failure = monitor.run(f"""
@journey
def walk(page, step):
    page.goto("/")
    one = step("a")
    {body}
""").failure
    assert failure is not None
    assert (failure.kind, message in failure.message) == ("journey", True), failure.message


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(4321)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to another process than init")
def test_daemons_and_grandchildren_of_a_journey_end_with_its_run(monitor: Monitor) -> None:
    result = monitor.run(f"""
        import subprocess, sys

        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
                subprocess.run([sys.executable, "-c", {DAEMON!r}])
                subprocess.Popen(["sh", "-c", "sleep 4321 & sleep 4321"])
    """)
    (note,) = result.notes
    assert note.startswith("processes that the journey left running were ended: ")
    assert {"sh", "sleep"} < set(note.partition("ended: ")[2].split(", ")), note
    left = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if words == ["sleep", "4321"] or words[-1:] == [DAEMON]]
    assert monitor.run("@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n").notes == ()


def test_the_timeout_of_expect_is_the_default_again(monitor: Monitor) -> None:
    assert (
        monitor.run("""
        @journey
        def walk(step):
            with step("set"):
                expect.set_options(timeout=1)
    """).status
        == "passed"
    )
    result = monitor.run("""
        @journey
        def walk(page, step):
            with step("wait"):
                page.set_content("<script>setTimeout(() => document.body.append('late'), 500)</script>")
                expect(page.get_by_text("late")).to_be_visible()
    """)
    assert result.status == "passed", result.failure


def test_an_error_page_in_a_context_of_the_journeys_own_fails_its_step(monitor: Monitor) -> None:
    result = monitor.run(
        """
        @journey
        def walk(browser, page, step, params):
            with step("as another visitor"):
                browser.new_context(base_url=params["shop"]).new_page().goto("/nowhere")
    """,
        params={"shop": monitor.shop},
    )
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("failed", "http")
    assert "HTTP 404" in result.failure.message


@pytest.mark.parametrize(
    ("before", "after", "status"),
    thorough_but(
        1,
        [
            ("page.goto('/nowhere')", "pass", "failed"),
            ("pass", "page.goto('/nowhere')", "failed"),
            ("page.goto('/')", "pass", "passed"),
        ],
    ),
)
def test_an_error_page_outside_of_the_steps_fails_the_run(monitor: Monitor, before: str, after: str, status: str) -> None:
    result = monitor.run(f"""
        @journey
        def walk(page, step):
            {before}
            with step("open"):
                page.goto("/")
            with step("a page that is gone", allow_status=404):
                page.goto("/nowhere")
            {after}
    """)
    assert (result.status, [step.status for step in result.steps]) == (status, ["passed", "passed"])
    if result.failure is not None:
        assert (result.failure.kind, result.failure.step) == ("http", None)
        assert result.failure.message == (
            f"HTTP 404 from {monitor.shop}/nowhere\nit was loaded outside of the steps; for a page that is meant to, write a step with "
            "allow_status={404}"
        )


@pytest.mark.thorough
def test_a_dialog_that_a_listener_forgets_is_named(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(page, step):
            page.on("dialog", lambda dialog: None)
            with step("ask"):
                page.set_content("<button onclick=alert('Really?')>Pay</button>")
                page.get_by_role("button").click(timeout=1500)
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("failed", "timeout")
    assert "a dialog was open and kept the page waiting: alert('Really?')" in result.failure.message


class CutsOff(BaseHTTPRequestHandler):
    """Ends the connection in the middle of each document but the first."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "90" if self.path == "/" else "9000")
        self.end_headers()
        self.wfile.write(b"<p>Cart</p><a href=/pay>Pay</a>".ljust(90))
        self.close_connection = True


def test_a_document_that_is_cut_off_is_named(monitor: Monitor) -> None:
    with serving_handler(CutsOff) as address:
        result = monitor.run(f"""
            @journey
            def walk(page, step):
                with step("open"):
                    page.goto("{address}/")
                    page.get_by_role("link").click()
                with step("pay"):
                    page.get_by_role("button").click(timeout=700)
        """)
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.failure.step) == ("failed", "timeout", "pay")
    assert f"the page's document was not received whole: {address}/pay, net::ERR_" in result.failure.message


@pytest.mark.thorough
def test_a_request_that_a_route_handler_forgets_is_named(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def walk(page, step):
            page.route("**/forgotten", lambda route: None)
            with step("ask"):
                page.goto("/")
                page.evaluate("fetch('/forgotten'); 0")
                page.get_by_text("never").click(timeout=700)
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("failed", "timeout")
    forgotten = f"a route handler of the journey has not answered {monitor.shop}/forgotten; it must call continue_(), "
    assert forgotten in result.failure.message


def test_a_step_belongs_to_the_thread_of_the_journey(monitor: Monitor) -> None:
    result = monitor.run("""
        import threading

        @journey
        def walk(page, step):
            def look():
                with step("beside"):
                    page.goto("/")
            with step("look"):
                page.goto("/")
            thread = threading.Thread(target=look, name="other")
            thread.start()
            thread.join()
    """)
    assert result.notes == (
        "the thread 'other' of the journey ended with StepError: step 'beside' begins in the thread 'other'; Playwright works in the "
        "journey's own thread only: begin the step there",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    thorough_but(
        1,
        [
            ("...", "walk.py:3: walk asks for page and does nothing with it, so it would pass whatever the site does"),
            ("return map(page.goto, ['/'])", "the journey returned a map of which nothing was run"),
            ("return lambda: page.goto('/')", "the journey returned a function of which nothing was run"),
        ],
    ),
)
def test_a_journey_that_does_nothing_does_not_pass(monitor: Monitor, body: str, message: str) -> None:
    result = monitor.run(f"\n@journey\ndef walk(page):\n    {body}\n")
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "journey")
    assert message in result.failure.message


@pytest.mark.long
def test_a_run_that_removes_its_working_directory_ends_as_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    before, place = Path.cwd(), folder.stat().st_ino
    os.chdir(folder)
    try:
        with isolated_run():
            os.chdir("/")
            folder.rmdir()
        assert Path().stat().st_ino == place  # back in the folder, which has no name any more
    finally:
        os.chdir(before)
