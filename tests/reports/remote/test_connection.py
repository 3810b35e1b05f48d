"""A connection to a dashboard elsewhere: what it does with answers that are none of a dashboard."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from reports.remote.connection import Connection, DashboardAway, DashboardRefused
from runner.settings.secrets import Secret
from tests.support.services.http_server import serving_handler

ANSWERS = {
    "/api/v1/moved": (302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}),
    "/api/v1/gateway": (502, b"<h1>Bad gateway</h1>", {}),
    "/api/v1/busy": (503, b'{"detail": "No scheduler has given a sign of life"}', {}),
    "/api/v1/page": (200, b"<html>", {}),
    "/api/v1/mine": (403, b'{"detail": "olga has the role `view`"}', {}),
}


class _Odd(BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(f"{self.path} {self.headers['Authorization']}")
        status, body, headers = ANSWERS[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


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
