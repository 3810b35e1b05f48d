"""Metrics in a real Pushgateway, scraped by a real Prometheus."""

import re
import socket
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.errors import PushError
from runner.metrics.pushgateway import delete_group, push_result
from runner.metrics.run_metrics import format_metrics
from runner.result import Navigation, Requests, RunResult, StepResult, Vitals
from runner.settings.load_settings import load_settings
from tests.conftest import Monitor
from tests.support.services.servers import Prometheus, free_port, get
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE, wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAVIGATION = Navigation(url="http://x/", type="navigate", started_at=NOON, phases={"ttfb": 0.1, "total": 0.3})
STEP = StepResult(
    name="open",
    index=0,
    status="passed",
    latency_seconds=0.3,
    wall_seconds=0.4,
    navigations=(NAVIGATION,),
    vitals=Vitals(lcp=0.25, cls=0.01),
    requests=Requests(ok=3, failed=1, transfer_bytes=1234),
)
RUN = RunResult(
    id="1",
    journey="buy",
    status="passed",
    started_at=NOON,
    ended_at=NOON,
    duration_seconds=1.5,
    location="office",
    attempts=2,
    steps=(STEP, replace(STEP, name="pay", index=1)),
    last_success_at=NOON,
)


def settings(address: str | None, **environment: str) -> Any:
    variables = {f"JOURNEY_PUSHGATEWAY_{name.upper()}": value for name, value in environment.items()}
    return load_settings(Path("/"), {"pushgateway": address}, variables)


def lines(gateway: str, prefix: str) -> dict[str, float]:
    """Samples by name and labels but for job and instance."""
    found = {}
    for line in (get(f"{gateway}/metrics") or "").splitlines():
        if line.startswith(prefix):
            name, _, value = line.rpartition(" ")
            found[re.sub(r'instance="",job="synthetic_monitor",', "", name)] = float(value)
    return found


def test_every_metric_arrives_with_its_labels(gateway: str) -> None:
    push_result(RUN, settings(gateway))
    run = '{journey="buy",location="office"}'
    step = '{journey="buy",location="office",step="open"}'
    samples = lines(gateway, "synthetic_")
    for name, value in {
        f"synthetic_success{run}": 1,
        f"synthetic_duration_seconds{run}": 1.5,
        f"synthetic_attempts{run}": 2,
        f"synthetic_last_run_timestamp_seconds{run}": NOON.timestamp(),
        f"synthetic_last_success_timestamp_seconds{run}": NOON.timestamp(),
        f"synthetic_monitor_error{run}": 0,
        f"synthetic_latency_seconds{step}": 0.3,
        f"synthetic_wall_seconds{step}": 0.4,
        f"synthetic_step_success{step}": 1,
        f"synthetic_layout_shift_score{step}": 0.01,
        f"synthetic_transfer_bytes{step}": 1234,
        'synthetic_navigation_seconds{journey="buy",location="office",phase="ttfb",step="open"}': 0.1,
        'synthetic_web_vital_seconds{journey="buy",location="office",step="open",vital="lcp"}': 0.25,
        'synthetic_requests{journey="buy",location="office",outcome="failed",step="open"}': 1,
    }.items():
        assert samples[name] == value, name


@pytest.mark.parametrize("location", thorough_but(3, [".", "..", "eu/west", "é🛒", "%2F", "a?b#c"]))
def test_a_location_of_any_letters_is_a_group_of_its_own(gateway: str, location: str) -> None:
    run = replace(RUN, location=location)
    push_result(run, settings(gateway))
    assert f'location="{location}"' in (get(f"{gateway}/metrics") or "")
    delete_group("buy", location, settings(gateway))
    # A gateway answers before it has deleted the group.
    wait_until(lambda: f'location="{location}"' not in (get(f"{gateway}/metrics") or ""))


def test_a_renamed_step_leaves_nothing_behind(gateway: str) -> None:
    push_result(RUN, settings(gateway))
    push_result(replace(RUN, steps=(replace(STEP, name="renamed"),)), settings(gateway))
    assert list(lines(gateway, "synthetic_latency_seconds")) == [
        'synthetic_latency_seconds{journey="buy",location="office",step="renamed"}'
    ]


def test_a_failed_run_says_so_and_keeps_passed_steps_and_the_last_success(gateway: str) -> None:
    failed = replace(STEP, name="pay", status="failed")
    push_result(
        replace(RUN, status="failed", steps=(STEP, failed, replace(STEP, name="receipt", status="skipped"))), settings(gateway)
    )
    samples = lines(gateway, "synthetic_")
    run = '{journey="buy",location="office"}'
    assert (samples[f"synthetic_success{run}"], samples[f"synthetic_monitor_error{run}"]) == (0, 0)
    assert samples[f"synthetic_last_success_timestamp_seconds{run}"] == NOON.timestamp()
    assert [name.partition('step="')[2] for name in lines(gateway, "synthetic_latency_seconds")] == ['open"}']
    assert [value for _, value in sorted(lines(gateway, "synthetic_step_success").items())] == [1, 0]


