"""`/agent.js`, the agent that pages load, and what it loads later: `/clicks.js`, `/replay.js` (the recorder), `/trace.js`."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

FILE = Path(__file__).parents[1] / "agent.js"
CLICKS = Path(__file__).parents[1] / "clicks.js"
RECORDER = Path(__file__).parents[1] / "replay.js"
TRACE = Path(__file__).parents[1] / "trace.js"
HEADERS = {
    "content-type": "text/javascript; charset=utf-8",
    # A day in the browser, then asked again with its tag while the old one is still used: a page never waits for it.
    "cache-control": "public, max-age=86400, stale-while-revalidate=604800",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "vary": "accept-encoding",
}


class AgentScript:
    """The file, read once."""

    def __init__(self, file: Path = FILE) -> None:
        self._name = file.name
        self._plain = file.read_bytes() if file.is_file() else b""
        self._packed = _pack(self._plain)
        self._tag = f'"{sha256(self._plain).hexdigest()[:20]}"'

    def answer(self, request: Request) -> Response:
        """The file, or 304 if the client has it already."""
        if not self._plain:
            return JSONResponse(
                {
                    "error": f"{self._name} has not been built",
                    "fix": "install the package again (docs/install.md), which builds it",
                },
                404,
            )
        headers = {**HEADERS, "etag": self._tag}
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if self._tag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self._packed, headers={**headers, "content-encoding": "gzip"})
        return Response(self._plain, headers=headers)


@cache
def _pack(content: bytes) -> bytes:
    """Once for all servers of a process: it takes longer than the rest of their start."""
    return gzip.compress(content, 9, mtime=0)
