"""A collector over real HTTP, and what a browser would send it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from reports.collector.accepted_beacon import Arrival
from reports.collector.http.agent_script import FILE
from reports.collector.routes import Collector
from reports.replay.chunk_store import ChunkStore
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import build_application
from reports.web.server.server import Server, open_socket
from runner.settings.load_settings import load_settings
from tests.support.raw_http import CHROME

SHOP = "https://shop.example"
CONFIGURATION = """
[[apps]]
name = "shop"
origins = ["https://shop.example", "https://*.shop.example"]
routes = ["/item/:slug"]
query_keys = ["page"]
rate = 100000
burst = 100000

[[apps]]
name = "blog"
key = "blog-key-1"
origins = ["https://blog.example"]
rate = 100000
burst = 100000
"""
_numbers = count()


class Answer(Struct, frozen=True):
    """What the collector has answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    """`name=value` of each cookie that it sets."""

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


def view(**fields: Any) -> dict[str, Any]:
    """A page view, as JSON."""
    return {"id": f"view-{next(_numbers):08d}", "url": f"{SHOP}/item/sencha", "started_at": 1_795_557_200.0, **fields}


def beacon(*views: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A beacon, as JSON."""
    return {
        "id": f"beacon-{next(_numbers):08d}",
        "app": "shop",
        "session": "0190a1b2-0000-7000-8000-000000000001",
        "sent_at": 1_795_557_207.0,
        "views": list(views) or [view()],
        **fields,
    }


class Kept:
    """A writer that remembers; `trouble` is raised instead, when it is set."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.trouble: Exception | None = None

    async def put(self, arrival: Arrival) -> bool:
        """Whether the beacon is new."""
        if self.trouble is not None:
            raise self.trouble
        if any(one.beacon.id == arrival.beacon.id for one in self.arrivals):
            return False
        self.arrivals.append(arrival)
        return True

    def find_trouble(self) -> str:
        """It always works, so far as it knows."""
        return ""


class Served:
    """A collector that is served on a free port."""

    def __init__(self, port: int, collector: Collector, kept: Kept, guard: ConnectionGuard) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.collector = collector
        self.kept = kept
        self.guard = guard

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request; headers with `_` for `-`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {"user-agent": CHROME, **{name.replace("_", "-"): text for name, text in headers.items()}}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, content: Any, path: str = "/v1/views", origin: str = SHOP, **headers: str) -> Answer:
        """A POST as a page makes it; content that is not bytes is sent as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.request("POST", path, body, **({"origin": origin} if origin else {}), **headers)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = self.request("GET", "/metrics").body.decode().splitlines()
        found = [line for line in lines if line.startswith((f"{name}{{", f"{name} ")) and all(one in line for one in wanted)]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    @property
    def newest(self) -> Arrival:
        """What was stored last."""
        return self.kept.arrivals[-1]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts collectors with the text of a configuration file; the bounds of connections may be given."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(
        configuration: str = CONFIGURATION, script: Path | None = None, chunk_store: ChunkStore | None = None, **bounds: Any
    ) -> Served:
        (tmp_path / "journey.toml").write_text(configuration)
        kept = Kept()
        collector = Collector(load_settings(tmp_path, {}, {}), kept, script or FILE, chunk_store)
        guard = ConnectionGuard(lambda reason: collector.metrics.closed.add((reason,)), **bounds)
        listening = open_socket("127.0.0.1:0")
        port = listening.getsockname()[1]
        server = Server(build_application([collector]), guard)
        thread = threading.Thread(target=server.serve_until_stopped, args=(listening,))
        thread.start()
        running.append((server, thread))
        return Served(port, collector, kept, guard)

    yield start
    for server, thread in running:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def collector(served: Callable[..., Served]) -> Served:
    """A collector for a shop and a blog."""
    return served()
