"""One connection of a call: resolved, connected, encrypted, read and written within the check's time, each phase timed."""

import _ssl
import ipaddress
import socket
import ssl
import sys
import time
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Self

from runner.checks.phases import Phases
from runner.checks.time_limit import TimeLimit
from runner.network.certificate_chain import find_first_end
from runner.result import Certificate
from runner.untrusted_text import LONGEST_NAME, tamed

CHUNK = 65_536


class Connection:
    """An open connection to `host`. Every wait ends when the time of the check is up, with TimeoutError."""

    def __init__(self, opened: socket.socket, host: str, port: int, phases: Phases, limit: TimeLimit) -> None:
        self.socket = opened
        self.host = host
        self.port = port
        self._phases = phases
        self._limit = limit
        self._written_at: float | None = None

    @classmethod
    def open(cls, host: str, port: int, phases: Phases, limit: TimeLimit) -> Self:
        """Connects to the first address of the host that accepts. Raises OSError."""
        with phases.measure("resolve"):
            addresses = resolve_host(host, port, limit)
        with phases.measure("connect"):
            return cls(_connect(addresses, limit), host, port, phases, limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def encrypt(self, context: ssl.SSLContext, server_name: str | None = None) -> None:
        """Starts TLS. Raises OSError; ssl.SSLCertVerificationError for a certificate that is not valid for the name."""
        with self._phases.measure("tls"):
            self.socket.settimeout(self._limit.left())
            self.socket = context.wrap_socket(self.socket, server_hostname=server_name or self.host)

    def write(self, content: bytes) -> None:
        """Sends everything. Raises OSError."""
        self._phases.current = "processing"
        self.socket.settimeout(self._limit.left())
        self.socket.sendall(content)
        self._written_at = time.perf_counter()

    def read(self, most: int = CHUNK) -> bytes:
        """What has arrived, at most so many bytes; empty at the end. The wait for a first answer is the phase `processing`."""
        self.socket.settimeout(self._limit.left())
        content = self.socket.recv(min(most, CHUNK))
        if self._written_at is not None:
            self._phases.add("processing", time.perf_counter() - self._written_at)
            self._written_at = None
        return content

    def certificate(self) -> Certificate | None:
        """The certificate that was verified; None on a connection that is not encrypted."""
        if not isinstance(self.socket, ssl.SSLSocket):
            return None
        found: dict[str, Any] = self.socket.getpeercert() or {}
        if "notAfter" not in found:
            return None
        first_end, ends_with = find_first_end(_verified_chain(self.socket)) or (None, "")
        return Certificate(
            host=tamed(self.host if self.port == 443 else f"{self.host}:{self.port}", LONGEST_NAME),
            valid_until=_parse_time(found["notAfter"]),
            valid_from=_parse_time(found["notBefore"]),
            subject=_common_name(found.get("subject", ())),
            issuer=_common_name(found.get("issuer", ())),
            protocol=(self.socket.version() or "").replace("TLSv", "TLS "),
            chain_valid_until=first_end,
            chain_ends_with=ends_with,
        )


def _verified_chain(connection: ssl.SSLSocket) -> list[bytes]:
    """The certificates from the host's own to the authority's, as DER."""
    if sys.version_info >= (3, 13):
        return [bytes(one) for one in connection.get_verified_chain()]
    # Older Pythons have it without a public name.
    inner: Any = getattr(connection, "_sslobj", None)
    chain = inner.get_verified_chain() if inner is not None else None
    return [one.public_bytes(_ssl.ENCODING_DER) for one in chain or ()]


def resolve_host(host: str, port: int, limit: TimeLimit) -> list[tuple[Any, ...]]:
    """The addresses of a host, as getaddrinfo gives them. Raises OSError; TimeoutError when the resolver takes too long."""
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: list[Any] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    # The C library has no time limit: the thread is left to itself, and ends with the library's own.
    thread = Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(limit.left())
    if not found:
        raise socket.gaierror(socket.EAI_AGAIN, "no answer within the check's timeout")
    answer = found[0]
    if isinstance(answer, UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, "not a valid name")
    if isinstance(answer, OSError):
        raise answer
    addresses: list[tuple[Any, ...]] = answer
    return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _connect(addresses: list[tuple[Any, ...]], limit: TimeLimit) -> socket.socket:
    """Tries one address after the other, each for its share of the time that is left."""
    problems: list[OSError] = []
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            problems.append(error)
            continue
        try:
            opened.settimeout(limit.left() / (len(addresses) - number))
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException as error:
            opened.close()
            if not isinstance(error, OSError):
                raise
            problems.append(error)
            continue
        return opened
    # A machine without IPv6 says that its network is unreachable; what the site has said counts more.
    raise next((one for one in problems if isinstance(one, ConnectionError | TimeoutError)), problems[-1])


def _parse_time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _common_name(names: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    pairs = [pair for group in names for pair in group]
    for wanted in ("commonName", "organizationName"):
        for name, value in pairs:
            if name == wanted:
                return tamed(value, LONGEST_NAME)
    return ""
