"""A dashboard elsewhere, as `journey sourcemaps` talks to it: over its API, with a token, following no redirect."""

import gzip
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request

from reports.remote.connection import make_headers, make_opener
from reports.source_maps.map_store import MapAbout
from reports.source_maps.uploads import split
from runner.errors import JourneyError
from runner.settings.secrets import Secret

TIMEOUT = 30.0
LONGEST_ANSWER = 10_000_000


class UploadFailed(JourneyError):
    """The dashboard cannot be reached, or rejects what it was sent."""

    exit_code = 3


class RemoteMaps:
    """The maps that a dashboard keeps."""

    def __init__(self, address: str, token: Secret | None) -> None:
        self._headers = make_headers("--to", address, token)
        self._root = f"{address.rstrip('/')}/api/v1/source-maps"
        self._open = make_opener()

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
