"""The scheduler's endpoint: half requests and too many connections keep nobody out."""

import socket
import threading
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from runner.scheduler.bounded_server import BoundedThreads
from runner.scheduler.metrics_endpoint import Exporter, MetricsEndpoint
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[MetricsEndpoint]:
    """An endpoint with small bounds."""
    monkeypatch.setattr(BoundedThreads, "most", 8)
    monkeypatch.setattr(BoundedThreads, "within", 1.0)
    with MetricsEndpoint("127.0.0.1:0", Exporter(False).registry, lambda: "", lambda: "not yet") as one:
        yield one


def half_request(endpoint: MetricsEndpoint, sent: bytes = b"GET /metrics HTTP/1.1\r\n") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(endpoint.address.rpartition(":")[2])), timeout=20)
    connection.sendall(sent)
    return connection


def is_ended(connection: socket.socket) -> bool:
    """Waits until the other side closes."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    connection.close()
    return True


@pytest.mark.real_time
@pytest.mark.parametrize("sent", thorough_but(1, [b"", b"GET", b"GET /metrics HTTP/1.1\r\nhost: x\r\n"]))
def test_a_request_that_does_not_end_is_ended(endpoint: MetricsEndpoint, sent: bytes) -> None:
    assert is_ended(half_request(endpoint, sent))


@pytest.mark.real_time
def test_a_request_that_comes_byte_by_byte_is_ended_too(endpoint: MetricsEndpoint) -> None:
    connection = half_request(endpoint)

    def one_more() -> bool:
        try:
            connection.sendall(b"x")
        except OSError:
            return True
        return False

    wait_until(one_more)
    connection.close()


@pytest.mark.thorough
@pytest.mark.real_time
def test_too_many_connections_end_the_oldest_and_keep_nobody_out(
    endpoint: MetricsEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedThreads, "within", 600.0)
    before = threading.active_count()
    held = [half_request(endpoint) for _ in range(50)]
    with urlopen(f"{endpoint.address}/metrics", timeout=20) as answer:
        assert b"synthetic_running" in answer.read()
    assert all(is_ended(one) for one in held[:40])
    wait_until(lambda: threading.active_count() <= before + 9)
    for one in held[40:]:
        one.close()
