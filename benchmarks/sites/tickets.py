"""The React app in `react/`, built with Vite when it is not yet."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.support.npm import INSTALL, build, npm

PROJECT = Path(__file__).parent / "react"
BUILT = PROJECT / "dist"


def site() -> Starlette:
    """The app; every address that is not a file is its page."""
    build(PROJECT, BUILT, npm(PROJECT, *INSTALL), npm(PROJECT, "run", "build"))

    async def page(request: Request) -> Response:
        return FileResponse(BUILT / "index.html")

    return Starlette(routes=[Mount("/assets", StaticFiles(directory=BUILT / "assets")), Route("/{path:path}", page)])
