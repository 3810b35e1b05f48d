"""What people look at: the console, `journey show`, the trace viewer."""

import io
import socket
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect
from rich.console import Console

from reports import trace_viewer
from reports.compare.run_diff import compare_runs
from reports.formats.html import run as run_page
from reports.smoke.picture_file import NoPictures, read_pictures
from reports.terminal import progress as console
from reports.terminal.run_detail import render_run
from reports.terminal.run_diff import render_run_diff
from runner.archive.archive import Saved
from runner.errors import RunNotFound
from runner.events import RunEnded, RunStarted, StepEnded, StepStarted
from runner.result import Failure, Navigation, Request, Requests, RunResult, StepResult, Vitals
from tests.conftest import Monitor
from tests.support.browsers import module_chrome

chrome = module_chrome
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEP = StepResult(name="[bold]pay", index=0, status="passed", latency_seconds=0.2, wall_seconds=0.7, budget_seconds=0.1)
FAILURE = Failure(
    kind="assertion", message="it says [red]no", step="[bold]pay", file="walk.py", line=3, code="assert False", url="http://x/"
)
RUN = RunResult(
    id="1",
    journey="buy",
    status="passed",
    started_at=NOON,
    ended_at=NOON,
    duration_seconds=1.0,
    location="local",
    attempts=2,
    steps=(STEP,),
)


def output(terminal: bool, *moments: object) -> str:
    text = io.StringIO()
    with console.Progress(Console(file=text, force_terminal=terminal, width=100, color_system=None)) as progress:
        for moment in moments:
            progress(moment)  # type: ignore[arg-type]  # the moments are written out in each test
    return text.getvalue()


def test_piped_output_is_plain_lines() -> None:
    moments = (
        RunStarted(run="1", journey="buy"),
        StepStarted(run="1", journey="buy", attempt=1, name="pay", index=0),
        StepEnded(run="1", journey="buy", attempt=1, step=STEP),
        RunEnded(result=RUN),
    )
    assert output(False, *moments).splitlines() == [
        "buy  ✓ [bold]pay  0.200 s  (wall 0.700 s)  over its budget of 0.100 s",
        "buy  ✓ passed at attempt 2 (flaky) in 1.000 s",
        "    [bold]pay: 0.200 s is over its budget of 0.100 s",
    ]


def test_a_terminal_shows_the_running_step() -> None:
    started = StepStarted(run="1", journey="buy", attempt=1, name="[bold]pay", index=0)
    assert "buy  [bold]pay" in output(True, RunStarted(run="1", journey="buy"), started)


def test_a_failure_tells_reason_code_address_and_files(tmp_path: Path) -> None:
    failed = RunResult(
        **{name: getattr(RUN, name) for name in RUN.__struct_fields__} | {"status": "failed", "failure": FAILURE, "attempts": 1}
    )
    text = output(False, RunEnded(result=failed, folder=tmp_path))
    assert "in step '[bold]pay': it says [red]no" in text
    assert "at walk.py:3: assert False\n    on http://x/" in text


def test_show_renders_a_whole_run(monitor: Monitor) -> None:
    monitor.run(
        "@journey(retries=1)\ndef walk(page, step):\n    with step('look'):\n        page.goto('/switch/marks')\n        assert False, 'no'\n"
    )
    saved = monitor.archive.find("last")
    text = io.StringIO()
    Console(file=text, width=400).print(render_run(saved))
    for part in (
        "✗ walk: failed",
        "look",
        "hero-shown",
        "server db",
        "missing.png 404",
        "ttfb ",
        "attempt 1: failed",
        "trace.zip",
    ):
        assert part in text.getvalue(), part


def test_show_renders_a_run_of_which_nothing_is_known(tmp_path: Path) -> None:
    text = io.StringIO()
    empty = RunResult(
        id="1", journey="buy", status="error", started_at=NOON, ended_at=NOON, duration_seconds=0, location="local"
    )
    Console(file=text).print(render_run(Saved(empty, tmp_path)))
    assert "! buy: error" in text.getvalue()


@pytest.mark.thorough
def test_the_trace_viewer_opens_the_trace_in_a_browser(monitor: Monitor, chrome: Browser) -> None:
    monitor.run("@journey\ndef walk(page, step):\n    with step('open the shop'):\n        page.goto('/')\n", trace="on")
    with trace_viewer.serving(monitor.saved() / "trace.zip") as address, chrome.new_page() as page:
        outside: list[str] = []
        page.on("response", lambda answer: None if answer.from_service_worker else outside.append(answer.url))
        page.goto(address)
        expect(page.get_by_text("open the shop").first).to_be_visible()
        page.get_by_role("treeitem", name="open the shop").press("ArrowRight")
        expect(page.get_by_role("treeitem", name="Navigate")).to_be_visible()
        # The runner's own readings are not among the actions.
        expect(page.get_by_role("treeitem", name="Evaluate")).to_have_count(0)
        host = address.split("/index.html")[0]
        # The snapshot's style sheets have the shop's address and come out of the trace, through the viewer's service worker.
        assert [url for url in outside if not url.startswith((host, "blob:", "data:"))] == []


