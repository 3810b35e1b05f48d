"""What is wrong with a request: a page for people, a problem document (RFC 9457) for programs."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reports.web.render.html import INERT_HEADERS, render_page, request_path

TITLES = {
    400: "That cannot be shown",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not done here",
    409: "Not just now",
    413: "Too large",
    414: "Too long",
    415: "Not a form",
    421: "Another name",
    422: "It cannot be made",
    429: "Too many guesses",
    431: "Too long",
    503: "The store does not answer",
}


def render_problem(request: Request, status: int, text: str) -> Response:
    """A page that says what is wrong; for the API, what RFC 9457 has for it."""
    if request_path(request).startswith("/api/"):
        told = {"type": "about:blank", "title": TITLES.get(status, "Something went wrong"), "status": status, "detail": text}
        name, colon, _ = text.partition(": ")
        told |= {"parameter": name} if status == 400 and colon and name.isidentifier() else {}
        return Response(msgspec.json.encode(told), status, INERT_HEADERS, "application/problem+json")
    return render_page(request, "problem.html", status, title=TITLES.get(status, "Something went wrong"), text=text)


async def render_not_found(request: Request, error: Exception) -> Response:
    """The page for an address that does not exist."""
    detail = error.detail if isinstance(error, HTTPException) and error.detail != "Not Found" else "There is no such page."
    return render_problem(request, 404, detail)
