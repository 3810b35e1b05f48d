"""How `http` reaches a server: httpcore over connections whose every wait ends with the check's time, and whose phases are timed."""

import ssl
import time
import typing
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # has no type

import httpcore
import httpx

from runner.checks.connection import Connection
from runner.checks.failures import CallFailed, explain_network
from runner.checks.phases import Phases
from runner.checks.steps import CheckSteps
from runner.checks.trust import tls_context

HTTP2 = find_spec("h2") is not None
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that are never asked through a proxy, as in Chromium."""


class CheckTransport(httpx.BaseTransport):
    """The transport of one attempt; `phases` are those of the call that is under way. Each request has a connection of its own."""

    def __init__(self, steps: CheckSteps) -> None:
        self._steps = steps
        # Read before the first call is timed.
        self._context = tls_context(steps.options.ca_file, "http")
        self.phases = Phases()
        self._pools: dict[str, httpcore.ConnectionPool] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request; the body is read by the caller, from `stream`. Raises CallFailed for what the network does."""
        proxy = find_proxy(request.url)
        peer = f"{request.url.host}:{request.url.port or (443 if request.url.scheme == 'https' else 80)}"
        content = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
        )
        with ExplainedErrors(peer, self.phases, bool(proxy)):
            answer = self._pool(proxy).handle_request(content)
        body = answer.stream
        assert isinstance(body, Iterable)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(body, peer, self.phases, bool(proxy)),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Closes what is still open."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, proxy: str) -> httpcore.ConnectionPool:
        if proxy not in self._pools:
            options: dict[str, typing.Any] = {
                "ssl_context": self._context,
                "max_keepalive_connections": 0,
                "http2": HTTP2,
                "network_backend": _Backend(self),
            }
            if proxy:
                given = httpx.Proxy(proxy)
                url = httpcore.URL(scheme=given.url.raw_scheme, host=given.url.raw_host, port=given.url.port, target=b"/")
                self._pools[proxy] = httpcore.HTTPProxy(url, proxy_auth=given.raw_auth, **options)
            else:
                self._pools[proxy] = httpcore.ConnectionPool(**options)
        return self._pools[proxy]

    def connect(self, host: str, port: int) -> Connection:
        """Opens a connection for the call that is under way. Raises OSError."""
        return Connection.open(host, port, self.phases, self._steps.limit)

    def keep_certificate(self, connection: Connection) -> None:
        """Keeps the certificate of a connection."""
        self._steps.keep_certificate(connection.certificate())


class ExplainedErrors:
    """Raises what the network does in the block as CallFailed."""

    def __init__(self, peer: str, phases: Phases, proxied: bool) -> None:
        self._peer, self._phases, self._proxied = peer, phases, proxied

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise explain_network(error, self._peer, self._phases.current, self._proxied) from error
        if isinstance(error, httpcore.ProxyError):
            raise CallFailed("monitor", f"the proxy refused: {error}") from error
        if isinstance(error, httpcore.ProtocolError):
            raise CallFailed("navigation", f"{self._peer} does not answer in HTTP: {error}") from error
        if isinstance(error, httpcore.UnsupportedProtocol):
            raise CallFailed("navigation", f"{self._peer}: {error}") from error


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it was sent."""

    def __init__(self, body: Iterable[bytes], peer: str, phases: Phases, proxied: bool) -> None:
        self._body, self._peer, self._phases, self._proxied = body, peer, phases, proxied

    def __iter__(self) -> Iterator[bytes]:
        with ExplainedErrors(self._peer, self._phases, self._proxied):
            yield from self._body

    def close(self) -> None:
        """Closes the connection."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class _Backend(httpcore.NetworkBackend):
    """Opens connections; the errors of the network stay OSError. Time limits are the check's, not httpcore's."""

    def __init__(self, transport: CheckTransport) -> None:
        self._transport = transport

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the protocol's)
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[typing.Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._transport, self._transport.connect(host, port))


class _Stream(httpcore.NetworkStream):
    """A connection as httpcore uses it."""

    def __init__(self, transport: CheckTransport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 (the protocol's)
        return self._connection.read(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        if buffer:
            self._connection.write(buffer)

    def close(self) -> None:
        self._connection.socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        if server_hostname:
            self._connection.host = server_hostname
        self._connection.encrypt(ssl_context, server_hostname)
        self._transport.keep_certificate(self._connection)
        return self

    def get_extra_info(self, info: str) -> typing.Any:
        if info == "ssl_object":
            opened = self._connection.socket
            return opened if isinstance(opened, ssl.SSLSocket) else None
        return None


def find_proxy(url: httpx.URL) -> str:
    """The proxy of the environment for an address; empty for none."""
    proxies = getproxies_environment()
    if not proxies or url.host in _LOOPBACK or url.host.endswith(".localhost"):
        return ""
    if proxy_bypass_environment(f"{url.host}:{url.port}" if url.port else url.host, proxies):
        return ""
    found = proxies.get(url.scheme) or proxies.get("all") or ""
    return found if not found or "://" in found else f"http://{found}"


def measure_transfer(body: Iterable[bytes], phases: Phases, most: int) -> tuple[bytes, bool]:
    """At most so many bytes of a body, and whether there were more; the time is the phase `transfer`."""
    parts: list[bytes] = []
    size, cut = 0, False
    phases.current, started = "transfer", time.perf_counter()
    try:
        for part in body:
            parts.append(part[: most - size])
            size += len(parts[-1])
            if len(part) > len(parts[-1]):
                cut = True
                break
    finally:
        phases.add("transfer", time.perf_counter() - started)
    return b"".join(parts), cut