def test_the_trace_viewer_answers_under_names_of_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "trace.zip").write_bytes(b"a trace")
    with trace_viewer.serving(tmp_path / "trace.zip") as address:
        port = int(urlsplit(address).port or 0)

        def status(*hosts: str) -> int:
            lines = ["GET /trace.zip HTTP/1.1", *(f"Host: {one}" for one in hosts), "", ""]
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                connection.sendall("\r\n".join(lines).encode())
                return int(connection.recv(20).split()[1])

        assert {status(f"127.0.0.1:{port}"), status(f"localhost:{port}")} == {200}
        own = f"127.0.0.1:{port}"
        for hosts in (
            ["evil.example"],
            [f"evil.example:{port}"],
            ["127.0.0.1"],
            [],
            [own, "evil.example"],
            [f"{own}.evil.example"],
        ):
            assert status(*hosts) == 421, hosts


def test_no_page_elsewhere_frames_the_trace_viewer_or_loads_the_trace(tmp_path: Path) -> None:
    (tmp_path / "trace.zip").write_bytes(b"a trace")
    with trace_viewer.serving(tmp_path / "trace.zip") as address:
        for one in (address, address.partition("?trace=")[2], urljoin(address, "/none")):
            try:
                headers = urlopen(one).headers
            except HTTPError as error:
                headers = error.headers
            assert {name: headers[name] for name in trace_viewer.HEADERS} == trace_viewer.HEADERS, one


def test_the_trace_viewer_serves_nothing_else(monitor: Monitor) -> None:
    monitor.run("@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n", trace="on")
    with trace_viewer.serving(monitor.saved() / "trace.zip") as address:
        host = address.split("/index.html")[0]
        for path in ("/result.json", "/../result.json", "/%2e%2e/package.json", "/assets/", "/etc/passwd"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(host + path)


def test_no_colour_codes_are_piped() -> None:
    assert "\x1b" not in output(False, StepEnded(run="1", journey="buy", attempt=1, step=STEP))


@pytest.mark.long
def test_a_run_has_a_page_that_opens_from_disk_and_asks_for_nothing(monitor: Monitor, chrome: Browser) -> None:
    code = """
        @journey
        def walk(page, step):
            with step("<open>", budget="9s"):
                page.goto("/switch/marks")
            with step("fail"):
                expect(page.get_by_text("<nowhere>")).to_be_visible(timeout=100)
            with step("never"):
                pass
    """
    result = monitor.run(code, screenshots="on")
    saved = monitor.archive.find("last")
    monitor.archive.add(saved.folder, run_page.FILE, run_page.render_run(saved))
    with chrome.new_page() as page:
        asked: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"file://{saved.folder}/report.html")
        expect(page.get_by_role("heading", level=1)).to_have_text("walk ✗ failed")
        expect(page.get_by_text("assertion in step “fail”")).to_be_visible()
        expect(page.get_by_text('expect(page.get_by_text("<nowhere>"))').first).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(4)
        expect(page.get_by_role("img", name="Waterfall of <open>").locator("rect.request")).not_to_have_count(0)
        expect(page.get_by_role("img", name="The page at the end of")).to_have_count(2)
        assert all(
            page.get_by_role("img", name="The page at the end of").evaluate_all("all => all.map(one => one.naturalWidth > 0)")
        )
        expect(page.get_by_text("lcp")).to_be_visible()
        page.get_by_role("link", name="screenshots/fail.png").click()
        expect(page).to_have_url(f"file://{saved.folder}/screenshots/fail.png")
    outside = [url for url in asked if not url.startswith((f"file://{saved.folder}/", "data:"))]
    assert (outside, problems, result.status) == ([], [], "failed")


@pytest.mark.parametrize(("value", "worth"), [(2.5, "good"), (2.6, "fair"), (4.0, "fair"), (4.1, "poor")])
def test_vitals_are_worth_what_the_thresholds_say(value: float, worth: str) -> None:
    assert [one.worth for one in run_page.rate_vitals(replace(STEP, vitals=Vitals(lcp=value)))] == [worth]


def request(path: str, duration: float, transferred: int = 500, status: int = 200) -> Request:
    return Request(
        url=f"http://x{path}",
        method="GET",
        kind="fetch",
        at_seconds=0,
        duration_seconds=duration,
        status=status,
        transfer_bytes=transferred,
    )


