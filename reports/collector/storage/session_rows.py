"""Sessions: from the first to the last of their page views, and how much happened in them."""

from collections.abc import Collection
from typing import Any

import msgspec

from reports.collector.accepted_beacon import Arrival
from reports.collector.frustration import Step, find_quick_back
from reports.collector.storage.view_rows import PAGE, STARTED_AT, started_at
from runner.store.bulk_insert import Insert, Link, larger, smaller
from runner.store.tables.page_views import sessions

_PUT_SESSIONS = Insert(
    sessions,
    added=("views", "interactions", "errors", "requests", "frustrations"),
    computed={
        "started_at": smaller("sessions", "started_at"),
        "first_page": "CASE WHEN excluded.started_at < sessions.started_at THEN excluded.first_page ELSE sessions.first_page END",
        "seen_at": larger("sessions", "seen_at"),
        "trail": "excluded.trail",
        "last_page": "CASE WHEN excluded.seen_at >= sessions.seen_at THEN excluded.last_page ELSE sessions.last_page END",
    },
)
_TRAIL = 4
"""Page views in a session's trail: two, and room for those that arrive in another order."""
_decode = msgspec.json.Decoder(list[Step]).decode


class SessionRows:
    """The sessions of a batch."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._rows: dict[str, list[Any]] = {}
        self._trails: dict[str, list[Step]] = {}

    def read(self, link: Link, ids: Collection[str]) -> None:
        """Reads which of these sessions have a page view already, and their newest ones."""
        for id_, views, trail in link.among("SELECT id, views, trail FROM sessions WHERE id", ids):
            if views:
                self._known.add(id_)
            self._trails[id_] = _decode(trail)

    def follow(self, session: str, now: Step, back: bool) -> Step | None:
        """Adds a new page view to a session's trail; returns the view that was left for it if `back` was a quick back."""
        trail = self._trails.setdefault(session, [])
        left = find_quick_back(trail, now) if back else None
        trail.append(now)
        trail.sort(key=lambda one: one.started_at)
        del trail[:-_TRAIL]
        return left

    def add(
        self,
        arrival: Arrival,
        row: list[Any],
        new: bool,
        received: float,
        acted: int,
        errors: int,
        requests: int,
        frustrations: int,
    ) -> int:
        """Adds what a beacon reports about the view of `row`; returns 1 if its session started with it, else 0."""
        beacon = arrival.beacon
        seen_at = max(row[STARTED_AT], started_at(beacon.sent_at, beacon.sent_at, received))
        session = self._rows.get(beacon.session)
        began = int(new and beacon.session not in self._known and (session is None or not session[12]))
        if session is None:
            self._rows[beacon.session] = [
                beacon.session, beacon.app, row[STARTED_AT], seen_at, row[PAGE], row[PAGE], beacon.release, beacon.environment,
                arrival.traffic, arrival.browser[:200], arrival.system[:200], arrival.device, int(new), acted, errors, requests,
                frustrations, "[]",
            ]  # fmt: skip
            return began
        if row[STARTED_AT] < session[2]:
            session[2], session[4] = row[STARTED_AT], row[PAGE]
        if seen_at >= session[3]:
            session[3], session[5] = seen_at, row[PAGE]
        session[12] += new
        session[13] += acted
        session[14] += errors
        session[15] += requests
        session[16] += frustrations
        return began

    def write(self, link: Link) -> None:
        """Writes all rows."""
        for id_, row in self._rows.items():
            row[17] = msgspec.json.encode(self._trails.get(id_, [])).decode()
        link.insert(_PUT_SESSIONS, list(self._rows.values()))
