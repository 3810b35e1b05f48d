"""`/sign-in/oidc`: to the identity provider, and back; and the way out of it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from reports.web.access.authenticator import Authenticator
from reports.web.access.identity import Identity, TooManyGuesses
from reports.web.access.middleware import AccessMiddleware, local_address, render_sign_in
from reports.web.access.oidc.configuration import BACK_CHANNEL, CALLBACK
from reports.web.access.oidc.errors import OidcError
from reports.web.access.oidc.login_attempt import COOKIE, LASTS, SECURE_COOKIE, begin_attempt, restore_attempt
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_database_down
from runner.errors import ConfigError
from runner.store import StoreDown

if TYPE_CHECKING:
    from reports.web.access.oidc.sign_in import OidcSignIn

Result = TypeVar("Result")
LOGOUTS = 2
"""Logout tokens that are checked at a time."""
_threads = ThreadPoolExecutor(4, "identity-provider")
"""They wait for the provider, however slow it is; they take no thread that pages need."""


def oidc_routes(access: Authenticator, gate: AccessMiddleware) -> Sequence[BaseRoute]:
    """Empty if no provider is configured."""
    if access.oidc is None:
        return []
    pages = _OidcPages(access, access.oidc, gate)
    return [
        Route("/sign-in/oidc", pages.leave, methods=["GET"]),
        Route(CALLBACK, pages.come_back, methods=["GET"]),
        Route(BACK_CHANNEL, pages.end_sessions, methods=["POST"]),
    ]


async def leave_provider(access: Authenticator, request: Request) -> Response | None:
    """The page that leads from the sign-out here to that at the provider; None if there is nothing to end there."""
    who: Identity | None = request.scope.get("access")
    if access.oidc is None or who is None or who.way != "provider":
        return None
    oidc, back = access.oidc, f"{access.public_address(request)}/sign-in"
    try:
        there = await _in_thread(lambda: oidc.sign_out_address(back))
    except OidcError as error:
        access.audit.warn(error.cause)
        there = ""
    # The page is of nobody any more.
    del request.scope["access"]
    # A page and not a redirect: browsers let a form lead to our own addresses only, redirects included.
    return render_page(request, "signed_out.html", there=there, provider=oidc.configuration.host)


class _OidcPages:
    def __init__(self, access: Authenticator, oidc: "OidcSignIn", gate: AccessMiddleware) -> None:
        self._access = access
        self._oidc = oidc
        self._gate = gate
        # Not slowed down like guesses: a provider may sign out many users at once, and does not repeat it. Some threads stay for sign-ins.
        self._logouts = asyncio.Semaphore(LOGOUTS)

    async def leave(self, request: Request) -> Response:
        """Sends the browser to the provider."""
        if request.headers.get("sec-fetch-dest", "document") != "document":
            # A picture or a frame of a page elsewhere: it would replace the attempt that the user has begun.
            return self._refuse(request, OidcError("Open the sign-in page itself.", "it was not begun by opening a page", 403))
        again = request.query_params.get("again") == "1"
        attempt = begin_attempt(local_address(request.query_params.get("next", "")), self._oidc.clock(), again)
        try:
            to = await _in_thread(lambda: self._oidc.address(attempt, self._redirect_uri(request)))
        except OidcError as error:
            return self._refuse(request, error)
        answer = RedirectResponse(to, 303)
        secure = self._access.https(request)
        answer.set_cookie(self._cookie(request), attempt.cookie, LASTS, path="/", secure=secure, httponly=True, samesite="lax")
        return answer

    async def come_back(self, request: Request) -> Response:
        """Signs in whom the provider sends back."""
        given = dict(request.query_params)
        try:
            cookie = request.cookies.get(self._cookie(request), "")
            begun = restore_attempt(cookie, self._oidc.clock())
            attempt = await _in_thread(lambda: self._oidc.check_state(begun, given))
            await self._access.check_provider(request)
            user = await _in_thread(lambda: self._oidc.finish(given, attempt, self._redirect_uri(request)))
            answer = await self._gate.signed_in(request, user, root_path(request) + local_address(attempt.to))
        except OidcError as error:
            answer = self._refuse(request, error)
        except TooManyGuesses as error:
            answer = await self._gate.refused(request, error)
        except StoreDown as error:
            answer = render_database_down(request, error)
        except ConfigError:
            answer = render_sign_in(
                self._access, request, 500, "The list of users cannot be read; the log of `journey serve` says why."
            )
        secure = self._access.https(request)
        answer.delete_cookie(self._cookie(request), path="/", secure=secure, httponly=True, samesite="lax")
        return answer

    async def end_sessions(self, request: Request) -> Response:
        """Ends the sessions of a user who has signed out at the provider, which says so itself (Back-Channel Logout 1.0, 2.8)."""
        fields: dict[str, str] = request.scope["form"]
        network = self._network(request)
        try:
            async with self._logouts:
                credentials, own = await _in_thread(lambda: self._oidc.check_logout(fields.get("logout_token", "")))
        except OidcError as error:
            self._access.audit.refuse(f"a sign-out by the identity provider was refused: {error.cause}", network=network)
            return JSONResponse({"error": "invalid_request", "error_description": str(error)}, 400)
        try:
            names = await run_in_threadpool(self._access.sign_ins.end_like, credentials)
        except StoreDown:
            # Otherwise the sessions would outlive what the provider sends again.
            await run_in_threadpool(self._oidc.forget_logout, own)
            return JSONResponse({"error": "the database cannot be used; send it again"}, 503)
        for name in sorted(set(names)):
            self._access.audit.record("sign-out", f"{name} was signed out by the identity provider", user=name, network=network)
        return Response(status_code=200)

    def _network(self, request: Request) -> str:
        return self._access.network(request)

    def _refuse(self, request: Request, error: OidcError) -> Response:
        self._access.audit.refuse(
            f"a sign-in through the identity provider was refused: {error.cause}", network=self._network(request)
        )
        return render_sign_in(self._access, request, error.status, str(error))

    def _redirect_uri(self, request: Request) -> str:
        return self._access.public_address(request) + CALLBACK

    def _cookie(self, request: Request) -> str:
        return SECURE_COOKIE if self._access.https(request) else COOKIE


async def _in_thread(work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
