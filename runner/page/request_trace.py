"""`traceparent` on what pages ask for by `fetch` and XHR, put there in the page: nothing is paused, and each has a span of its own."""

from importlib.resources import files
from urllib.parse import urlsplit

import msgspec
from playwright.sync_api import BrowserContext, Request

HEADER = "traceparent"
PROBLEMS = 20
"""A page can be redirected to as many places as it likes."""


class RequestTrace:
    """The trace of one context's API requests. Raises FileNotFoundError in a bare checkout, where nothing has been built."""

    def __init__(self, context: BrowserContext, origins: tuple[str, ...], trace: str, baggage: dict[str, str]) -> None:
        self._origins = origins
        self._begin = f"00-{trace}-"
        self.problems: set[str] = set()
        """Where a header has gone to that it was not meant for."""
        given = msgspec.json.encode({"trace": trace, "origins": origins, "others": list(baggage.items())}).decode()
        script = files("runner.page").joinpath("trace.js").read_text(encoding="utf-8")
        # The block keeps the name from the page.
        context.add_init_script(f"{{ const journeyTrace = {given};\n{script} }}")
        context.on("request", self._requested)

    def span_id(self, request: Request) -> str:
        """The span that a request of ours names as its own; empty if its header is the site's, or came with a redirect."""
        header = request.headers.get(HEADER, "")
        ours = header.startswith(self._begin) and request.redirected_from is None
        return header.split("-")[2] if ours and header.count("-") == 3 else ""

    def _requested(self, request: Request) -> None:
        first = request.redirected_from
        if first is None or is_listed(request.url, self._origins):
            return
        while first.redirected_from is not None:
            first = first.redirected_from
        if self.span_id(first) and len(self.problems) < PROBLEMS:
            self.problems.add(
                f"{HEADER} went along with a redirect from {_origin(first.url)} to {_origin(request.url)}, which may reject it; "
                'trace_requests = "all" keeps it from redirects'
            )


def is_listed(address: str, origins: tuple[str, ...]) -> bool:
    """Whether an address is one of these origins; `*.` stands for any subdomain."""
    origin = _origin(address)
    for one in origins:
        scheme, wildcard, domain = one.partition("://*.")
        if origin == one or (wildcard and origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}")):
            return True
    return False


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
