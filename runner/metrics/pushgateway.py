"""Pushes a run's metrics to a Prometheus Pushgateway."""

import ssl
from base64 import b64encode
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPSHandler, Request, build_opener

from prometheus_client import delete_from_gateway, push_to_gateway

from runner.errors import PushError
from runner.metrics.run_metrics import build_registry
from runner.result import RunResult
from runner.settings.settings import Settings

JOB = "synthetic_monitor"
Handler = Callable[[str, str, float | None, list[tuple[str, str]], bytes], Callable[[], None]]


def push_result(result: RunResult, settings: Settings) -> None:
    """Replaces (PUT) the group of job `synthetic_monitor`, the result's journey and location, by the result's metrics.

    Raises PushError, with the address and the gateway's message, when the gateway does not accept them in time.
    """
    if settings.pushgateway is None:
        raise PushError("no Pushgateway is set; give --pushgateway URL or JOURNEY_PUSHGATEWAY")
    address, user, password = _address(settings)
    try:
        push_to_gateway(
            address,
            job=JOB,
            registry=build_registry(result),
            grouping_key={"journey": result.journey, "location": result.location},
            timeout=settings.pushgateway_timeout,
            handler=_handler(settings, user, password),
        )
    except HTTPError as error:
        with error:
            message = error.read(500).decode(errors="replace").strip()
        raise PushError(
            f"the Pushgateway at {address} refused {result.journey}: {error.code} {error.reason}: {message}"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise PushError(f"the Pushgateway at {address} could not be reached for {result.journey}: {reason}") from error


def delete_group(journey: str, settings: Settings) -> None:
    """Deletes the group of a journey at this location. Raises PushError when the gateway does not delete it in time."""
    address, user, password = _address(settings)
    try:
        delete_from_gateway(
            address,
            job=JOB,
            grouping_key={"journey": journey, "location": settings.location},
            timeout=settings.pushgateway_timeout,
            handler=_handler(settings, user, password),
        )
    except (OSError, ValueError) as error:
        raise PushError(f"the Pushgateway at {address} did not delete the group of {journey}: {error}") from error


def _address(settings: Settings) -> tuple[str, str, str]:
    """The address without credentials, and the credentials: those of the settings, else those in the address."""
    parts = urlsplit(settings.pushgateway or "")
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    clean = urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path.rstrip("/"), "", ""))
    user = settings.pushgateway_username or parts.username or ""
    password = settings.pushgateway_password.reveal() if settings.pushgateway_password else parts.password or ""
    return clean, user, password


def _handler(settings: Settings, user: str, password: str) -> Handler:
    token = settings.pushgateway_bearer_token
    authorization = f"Bearer {token.reveal()}" if token else f"Basic {_basic(user, password)}" if user else None
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context(cafile=settings.pushgateway_ca_file)))

    def send(url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes) -> Callable[[], None]:
        request = Request(url, data=data, headers=dict(headers), method=method)  # noqa: S310 (settings allow only http and https)
        if authorization is not None:
            request.add_header("Authorization", authorization)

        def handle() -> None:
            with opener.open(request, timeout=timeout):
                pass

        return handle

    return send


def _basic(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()
