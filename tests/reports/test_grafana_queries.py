"""The dashboards for Grafana: that a real Prometheus answers each of their questions with what is really exported."""

import gzip
import json
import math
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import start_http_server

from reports.objectives.prometheus_rules import render_prometheus_rules
from runner.archive.run_id import run_id
from runner.bundles.bundle_cache import BundleCache
from runner.dispatch.worker.worker_metrics import make_registry
from runner.metrics.pushgateway import push_result
from runner.result import Certificate, RunResult
from runner.settings.load_settings import load_settings
from tests.reports.samples import NOON, run
from tests.reports.test_grafana import FILES, OBJECTIVE, panels, variables
from tests.support.raw_http import CHROME
from tests.support.services.collector import beacon, view
from tests.support.services.daemon import Daemon
from tests.support.services.serve import Serve
from tests.support.services.servers import Prometheus
from tests.support.wait import wait_until

SPANS = {"$__rate_interval": "1m", "$__range": "5m"}
"""What Grafana fills in by itself."""
SITE = "http://localhost:3000"
JOURNEYS = """
    @journey(every="2s", locations=["local", "oslo"])
    def walk(page, step):
        with step("open", budget="9s"):
            page.goto("/")
        with step("search"):
            page.get_by_role("searchbox").fill("tea")
            page.get_by_role("button", name="Search").click()

    @journey(every="1s")
    def dawdle(page, step):
        with step("wait"):
            page.wait_for_timeout(2500)
"""


def filled(file: Path, expression: str) -> str:
    """An expression with `All` chosen in every variable."""
    for name, span in SPANS.items():
        expression = expression.replace(name, span)
    for name, one in variables(file).items():
        expression = expression.replace(f"${name}", one.get("allValue") or "")
    assert "$" not in expression, expression
    return expression


def chunk() -> bytes:
    """A piece of a recording."""
    now = time.time() * 1000
    events = [{"type": 4, "timestamp": now, "data": {"href": f"{SITE}/item/7", "width": 800, "height": 600}}]
    events.append({"type": 2, "timestamp": now + 1, "data": {"node": {"type": 0, "childNodes": [], "id": 1}}})
    ids = {"session": run_id(), "tab": run_id(), "sequence": 0}
    return gzip.compress(json.dumps({"version": 1, "app": "shop", **ids, "first": True, "events": events}).encode())


class Visitors:
    """Browsers that report every half second, and some that should not."""

    def __init__(self, address: str) -> None:
        self._address = address.removeprefix("http://")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)

    def _work(self) -> None:
        while not self._stopped.wait(0.5):
            now = time.time()
            values = {"ttfb": 0.2, "fcp": 0.4, "lcp": 0.9, "inp": 0.1, "cls": 0.05}
            seen = view(
                id=run_id(), url=f"{SITE}/item/7", started_at=now - 3, phases={"ttfb": 0.2, "total": 1.1}, ended=True,
                vitals=[{"name": name, "id": f"v6-{name}", "value": value} for name, value in values.items()],
                interactions=[{"type": "click", "at_seconds": 1.0}], errors=[{"kind": "error", "message": "x is undefined"}],
            )  # fmt: skip
            self._post("/v1/views", json.dumps(beacon(seen, id=run_id(), sent_at=now)).encode(), 202)
            report = {"type": "deprecation", "age": 1, "url": f"{SITE}/", "body": {"id": "WebSQL", "message": "is deprecated"}}
            self._post("/reports?app=shop", json.dumps([report]).encode(), 202, "application/reports+json")
            self._post("/v1/replay", chunk(), 202)
            self._post("/v1/views", b"no JSON", 400)
            host, port = self._address.split(":")
            with socket.create_connection((host, int(port))) as endless:
                endless.sendall(b"GET / HTTP/1.1\r\nx: " + b"x" * 40_000)
                endless.recv(100)

    def _post(self, path: str, body: bytes, status: int, kind: str = "text/plain") -> None:
        connection = HTTPConnection(self._address, timeout=20)
        connection.request("POST", path, body, {"user-agent": CHROME, "origin": SITE, "content-type": kind})
        answer = connection.getresponse()
        assert answer.status == status, (path, answer.status, answer.read())
        connection.close()


def met_a_certificate() -> RunResult:
    """A run of a journey on a site with HTTPS, which no test's own is."""
    certificate = Certificate(host="shop.example", valid_from=NOON, valid_until=NOON, issuer="R3")
    return replace(run(journey="look").result, certificates=(certificate,))


@pytest.fixture
def measured(
    daemon: Daemon, serve: Serve, gateway: str, prometheus: Callable[..., Prometheus], tmp_path: Path
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a scheduler, the gateway that it pushes to, a collector that browsers report to, and a worker's metrics."""
    daemon.write(JOURNEYS)
    daemon.start("--pushgateway", gateway, "--workers", "1")
    serve.start()
    push_result(met_a_certificate(), load_settings(tmp_path, {"pushgateway": gateway}, {}))
    # Of a worker elsewhere, without the broker that it would need.
    worker: Any = SimpleNamespace(active=1, outbox=SimpleNamespace(waiting=()))
    registry = make_registry(worker, BundleCache(tmp_path / "bundles", 1_000_000, 1_000_000))
    metrics, thread = start_http_server(0, "127.0.0.1", registry)
    with Visitors(serve.address):
        rules = render_prometheus_rules([OBJECTIVE], {"walking": 2.0})
        yield prometheus(gateway, daemon.address, serve.address, f"127.0.0.1:{metrics.server_port}", rules=rules)
    metrics.shutdown()
    metrics.server_close()
    thread.join(30)
    serve.stop()
    daemon.stop()


def answered(rows: list[dict[str, Any]]) -> bool:
    """Whether there is a number."""
    return any(not math.isnan(float(row["value"][1])) for row in rows)


@pytest.mark.thorough
@pytest.mark.long
def test_every_panel_shows_something_and_a_question_without_an_answer_would_be_noticed(measured: Prometheus) -> None:
    waiting = [
        (panel["title"], filled(file, target["expr"]))
        for file in FILES
        for panel in panels(file)
        for target in panel["targets"]
    ]
    for file in FILES:
        for name, one in variables(file).items():
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", one["query"]["query"]) if one["type"] == "query" else None
            if found:
                waiting.append((f"${name}", f"count by ({found[2]}) ({filled(file, found[1])})"))
    assert len(waiting) > 70

    def all_answered() -> bool:
        waiting[:] = [(title, expression) for title, expression in waiting if not answered(measured.query(expression))]
        return not waiting

    try:
        wait_until(all_answered, timeout=120)
    except AssertionError as error:
        raise AssertionError(f"these have no data: {waiting}") from error
    assert not answered(measured.query('synthetic_success{journey="none"}'))
    assert not answered(measured.query("0 / (up - up)"))
