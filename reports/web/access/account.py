"""`/account`: a user's own sessions, each of which can be ended, and the change of one's own password."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from reports.web.access.authenticator import Authenticator
from reports.web.access.identity import Identity, TooManyGuesses, WrongGuess
from reports.web.access.middleware import SESSION, AccessMiddleware
from reports.web.access.passwords.hashing import hash_password_in_turn
from reports.web.access.sessions import hash_cookie
from reports.web.access.users_file import NO_PASSWORD, User
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_database_down, render_problem
from runner.errors import ConfigError
from runner.store import StoreDown


def account_routes(access: Authenticator, gate: AccessMiddleware) -> Sequence[BaseRoute]:
    """The pages of a signed-in user."""
    pages = _AccountPages(access, gate)
    return [
        Route("/account", _guarded(pages.show), methods=["GET"]),
        Route(SESSION, _guarded(pages.show_session), methods=["GET"]),
        Route("/account/sessions/end", _guarded(pages.end_session), methods=["POST"]),
        Route("/account/password", _guarded(pages.change_password), methods=["POST"]),
    ]


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        who: Identity = request.scope["access"]
        if not who.signed_in:
            return render_problem(request, 404, "Only a user who has signed in on the sign-in page has sessions.")
        try:
            return await handler(request)
        except StoreDown as error:
            return render_database_down(request, error)

    return answer


class _AccountPages:
    def __init__(self, access: Authenticator, gate: AccessMiddleware) -> None:
        self._access = access
        self._gate = gate

    async def show(self, request: Request, trouble: str = "", status: int = 200) -> Response:
        """The sessions, and the form for a new password if the user has one."""
        who: Identity = request.scope["access"]
        session = await self._access.session(request)
        sessions = await run_in_threadpool(self._access.own_sessions, session) if session else []
        return render_page(
            request,
            "account.html",
            status,
            trouble=trouble,
            sessions=sessions,
            this=hash_cookie(request.cookies.get(self._access.cookie(request), "")),
            has_password=self._user(request) is not None,
            way=who.way,
            may_end=who.way != "provider" or who.proved_presence,
        )

    async def show_session(self, request: Request) -> Response:
        """How many seconds are left, for the script of each page; who has no session gets 401 instead."""
        session = await self._access.session(request)
        return JSONResponse({"seconds": round(self._access.remaining(session)) if session else 0})

    async def end_session(self, request: Request) -> Response:
        """Ends one of the user's sessions, once the user has authenticated again."""
        fields: dict[str, str] = request.scope["form"]
        who: Identity = request.scope["access"]
        if who.way == "provider" and not who.proved_presence:
            return await self.show(request, "Authenticate again before you end a session.", 403)
        if who.way != "provider" and (refused := await self._check_again(request, fields.get("password", ""))):
            return refused
        session = await self._access.session(request)
        id_ = fields.get("session", "")[:64]
        if session is None or not await run_in_threadpool(self._access.sign_ins.end_one, session, id_):
            return render_problem(request, 404, "This session has ended already.")
        return RedirectResponse(f"{root_path(request)}/account", 303)

    async def change_password(self, request: Request) -> Response:
        """Sets a new password; all sessions of the user end, and this browser gets a new one."""
        fields: dict[str, str] = request.scope["form"]
        user, users = self._user(request), self._access.users
        if user is None or users is None:
            return render_problem(request, 404, "You have no password here.")
        new = fields.get("new", "")
        if new != fields.get("again", ""):
            return await self.show(request, "The two new passwords differ.", 422)
        if refused := await self._check_again(request, fields.get("password", "")):
            return refused
        # Its hash may just have been renewed.
        user = users.get(user.name) or user
        try:
            hash_ = await hash_password_in_turn(new, user.name)
            changed = await run_in_threadpool(users.set_hash, user, hash_)
        except ConfigError as error:
            return await self.show(request, _sentence(error), 422)
        except OSError:
            return await self.show(request, "The server cannot write the file of users; ask whoever runs it.", 500)
        if not changed:
            return await self.show(request, "Your password was changed elsewhere meanwhile; nothing was changed here.", 409)
        return await self._gate.signed_in(request, users.get(user.name) or user, f"{root_path(request)}/account")

    async def _check_again(self, request: Request, given: str) -> Response | None:
        """The page that says why what a user has typed as proof of presence is not accepted; None if it is."""
        who: Identity = request.scope["access"]
        try:
            if who.way == "token":
                await self._access.check_token(request, given.strip())
            else:
                await self._access.check_password(request, who.name, given)
        except WrongGuess:
            what = "The token is wrong." if who.way == "token" else "The current password is wrong."
            return await self.show(request, what, 403)
        except TooManyGuesses as error:
            answer = await self.show(request, _sentence(error), 429)
            answer.headers["Retry-After"] = f"{error.seconds:.0f}"
            return answer
        return None

    def _user(self, request: Request) -> User | None:
        """The user who has signed in with a password; one of the same name may have come by another way."""
        who: Identity = request.scope["access"]
        user = self._access.users.get(who.name) if self._access.users and who.way == "password" else None
        return user if user is not None and user.hash != NO_PASSWORD else None


def _sentence(error: Exception) -> str:
    return f"{str(error)[:1].upper()}{str(error)[1:]}."
