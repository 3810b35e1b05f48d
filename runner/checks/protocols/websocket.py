"""`websocket`: whether a server opens a WebSocket, and what it sends on it."""

from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import ClientConnection, connect

from runner.checks.connection import Connection
from runner.checks.failures import CallFailed, explain_network, quote
from runner.checks.phases import Phases
from runner.checks.protocols.expectations import Expected, describe, holds
from runner.checks.protocols.protocol_client import ProtocolClient, reveal
from runner.checks.steps import CallError
from runner.checks.trust import tls_context
from runner.settings.secrets import Secret

MOST_MESSAGE = 1_000_000
"""Bytes of one message."""
MOST_MESSAGES = 100
"""Messages that are read until one is as expected."""
_DEFAULT_PORTS = {"ws": 80, "wss": 443}


class Websocket(ProtocolClient):
    """What a check gets as `websocket`."""

    def connect(
        self,
        url: str,
        /,
        *,
        send: str | Secret | None = None,
        expect: Expected | None = None,
        headers: dict[str, str | Secret] | None = None,
        name: str | None = None,
        under: str | float | None = None,
    ) -> str:
        """Opens a WebSocket at a `ws://` or `wss://` address; then `send` is sent, and a message with `expect` awaited, which is returned."""
        with self._steps.call("websocket", "connect", [url], name, under) as phases:
            parts = urlsplit(url)
            if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
                raise CallError(f"{url!r} is not an address of a WebSocket; write one that begins with wss:// or ws://")
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
            peer = f"{parts.hostname}:{port}"
            try:
                with Connection.open(parts.hostname, port, phases, self._steps.limit) as connection:
                    if parts.scheme == "wss":
                        connection.encrypt(tls_context(self._steps.options.ca_file))
                        self._steps.keep_certificate(connection.certificate())
                    return self._talk(connection, url, peer, reveal(send), expect, reveal(dict(headers or {})), phases)
            except OSError as error:
                raise explain_network(error, peer, phases.current) from error

    def _talk(
        self,
        connection: Connection,
        url: str,
        peer: str,
        send: str | None,
        expect: Expected | None,
        headers: dict[str, str],
        phases: Phases,
    ) -> str:
        # The connection is encrypted already: with `wss` the library would encrypt it again.
        plain = f"ws://{url.partition('://')[2]}"
        connection.socket.settimeout(None)
        try:
            with phases.measure("processing"):
                opened = connect(
                    plain,
                    sock=connection.socket,
                    additional_headers={**self._steps.options.headers, **headers},
                    open_timeout=self._steps.limit.left(),
                    close_timeout=0.5,
                    max_size=MOST_MESSAGE,
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                )
            with opened:
                if send is not None:
                    opened.send(send)
                if expect is None:
                    return ""
                with phases.measure("transfer"):
                    return self._await(opened, expect, peer)
        except InvalidStatus as error:
            raise CallFailed("http", f"HTTP {error.response.status_code} from {url} instead of a WebSocket") from error
        except (InvalidHandshake, InvalidURI) as error:
            raise CallFailed("navigation", f"{peer} opens no WebSocket: {quote(str(error))}") from error
        except ConnectionClosed as error:
            raise CallFailed("assertion", f"{peer} closed the WebSocket: {quote(str(error))}") from error

    def _await(self, opened: ClientConnection, expect: Expected, peer: str) -> str:
        last = ""
        for _ in range(MOST_MESSAGES):
            try:
                message = opened.recv(timeout=self._steps.limit.left())
            except TimeoutError as error:
                raise CallFailed(
                    "timeout", f"{peer} did not send {describe(expect)} in time; its last message is {quote(last)}"
                ) from error
            last = message.decode(errors="replace") if isinstance(message, bytes) else message
            if holds(last, expect):
                return last
        raise CallFailed(
            "assertion", f"{peer} sent {MOST_MESSAGES} messages without {describe(expect)}; the last one is {quote(last)}"
        )
