"""Authentication and authorization before every page, and the headers that keep each response inert."""

import math
from collections.abc import MutableMapping
from time import time
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reports.web.access.authenticator import Authenticator
from reports.web.access.csrf import FormError, check_same_origin, read_body, read_form
from reports.web.access.identity import Identity, TooManyGuesses, TooManyRequests, WrongGuess
from reports.web.access.oidc.configuration import BACK_CHANNEL
from reports.web.access.oidc.user import OidcUser
from reports.web.access.passwords.known_browser import LASTS as BROWSER_LASTS
from reports.web.access.passwords.known_browser import mark_browser
from reports.web.access.session_watch import SessionWatch
from reports.web.access.sessions import LASTS
from reports.web.access.users_file import User
from reports.web.render.html import INERT_HEADERS, render_page, request_path, root_path
from reports.web.render.problem import render_database_down, render_problem
from runner.errors import ConfigError
from runner.store import StoreDown
from runner.untrusted_text import tamed

LONGEST_PATH = 1_024
LONGEST_QUERY = 4_096
"""Bytes of an address."""
LONGEST_HEADERS = 16_384
"""Bytes of all headers together."""
PUBLIC = "/static/"
SIGN_IN = frozenset({"/sign-in", "/sign-in/oidc", "/sign-in/oidc/callback"})
SESSION = "/account/session"
"""Whether a session is still there; to ask that is not to use it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ANYBODY_MAY = frozenset({"/sign-in", "/sign-out", "/account/sessions/end", "/account/password"})
"""Changes of one's own account, which need no role."""
BODIES = {"/api/v1/source-maps": (1_048_576, "a piece of a file"), "/api/v1/runs": (65_536, "a request for runs")}
"""The addresses that take something else than a form: how many bytes, and what it is."""
CHANGES_NOTHING = ("/static/", "/viewer/")
"""Browsers may cache these if they revalidate them."""
HSTS = "max-age=31536000"
"""A year of https only, for browsers that have come over https (RFC 6797). Other names of the domain are not ours to decide about."""
NOT_SIGNED_IN = (TooManyGuesses, WrongGuess, StoreDown, ConfigError)
"""What ends an attempt to sign in; `AccessMiddleware.refused` answers it. A ConfigError is about the list of users."""


class _SessionOver(Exception):
    """The session for which a response was begun has ended."""


