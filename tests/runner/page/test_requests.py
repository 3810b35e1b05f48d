"""Requests that fail in any way are counted as failed, once, in the result as in the log; what arrives is no failure."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from runner.result import RunResult
from tests.conftest import Monitor
from tests.pages import Page, answer, serving_pages
from tests.support.services.servers import free_port
from tests.support.thorough import thorough_but


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.close()


def _break_off(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"x")
    _hang_up(request)


def _never(request: BaseHTTPRequestHandler) -> None:
    request.rfile.read(1)


def _download(request: BaseHTTPRequestHandler) -> None:
    answer(request, b"x" * 1000, kind="application/octet-stream", Content_Disposition="attachment; filename=a.bin")


def _broken_download(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/octet-stream")
    request.send_header("Content-Disposition", "attachment; filename=a.bin")
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"x")
    _hang_up(request)


def _nothing(request: BaseHTTPRequestHandler) -> None:
    request.send_response(204)
    request.end_headers()


def _events(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/event-stream")
    request.end_headers()
    request.wfile.write(b"data: x\n\n")
    request.wfile.flush()
    request.rfile.read(1)


PARTS: dict[str, Page] = {
    "/events": _events,
    "/hang-up": _hang_up,
    "/break-off": _break_off,
    "/never": _never,
    "/file": _download,
    "/broken": _broken_download,
    "/nothing": _nothing,
    "/error": lambda request: answer(request, b"no", status=500),
    "/fine": "fine",
}


LINKS = "<p>hello</p><a href='/file'>file</a><a href='/broken'>broken</a><a href='/nothing'>nothing</a>"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A site whose parts answer in all ways."""
    with serving_pages(
        {"/": "<p>hello</p><a href='/file'>file</a><a href='/broken'>broken</a><a href='/nothing'>nothing</a>", **PARTS}
    ) as address:
        yield address


def walk(monitor: Monitor, site: str, body: str) -> tuple[RunResult, list[str]]:
    """Runs a journey of one step; returns its result, and what its log says of each failed request."""
    lines = "".join(f"        {line}\n" for line in ["page.goto('/')", *body.splitlines()])
    result = monitor.run(
        f"import re\n@journey(failed_requests='on')\ndef walk(page, step):\n    with step('open'):\n{lines}", base_url=site
    )
    assert result.status == "passed", result.failure
    log = monitor.saved() / "failed-requests.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return result, [str(one.get("status") or one["failure"]) for one in entries]


FETCH = "page.evaluate(\"fetch('{}').then(answer => answer.text()).catch(() => 0)\")"
CLOSED = (
    "new Promise(done => { const s = new EventSource('/events'); s.onmessage = () => { s.close(); setTimeout(done, 100) } })"
)
GONE = "const u = URL.createObjectURL(new Blob(['x'])); URL.revokeObjectURL(u); fetch(u).catch(() => 0).then(() => 0)"
FAILING = {
    "refused": (FETCH.format("http://127.0.0.1:PORT/x"), "net::ERR_CONNECTION_REFUSED"),
    "hung up": (FETCH.format("/hang-up"), "net::ERR_EMPTY_RESPONSE"),
    "broken off": (FETCH.format("/break-off"), "net::ERR_CONTENT_LENGTH_MISMATCH"),
    "blocked by CORS": (FETCH.format("http://localhost:OWN/fine"), "net::ERR_FAILED"),
    "aborted by the page": (
        'page.evaluate("async () => { const c = new AbortController(); setTimeout(() => c.abort(), 50);'
        " await fetch('/never', {signal: c.signal}).catch(() => 0) }\")",
        "net::ERR_ABORTED",
    ),
    "aborted by the journey": (
        "page.route('**/fine', lambda route: route.abort())\n" + FETCH.format("/fine"),
        "net::ERR_FAILED",
    ),
    "mocked": ("page.route('**/fine', lambda route: route.fulfill(status=503, body='no'))\n" + FETCH.format("/fine"), "503"),
    "an error": (FETCH.format("/error"), "500"),
}


