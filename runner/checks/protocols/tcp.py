"""`tcp`: whether a port accepts connections, and what is said on it."""

import re
from collections.abc import Sequence

from runner.checks.connection import Connection
from runner.checks.failures import CallFailed, explain_network, quote
from runner.checks.protocols.expectations import Expected, describe, holds
from runner.checks.protocols.protocol_client import ProtocolClient, parse_peer, reveal
from runner.checks.steps import CallError
from runner.checks.trust import tls_context
from runner.settings.secrets import Secret

MOST_READ = 65_536
"""Bytes that are read for one expectation."""
Line = tuple[str, Expected | bytes | Secret] | str


class Tcp(ProtocolClient):
    """What a check gets as `tcp`."""

    def connect(
        self,
        peer: str,
        /,
        *,
        send: str | bytes | Secret | None = None,
        expect: Expected | None = None,
        dialogue: Sequence[Line] = (),
        tls: bool = False,
        name: str | None = None,
        under: str | float | None = None,
    ) -> str:
        """Connects to `host:port`; with `tls`, encrypts the connection at once. Returns what was read last.

        `send` is sent, `expect` awaited. A longer talk is a `dialogue` of `("send", text)`, `("expect", text)` and `"tls"`, which
        encrypts the connection from there on (STARTTLS).
        """
        with self._steps.call("tcp", "connect", [peer], name, under) as phases:
            host, port = parse_peer(peer)
            lines: list[Line] = ["tls"] if tls else []
            lines += [("send", send)] if send is not None else []
            lines += [("expect", expect)] if expect is not None else []
            read = ""
            try:
                with Connection.open(host, port, phases, self._steps.limit) as connection:
                    for line in (*lines, *dialogue):
                        if line == "tls":
                            connection.encrypt(tls_context(self._steps.options.ca_file))
                            self._steps.keep_certificate(connection.certificate())
                            continue
                        read = _speak(connection, line, peer) or read
            except OSError as error:
                raise explain_network(error, peer, phases.current) from error
            return read


def _speak(connection: Connection, line: Line, peer: str) -> str:
    match line:
        case ("send", str() | bytes() | Secret() as words):
            plain = reveal(words)
            connection.write(plain.encode() if isinstance(plain, str) else plain)
            return ""
        case ("expect", expected) if isinstance(expected, str | re.Pattern):
            return _await(connection, expected, peer)
    raise CallError(f"{line!r} is not a part of a dialogue; write ('send', text), ('expect', text) or 'tls'")


def _await(connection: Connection, expected: Expected, peer: str) -> str:
    content = b""
    while not holds(content.decode(errors="replace"), expected):
        if len(content) >= MOST_READ:
            raise CallFailed("assertion", f"{peer} sent {MOST_READ} bytes without {describe(expected)}: {quote(content)}")
        try:
            more = connection.read(MOST_READ - len(content))
        except TimeoutError as error:
            raise CallFailed(
                "timeout", f"{peer} did not send {describe(expected)} in time; it sent {quote(content)}"
            ) from error
        if not more:
            raise CallFailed(
                "assertion", f"{peer} closed the connection without {describe(expected)}; it sent {quote(content)}"
            )
        content += more
    return content.decode(errors="replace")
