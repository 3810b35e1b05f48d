"""`/account`: a user's own sessions, each with a button that ends it, and the change of one's own password."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from reports.web.access.authenticator import Authenticator, Identity, TooManyGuesses, WrongGuess
from reports.web.access.middleware import AccessMiddleware
from reports.web.access.password import hash_password_in_turn
from reports.web.access.sessions import hash_cookie
from reports.web.access.users_file import NO_PASSWORD, UsersFile, changing_users
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_problem
from runner.errors import ConfigError
from runner.store import StoreDown


def account_routes(access: Authenticator, gate: AccessMiddleware) -> Sequence[BaseRoute]:
    """The pages of a signed-in user."""
    pages = _AccountPages(access, gate)
    return [
        Route("/account", _guarded(pages.show), methods=["GET"]),
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
            return render_problem(request, 503, str(error))

    return answer


class _AccountPages:
    def __init__(self, access: Authenticator, gate: AccessMiddleware) -> None:
        self._access = access
        self._gate = gate

    async def show(self, request: Request, trouble: str = "", status: int = 200) -> Response:
        """The sessions, and the form for a new password if the user has one."""
        name = request.scope["access"].name
        sessions = await run_in_threadpool(self._access.own_sessions, request)
        user = self._access.users.get(name) if self._access.users else None
        return render_page(
            request,
            "account.html",
            status,
            trouble=trouble,
            sessions=sessions,
            this=hash_cookie(request.cookies.get(self._access.cookie(request), "")),
            has_password=user is not None and user.hash != NO_PASSWORD,
        )

    async def end_session(self, request: Request) -> Response:
        """Ends one of the user's sessions."""
        ended = await run_in_threadpool(self._access.end_session, request, request.scope["form"].get("session", "")[:64])
        if not ended:
            return render_problem(request, 404, "This session has ended already.")
        return RedirectResponse(f"{root_path(request)}/account", 303)

    async def change_password(self, request: Request) -> Response:
        """Sets a new password; all sessions of the user end, and this browser gets a new one."""
        fields: dict[str, str] = request.scope["form"]
        name = request.scope["access"].name
        users = self._access.users
        user = users.get(name) if users else None
        if users is None or user is None or user.hash == NO_PASSWORD:
            return render_problem(request, 404, "You have no password here.")
        new = fields.get("new", "")
        if new != fields.get("again", ""):
            return await self.show(request, "The two new passwords differ.", 422)
        try:
            await self._access.check_password(request, name, fields.get("password", ""))
            hash_ = await hash_password_in_turn(new, name)
            await run_in_threadpool(_set_hash, users, name, hash_)
        except WrongGuess:
            return await self.show(request, "The current password is wrong.", 403)
        except TooManyGuesses as error:
            return await self.show(request, f"{str(error)[:1].upper()}{str(error)[1:]}.", 429)
        except ConfigError as error:
            return await self.show(request, f"{str(error)[:1].upper()}{str(error)[1:]}.", 422)
        except OSError:
            return await self.show(request, "The server cannot write the file of users; ask whoever runs it.", 500)
        return await self._gate.signed_in(request, name, f"{root_path(request)}/account")


def _set_hash(users: UsersFile, name: str, hash_: str) -> None:
    with changing_users(users.file) as known:
        if name not in known:
            raise WrongGuess(f"{name} was removed meanwhile")
        known[name] = replace(known[name], hash=hash_)
