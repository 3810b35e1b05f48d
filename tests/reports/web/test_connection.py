"""Connections that are slow, large or too many are ended; good ones are not."""

import socket
import struct
from collections.abc import Callable

import pytest

from tests.support.services.collector import SHOP, Served, beacon
from tests.support.wait import wait_until

HEAD = b"POST /v1/views HTTP/1.1\r\nhost: x\r\n"


def connect(collector: Served, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", collector.port), timeout=20)
    connection.sendall(sent)
    return connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    with connection:
        parts = []
        while part := _read(connection):
            parts.append(part)
        return b"".join(parts)


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


@pytest.mark.real_time
def test_who_sends_nothing_or_never_all_is_cut_off(served: Callable[..., Served]) -> None:
    collector = served(within=1.0)
    body = HEAD + b"content-length: 100\r\n\r\n{"
    slow = [
        connect(collector, sent)
        for sent in (b"", b"\r\n", b"POST", HEAD, body, HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n")
    ]
    assert {received(one)[:13] for one in slow} == {b"HTTP/1.1 408 "}
    assert collector.metric("collector_closed_connections_total", reason="slow") == len(slow)
    assert collector.metric("collector_refused_total", reason="slow") == 2


@pytest.mark.real_time
def test_who_sends_byte_by_byte_is_cut_off_too(served: Callable[..., Served]) -> None:
    collector = served(within=1.0)
    with connect(collector, HEAD) as connection:

        def one_more() -> bool:
            try:
                connection.sendall(b"x")
            except OSError:
                return True
            return False

        wait_until(one_more)


def test_a_connection_may_be_used_again_and_again(collector: Served) -> None:
    import json
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", collector.port, timeout=20)
    for _ in range(50):
        connection.request("POST", "/v1/views", json.dumps(beacon()), {"origin": SHOP})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (202, b"")
    connection.close()


def test_a_head_that_does_not_end_is_cut_off(collector: Served) -> None:
    for sent in (HEAD + b"a: b\r\n" * 60_000, HEAD + b"a: " + b"x" * 400_000, b"POST /" + b"x" * 400_000):
        connection = socket.create_connection(("127.0.0.1", collector.port), timeout=20)
        try:
            connection.sendall(sent)
        except OSError:
            connection.close()
            continue
        assert received(connection)[:13] in {b"HTTP/1.1 431 ", b""}
    assert collector.metric("collector_closed_connections_total", reason="head") == 3


def test_a_body_without_end_is_cut_off(collector: Served) -> None:
    connection = connect(collector, HEAD + f"origin: {SHOP}\r\ncontent-length: 999999999999\r\n\r\n".encode())
    try:
        for _ in range(1_000):
            connection.sendall(b"x" * 65_536)
    except OSError:
        # It has been closed under us.
        pass
    else:
        raise AssertionError("64 MB were taken")
    finally:
        connection.close()


def test_one_more_connection_than_allowed_ends_the_one_that_is_waited_for_the_longest(served: Callable[..., Served]) -> None:
    collector = served(most=20)
    idle = [connect(collector, b"") for _ in range(60)]
    assert collector.post(beacon()).status == 202
    assert collector.metric("collector_closed_connections_total", reason="too_many") >= 40
    for one in idle:
        one.close()


def ask(collector: Served, path: str = "/healthz", times: int = 1, window: int = 0) -> socket.socket:
    """A connection with requests, of which nothing is read."""
    connection = socket.socket()
    if window:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", collector.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode() * times)
    return connection


def test_idle_connections_keep_nobody_out(served: Callable[..., Served]) -> None:
    collector = served(most=20)
    idle = []
    for _ in range(60):
        idle.append(ask(collector))
        answer = b""
        while not answer.endswith(b"ok\n"):
            # Its head and its body may come apart.
            part = idle[-1].recv(4096)
            assert part, answer
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 ")
    for _ in range(20):
        assert collector.post(beacon()).status == 202
    # The one that has been idle longest goes, without an answer that it has not asked for.
    assert received(idle[0]) == b""
    assert collector.metric("collector_closed_connections_total", reason="too_many") >= 40
    for one in idle[1:]:
        one.close()


@pytest.mark.real_time
def test_who_reads_nothing_is_cut_off(served: Callable[..., Served]) -> None:
    collector = served(within=1.0)
    unread = [ask(collector, "/replay.js", 40, window=2048) for _ in range(5)]
    wait_until(lambda: collector.metric("collector_closed_connections_total", reason="unread") == len(unread))
    wait_until(lambda: len(collector.guard.connections) <= 1)
    for one in unread:
        one.close()


@pytest.mark.long
def test_readers_of_nothing_keep_nobody_out(served: Callable[..., Served]) -> None:
    collector = served(most=20)
    unread = [ask(collector, "/replay.js", 40, window=2048) for _ in range(40)]
    wait_until(
        lambda: len(collector.guard.connections) == 20 and all(one.unread_bytes for one in [*collector.guard.connections])
    )
    for _ in range(20):
        assert collector.post(beacon()).status == 202
    for one in unread:
        one.close()


@pytest.mark.thorough
@pytest.mark.real_time
def test_a_reset_with_requests_under_way_is_no_error_of_ours(
    served: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    collector = served()
    for _ in range(3):
        unread = [ask(collector, "/replay.js", 40, window=2048) for _ in range(20)]
        wait_until(lambda: sum(one.unread_bytes > 0 for one in [*collector.guard.connections]) >= 20)
        for one in unread:
            # Closed so, the other side gets a reset instead of an end.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
        wait_until(lambda: len(collector.guard.connections) <= 1)
    assert collector.post(beacon()).status == 202
    assert [one.getMessage() for one in caplog.records if one.name.startswith("uvicorn")] == []


def test_one_network_takes_a_part_of_the_connections_alone(served: Callable[..., Served]) -> None:
    collector = served(most=40, unbounded=lambda _: False)
    held = [connect(collector, b"") for _ in range(30)]
    wait_until(lambda: collector.metric("collector_closed_connections_total", reason="too_many") >= 20)
    assert len(collector.guard.connections) <= 11
    assert list(collector.guard.of_network) in (["127.0.0.0/24"], [])
    for one in held:
        one.close()
    wait_until(lambda: not collector.guard.of_network)


def test_what_is_no_http_is_answered_and_closed(collector: Served) -> None:
    assert received(connect(collector, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")).startswith(
        b"HTTP/1.1 400 "
    )
    assert collector.post(beacon()).status == 202