@pytest.mark.parametrize("what", thorough_but(4, FAILING))
def test_a_request_that_fails_is_counted_once(monitor: Monitor, site: str, what: str) -> None:
    body, why = FAILING[what]
    body = body.replace("PORT", str(free_port())).replace("OWN", site.rpartition(":")[2])
    result, log = walk(monitor, site, body)
    requests = result.steps[0].requests
    assert (requests.ok, requests.failed) == (1, 1), requests
    failure = requests.failures[0]
    assert str(failure.status if (failure.status or 0) >= 400 else failure.failure) == why
    assert log == [why]
    assert failure.at_seconds >= 0


ARRIVING = {
    "a mock": "page.route('**/fine', lambda route: route.fulfill(body='ok'))\n" + FETCH.format("/fine"),
    "a download": "with page.expect_download() as found:\n    page.get_by_text('file').click()\nfound.value.path()",
    "a stream that the page closes": f'page.evaluate("{CLOSED}")',
    "an answer without a document": (
        "with page.expect_response('**/nothing'):\n    page.get_by_text('nothing').click()\npage.wait_for_timeout(100)"
    ),
}


@pytest.mark.parametrize("what", thorough_but(2, ARRIVING))
def test_what_arrives_is_no_failure(monitor: Monitor, site: str, what: str) -> None:
    result, log = walk(monitor, site, ARRIVING[what])
    requests = result.steps[0].requests
    assert (requests.ok, requests.failed, log) == (2, 0, []), requests


def test_what_a_page_reads_from_itself_is_no_request(monitor: Monitor, site: str) -> None:
    result, log = walk(monitor, site, f'page.evaluate("{GONE}")')
    requests = result.steps[0].requests
    assert (requests.ok, requests.failed, log) == (1, 0, []), requests


def test_a_download_that_breaks_off_has_failed(monitor: Monitor, site: str) -> None:
    body = "with page.expect_download() as found:\n    page.get_by_text('broken').click()\nassert found.value.failure()"
    result, log = walk(monitor, site, body)
    requests = result.steps[0].requests
    assert (requests.ok, requests.failed, len(log)) == (1, 1, 1), requests
    assert requests.failures[0].failure


WORKER = """
oninstall = () => skipWaiting();
onactivate = event => event.waitUntil(clients.claim());
onfetch = event => {
    if (event.request.url.endsWith("/made")) event.respondWith(new Response("made"));
    else event.respondWith(fetch(event.request));
};
"""
READY = "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => document.title = 'ready')"


@pytest.mark.parametrize(
    ("path", "counts", "log"),
    thorough_but(1, [("/fine", (1, 0), []), ("/error", (0, 1), ["500"]), ("/made", (1, 0), []), ("/", (1, 0), [])]),
)
def test_what_a_service_worker_passes_on_is_one_request(
    monitor: Monitor, path: str, counts: tuple[int, int], log: list[str]
) -> None:
    pages: dict[str, Page] = {
        **PARTS,
        "/": f"<p>hello</p><script>{READY}</script>",
        "/worker.js": lambda request: answer(request, WORKER.encode(), kind="text/javascript"),
    }
    act = "page.goto('/')" if path == "/" else FETCH.format(path)
    code = (
        "@journey(failed_requests='on')\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n"
        f"        expect(page).to_have_title('ready')\n    with step('ask'):\n        {act}\n"
    )
    with serving_pages(pages) as site:
        asked = monitor.run(code, base_url=site).steps[1].requests
    # A navigation registers the worker again, whose script may be asked for.
    entries = [one for one in asked.entries if not one.url.endswith("/worker.js")]
    assert (len(entries) - asked.failed, asked.failed) == counts, asked
    assert (entries[0].transfer_bytes > 0) == (path != "/made")
    file = monitor.saved() / "failed-requests.jsonl"
    assert [str(json.loads(line)["status"]) for line in (file.read_text().splitlines() if file.exists() else ())] == log
