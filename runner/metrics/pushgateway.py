"""Pushes a run's metrics to a Prometheus Pushgateway."""

import ssl
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from io import BytesIO
from socket import SHUT_RDWR
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    Request,
    build_opener,
    getproxies,
    proxy_bypass,
)

from prometheus_client import delete_from_gateway, push_to_gateway

from runner.errors import PushError
from runner.metrics.run_metrics import build_registry
from runner.network.no_redirects import NoRedirects
from runner.network.tls_trust import tls_context
from runner.result import RunResult
from runner.settings.settings import Settings

JOB = "synthetic_monitor"
Handler = Callable[[str, str, float | None, list[tuple[str, str]], bytes], Callable[[], None]]


def push_result(result: RunResult, settings: Settings) -> None:
    """Replaces (PUT) the group of job `synthetic_monitor`, the result's journey and location, by the result's metrics.

    `pushgateway_timeout` bounds the whole exchange, not each read of it. Raises PushError, with the address and the
    gateway's message, when the gateway does not accept them in time.
    """
    if settings.pushgateway is None:
        raise PushError("no Pushgateway is set; give --pushgateway URL or JOURNEY_PUSHGATEWAY")
    address, handler = _target(settings)
    with _errors(address, f"the metrics of {result.journey}", settings.pushgateway_timeout):
        push_to_gateway(
            address,
            job=JOB,
            registry=build_registry(result),
            grouping_key=_group(result.journey, result.location),
            timeout=settings.pushgateway_timeout,
            handler=handler,
        )


def delete_group(journey: str, location: str, settings: Settings) -> None:
    """Deletes the group of a journey at a location. Raises PushError when the gateway does not do it in time."""
    address, handler = _target(settings)
    with _errors(address, f"the deletion of the group of {journey}", settings.pushgateway_timeout):
        delete_from_gateway(
            address,
            job=JOB,
            grouping_key=_group(journey, location),
            timeout=settings.pushgateway_timeout,
            handler=handler,
        )


def _group(journey: str, location: str) -> dict[str, str]:
    """The labels of a group, as they are written in its path. A dot or two as a part of a path would be taken out of it: they are encoded."""
    labels = {"journey": journey, "location": location}
    return {
        f"{name}@base64" if value in {".", ".."} else name: (
            urlsafe_b64encode(value.encode()).decode().rstrip("=") if value in {".", ".."} else value
        )
        for name, value in labels.items()
    }


@contextmanager
def _errors(address: str, what: str, timeout: float) -> Iterator[None]:
    """Turns what can go wrong between here and the gateway into a PushError that names the cause and the fix."""
    try:
        yield
    except HTTPError as error:
        with error:
            body = error.read(500).decode(errors="replace").strip()
        raise PushError(_refusal(address, what, error, body)) from error
    except TimeoutError as error:
        raise PushError(
            f"the Pushgateway at {address} did not accept {what} within pushgateway_timeout ({timeout:g} s){_proxy_hint(address)}"
        ) from error
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        hint = _certificate_hint(reason) or _proxy_hint(address)
        raise PushError(f"the Pushgateway at {address} could not be reached for {what}: {reason}{hint}") from error


def _refusal(address: str, what: str, error: HTTPError, body: str) -> str:
    location = error.headers.get("Location") if error.headers else None
    if 300 <= error.code < 400 and location:
        return (
            f"the Pushgateway at {address} redirects {what} to {location} ({error.code}); redirects are not followed: "
            "set pushgateway to the address that it names"
        )
    hint = f"; the proxy refused it{_proxy_hint(address)}" if error.code == 407 else ""
    return f"the Pushgateway at {address} rejected {what}: {error.code} {error.reason}: {body}{hint}"


def _certificate_hint(reason: object) -> str:
    if not isinstance(reason, ssl.SSLCertVerificationError):
        return ""
    return "; set pushgateway_ca_file (JOURNEY_PUSHGATEWAY_CA_FILE) to the certificate, or to that of its authority"


def _proxy_hint(address: str) -> str:
    """Which proxy of the environment the push goes through, without the password in it; nothing when it goes directly."""
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname or ""):
        return ""
    return f" (through the proxy {proxy.rpartition('@')[2]} of {parts.scheme}_proxy; list the host in no_proxy to go directly)"


def _target(settings: Settings) -> tuple[str, Handler]:
    """The address without credentials, and what sends with them: those of the settings, else those in the address, decoded."""
    parts = urlsplit(settings.pushgateway or "")
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    clean = urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path.rstrip("/"), "", ""))
    user = settings.pushgateway_username or unquote(parts.username or "")
    password = settings.pushgateway_password.reveal() if settings.pushgateway_password else unquote(parts.password or "")
    return clean, _handler(settings, user, password)


class _Deadline:
    """Ends the connections that were opened under it when the time is over, whichever part of the exchange they are in."""

    def __init__(self, seconds: float | None) -> None:
        self.over = False
        self._connections: list[HTTPConnection] = []
        self._timer = threading.Timer(seconds, self._end) if seconds is not None else None

    def connection(self, kind: type[HTTPConnection]) -> Callable[..., HTTPConnection]:
        """Makes connections of that class, and keeps an eye on them."""

        def make(host: str, **options: Any) -> HTTPConnection:
            made = kind(host, **options)
            self._connections.append(made)
            return made

        return make

    def _end(self) -> None:
        self.over = True
        for one in self._connections:
            # A connection that is still being made has no socket yet: its own timeout ends it.
            if one.sock is not None:
                with suppress(OSError):  # it has just been closed
                    one.sock.shutdown(SHUT_RDWR)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Raises TimeoutError in place of what a cut connection raises."""
        if self._timer is None:
            yield
            return
        self._timer.daemon = True
        self._timer.start()
        try:
            yield
            if self.over:
                raise TimeoutError  # headers that are cut off look like headers that have ended
        except (OSError, HTTPException) as error:
            if self.over or isinstance(getattr(error, "reason", None), TimeoutError):
                raise TimeoutError from error
            raise
        finally:
            self._timer.cancel()


class _Http(HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: Request) -> Any:
        return self.do_open(self._deadline.connection(HTTPConnection), request)


class _Https(HTTPSHandler):
    def __init__(self, deadline: _Deadline, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._deadline = deadline
        self._verified = context

    def https_open(self, request: Request) -> Any:
        return self.do_open(self._deadline.connection(HTTPSConnection), request, context=self._verified)


def _handler(settings: Settings, user: str, password: str) -> Handler:
    token = settings.pushgateway_bearer_token
    authorization = f"Bearer {token.reveal()}" if token else f"Basic {_basic(user, password)}" if user else None

    def send(url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes) -> Callable[[], None]:
        request = Request(url, data=data, headers=dict(headers), method=method)  # noqa: S310 (settings allow only http and https)
        if authorization is not None:
            request.add_header("Authorization", authorization)

        def handle() -> None:
            deadline = _Deadline(timeout)
            context = tls_context(settings.pushgateway_ca_file, alone=True)
            opener = build_opener(NoRedirects(), _Http(deadline), _Https(deadline, context))
            with deadline.running():
                try:
                    opener.open(request, timeout=timeout).close()
                except HTTPError as error:
                    # The gateway's words are read here, under the deadline; they may come byte by byte, too.
                    with error:
                        words = BytesIO(error.read(500))
                    raise HTTPError(url, error.code, error.reason, error.headers, words) from None

        return handle

    return send


def _basic(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()
