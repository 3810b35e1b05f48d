"""Servers that send too much, too slowly, or not what was asked for: a check ends at its timeout, and says why."""

import socket
import socketserver
from collections.abc import Callable

import pytest

from tests.runner.checks.conftest import RunCheck
from tests.runner.checks.servers import RELEASE, served
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE

Behave = Callable[[socket.socket], None]


def drip_headers(peer: socket.socket) -> None:
    """A header that never ends, a byte at a time: no wait alone is long."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not RELEASE.wait(PAUSE):
        peer.sendall(b"a")


def drip_body(peer: socket.socket) -> None:
    """The same with a body."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not RELEASE.wait(PAUSE):
        peer.sendall(b"1\r\na\r\n")


def flood_headers(peer: socket.socket) -> None:
    """Headers without an end, as fast as they go."""
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while not RELEASE.is_set():
        peer.sendall(b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 100)


def flood_body(peer: socket.socket) -> None:
    """A body without an end."""
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not RELEASE.is_set():
        peer.sendall(b"a" * 65_536)


def talk_nonsense(peer: socket.socket) -> None:
    """Not HTTP, with control characters."""
    peer.sendall(b"\x1b[31mSSH-2.0-OpenSSH\x00\r\n\r\n")


def hang_up(peer: socket.socket) -> None:
    """Nothing."""


def say_nothing(peer: socket.socket) -> None:
    """Nothing, without an end."""
    RELEASE.wait(60)


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("behave", "call", "kind", "message"),
    thorough_but(6, [
        (drip_headers, "http.get('http://PEER/')", "timeout", ""),
        (drip_body, "http.get('http://PEER/')", "timeout", ""),
        (say_nothing, "http.get('http://PEER/')", "timeout", "PEER did not answer in time"),
        (say_nothing, "http.get('https://PEER/')", "timeout", "PEER did not answer in time"),
        (say_nothing, "tls.valid('PEER')", "timeout", "PEER did not answer in time"),
        (flood_headers, "http.get('http://PEER/')", "navigation", "PEER does not answer in HTTP"),
        (flood_body, "http.get('http://PEER/', contains='end')", "assertion", "of which only the beginning was read"),
        (talk_nonsense, "http.get('http://PEER/')", "navigation", "PEER does not answer in HTTP"),
        (talk_nonsense, "http.get('https://PEER/')", "navigation", "no encrypted connection to PEER"),
        (hang_up, "http.get('http://PEER/')", "navigation", "PEER"),
        (hang_up, "http.get('https://PEER/')", "navigation", "PEER"),
        (hang_up, "tcp.connect('PEER', expect='220')", "assertion", "PEER closed the connection without '220'; it sent ''"),
        (flood_body, "tcp.connect('PEER', expect='220')", "assertion", "PEER sent 65536 bytes without '220'"),
        (drip_body, "tcp.connect('PEER', expect='220')", "timeout", ""),
    ]),
)  # fmt: skip
def test_the_check_ends_and_says_why(behave: Behave, call: str, kind: str, message: str, run_check: RunCheck) -> None:
    class Peer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                behave(self.request)
            except OSError:
                return  # the check has closed the connection

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    seconds = 0.5 if kind == "timeout" else 30
    with served(server) as port:
        peer = f"127.0.0.1:{port}"
        done = run_check(f"@check(timeout={seconds})\ndef shop(http, tcp, tls):\n    {call.replace('PEER', peer)}\n")
    failure = done.attempts[0].failure
    assert failure is not None
    assert message.replace("PEER", peer) in failure.message
    assert failure.kind == kind
    assert not set(failure.message) & {"\x1b", "\x00", "\r"}
    assert len(failure.message) < 1_000
