"""Requests to the API of a dashboard elsewhere: with a token, following no redirect."""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

import msgspec
from msgspec import Struct

from runner.errors import ConfigError, JourneyError
from runner.network.no_redirects import NoRedirects
from runner.network.tls_trust import tls_context
from runner.settings.secrets import Secret
from runner.untrusted_text import decode_strictly, tamed

TIMEOUT = 30.0
LONGEST_ANSWER = 10_000_000
AWAY = frozenset({502, 503, 504})
"""Statuses of a proxy without a server behind it, and of a server without its database."""


class _Problem(Struct):
    detail: str


_answers = msgspec.json.Decoder(dict[str, Any])
_problems = msgspec.json.Decoder(_Problem)


class DashboardAway(JourneyError):
    """The dashboard cannot be reached, or cannot answer at the moment."""

    exit_code = 3


class DashboardRefused(JourneyError):
    """The dashboard does not do what it was asked for."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
        self.exit_code = 3 if status >= 429 else 2


class Connection:
    """A dashboard at an address, which the option `option` has named. Raises ConfigError for an address that cannot be one."""

    def __init__(self, option: str, address: str, token: Secret | None) -> None:
        self._headers = make_headers(option, address, token)
        self.address = address.rstrip("/")
        self._open = make_opener()

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to a request with JSON. Raises DashboardAway and DashboardRefused."""
        sent = json.dumps(body).encode() if body is not None else b"" if method == "POST" else None
        kind = {"Content-Type": "application/json"} if body is not None else {}
        with self.open(method, path, sent, {"Accept": "application/json", **kind, **(headers or {})}) as answer:
            try:
                return decode_strictly(answer.read(LONGEST_ANSWER), _answers)
            except (OSError, HTTPException) as error:
                raise DashboardAway(f"{self.address} broke off its answer: {error}") from error
            except msgspec.DecodeError as error:
                raise DashboardRefused(
                    f"{self.address} did not answer as a dashboard does: {error}; is it one?", 404
                ) from error

    def open(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        """The answer to a request, to be read. Raises DashboardAway and DashboardRefused."""
        url = f"{self.address}/api/v1{path}"
        request = Request(url, body, {**headers, **self._headers}, method=method)  # noqa: S310 (http and https only)
        try:
            answer: HTTPResponse = self._open(request, timeout=TIMEOUT)
            return answer
        except HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise DashboardAway(f"{self.address} cannot be reached: {reason}") from error

    def _refusal(self, error: HTTPError) -> JourneyError:
        detail, of_dashboard = read_detail(error)
        if error.code in AWAY and not (of_dashboard and "scheduler" in detail):
            return DashboardAway(f"{self.address} answered {error.code}: {detail}")
        if error.code in {401, 403}:
            detail += " (the token is JOURNEY_SERVE_TOKEN, or in the file that serve_token_file names)"
        if 300 <= error.code < 400:
            detail = f"it leads to {error.headers.get('Location', 'elsewhere')}; name that address"
        return DashboardRefused(f"{self.address} answered {error.code}: {detail}", error.code)


def make_headers(option: str, address: str, token: Secret | None) -> dict[str, str]:
    """By which a dashboard knows who sends a request. Raises ConfigError for an address that cannot be one."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError(f"{option} {address}: name the address of the dashboard, such as https://monitor.example")
    if token is not None and parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ConfigError(f"{option} {address}: the token would be sent in clear; use https")
    # A dashboard that needs no token takes changes from its own pages only; no page elsewhere can send this header.
    return {"Authorization": f"Bearer {token.reveal()}"} if token else {"Origin": f"{parts.scheme}://{parts.netloc}"}


def make_opener() -> Callable[..., Any]:
    """Sends requests, and follows no redirect."""
    return build_opener(NoRedirects, HTTPSHandler(context=tls_context())).open


def read_detail(error: HTTPError) -> tuple[str, bool]:
    """What is wrong, and whether a dashboard has said so."""
    try:
        return tamed(decode_strictly(error.read(10_000), _problems).detail, 1_000), True
    except (msgspec.DecodeError, OSError, HTTPException):
        return tamed(str(error.reason), 500), False
