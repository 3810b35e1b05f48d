"""`/sign-in`, `/sign-out` and `/account`: one's own sessions and password."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from reports.web.access.account import account_routes
from reports.web.access.authenticator import Authenticator
from reports.web.access.middleware import NOT_SIGNED_IN, AccessMiddleware, local_address, render_sign_in
from reports.web.access.oidc_pages import leave_provider, oidc_routes
from reports.web.render.html import root_path
from reports.web.render.problem import render_database_down
from runner.store import StoreDown


def sign_in_routes(access: Authenticator, gate: AccessMiddleware) -> Sequence[BaseRoute]:
    """Empty if authentication is off or done by a proxy."""
    if not access.has_sign_in:
        return []

    async def ask(request: Request) -> Response:
        if request.method != "POST":
            return render_sign_in(access, request)
        fields: dict[str, str] = request.scope["form"]
        try:
            user = None
            if "token" in fields:
                await access.check_token(request, fields["token"].strip())
            else:
                user = await access.check_password(request, fields.get("name", "").strip(), fields.get("password", ""))
            root = root_path(request)
            return await gate.signed_in(request, user, root + local_address(fields.get("next", "")))
        except NOT_SIGNED_IN as error:
            return await gate.refused(request, error)

    async def leave(request: Request) -> Response:
        try:
            await access.sign_out(request)
        except StoreDown as error:
            return render_database_down(request, error)
        answer = await leave_provider(access, request) or RedirectResponse(f"{root_path(request)}/sign-in", 303)
        answer.delete_cookie(access.cookie(request), path="/", secure=access.https(request), httponly=True, samesite="lax")
        # Not "cookies": that would also remove the one by which the browser is recognized.
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    return [
        Route("/sign-in", ask, methods=["GET", "POST"]),
        Route("/sign-out", leave, methods=["POST"]),
        *oidc_routes(access, gate),
        *account_routes(access, gate),
    ]
