"""What is wrong with a request: a page for people, a problem document (RFC 9457) for programs."""

import logging

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reports.web.query.refusal import RequestRefused
from reports.web.render.html import INERT_HEADERS, render_page, request_path

TITLES = {
    400: "Cannot show this page",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Busy",
    413: "Too large",
    414: "Address too long",
    415: "Not a form",
    421: "Unknown host name",
    422: "Cannot create the journey",
    429: "Too many requests",
    431: "Headers too large",
    503: "The database does not respond",
}


def render_problem(request: Request, status: int, text: str, title: str = "") -> Response:
    """A page that says what is wrong; for the API, a problem document (RFC 9457). `title` replaces that of the status."""
    title = title or TITLES.get(status, "Something went wrong")
    if request_path(request).startswith("/api/"):
        document = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": text,
        }
        name, colon, _ = text.partition(": ")
        document |= {"parameter": name} if status == 400 and colon and name.isidentifier() else {}
        return Response(msgspec.json.encode(document), status, INERT_HEADERS, "application/problem+json")
    return render_page(request, "problem.html", status, title=title, text=text)


def render_refused(request: Request, error: RequestRefused) -> Response:
    """For a request that is not taken at the moment."""
    answer = render_problem(request, error.status, str(error), error.title)
    if error.status in {429, 503}:
        answer.headers["Retry-After"] = "30"
    return answer


async def render_not_found(request: Request, error: Exception) -> Response:
    """The page for an address that does not exist."""
    detail = error.detail if isinstance(error, HTTPException) and error.detail != "Not Found" else "This page does not exist."
    return render_problem(request, 404, detail)


def render_database_down(request: Request, error: Exception) -> Response:
    """As `render_problem`. Nobody learns which database it is, and where: that is in the log only."""
    logging.getLogger("journey").warning("%s", error)
    return render_problem(request, 503, "The database cannot be used at the moment; the log of `journey serve` says why.")


def render_storage_down(request: Request, error: Exception) -> Response:
    """The same for object storage."""
    logging.getLogger("journey").warning("%s", error)
    text = "The files of this run are in object storage, which does not respond; the log of `journey serve` says why."
    return render_problem(request, 503, text, "The storage does not respond")
