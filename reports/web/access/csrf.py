"""What a form has sent, and whether a page of ours has sent it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import HTTPConnection, Request

from runner.errors import JourneyError

LARGEST = 16_384
"""Bytes of a form."""
FIELDS = 20
TOKEN = "form_token"  # noqa: S105 (a field's name)


class FormError(JourneyError):
    """A form that is not taken; `status` is what its sender is answered."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read(request: Request) -> dict[str, str]:
    """The fields of a form. Raises FormError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise FormError(413, f"a form has no more than {LARGEST} bytes")
    if body and kind != "application/x-www-form-urlencoded":
        raise FormError(415, "a form comes as application/x-www-form-urlencoded")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"))
    except ValueError as error:
        raise FormError(400, "this is no form that can be read") from error


def check_origin(request: HTTPConnection, public_url: str | None) -> None:
    """Raises FormError for what a page of another site has sent (Fetch, `Origin`; Fetch Metadata, `Sec-Fetch-Site`)."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    own = {request.headers.get("host", "").lower(), urlsplit(public_url or "").netloc.lower()}
    if site != "same-origin" or (origin is not None and urlsplit(origin).netloc.lower() not in own - {""}):
        raise FormError(403, "this was sent by a page of another site; open the dashboard and do it there")


def check_token(fields: Mapping[str, str], wanted: str) -> None:
    """Raises FormError for what was not sent by a form that this person was given."""
    import hmac

    if not hmac.compare_digest(fields.get(TOKEN, "").encode("utf-8", "replace"), wanted.encode()):
        raise FormError(403, "the page was too old, or not ours; load it again and send the form once more")
