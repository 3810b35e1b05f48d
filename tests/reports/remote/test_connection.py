"""A connection to a dashboard elsewhere: what it does with answers that are none of a dashboard."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from reports.remote.connection import Connection, DashboardAway, DashboardRefused
from reports.remote.event_stream import LONGEST, parse_events
from reports.remote.runs import RemoteRuns, RemoteRunsLost, Wish
from reports.source_maps.map_store import MapAbout
from reports.source_maps.remote import RemoteMaps, UploadFailed
from runner.settings.secrets import Secret
from tests.support.services.http_server import serving_handler

DEEP = b"[" * 100_000
ANSWERS = {
    "/api/v1/moved": (302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}),
    "/api/v1/gateway": (502, b"<h1>Bad gateway</h1>", {}),
    "/api/v1/busy": (503, b'{"detail": "No scheduler has given a sign of life"}', {}),
    "/api/v1/page": (200, b"<html>", {}),
    "/api/v1/mine": (403, b'{"detail": "olga has the role `view`"}', {}),
    "/api/v1/deep": (200, b'{"a": ' + DEEP, {}),
    "/api/v1/deep-refusal": (400, b'{"detail": ' + b"[" * 9_000, {}),
    "/api/v1/list": (200, b"[]", {}),
    "/api/v1/runs": (200, b'{"id": "r1", "runs": []}', {}),
    "/api/v1/runs/requests/r1/cancel": (200, b'{"runs": [7]}', {}),
    "/api/v1/runs/requests/r1/events": (200, b'event: result\ndata: {"a": ' + DEEP + b"\n\n", {}),
    "/api/v1/source-maps": (200, b'{"maps": ' + DEEP, {}),
}


class _Odd(BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(f"{self.path} {self.headers['Authorization']}")
        status, body, headers = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    do_DELETE = do_GET  # noqa: N815 (as http.server names it)


@pytest.fixture(scope="module")
def odd() -> Iterator[Connection]:
    _Odd.seen = []
    with serving_handler(_Odd) as address:
        yield Connection("--remote", f"{address}/", Secret("a-token"))


@pytest.mark.parametrize(
    ("path", "kind", "code", "words"),
    [
        ("/moved", DashboardRefused, 2, "it leads to http://127.0.0.1:1/elsewhere"),
        ("/gateway", DashboardAway, 3, "answered 502: Bad Gateway"),
        ("/busy", DashboardRefused, 3, "No scheduler"),
        ("/page", DashboardRefused, 2, "did not answer as a dashboard does"),
        ("/mine", DashboardRefused, 2, "JOURNEY_SERVE_TOKEN"),
        ("/deep", DashboardRefused, 2, "nested too deeply; is it one?"),
        ("/deep-refusal", DashboardRefused, 2, "answered 400: Bad Request"),
        ("/list", DashboardRefused, 2, "Expected `object`"),
    ],
)
def test_an_answer_that_is_no_help_is_explained(
    odd: Connection, path: str, kind: type[DashboardAway | DashboardRefused], code: int, words: str
) -> None:
    with pytest.raises(kind) as raised:
        odd.ask("GET", path)
    assert raised.value.exit_code == code
    assert words in str(raised.value)
    assert "a-token" not in str(raised.value)
    assert _Odd.seen[-1] == f"/api/v1{path} Bearer a-token", "and nothing was asked for where it leads"


def test_a_dashboard_that_is_not_there_is_away() -> None:
    with pytest.raises(DashboardAway, match="cannot be reached"):
        Connection("--remote", "http://127.0.0.1:1", None).ask("GET", "/overview")


def test_runs_of_a_server_that_sends_what_no_dashboard_does_are_lost(odd: Connection) -> None:
    runs = RemoteRuns(odd, print, 60)
    with pytest.raises(RemoteRunsLost, match="cannot be read: JSON is nested too deeply") as raised:
        runs.make(Wish(), [])
    assert raised.value.exit_code == 3
    with pytest.raises(DashboardRefused, match="answered in another form"):
        runs.cancel()


def test_an_event_is_bounded_and_its_id_can_be_sent_back() -> None:
    lines = [b"id: 7\n", "id: é\x00\n".encode(), b"data: a\n", b"\n"]
    assert [one.id for one in parse_events(lines)] == ["7"]
    piece = b"data: " + b"x" * (LONGEST // 4 + 1) + b"\n"
    with pytest.raises(ValueError, match="more than"):
        list(parse_events([piece] * 4))


def test_source_maps_are_not_lost_in_an_odd_answer(odd: Connection) -> None:
    maps = RemoteMaps(odd.address, None)
    about = MapAbout(release="1", script="app.js")
    for call in (lambda: maps.list(None, None), lambda: maps.remove("1", None), lambda: maps.put(about, b"{}")):
        with pytest.raises(UploadFailed, match="did not answer as a dashboard does"):
            call()
