"""`grpc`: whether a server says that it, or one of its services, is healthy (gRPC Health Checking Protocol)."""

import socket
import ssl
from pathlib import Path
from typing import Any

import grpc

from runner.checks.connection import resolve_host
from runner.checks.failures import CallFailed, explain_network, quote
from runner.checks.protocols.protocol_client import ProtocolClient, parse_peer
from runner.errors import ConfigError

METHOD = "/grpc.health.v1.Health/Check"
STATES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
"""`ServingStatus` of health.proto."""
MOST_ANSWER = 10_000
"""Bytes of an answer, which has two."""


class Grpc(ProtocolClient):
    """What a check gets as `grpc`."""

    def health(
        self,
        peer: str,
        /,
        *,
        service: str = "",
        tls: bool = False,
        name: str | None = None,
        under: str | float | None = None,
    ) -> str:
        """Asks `host:port` whether `service`, or the server as a whole, is `SERVING`. Returns that."""
        with self._steps.call("grpc", "health", [peer], name, under) as phases:
            host, port = parse_peer(peer)
            try:
                with phases.measure("resolve"):
                    family, *_, address = resolve_host(host, port, self._steps.limit)[0]
            except OSError as error:
                raise explain_network(error, peer, "resolve") from error
            kind = "ipv6" if family == socket.AF_INET6 else "ipv4"
            place = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
            with phases.measure("check"), self._open(f"{kind}:{place}:{port}", host, port, tls) as channel:
                state = self._ask(channel, service, peer)
            if state != "SERVING":
                raise CallFailed("assertion", f"{f'{service!r} at ' if service else ''}{peer} is {state}; expected SERVING")
            return state

    def _open(self, target: str, host: str, port: int, tls: bool) -> Any:
        options: list[tuple[str, object]] = [
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),
            ("grpc.max_receive_message_length", MOST_ANSWER),
            # Otherwise channels to one server share a connection, and only the first one would be measured.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.default_authority", f"{host}:{port}"),
        ]
        if not tls:
            return grpc.insecure_channel(target, options)
        options.append(("grpc.ssl_target_name_override", host))
        return grpc.secure_channel(
            target, grpc.ssl_channel_credentials(_read_authorities(self._steps.options.ca_file)), options
        )

    def _ask(self, channel: Any, service: str, peer: str) -> str:
        # HealthCheckRequest and HealthCheckResponse have one field each: a text, and a number.
        text = service.encode()
        request = b"\x0a" + _encode_length(len(text)) + text if text else b""
        try:
            answer: bytes = channel.unary_unary(METHOD)(request, timeout=self._steps.limit.left())
        except grpc.RpcError as error:
            raise _explain(error, peer) from error
        number = answer[1] if len(answer) > 1 and answer[0] == 0x08 else 0
        return STATES.get(number, "UNKNOWN")


def _explain(error: Any, peer: str) -> CallFailed:
    code, details = error.code(), quote(error.details() or "")
    match code:
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return CallFailed("timeout", f"{peer} did not answer in time (check)")
        case grpc.StatusCode.UNIMPLEMENTED:
            return CallFailed("navigation", f"{peer} has no health service: {details}")
        case grpc.StatusCode.NOT_FOUND:
            return CallFailed("assertion", f"{peer} does not know the service: {details}")
        case grpc.StatusCode.UNAVAILABLE:
            return CallFailed("navigation", f"{peer} cannot be reached: {details}")
    return CallFailed("navigation", f"{peer} answers {code.name}: {details}")


def _encode_length(length: int) -> bytes:
    """A varint.

    >>> _encode_length(5), _encode_length(300)
    (b'\\x05', b'\\xac\\x02')
    """
    parts = bytearray()
    while length > 0x7F:
        parts.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*parts, length])


def _read_authorities(ca_file: Path | None) -> bytes | None:
    """The certificates to trust, as PEM; None for those that gRPC brings along, where this machine has no file of them."""
    paths = ssl.get_default_verify_paths()
    machine = next((Path(one) for one in (paths.cafile, paths.openssl_cafile) if one and Path(one).is_file()), None)
    try:
        return b"\n".join(one.read_bytes() for one in (machine, ca_file) if one) or None
    except OSError as error:
        raise ConfigError(f"option ca_file: {ca_file} cannot be used: {error.strerror or error}") from error
