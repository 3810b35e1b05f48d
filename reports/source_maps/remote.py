"""A dashboard elsewhere, as `journey sourcemaps` talks to it: over its API, with a token, following no redirect."""

import gzip
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

from reports.source_maps.map_store import MapAbout
from reports.source_maps.uploads import split
from runner.errors import ConfigError, JourneyError
from runner.no_redirects import NoRedirects
from runner.settings.secrets import Secret
from runner.tls_trust import tls_context

TIMEOUT = 30.0
LONGEST_ANSWER = 10_000_000


class UploadFailed(JourneyError):
    """The dashboard cannot be reached, or rejects what it was sent."""

    exit_code = 3


class RemoteMaps:
    """The maps that a dashboard keeps."""

    def __init__(self, address: str, token: Secret | None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
            raise ConfigError(f"--to {address}: name the address of the dashboard, such as https://monitor.example")
        if token is not None and parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ConfigError(f"--to {address}: the token would be sent in clear; use https")
        self._root = f"{address.rstrip('/')}/api/v1/source-maps"
        # A dashboard that needs no token takes changes from its own pages only; no page elsewhere can send this header.
        own = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        self._headers = {"Authorization": f"Bearer {token.reveal()}"} if token else own
        self._open = build_opener(NoRedirects, HTTPSHandler(context=tls_context())).open

    def put(self, about: MapAbout, content: bytes) -> bool:
        """Uploads a map; False if the dashboard had it. Raises UploadFailed."""
        pieces = split(gzip.compress(content, 6, mtime=0))
        words = {"release": about.release, "app": about.app, "script": about.script, "debug_id": about.debug_id}
        words |= {"checksum": sha256(content).hexdigest(), "pieces": str(len(pieces))}
        stored = False
        for number, piece in enumerate(pieces):
            answer = self._ask("POST", {**words, "piece": str(number)}, piece)
            stored = stored or bool(answer["stored"])
        return stored

    def list(self, release: str | None, app: str | None) -> list[dict[str, Any]]:
        """The maps that are kept. Raises UploadFailed."""
        found: list[dict[str, Any]] = self._ask("GET", {"release": release, "app": app})["maps"]
        return found

    def remove(self, release: str, app: str | None) -> int:
        """Removes the maps of a release; returns how many there were. Raises UploadFailed."""
        count: int = self._ask("DELETE", {"release": release, "app": app})["maps"]
        return count

    def _ask(self, method: str, words: Mapping[str, str | None], body: bytes | None = None) -> dict[str, Any]:
        given = {name: value for name, value in words.items() if value}
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/json", **self._headers}
        request = Request(f"{self._root}?{urlencode(given)}", body, headers, method=method)  # noqa: S310 (http and https only)
        try:
            with self._open(request, timeout=TIMEOUT) as answer:
                found: dict[str, Any] = json.loads(answer.read(LONGEST_ANSWER))
                return found
        except HTTPError as error:
            raise UploadFailed(f"{self._root} answered {error.code}: {_detail(error)}") from error
        except (URLError, OSError, ValueError) as error:
            raise UploadFailed(f"{self._root} cannot be used: {error}") from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read(10_000))["detail"])[:500]
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)[:500]