class AccessMiddleware:
    """An application, behind `access`."""

    def __init__(self, application: ASGIApp, access: Authenticator, any_host: bool = False) -> None:
        self._any_host = any_host
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        scope["dashboard_root"] = scope.get("root_path", "")
        request = Request(scope, receive)
        path = request_path(request)

        secure = self._access.https(request)

        async def inert(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._note_change(request, path, message["status"])
                message = {**message, "headers": _with_headers(list(message.get("headers", ())), path, secure)}
            elif message.get("more_body") and await _is_over(scope):
                raise _SessionOver
            await send(message)

        answer = await self._look(request)
        try:
            await (answer or self._application)(scope, request.receive, inert)
        except _SessionOver:
            # What has begun goes no further: the server closes the connection.
            return

    def _note_change(self, request: Request, path: str, status: int) -> None:
        who: Identity | None = request.scope.get("access")
        if who is None or request.method in SAFE or path == "/sign-out":
            return
        name, network, shown = who.name or "this machine", self._access.network(request), tamed(path, 200)
        if status < 400:
            self._access.audit.record("change", f"{name} changed something: {shown}", user=who.name, network=network)
        else:
            self._access.audit.refuse(f"a change by {name} was refused ({status}): {shown}", user=who.name, network=network)

    async def _look(self, request: Request) -> Response | None:
        """The response instead of the page; None to let the request through."""
        path = request_path(request)
        if len(path) > LONGEST_PATH or len(request.scope["query_string"]) > LONGEST_QUERY:
            return render_problem(
                request, 414, f"An address can have at most {LONGEST_PATH} bytes in its path and {LONGEST_QUERY} in its query."
            )
        if "\0" in path or b"%00" in request.scope["query_string"]:
            return render_problem(request, 400, "The address contains a NUL character; remove %00.")
        if sum(len(name) + len(value) for name, value in request.headers.raw) > LONGEST_HEADERS:
            return render_problem(request, 431, f"All headers together can have at most {LONGEST_HEADERS} bytes.")
        if not self._any_host and request.headers.get("host") not in self._access.hosts:
            self._refuse(request, f"a request for the host {tamed(request.headers.get('host', ''), 100)!r} was refused")
            return render_problem(
                request, 421, "The dashboard does not accept this host name; set public_url to the address that people use."
            )
        if self._access.requires_https and not self._access.is_private(request):
            self._refuse(request, "a request was refused: it did not come by https")
            return render_problem(request, 403, "The dashboard is shown over https only; open its https address.")
        try:
            return await self._admit(request, path)
        except FormError as error:
            if "access" not in request.scope:
                self._refuse(request, f"a request was refused ({error.status}): {tamed(path, 200)}")
            return render_problem(request, error.status, str(error))
        except TooManyRequests as error:
            return self._too_many(request, error)
        except NOT_SIGNED_IN as error:
            return await self.refused(request, error)

    async def _admit(self, request: Request, path: str) -> Response | None:
        if path == "/sign-in" and request.method == "POST":
            # It brings the password itself, and uses nothing that a browser holds.
            check_same_origin(request, self._access.own_origins(request), programs=True)
            request.scope["form"] = await read_form(request)
            return None
        if path == BACK_CHANNEL and request.method == "POST" and self._access.oidc:
            # The provider itself sends it, signed.
            request.scope["form"] = await read_form(request)
            return None
        if "token" in request.query_params and self._access.by_token:
            raise FormError(
                400,
                "A token must not be in an address, which browsers and proxies keep; enter it on the sign-in page, and change it.",
            )
        if (path in SIGN_IN or path.startswith(PUBLIC)) and request.method in SAFE:
            return None
        who = await self._access.who(request, extend=path != SESSION)
        if who is None:
            return self._unknown(request, path)
        if path != "/sign-out":
            self._access.check_budget(who)
        request.scope["access"] = who
        if who.signed_in:
            request.scope["session_watch"] = SessionWatch(lambda: self._access.is_signed_in(request))
        if request.method not in SAFE:
            await self._may_change(request, who, path)
        return None

    async def _may_change(self, request: Request, who: Identity, path: str) -> None:
        if not who.by_header:
            check_same_origin(request, self._access.own_origins(request))
        takes_body = request.method == "POST" and path in BODIES
        fields = {} if takes_body else await read_form(request)
        if who.role != "operate" and path not in ANYBODY_MAY:
            raise FormError(403, f"{who.name} has the role `view` and cannot change anything; that needs the role `operate`")
        if takes_body:
            request.scope["body"] = await read_body(request, *BODIES[path])
        request.scope["form"] = fields

    def _unknown(self, request: Request, path: str) -> Response:
        if not wants_page(request) or not self._access.has_sign_in:
            answer = render_problem(request, 401, "Authentication is required: a token, or a signed-in user.")
            answer.headers["WWW-Authenticate"] = 'Bearer realm="journey"'
            return answer
        query = request.scope["query_string"].decode("latin-1")
        # A rejected change is not repeated after signing in.
        wanted = path + (f"?{query}" if query else "") if request.method in SAFE else "/"
        root = root_path(request)
        return RedirectResponse(f"{root}/sign-in?next={quote(wanted, safe='')}" if wanted != "/" else f"{root}/sign-in", 303)

    async def refused(self, request: Request, error: TooManyGuesses | WrongGuess | StoreDown | ConfigError) -> Response:
        """The response to a failed attempt, to one that came too soon, and to one that nobody can judge now."""
        if isinstance(error, StoreDown):
            return render_database_down(request, error)
        if isinstance(error, ConfigError):
            return render_problem(
                request, 500, "The list of users cannot be read; `journey serve` says why when it is started."
            )
        status = 429 if isinstance(error, TooManyGuesses) else 401
        if wants_page(request) and self._access.has_sign_in:
            answer = render_sign_in(self._access, request, status, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        else:
            answer = render_problem(request, status, str(error))
        if isinstance(error, TooManyGuesses):
            answer.headers["Retry-After"] = f"{error.seconds:.0f}"
        else:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="journey"'
        return answer

    def _too_many(self, request: Request, error: TooManyRequests) -> Response:
        self._refuse(request, str(error))
        answer = render_problem(request, 429, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        answer.headers["Retry-After"] = f"{math.ceil(error.seconds)}"
        return answer

    def _refuse(self, request: Request, text: str) -> None:
        self._access.audit.refuse(text, network=self._access.network(request))

    async def signed_in(self, request: Request, user: User | OidcUser | None, to: str) -> Response:
        """Starts a session, of the token without `user`, and redirects to the requested page."""
        cookies = {self._access.cookie(request): (await self._access.sign_in(request, user), int(LASTS.total_seconds()))}
        if isinstance(user, User):
            cookies[self._access.browser_cookie(request)] = mark_browser(user, time()), BROWSER_LASTS
        answer = RedirectResponse(to, 303)
        for cookie, (value, lasts) in cookies.items():
            answer.set_cookie(cookie, value, lasts, path="/", secure=self._access.https(request), httponly=True, samesite="lax")
        return answer


def render_sign_in(access: Authenticator, request: Request, status: int = 200, trouble: str = "") -> Response:
    """The sign-in page."""
    given = request.scope.get("form") or request.query_params
    to = local_address(given.get("next", ""))
    return render_page(
        request,
        "sign_in.html",
        status,
        trouble=trouble,
        next=to,
        by_name=access.users is not None,
        by_token=access.by_token,
        provider=access.oidc.configuration.host if access.oidc else "",
    )


async def _is_over(scope: Scope) -> bool:
    """Whether the session for which a response was begun has ended meanwhile."""
    watch: SessionWatch | None = scope.get("session_watch")
    return watch is not None and await watch.is_over()


def wants_page(request: Request) -> bool:
    """Whether a page for people is requested, not data for programs."""
    return "text/html" in request.headers.get("accept", "") and not request_path(request).startswith("/api/")


def local_address(address: str) -> str:
    """The address if it is local, else the first page. `//`, `\\` and characters that browsers remove lead elsewhere (URL, 4.4)."""
    plain = address.isascii() and address.isprintable() and " " not in address and "\\" not in address
    return address if plain and address.startswith("/") and not address.startswith("//") else "/"


def _with_headers(headers: list[tuple[bytes, bytes]], path: str, secure: bool) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in headers}
    cached = {"Cache-Control": "no-cache"} if path.startswith(CHANGES_NOTHING) else {}
    wanted = {**INERT_HEADERS, "X-Frame-Options": "SAMEORIGIN", **cached}
    wanted |= {"Strict-Transport-Security": HSTS} if secure else {}
    more = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]
    return [*headers, *((name, value) for name, value in more if name not in given)]
