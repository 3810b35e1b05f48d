"""A scheduler's HTTP endpoint: its own metrics at `/metrics`, probes of its health at `/healthz` and `/readyz`."""

import logging
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.registry import Collector

from runner.errors import ConfigError
from runner.metrics.latency_histogram import judged_latencies, latency_edges
from runner.metrics.run_metrics import build_registry
from runner.network.inert_headers import INERT_HEADERS
from runner.result import RunResult
from runner.scheduler.bounded_server import BoundedThreads
from runner.untrusted_text import LONGEST_NAME, bounded

log = logging.getLogger("journey.schedule")
RUN_EDGES = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
HEADERS = (*INERT_HEADERS, ("cache-control", "no-store"))
"""Of every response: nothing here is a page."""
DELAY_EDGES = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60)
STATUSES = ("passed", "failed", "error", "cancelled")


class Exporter:
    """The metrics of a scheduler; those of the newest runs are among them if `with_runs`.

    `bounds` are latencies that objectives ask for: each becomes an edge of the buckets of latencies, so its share is exact.
    """

    def __init__(self, with_runs: bool, bounds: Iterable[float] = ()) -> None:
        self.registry = CollectorRegistry()
        self._newest: dict[tuple[str, str], RunResult] = {}

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        self.runs = counter("synthetic_runs", "Runs that have ended.", "journey", "status")
        self.run_seconds = Histogram(
            "synthetic_run_seconds", "Time of a run.", ["journey"], registry=self.registry, buckets=RUN_EDGES
        )
        self.step_seconds = Histogram(
            "synthetic_step_latency_seconds",
            "Latency of passed steps by the page clock.",
            ["journey", "step"],
            registry=self.registry,
            buckets=latency_edges(bounds),
        )
        self.delay = Histogram(
            "synthetic_schedule_delay_seconds",
            "From when a run was due to its start.",
            registry=self.registry,
            buckets=DELAY_EDGES,
        )
        self.pushes = counter("synthetic_pushes", "Pushes to the gateway.", "outcome")
        self.requested = counter(
            "synthetic_requested_runs", "Runs that somebody has asked for and that have ended.", "reason", "status"
        )
        self.uploads = counter("synthetic_uploads", "Uploads of a run's files to object storage, by outcome.", "outcome")
        self.missed = counter("synthetic_missed_slots", "Slots that were not run, by reason.", "journey", "reason")
        self.paused = gauge("synthetic_paused", "1 while a journey is paused or in a maintenance window.", "journey")
        self.next_run = gauge("synthetic_next_run_timestamp_seconds", "When the journey is due next.", "journey")
        self.interval = gauge("synthetic_interval_seconds", "Time from the journey's next slot to the one after.", "journey")
        self.browsers = gauge("synthetic_browsers", "Workers with a browser of their own.")
        self.running = gauge("synthetic_running", "Runs under way.")
        self.waiting = gauge("synthetic_waiting", "Runs that wait for a free worker.")
        self.unstored = gauge("synthetic_unstored_runs", "Ended runs that the store has not taken yet.")
        self.not_uploaded = gauge("synthetic_waiting_uploads", "Ended runs whose files object storage has not taken yet.")
        self.unpushed = gauge("synthetic_unpushed_journeys", "Journeys whose newest state the gateway has not taken yet.")
        self.unsent = gauge("synthetic_unsent_runs", "Ended runs that wait for a receiver of spans or metrics.")
        self.confirmations = counter(
            "synthetic_location_failures", "Failures that were run again, by what that said.", "journey", "location", "outcome"
        )
        self.location_up = gauge("synthetic_location_up", "1 while workers of the place were heard of lately.", "location")
        self.location_queue = gauge("synthetic_queue_length", "Runs that wait for a worker of the place.", "location")
        self.location_wait = gauge("synthetic_queue_oldest_seconds", "How long the oldest of them has waited.", "location")
        self.broken_files = gauge("synthetic_broken_files", "Files of journeys that cannot be used as they are now.")
        if with_runs:
            self.registry.register(_Newest(self._newest))

    def count_run(self, result: RunResult) -> None:
        """Counts a run that has ended."""
        self.set_newest(result)
        self.runs.labels(result.journey, result.status).inc()
        self.run_seconds.labels(result.journey).observe(result.duration_seconds)
        for step, seconds in judged_latencies(result):
            self.step_seconds.labels(result.journey, step).observe(seconds)

    def count_late(self, result: RunResult) -> bool:
        """Counts a run whose result came when it had been given up; whether it is the newest at its place all the same."""
        before = self._newest.get((result.journey, result.location))
        newest = before is None or before.id == result.id or before.started_at < result.started_at
        self.count_run(result)
        if before is not None and not newest:
            self.set_newest(before)
        return newest

    def start_counting(self, journey: str, steps: Iterable[str]) -> None:
        """Begins the counters of a journey at 0: the first increase of a counter that begins with 1 is lost to `increase`."""
        for status in STATUSES:
            self.runs.labels(journey, status)
        self.run_seconds.labels(journey)
        for step in steps:
            self.step_seconds.labels(journey, bounded(step, LONGEST_NAME))

    def set_newest(self, result: RunResult) -> None:
        """Sets the newest run of a journey at its place, made by an earlier scheduler, without counting it."""
        self._newest[result.journey, result.location] = result

    def forget(self, journey: str, location: str, everywhere: bool) -> None:
        """Removes the gauges of a journey that is no longer on the schedule of a place, or, with `everywhere`, of any."""
        self._newest.pop((journey, location), None)
        if not everywhere:
            return
        for gauge in (self.paused, self.next_run, self.interval):
            try:
                gauge.remove(journey)
            except KeyError:
                # It has never been set.
                continue


