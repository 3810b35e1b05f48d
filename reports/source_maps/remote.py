"""A dashboard elsewhere, as `journey sourcemaps` talks to it: over its API, with a token, following no redirect."""

import gzip
from collections.abc import Mapping
from hashlib import sha256
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request

import msgspec
from msgspec import Struct

from reports.remote.connection import make_headers, make_opener, read_detail
from reports.source_maps.map_store import MapAbout
from reports.source_maps.uploads import split
from runner.errors import JourneyError
from runner.settings.secrets import Secret
from runner.untrusted_text import decode_strictly

TIMEOUT = 30.0
LONGEST_ANSWER = 10_000_000
_Wanted = TypeVar("_Wanted")


class UploadFailed(JourneyError):
    """The dashboard cannot be reached, or rejects what it was sent."""

    exit_code = 3


class _Uploaded(Struct):
    stored: bool | None


class _Listed(Struct):
    maps: list[dict[str, Any]]


class _Removed(Struct):
    maps: int


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
            stored = bool(self._ask("POST", _Uploaded, {**words, "piece": str(number)}, piece).stored) or stored
        return stored

    def list(self, release: str | None, app: str | None) -> list[dict[str, Any]]:
        """The maps that are kept. Raises UploadFailed."""
        return self._ask("GET", _Listed, {"release": release, "app": app}).maps

    def remove(self, release: str, app: str | None) -> int:
        """Removes the maps of a release; returns how many there were. Raises UploadFailed."""
        return self._ask("DELETE", _Removed, {"release": release, "app": app}).maps

    def _ask(self, method: str, kind: type[_Wanted], words: Mapping[str, str | None], body: bytes | None = None) -> _Wanted:
        given = {name: value for name, value in words.items() if value}
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/json", **self._headers}
        request = Request(f"{self._root}?{urlencode(given)}", body, headers, method=method)  # noqa: S310 (http and https only)
        try:
            with self._open(request, timeout=TIMEOUT) as answer:
                return decode_strictly(answer.read(LONGEST_ANSWER), msgspec.json.Decoder(kind))
        except HTTPError as error:
            with error:
                raise UploadFailed(f"{self._root} answered {error.code}: {read_detail(error)[0]}") from error
        except (URLError, OSError, HTTPException) as error:
            raise UploadFailed(f"{self._root} cannot be used: {error}") from error
        except msgspec.DecodeError as error:
            raise UploadFailed(f"{self._root} did not answer as a dashboard does: {error}; is it one?") from error
