"""A receiver over HTTP: sends it a message, and says whether one that was not accepted may be sent again."""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, Request, build_opener

from msgspec import Struct

from runner.network.no_redirects import NoRedirects
from runner.telemetry.sender import NotSent

NOT_ABOUT_THE_MESSAGE = {401, 403, 404, 405, 407, 408, 425, 429}
"""Refusals that a setting or time can change: a wrong password or path must not cost the runs that wait."""
MOST = 10_000
"""Bytes of an answer that are read."""


class Answer(Struct, frozen=True):
    """What a receiver has answered to a message that it accepted."""

    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


class HttpReceiver:
    """Posts messages to one address; redirects are not followed."""

    def __init__(self, setting: str, address: str, timeout: float, context: ssl.SSLContext) -> None:
        """`setting` is what named the address, for messages."""
        self._setting = setting
        self._address = address
        self._timeout = timeout
        self._opener = build_opener(NoRedirects(), HTTPSHandler(context=context))

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises NotSent with the receiver's words and status."""
        try:
            request = Request(self._address, body, dict(headers), method="POST")  # noqa: S310 (settings accept http and https only)
            with self._opener.open(request, timeout=self._timeout) as answer:
                return Answer({name.lower(): text for name, text in answer.headers.items()}, answer.read(MOST))
        except HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace").strip()
            final = 400 <= error.code < 500 and error.code not in NOT_ABOUT_THE_MESSAGE
            text = f"{self._setting} {self._address} rejected samples: {error.code} {error.reason}: {said}"
            raise NotSent(text, final, error.code) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise NotSent(f"{self._setting} {self._address} could not be reached: {reason}") from error
