"""Headers that keep a response inert: on every route of every server, whatever the answer."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.routing import BaseRoute, Mount
from starlette.types import Message, Receive, Scope, Send

from reports.collector.routes import Collector
from reports.web import api
from reports.web.access.middleware import AccessMiddleware
from reports.web.access.pages import sign_in_routes
from reports.web.dashboard import build_dashboard
from reports.web.routes import page_routes
from reports.web.server.default_headers import with_default_headers
from reports.web.site import Site
from runner.scheduler.metrics_endpoint import Exporter, MetricsEndpoint
from runner.settings.load_settings import load_settings
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, bearer, hashed, users
from tests.support.services.collector import Kept
from tests.support.services.dashboard import Visited, made

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]
FILLED = {"{number:row}": "1", "{frame:row}": "0", "{journey}": "buy", "{run}": "none", "{view}": "1", "{session}": "x"}
STREAM = "/events"


def check(headers: dict[str, str], where: object) -> None:
    """Fails unless a response can be neither framed elsewhere, nor guessed at, nor run anything."""
    policy = headers.get("content-security-policy", "")
    assert headers.get("x-content-type-options") == "nosniff", where
    assert "frame-ancestors 'none'" in policy or "frame-ancestors 'self'" in policy, where
    assert "default-src 'none'" in policy or "object-src 'none'" in policy, where
    assert headers.get("referrer-policy") in {"same-origin", "no-referrer"}, where
    assert headers.get("x-frame-options") in {"SAMEORIGIN", "DENY"}, where


def list_paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """An address of each route."""
    for route in routes:
        path: str = getattr(route, "path", "")
        if isinstance(route, Mount):
            yield from (f"{path}/", f"{path}/none", f"{path}/style.css", f"{path}/index.html")
            continue
        for name, value in FILLED.items():
            path = path.replace(name, value)
        yield path


@pytest.mark.long
def test_every_response_of_the_server_is_inert(dashboard: Start, tmp_path: Path, users: Path) -> None:
    served = dashboard(WITH_TOKEN | {"JOURNEY_SERVE_USERS": str(users)})
    served.store.add(made())
    site = Site(store=served.store, archive=served.archive)
    collector = Collector(load_settings(tmp_path, {}, {}), Kept())
    gate = build_dashboard(site, served.access)
    assert isinstance(gate, AccessMiddleware)
    routes = [*page_routes(site), *api.api_routes(site), *sign_in_routes(served.access, gate), *collector.routes]
    paths = [*list_paths(routes), *collector.direct, "/none", "/" + "x" * 2000, "/?" + "x" * 5000, "/%00", "/api/v1/none"]
    cookie = served.sign_in(name="ada", password=PASSWORD)
    asked: list[tuple[str, dict[str, str]]] = [
        ("GET", {}),
        ("GET", {"cookie": cookie}),
        ("POST", {"sec-fetch-site": "cross-site", "cookie": cookie}),
        ("OPTIONS", bearer()),
    ]
    statuses = set()
    for path in paths:
        for method, headers in asked:
            if path != STREAM or method != "GET" or not headers:
                answer = served.request(method, path, b"" if method == "POST" else None, headers)
                check(answer.headers, (method, path, answer.status))
                statuses.add(answer.status)
    assert {200, 303, 400, 401, 403, 404, 405, 414} <= statuses
    assert 500 not in statuses


@pytest.mark.long
def test_refusals_of_every_kind_are_inert(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN | {"JOURNEY_SERVE_REQUESTS_PER_MINUTE": "1"})
    assert served.get("/healthz", **{"x-long": "x" * 20_000}).status == 200
    answers = [
        served.get("/", host="evil.example"),
        served.get("/", accept="x" * 20_000),
        served.post("/sign-in", {"token": "x" * 20_000}),
        served.post("/v1/views", {"x": "y" * 300_000}),
        *(served.request("GET", "/", None, bearer()) for _ in range(2)),
        *(served.request("GET", "/", None, bearer("a-token-that-is-wrong")) for _ in range(7)),
    ]
    assert {one.status for one in answers} >= {200, 401, 413, 421, 429, 431}
    for answer in answers:
        check(answer.headers, answer.status)


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"x" * 40_000, b"GET /\xff HTTP/9.9\r\n\r\n"])
def test_what_is_not_http_gets_an_inert_response(dashboard: Start, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", dashboard().port), timeout=20) as connection:
        connection.sendall(sent)
        check(parse_headers(b"".join(iter(lambda: connection.recv(65_536), b""))), sent[:20])


def parse_headers(answer: bytes) -> dict[str, str]:
    """The headers of a raw response."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """An application with a fault."""
    raise RuntimeError("/secret/path")


def test_an_error_that_nothing_has_handled_says_nothing_and_is_inert() -> None:
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": "/x", "method": "GET", "headers": []}

    async def answer() -> None:
        await with_default_headers(broken)(scope, nothing, keep)

    # Playwright's loop may run in this thread.
    with ThreadPoolExecutor(1) as thread, pytest.raises(RuntimeError, match="secret"):
        thread.submit(asyncio.run, answer()).result()
    check({name.decode(): value.decode() for name, value in sent[0]["headers"]}, "broken")
    assert (sent[0]["status"], sent[1]["body"]) == (500, b"Internal Server Error")


@pytest.mark.real_time
def test_the_scheduler_answers_nothing_without_them() -> None:
    with MetricsEndpoint("127.0.0.1:0", Exporter(False).registry, lambda: "", lambda: "the database is away") as endpoint:
        host = urlsplit(endpoint.address).netloc
        for method, path in (("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/none"), ("BREW", "/")):
            connection = HTTPConnection(host, timeout=10)
            connection.request(method, path)
            answer = connection.getresponse()
            check({name.lower(): text for name, text in answer.getheaders()}, (method, path, answer.status))
            connection.close()
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=10) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n")
            check(parse_headers(b"".join(iter(lambda: raw.recv(65_536), b""))), "too many headers")
