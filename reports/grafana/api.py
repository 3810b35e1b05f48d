"""Grafana's HTTP API, as far as annotations need it: bounded in time and size, without redirects."""

import json
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, Request, build_opener

import msgspec
from msgspec import Struct

from reports.grafana.annotations import TAG, Annotation, Change, Stored, choose_changes
from runner.errors import ConfigError, PushError
from runner.network.no_redirects import NoRedirects
from runner.network.tls_trust import tls_context
from runner.settings.settings import Settings
from runner.untrusted_text import decode_strictly

PATIENCE = 10.0
"""Seconds that one request may take."""
MOST_BYTES = 8_000_000
MOST_KNOWN = 5_000
"""Annotations that are read from Grafana."""


class _Kept(Struct):
    """An annotation, as Grafana's API gives it."""

    id: int
    time: int | None = None
    timeEnd: int | None = None  # noqa: N815 (as Grafana names it)
    tags: tuple[str, ...] | None = None


_annotations = msgspec.json.Decoder(tuple[_Kept, ...])


class Grafana:
    """The Grafana of the settings. Raises ConfigError when none is set, and OSError when its certificate authority cannot be read."""

    def __init__(self, settings: Settings) -> None:
        if settings.grafana_url is None or settings.grafana_token is None:
            raise ConfigError(
                "no Grafana is set; set grafana_url, and JOURNEY_GRAFANA_TOKEN to a token of a service account that may write annotations"
            )
        self._address = settings.grafana_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {settings.grafana_token.reveal()}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "journey-runner",
        }
        self._opener = build_opener(NoRedirects(), HTTPSHandler(context=tls_context(settings.grafana_ca_file, alone=True)))

    def find_changes(self, wanted: Sequence[Annotation], until: datetime) -> list[Change]:
        """What Grafana lacks of these annotations. Raises PushError."""
        return choose_changes(wanted, self._read(wanted[0].begins_at, until)) if wanted else []

    def write(self, change: Change) -> None:
        """Makes an annotation, or says when one ended. Raises PushError."""
        if change.number is None:
            self._ask("POST", "/api/annotations", change.annotation.encode())
        else:
            self._ask("PATCH", f"/api/annotations/{change.number}", change.annotation.encode())

    def _read(self, since: datetime, until: datetime) -> dict[str, Stored]:
        times = {"from": round(since.timestamp() * 1000), "to": round(until.timestamp() * 1000)}
        query = urlencode({"tags": TAG, "limit": MOST_KNOWN, **times})
        try:
            answer = decode_strictly(self._ask("GET", f"/api/annotations?{query}", None), _annotations)
        except msgspec.DecodeError as error:
            raise PushError(
                f"{self._address}/api/annotations did not answer with a list of annotations: {error}; "
                "check that grafana_url is Grafana's address"
            ) from error
        return {
            tag: Stored(one.id, one.time or 0, one.timeEnd or 0)
            for one in answer
            for tag in one.tags or ()
            if tag.startswith("id:")
        }

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._address + path, content, self._headers, method=method)  # noqa: S310 (the setting accepts http and https only)
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return bytes(answer.read(MOST_BYTES))
        except HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace").strip()
            raise PushError(
                f"Grafana at {self._address} rejected an annotation: {error.code} {error.reason}: {said}"
            ) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise PushError(f"Grafana at {self._address} could not be reached: {reason}; check grafana_url") from error
