"""`http`: whether an address answers as it should."""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

import httpx
from msgspec import Struct

from runner.checks.failures import CallFailed, quote
from runner.checks.phases import Phases
from runner.checks.protocols.expectations import Expected, describe, holds, require_text
from runner.checks.protocols.http_transport import CheckTransport, measure_transfer
from runner.checks.protocols.protocol_client import ProtocolClient, reveal
from runner.checks.steps import CallError, CheckSteps
from runner.settings.secrets import Secret

MOST_BODY = 1_000_000
"""Bytes of a body that are read, packed or not."""
MOST_REDIRECTS = 10
PROXY_REFUSES = 407
"""The status with which a proxy asks for a user (RFC 9110, 15.5.8); no site answers so."""
_AGENT = "journey-check"


class Answer(Struct, frozen=True, kw_only=True, dict=True):
    """What a server answered."""

    url: str
    """After redirects."""
    status: int
    headers: Mapping[str, str]
    """The names are found in any case."""
    body: bytes
    cut: bool
    """Whether only the beginning of the body was read."""
    redirects: int
    protocol: str
    """Such as `HTTP/2`."""
    charset: str = "utf-8"

    @cached_property
    def text(self) -> str:
        """The body as text."""
        try:
            return self.body.decode(self.charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises AssertionError when it is something else."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise CallFailed("assertion", f"the body of {self.url} is not JSON: {quote(self.text)}") from error


class Http(ProtocolClient):
    """What a check gets as `http`. Cookies are kept until the attempt ends."""

    def __init__(self, steps: CheckSteps) -> None:
        super().__init__(steps)
        self._transport = CheckTransport(steps)
        self._client = httpx.Client(
            transport=self._transport,
            trust_env=False,
            headers={"User-Agent": _AGENT, "Accept-Encoding": "identity", **steps.options.headers},
            auth=steps.options.basic_auth,
            timeout=None,  # noqa: S113 (the transport ends every wait with the check's time)
        )

    def get(self, url: str, /, **given: Any) -> Answer:
        """Sends a GET request; see `request` for what can be given."""
        return self.request("GET", url, **given)

    def head(self, url: str, /, **given: Any) -> Answer:
        """Sends a HEAD request."""
        return self.request("HEAD", url, **given)

    def post(self, url: str, /, **given: Any) -> Answer:
        """Sends a POST request."""
        return self.request("POST", url, **given)

    def put(self, url: str, /, **given: Any) -> Answer:
        """Sends a PUT request."""
        return self.request("PUT", url, **given)

    def patch(self, url: str, /, **given: Any) -> Answer:
        """Sends a PATCH request."""
        return self.request("PATCH", url, **given)

    def delete(self, url: str, /, **given: Any) -> Answer:
        """Sends a DELETE request."""
        return self.request("DELETE", url, **given)

    def options(self, url: str, /, **given: Any) -> Answer:
        """Sends an OPTIONS request."""
        return self.request("OPTIONS", url, **given)

    def request(
        self,
        method: str,
        url: str,
        /,
        *,
        status: int | Collection[int] | None = None,
        contains: Expected | Sequence[Expected] | None = None,
        lacks: Expected | None = None,
        header: Mapping[str, Expected] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        json: object = None,
        data: Mapping[str, str | Secret] | str | bytes | Secret | None = None,
        redirects: int = MOST_REDIRECTS,
        name: str | None = None,
        under: str | float | None = None,
    ) -> Answer:
        """Sends a request, follows at most `redirects` redirects, and checks the answer; `url` may be relative to `base_url`.

        `status` is the expected status, or several; without it, any below 400. `contains` and `lacks` are for the body; `header`
        are headers of the answer and what they contain. `headers` are sent, and `json` or `data` as the body; secrets in them are
        revealed. `under` is the latency that the call must stay below.
        """
        with self._steps.call("http", method.lower(), [url], name, under) as phases:
            self._transport.phases = phases
            given: dict[str, Any] = {"json": reveal(json)} if json is not None else {}
            if isinstance(data, Mapping):
                given["data"] = reveal(dict(data))
            elif data is not None:
                given["content"] = reveal(data)
            try:
                request = self._client.build_request(method, self._resolve(url), headers=reveal(dict(headers or {})), **given)
            except (httpx.InvalidURL, TypeError, ValueError) as error:
                raise CallError(f"http.{method.lower()}: {error}") from error
            answer = self._send(request, redirects, phases)
            _require(answer, status, header)
            require_text(answer.text, contains, f"the body of {answer.url}", answer.cut)
            if lacks is not None and holds(answer.text, lacks):
                raise CallFailed("assertion", f"the body of {answer.url} contains {describe(lacks)}")
            return answer

    def close(self) -> None:
        """Closes what is still open."""
        self._client.close()

    def _resolve(self, url: str) -> str:
        base = self._steps.options.base_url
        whole = urljoin(base, url) if base else url
        if not whole.lower().startswith(("http://", "https://")):
            raise CallError(
                f"{url!r} is not an address of HTTP; write one that begins with https://, or set base_url for relative ones"
            )
        return whole

    def _send(self, request: httpx.Request, redirects: int, phases: Phases) -> Answer:
        followed = 0
        while True:
            try:
                response = self._client.send(request, stream=True, follow_redirects=False)
            except httpx.HTTPError as error:
                # A redirect to something that is not an address, for instance.
                raise CallFailed("navigation", f"{quote(str(request.url))}: {error}") from error
            following = response.next_request
            if following is None or redirects == 0:
                break
            response.close()
            if followed >= redirects:
                raise CallFailed(
                    "navigation", f"more than {redirects} redirects; the last one leads to {quote(str(following.url))}"
                )
            if following.url.scheme not in {"http", "https"}:
                raise CallFailed(
                    "navigation", f"a redirect leads to {quote(str(following.url))}, which is not an address of HTTP"
                )
            request, followed = following, followed + 1
        try:
            body, cut = measure_transfer(response.iter_raw(), phases, MOST_BODY)
        finally:
            response.close()
        body, cut = _unpack(body, response.headers.get("content-encoding", ""), cut)
        return Answer(
            url=str(response.url),
            status=response.status_code,
            headers=response.headers,
            body=body,
            cut=cut,
            redirects=followed,
            protocol=response.http_version,
            charset=response.charset_encoding or "utf-8",
        )


def _require(answer: Answer, status: int | Collection[int] | None, header: Mapping[str, Expected] | None) -> None:
    if answer.status == PROXY_REFUSES:
        raise CallFailed(
            "monitor", "HTTP 407: the proxy requires a user and a password; set http_proxy to http://USER:PASSWORD@HOST:PORT"
        )
    wanted = {status} if isinstance(status, int) else set(status or ())
    if (wanted and answer.status not in wanted) or (not wanted and answer.status >= 400):
        expected = f"; expected {' or '.join(map(str, sorted(wanted)))}" if wanted else ""
        raise CallFailed("http", f"HTTP {answer.status} from {answer.url}{expected}")
    for name, expectation in (header or {}).items():
        found = answer.headers.get(name)
        if found is None:
            raise CallFailed("assertion", f"{answer.url} answers without the header {name!r}")
        require_text(found, expectation, f"the header {name!r} of {answer.url}")


def _unpack(body: bytes, coding: str, cut: bool) -> tuple[bytes, bool]:
    """A body that was packed although none was asked for: at most MOST_BODY bytes of what is inside."""
    if coding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return body, cut
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        content = unpacker.decompress(body, MOST_BODY)
    except zlib.error:
        return body, cut
    return content, cut or bool(unpacker.unconsumed_tail)
