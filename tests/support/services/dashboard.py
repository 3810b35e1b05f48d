"""A dashboard over real HTTP, on a store that has been filled."""

import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import pytest

from reports.collector.routes import Collector
from reports.source_maps.map_store import FOLDER, MapStore
from reports.web.access.authenticator import Authenticator
from reports.web.dashboard import GuardedRoute, build_dashboard
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import build_application
from reports.web.server.server import Server, open_socket
from reports.web.site import Site
from runner.archive.archive import Archive
from runner.archive.remote_archive import open_archive
from runner.archive.run_id import run_id
from runner.result import Failure, RunResult, StepResult
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.support.services.collector import Answer, Kept
from tests.support.services.databases import copied

TOKEN = "a-token-that-is-long-enough-1"
PAGE = "text/html,application/xhtml+xml"


def made(
    journey: str = "buy",
    status: str = "passed",
    ago: float = 60.0,
    seconds: float = 1.2,
    message: str = "expected the cart, got nothing",
    step: str = "pay",
    **more: Any,
) -> RunResult:
    """A run that began so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    failure = Failure(kind="assertion", message=message, step=step) if status in {"failed", "error"} else None
    steps = (
        StepResult(name="open", index=0, status="passed", latency_seconds=seconds / 3, wall_seconds=seconds / 2),
        StepResult(
            name=step,
            index=1,
            status="passed" if status == "passed" else "failed",
            latency_seconds=seconds / 2,
            wall_seconds=seconds / 2,
            failure=failure,
        ),
    )
    return RunResult(
        id=run_id(),
        journey=journey,
        status=status,  # type: ignore[arg-type]
        started_at=at,
        ended_at=at + timedelta(seconds=seconds),
        duration_seconds=seconds,
        location=more.pop("location", "berlin"),
        steps=steps,
        attempts=1,
        failure=failure,
        **more,
    )


def many(count: int = 120, hours: float = 20) -> list[RunResult]:
    """Runs of three journeys, some of which did not pass."""
    chance = random.Random(4)
    return [
        made(
            journey=chance.choice(["buy", "search", "browse"]),
            status=chance.choices(["passed", "failed", "error", "cancelled"], [80, 12, 5, 3])[0],
            ago=hours * 3600 * (count - number) / count,
            seconds=round(chance.lognormvariate(0.2, 0.4), 3),
            contended=number % 9 == 0,
        )
        for number in range(count)
    ]


class Visited:
    """A dashboard that is served on a free port."""

    def __init__(self, port: int, store: Store, archive: Archive, access: Authenticator) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.store = store
        self.archive = archive
        self.access = access

    def request(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; as a browser asks for a page, if the headers say nothing else."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {"accept": PAGE, **(headers or {})}
        try:
            connection.putrequest(method, path, skip_host="host" in given, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            cookies = tuple(text.partition(";")[0] for name, text in answer.getheaders() if name.lower() == "set-cookie")
            # The cookie of the session is set first.
            headers = {name.lower(): text for name, text in reversed(answer.getheaders())}
            return Answer(answer.status, headers, answer.read(), cookies)
        finally:
            connection.close()

    def raw(self, method: str, path: str, headers: Sequence[tuple[str, str]]) -> str:
        """One request with exactly these lines of headers, and Host; the whole answer."""
        lines = [
            f"{method} {path} HTTP/1.1",
            "host: 127.0.0.1",
            "connection: close",
            *(f"{name}: {text}" for name, text in headers),
        ]
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("utf-8", "replace")

    def get(self, path: str, **headers: str) -> Answer:
        """A page; headers with `_` for `-`."""
        return self.request("GET", path, None, {name.replace("_", "-"): text for name, text in headers.items()})

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """A form, as a browser sends one from a page of the dashboard if the headers say nothing else of where it is from."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if not named.keys() & {"sec-fetch-site", "origin"}:
            named["sec-fetch-site"] = "same-origin"
        return self.request(
            "POST", path, urlencode(fields).encode(), {"content-type": "application/x-www-form-urlencoded", **named}
        )

    def sign_in(self, **fields: str) -> str:
        """Signs in; the cookie as a browser sends it back."""
        answer = self.post("/sign-in", fields)
        assert answer.status == 303, answer.body
        return answer.headers["set-cookie"].partition(";")[0]


@contextmanager
def dashboards(folder: Path, empty: Path) -> Iterator[Callable[..., Visited]]:
    """Starts dashboards with settings as `journey serve` gets them, on one store, until the block ends."""
    running: list[tuple[Server, threading.Thread, Store]] = []

    def start(environ: Mapping[str, str] | None = None, clock: Callable[[], float] | None = None, **more: Any) -> Visited:
        settings = load_settings(folder, {"runs_dir": folder / "runs"}, environ or {})
        file = settings.runs_dir / empty.name
        if not file.exists():
            copied(empty, file.parent)
        store = Store(settings.database_url)
        access = Authenticator(settings, store, clock=clock or monotonic)
        archive = open_archive(settings)
        server: list[Server] = []
        maps = MapStore(store, archive.folder / FOLDER)
        site = Site(store=store, archive=archive, maps=maps, stopping=lambda: server[0].should_exit, **more)
        collector = Collector(settings, Kept())
        parts: list[Any] = [collector]
        if not settings.serve_public_metrics:
            parts.insert(0, GuardedRoute("/metrics", collector.exposition.answer, access))
        listening = open_socket("127.0.0.1:0")
        server.append(Server(build_application(parts, build_dashboard(site, access)), ConnectionGuard(lambda _: None)))
        thread = threading.Thread(target=server[0].serve_until_stopped, args=(listening,))
        thread.start()
        running.append((server[0], thread, store))
        return Visited(listening.getsockname()[1], store, archive, access)

    try:
        yield start
    finally:
        for server, _, _ in running:
            server.stop()
        for _, thread, store in running:
            thread.join(20)
            store.close()
            assert not thread.is_alive()


@pytest.fixture
def dashboard(tmp_path: Path, empty: Path) -> Iterator[Callable[..., Visited]]:
    """Starts dashboards of this test's own, on one store."""
    with dashboards(tmp_path, empty) as start:
        yield start


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Iterator[Callable[[str], Callable[..., Visited]]]:
    """Starts dashboards that stay for all tests of a module, which only look: on a store for each name."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(dashboards(tmp_path_factory.mktemp(name), empty))
