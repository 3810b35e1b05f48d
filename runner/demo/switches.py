"""Pages that misbehave on purpose, each in one way, with delays that are exact: for tests, benchmarks and the curious."""

import asyncio
import gzip
from secrets import token_urlsafe
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from runner.demo.render import page


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, "")
    return min(int(given), 60_000) if given.isdecimal() else default


async def switch(request: Request) -> Response:
    """A page with one button or one fault, by its name."""
    name = request.path_params["name"]
    if name not in PAGES:
        return page(request, "error.html", 404, title="Not found", message="There is no such switch.")
    nonce = token_urlsafe(12)
    answer = page(
        request, f"switch/{name}.html", delay=_number(request, "delay", 300), ms=_number(request, "ms", 400), nonce=nonce
    )
    if name == "csp":
        agent = request.app.state.agent
        connect = f"'self' {agent.collector}" if agent else "'self'"
        answer.headers["Content-Security-Policy"] = f"default-src 'none'; script-src 'nonce-{nonce}'; connect-src {connect}"
    if name == "marks":
        answer.headers["Server-Timing"] = 'db;dur=12.5;desc="stock", cache;desc="hit"'
    return answer


async def error(request: Request) -> Response:
    """Answers with the status that is asked for."""
    status = _number(request, "status", 500)
    return page(
        request, "error.html", status if 400 <= status <= 599 else 500, title=f"Error {status}", message="As you wished."
    )


async def hang(request: Request) -> Response:
    """Never answers; ends when the client gives up."""
    while not await request.is_disconnected():
        await asyncio.sleep(0.2)
    return HTMLResponse("", 499)


async def redirect(request: Request) -> Response:
    """A chain of `n` redirects, each after `hop` milliseconds, that ends at `to`."""
    left, hop = _number(request, "n", 1), _number(request, "hop", 0)
    to = request.query_params.get("to", "/")
    to = to if to.startswith("/") and not to.startswith("//") else "/"
    await asyncio.sleep(hop / 1000)
    onward = to if left <= 1 else f"/switch/redirect?n={left - 1}&hop={hop}&to={to}"
    return RedirectResponse(onward, 302)


async def mirror(request: Request) -> Response:
    """Repeats what a form or a request holds, in the page, in links, scripts, cookies and as JSON, compressed or not."""
    names = (request.query_params.get("names") or "user,password").split(",")[:20]
    if request.query_params.get("as") == "json":
        body = await request.body()
        packed = gzip.compress(body)
        headers = {"Content-Encoding": "gzip"} if "gzip" in request.headers.get("accept-encoding", "") else {}
        return Response(packed if headers else body, media_type="application/json", headers=headers)
    given = {}
    if request.method == "POST":
        form = await request.form()
        given = {name: str(form.get(name, "")) for name in names}
    multipart = request.query_params.get("as") != "form"
    answer = page(
        request,
        "switch/mirror.html",
        names=names,
        given=given,
        enctype="multipart/form-data" if multipart else "application/x-www-form-urlencoded",
    )
    for name, text in given.items():
        answer.set_cookie(f"{name}-server", quote(text, safe=""), httponly=True, samesite="lax")
    return answer


PAGES = {
    "ticker", "js-error", "xhr", "route", "popup", "iframe", "timer", "csp", "hostile", "marks", "shadow", "heavy",
    "onerror", "fields", "requests",
}  # fmt: skip
ROUTES = [
    Route("/switch/error", error),
    Route("/switch/hang", hang),
    Route("/switch/redirect", redirect),
    Route("/switch/mirror", mirror, methods=["GET", "POST"]),
    Route("/switch/{name}", switch),
]
