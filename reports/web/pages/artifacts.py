"""Files of runs, by their id in the store, and Playwright's trace viewer: all served inert.

Content from a site under test (a picture, a page's text) must never run in the dashboard's origin: files are served with a fixed
type, in a sandbox, and everything except pictures, videos and traces as a download.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from reports.trace_viewer import viewer_folder
from reports.web.render.problem import render_problem
from reports.web.render.remote_file import send_remote_file
from reports.web.site import Site
from reports.web.view_models.filmstrip import find_trace, read_picture
from reports.web.view_models.run import find_artifact_file
from runner.settings.artifact_kinds import find_kind

GONE = "This file does not exist or has been removed with its run."
UNKNOWN = "text/plain; charset=utf-8"
"""The type of files of a kind that another version has saved."""
INERT = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
VIEWER = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline' data: blob:; img-src 'self' data: blob:; "
    "font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The policy for Playwright's viewer, which writes styles and shows pictures from the trace."""
WORKER = "sw.bundle.js"
"""The viewer's service worker, which reads the trace."""
WHOLE, BY_RANGES = b"{mode:`cors`,preventHeadRequest:!0}", b"{mode:`cors`,preventHeadRequest:!0,useRangeHeader:!0}"
"""The options with which it reads one, and those with which it reads ranges (zip.js, `HttpReader`)."""
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def _read_by_ranges(script: bytes) -> bytes | None:
    """The viewer's script with its ZIP library set to read ranges; None where it is not written as expected, and is served as it is.

    As it is, it reads all of a trace before it shows anything. What most of a large trace consists of is asked for only when it is looked at.
    """
    before, found, after = script.partition(WHOLE)
    return before + BY_RANGES + after if found and WHOLE not in after else None


def show_artifact(site: Site, request: Request) -> Response:
    """`/artifacts/ID`: a file of a run."""
    with site.read(request) as connection:
        found = find_artifact_file(connection, site.archive, request.path_params["number"])
    if found is None:
        return render_problem(request, 404, GONE)
    known = find_kind(found.kind)
    type_ = known.media_type if known else UNKNOWN
    name = quote(found.path.rpartition("/")[2])
    # Playwright's viewer, which is one of the pages, reads the trace.
    how = "inline" if found.kind == "trace" or (known and known.shown_as in {"image", "video"}) else "attachment"
    headers = {**INERT, "Content-Disposition": f"{how}; filename*=UTF-8''{name}"}
    remote = found.files.remote(found.path)
    if remote is not None:
        try:
            return send_remote_file(request, remote, type_, headers)
        except FileNotFoundError:
            return render_problem(request, 404, GONE)
    file = found.files.local(found.path)
    return FileResponse(file, media_type=type_, headers=headers) if file else render_problem(request, 404, GONE)


def show_frame(site: Site, request: Request) -> Response:
    """`/artifacts/ID/frames/NUMBER`: a picture from a trace."""
    with site.read(request) as connection:
        trace = find_artifact_file(connection, site.archive, request.path_params["number"])
    source = find_trace(trace.files, trace.path) if trace and trace.kind == "trace" else None
    shown = read_picture(source, request.path_params["frame"]) if source else None
    if shown is None:
        return render_problem(request, 404, "This picture does not exist or its trace has been removed with its run.")
    content, type_ = shown
    name = f"frame-{request.path_params['number']}-{request.path_params['frame']}.{type_.rpartition('/')[2]}"
    return Response(content, 200, {**INERT, "Content-Disposition": f'inline; filename="{name}"'}, type_)


class TraceViewer:
    """`/viewer/…`: the files of Playwright's trace viewer from the playwright package, with their own policy."""

    def __init__(self) -> None:
        folder = viewer_folder()
        self._files = StaticFiles(directory=folder)
        # Only the inline scripts of its own pages are allowed, by their hash (CSP Level 3, 2.3.1).
        written = {script for page in sorted(folder.glob("*.html")) for script in _INLINE.findall(page.read_bytes())}
        hashes = sorted(f" 'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in written)
        self._worker = _read_by_ranges((folder / WORKER).read_bytes()) if (folder / WORKER).is_file() else None
        self._policy = VIEWER.format(scripts="".join(hashes)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One file, as an ASGI application."""

        async def with_policy(message: Mapping[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = [(b"content-security-policy", self._policy), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": [*message["headers"], *headers]}  # type: ignore[misc]
            await send(message)  # type: ignore[arg-type]

        if self._worker is not None and scope["path"].endswith(f"/{WORKER}"):
            await Response(self._worker, media_type="text/javascript")(scope, receive, with_policy)
            return
        await self._files(scope, receive, with_policy)