class _Newest(Collector):
    def __init__(self, newest: dict[tuple[str, str], RunResult]) -> None:
        self._newest = newest

    def collect(self) -> Iterable[Any]:
        """The gauges of the newest run of each journey at each place."""
        return build_registry(*list(self._newest.values())).collect()


class _Server(BoundedThreads, WSGIServer):
    pass


class _Quiet(WSGIRequestHandler):
    def end_headers(self) -> None:
        """Ends the headers of what is rejected before it reaches the application."""
        for name, value in HEADERS:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the protocol's)
        """Does not log: requests come every few seconds."""


Check = Callable[[], str]
"""Returns what is wrong; empty when nothing is."""


class MetricsEndpoint:
    """An HTTP server in a thread, at `address` (`host:port`; port 0 takes a free one). Raises ConfigError when it cannot listen."""

    def __init__(self, address: str, registry: CollectorRegistry, healthy: Check, ready: Check) -> None:
        host, _, port = address.rpartition(":")
        metrics = make_wsgi_app(registry)
        self._known_trouble = ""

        def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "/")
            if path == "/metrics":
                found: Iterable[bytes] = metrics(environ, start)
                return found
            check = {"/healthz": healthy, "/readyz": ready}.get(path)
            if check is None:
                status, text = "404 Not Found", "there are /metrics, /healthz and /readyz"
            else:
                wrong = check()
                if path == "/readyz" and wrong != self._known_trouble:
                    # Anybody who reaches the address may ask, as often as they like; only the log names the database, and once.
                    self._known_trouble = wrong
                    if wrong:
                        log.warning("not ready: %s", wrong)
                shown = wrong if path == "/healthz" else "not ready; the log says why"
                status, text = ("503 Service Unavailable", shown) if wrong else ("200 OK", "ok")
            start(status, [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{text}\n".encode()]

        def with_headers(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                return start(status, [*headers, *HEADERS], *more)

            return answer(environ, begin)

        try:
            self._server = make_server(host.strip("[]"), int(port), with_headers, _Server, _Quiet)
        except OSError as error:
            raise ConfigError(
                f"listen: {address} cannot be listened on: {error.strerror}; choose another with --listen"
            ) from error
        self.address = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