def test_an_error_of_the_monitor_is_a_metric_of_its_own_and_no_success_is_invented(gateway: str) -> None:
    push_result(replace(RUN, status="error", steps=(), last_success_at=None), settings(gateway))
    assert list(lines(gateway, "synthetic_monitor_error").values()) == [1]
    assert lines(gateway, "synthetic_last_success") == {}


@pytest.mark.thorough
def test_a_journeys_numbers_are_scraped_by_prometheus(
    monitor: Monitor, gateway: str, prometheus: Callable[[str], Prometheus]
) -> None:
    result = monitor.run("@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n")
    push_result(result, settings(gateway))
    server = prometheus(gateway)
    (sample,) = wait_until(lambda: server.query('synthetic_latency_seconds{step="open"}'))
    assert sample["metric"]["job"] == "synthetic_monitor"
    assert sample["metric"]["journey"] == "walk"
    assert float(sample["value"][1]) == result.steps[0].latency_seconds


@contextmanager
def answering(
    status: int, wait: float = 0.0, certificate: tuple[Path, Path] | None = None, headers: dict[str, str] | None = None
) -> Iterator[tuple[str, list[Any]]]:
    """A stand-in for gateways that a Debian package cannot play: refusing, slow, behind a password or TLS."""
    seen: list[Any] = []
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(dict(self.headers) | {"path": self.path})
            release.wait(wait)
            with suppress(BrokenPipeError):  # whoever gave up has gone
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"said the gateway")

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake is left to the handler, which closes a connection whose client does not trust the certificate.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}", seen
    finally:
        release.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_gateway_that_refuses_is_quoted(status: int) -> None:
    with (
        answering(status) as (address, _),
        pytest.raises(PushError, match=rf"{address} rejected the metrics of buy: {status} .*said the gateway"),
    ):
        push_result(RUN, settings(address))


def test_a_gateway_that_is_down_is_named() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PushError, match=f"{address} could not be reached for the metrics of buy: .*refused"):
        push_result(RUN, settings(address))


def test_a_slow_gateway_is_given_up() -> None:
    with answering(200, wait=30) as (address, _), pytest.raises(PushError, match=r"within pushgateway_timeout \(0.2 s\)"):
        push_result(RUN, settings(address, timeout="200ms"))


@pytest.mark.real_time
def test_a_gateway_that_answers_byte_by_byte_is_given_up_as_a_whole() -> None:
    """Each read succeeds in time; it is the exchange that never ends."""
    released = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
                connection.sendall(bytes([byte]))
                if released.wait(0.02):
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with pytest.raises(PushError, match=r"within pushgateway_timeout \(0.5 s\)"):
            push_result(RUN, settings(address, timeout="500ms"))
    finally:
        released.set()
        listening.close()
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_says_where_to(status: int) -> None:
    with (
        answering(status, headers={"Location": "https://gateway.example/metrics"}) as (address, seen),
        pytest.raises(PushError, match=r"redirects the metrics of buy to https://gateway.example/metrics .*set pushgateway"),
    ):
        push_result(RUN, settings(address.replace("http://", "http://me:hush@")))
    assert len(seen) == 1


def test_a_proxy_of_the_environment_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:hush@127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(
        PushError, match=r"through the proxy 127\.0\.0\.1:\d+ of http_proxy; list the host in no_proxy"
    ) as caught:
        push_result(RUN, settings("http://gateway.example:9091"))
    assert "hush" not in str(caught.value)


def test_user_and_password_in_the_address_are_decoded() -> None:
    with answering(200) as (address, seen):
        push_result(RUN, settings(address.replace("http://", "http://us%40er:p%2Fw%3A%C3%A9@")))
    assert b64decode(seen[0]["Authorization"].split()[1]).decode() == "us@er:p/w:é"


def test_user_password_and_token_are_sent_and_never_shown() -> None:
    with answering(200) as (address, seen):
        push_result(RUN, settings(address, username="me", password="hush"))
        push_result(RUN, settings(address, bearer_token="abc"))
        push_result(RUN, settings(address.replace("http://", "http://me:hush@")))
    assert [one["Authorization"] for one in seen] == ["Basic bWU6aHVzaA==", "Bearer abc", "Basic bWU6aHVzaA=="]
    assert seen[0]["path"] == "/metrics/job/synthetic_monitor/journey/buy/location/office"
    with answering(403) as (address, _), pytest.raises(PushError) as caught:
        push_result(RUN, settings(address.replace("http://", "http://me:hush@")))
    assert "hush" not in str(caught.value)


def test_a_certificate_authority_of_ones_own_is_trusted_when_named(certificate: tuple[Path, Path]) -> None:
    with answering(200, certificate=certificate) as (address, seen):
        with pytest.raises(PushError, match=r"CERTIFICATE_VERIFY_FAILED.*set pushgateway_ca_file"):
            push_result(RUN, settings(address))
        push_result(RUN, settings(address, ca_file=str(certificate[0])))
    assert len(seen) == 1


def test_without_a_gateway_the_metrics_are_text_for_a_collector() -> None:
    written = format_metrics([RUN, replace(RUN, journey="look"), replace(RUN, journey="look", status="failed")])
    assert written.count("# TYPE synthetic_success gauge") == 1
    assert 'synthetic_success{journey="look",location="office"} 0.0' in written
