"""The fields of a form, and whether one of our own pages sent it."""

from collections.abc import Collection
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from runner.errors import JourneyError

LARGEST = 16_384
"""Bytes of a form."""
FIELDS = 20
DEFAULT_PORTS = {"http": 80, "https": 443}


class FormError(JourneyError):
    """A form that is rejected with the HTTP status `status`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises FormError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request, LARGEST, "a form")
    if body and kind != "application/x-www-form-urlencoded":
        raise FormError(415, "a form must be sent as application/x-www-form-urlencoded")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"))
    except ValueError as error:
        raise FormError(400, "the form cannot be parsed") from error
    if any("\0" in value for value in fields.values()):
        raise FormError(400, "the form contains a NUL character, which no text can have; remove it")
    return fields


async def read_body(request: Request, largest: int, what: str) -> bytes:
    """A body of at most so many bytes. Raises FormError."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > largest:
                raise FormError(413, f"{what} can have at most {largest} bytes")
    except ClientDisconnect as error:
        raise FormError(400, f"the connection was closed before {what} was complete") from error
    return bytes(body)


def check_same_origin(request: HTTPConnection, own_origins: Collection[str], programs: bool = False) -> None:
    """Raises FormError unless the browser says that one of our own pages sent this (Fetch Metadata `Sec-Fetch-Site`; Fetch `Origin`).

    No script can set these two headers. Every browser since 2020 sends at least `Origin` with a form; a request with neither is rejected,
    since it could come from an old browser on behalf of another site; unless `programs` may send it too, which have no such headers.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        if programs:
            return
        raise FormError(
            403,
            "the request does not say which page sent it: it has neither Sec-Fetch-Site nor Origin; use a current browser, let "
            "these headers through the proxy, or send the token as `Authorization: Bearer`",
        )
    if site not in {None, "same-origin"} or (origin is not None and normalize_origin(origin) not in own_origins):
        raise FormError(403, "this was sent by a page of another site; open the dashboard and do it there")


def normalize_origin(address: str) -> str:
    """Scheme, host and port of an address as browsers write an origin; empty if it has none, such as `null`.

    >>> normalize_origin("https://Monitor.Example:443/journeys"), normalize_origin("null")
    ('https://monitor.example', '')
    """
    try:
        parts = urlsplit(address.lower())
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host.removesuffix(f':{port}') if port == DEFAULT_PORTS.get(parts.scheme) else host}"
