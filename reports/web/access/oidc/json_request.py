"""Requests of the server to the identity provider: JSON, bounded in size and time, without redirects."""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, Request, build_opener

import msgspec
from msgspec import Struct

from runner.network.no_redirects import NoRedirects
from runner.network.tls_trust import tls_context
from runner.untrusted_text import tamed

WITHIN = 10.0
"""Seconds for a whole exchange."""
LARGEST = 1_000_000
"""Bytes of an answer."""
PIECE = 65_536


class RequestFailed(Exception):
    """An exchange without a usable answer; its text says why and what to do."""


class JsonAnswer(Struct, frozen=True):
    """The answer of a provider: an object, also where `status` is that of an error (RFC 6749, 5.2)."""

    status: int
    content: dict[str, Any]


class JsonClient:
    """Sends requests to the provider. `ca_file` holds the certificate of its authority, if the system does not know it.

    Raises ValueError for a `ca_file` that cannot be used.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        try:
            context = tls_context(ca_file, alone=True)
        except OSError as error:
            raise ValueError(f"{ca_file} cannot be used as certificates: {error}; name a file in PEM format") from error
        self._opener = build_opener(NoRedirects(), HTTPSHandler(context=context))

    def get(self, address: str, token: str = "") -> JsonAnswer:
        """The object at an address. Raises RequestFailed."""
        return self._exchange(Request(address, headers=_headers(token)))  # noqa: S310 (checked to be http or https)

    def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> JsonAnswer:
        """The answer to a form. Raises RequestFailed."""
        body = urlencode(form).encode()
        return self._exchange(Request(address, body, {**_headers(""), **headers}))  # noqa: S310

    def _exchange(self, request: Request) -> JsonAnswer:
        address, until = request.full_url, monotonic() + WITHIN
        try:
            try:
                answer = self._opener.open(request, timeout=WITHIN)
            except HTTPError as error:
                answer = error
            with answer:
                status = int(answer.status or 0)
                to = answer.headers.get("location") or ""
                body = bytearray()
                while piece := answer.read(PIECE):
                    body += piece
                    if len(body) > LARGEST:
                        raise RequestFailed(f"{address} answers with more than {LARGEST} bytes")
                    if monotonic() > until:
                        raise TimeoutError
        except (OSError, ValueError, HTTPException) as error:
            _fail(address, error)
        if 300 <= status < 400:
            raise RequestFailed(f"{address} redirects to {tamed(to, 200)}, and redirects are not followed")
        try:
            content = msgspec.json.decode(bytes(body), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RequestFailed(f"{address} answers {status} with something other than a JSON object") from error
        return JsonAnswer(status, content)


def _headers(token: str) -> dict[str, str]:
    return {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}


def _fail(address: str, error: Exception) -> NoReturn:
    reason: object = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise RequestFailed(
            f"the certificate of {address} cannot be verified: {reason.verify_message}; set oidc_ca_file to that of its authority"
        ) from error
    if isinstance(reason, TimeoutError):
        raise RequestFailed(f"{address} did not answer within {WITHIN:.0f} s") from error
    raise RequestFailed(f"{address} cannot be reached: {reason}") from error
