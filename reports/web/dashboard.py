"""The dashboard as one application: its pages and its API, behind authentication; and what else is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from reports.web import api
from reports.web.access import pages
from reports.web.access.authenticator import Authenticator
from reports.web.access.middleware import AccessMiddleware
from reports.web.render.problem import render_not_found, render_problem
from reports.web.routes import page_routes
from reports.web.site import Site


def build_dashboard(what: Site, access: Authenticator) -> ASGIApp:
    """Everything that people look at. It answers whatever no other part does, whichever path that is."""
    inside = Starlette(exception_handlers={HTTPException: _refused, Exception: _failed})
    gate = AccessMiddleware(inside, access)
    inside.router.routes += [*pages.sign_in_routes(access, gate), *api.api_routes(what), *page_routes(what)]
    return gate


class GuardedRoute:
    """One address of another part, for those alone who may see the dashboard, or for all without `access`; to be named before that part."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], access: Authenticator | None) -> None:
        route = Route(path, endpoint)
        # A scraper comes under any name; where it has to bring a token, the name protects nothing.
        guarded = Route(path, AccessMiddleware(route.app, access, any_host=not access.open)) if access else route
        self.routes: Sequence[BaseRoute] = [guarded]
        self.direct: Mapping[str, ASGIApp] = {}


async def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    if status == 404:
        return await render_not_found(request, error)
    answer = render_problem(request, status, str(getattr(error, "detail", "")) or "This is not allowed here.")
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001 (it is in the server's log, and shown to nobody)
    return render_problem(request, 500, "The page could not be rendered; see the server's log.")