def walk(latency: float, phases: dict[str, float], *entries: Request) -> RunResult:
    document = Navigation(url="http://x/", type="navigate", started_at=NOON, phases=phases)
    step = replace(STEP, latency_seconds=latency, navigations=(document,), requests=Requests(entries=entries))
    return replace(RUN, steps=(step, replace(STEP, name="only here", index=1)))


def test_a_diff_names_the_step_the_phase_and_the_requests() -> None:
    before = walk(
        0.2,
        {"request": 0.05, "dom": 0.1, "total": 0.2},
        *(
            request("/same", 0.01),
            request("/slow?a=1", 0.01),
            request("/big", 0.01),
            request("/gone", 0.01),
            request("/bad", 0.01),
        ),
    )
    after = walk(
        0.9,
        {"request": 0.75, "dom": 0.11, "total": 0.9},
        *(request("/same", 0.02), request("/slow?a=2", 0.7), request("/big", 0.01, 5000), request("/new", 0.01)),
        request("/bad", 0.01, status=500),
    )
    after = replace(after, steps=after.steps[:1])
    changed, missing = compare_runs(before, after)
    assert (changed.name, changed.difference, changed.phase, changed.phase_seconds) == (STEP.name, 0.7, "request", (0.05, 0.75))
    assert {urlsplit(one.url).path: one.what for one in changed.requests} == {
        "/slow": "slower",
        "/big": "bigger",
        "/new": "new",
        "/gone": "gone",
        "/bad": "failed",
    }
    assert (missing.status, missing.difference, missing.phase) == (("passed", None), None, "")
    written = io.StringIO()
    Console(file=written, width=200).print(render_run_diff(before, after), soft_wrap=True)
    text = written.getvalue()
    assert "+0.700 s (+350%)" in text
    assert "passed → not there" in text
    assert "slower GET http://x/slow?a=2  0.010 s → 0.700 s" in text


def test_a_run_does_not_differ_from_itself() -> None:
    run = walk(0.2, {"request": 0.05}, request("/a", 0.1), request("/a", 0.2))
    assert all((one.difference, one.phase, one.requests) == (0.0, "", ()) for one in compare_runs(run, run))


@pytest.mark.long
def test_a_trace_can_be_cut_to_one_step(monitor: Monitor, chrome: Browser, tmp_path: Path) -> None:
    monitor.run(
        "@journey\ndef walk(page, step):\n    with step('first one'):\n        page.goto('/')\n"
        "    with step('second one'):\n        page.goto('/cart')\n        page.get_by_role('link', name='Sign in').hover()\n",
        trace="on",
    )
    trace = monitor.saved() / "trace.zip"
    with pytest.raises(RunNotFound, match="has no step 'pay'; it has: 'first one', 'second one'"):
        trace_viewer.cut(trace, "pay", tmp_path / "none.zip")
    trace_viewer.cut(trace, "second one", tmp_path / "cart.zip")
    with trace_viewer.serving(tmp_path / "cart.zip") as address, chrome.new_page() as page:
        page.goto(address)
        expect(page.get_by_role("treeitem", name="second one")).to_be_visible()
        expect(page.get_by_role("treeitem", name="first one")).to_have_count(0)
        page.get_by_role("treeitem", name="Hover").click()
        page.get_by_role("tab", name="Before").click()
        expect(page.frame_locator("iframe.snapshot-visible").get_by_role("heading", name="Your cart")).to_be_visible()


def test_a_trace_that_is_damaged_inside_is_named(tmp_path: Path) -> None:
    file = tmp_path / "trace.zip"
    for damage in ("sum", "deflate", "encrypted", "method"):
        with ZipFile(file, "w", ZIP_DEFLATED) as made:
            made.writestr("0-trace.trace", b'{"type":"before"}\n' * 500)
        content = bytearray(file.read_bytes())
        central = content.rindex(b"PK\x01\x02")
        if damage == "sum":
            content[central + 16] ^= 0xFF
        elif damage == "deflate":
            content[50:60] = b"\xff" * 10
        elif damage == "encrypted":
            content[central + 8] |= 1
            content[6] |= 1
        else:
            content[central + 10] = content[8] = 77
        file.write_bytes(content)
        with pytest.raises(RunNotFound, match=r"trace\.zip cannot be read: .*; it is damaged, or not a trace of Playwright's"):
            trace_viewer.cut(file, "pay", tmp_path / "cut.zip")
        with pytest.raises(NoPictures, match=r"trace\.zip cannot be read: "):
            read_pictures(file, {"it": "0-trace.trace"})


@pytest.mark.long
def test_waiting_is_blamed_for_waiting() -> None:
    before, after = walk(0.2, {"dom": 0.1, "request": 0.05}), walk(5.6, {"dom": 0.2, "request": 0.05})
    changed, *_ = compare_runs(before, after)
    assert (changed.phase, changed.phase_seconds) == ("waiting", (0.05, 5.35))
