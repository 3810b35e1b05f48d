"""Beacons into tables: what is new of each view is put together with what is known of it, and all is written at once.

A later beacon of a view adds to it and never takes away: an empty value replaces nothing, and of two values that of the beacon that
was sent later stays, in whatever order they arrive.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import SCRIPT_KINDS, Beacon, View
from reports.collector.labels import OTHER
from reports.collector.storage import rollup_delta as change
from reports.collector.storage.rollup_delta import METRIC_NUMBERS, Change
from reports.collector.storage.series import DAY, Directory, Labels, family, general, other_reason
from runner.store.bulk_insert import Insert, Link, Unstorable
from runner.store.tables.page_views import (
    beacons,
    interactions,
    page_errors,
    page_views,
    reason_tallies,
    reasons,
    sessions,
    slow_requests,
    vitals,
)
from runner.store.tables.runs import PHASES

SKEW = 60.0
"""Seconds that a browser's clock may be fast of ours; one that is wrong by more tells only how long ago something was."""
VITALS = 100
"""The most values of vitals that are kept of one view, whatever their ids."""
_UNSEEN_WHEN_HIDDEN = frozenset(("fcp", "lcp"))

_at = {column.name: position for position, column in enumerate(page_views.columns)}
NUMBER, ID, APP, SESSION, PAGE, STARTED_AT, TOLD_AT = (
    _at[name] for name in ("number", "id", "app", "session", "page", "started_at", "told_at")
)
TYPE, HIDDEN, ENDED, VISIBLE, SERIES = (_at[name] for name in ("type", "hidden", "ended", "visible_seconds", "series"))
INTERACTIONS, ERRORS, REQUESTS, LISTED = (_at[name] for name in ("interactions", "errors", "requests", "listed_interactions"))
TOTAL = _at["total"]
PHASE_AT = {phase: _at[phase] for phase in PHASES}
FILLED = tuple((name, _at[name]) for name in ("title", "referrer", "status", "protocol", "transfer_bytes"))
"""Columns of which a later value that is not empty is taken."""
MUTABLE = (
    "title", "referrer", "told_at", "ended", "visible_seconds", *PHASES, "status", "protocol", "transfer_bytes", "interactions", "errors",
    "requests", "listed_interactions",
)  # fmt: skip


def _larger(table: str, column: str, sign: str = ">") -> str:
    return f'CASE WHEN excluded."{column}" {sign} {table}."{column}" THEN excluded."{column}" ELSE {table}."{column}" END'


_ADD_BEACONS = Insert(beacons)
_PUT_VIEWS = Insert(page_views, replaced=MUTABLE)
_EMPTY = "CAST(excluded.attribution AS TEXT) = '{}'"
_PUT_VITALS = Insert(
    vitals,
    replaced=("value",),
    computed={"attribution": f"CASE WHEN {_EMPTY} THEN vitals.attribution ELSE excluded.attribution END"},
)
_ADD_INTERACTIONS = Insert(interactions)
_ADD_REQUESTS = Insert(slow_requests)
_PUT_ERRORS = Insert(page_errors, added=("count",))
_PUT_REASONS = Insert(reasons, added=("count", "views"), computed={"last_at": _larger("reasons", "last_at")})
_PUT_TALLIES = Insert(reason_tallies, added=("count", "views"))
_PUT_SESSIONS = Insert(
    sessions,
    added=("views", "interactions", "errors", "requests"),
    computed={
        "started_at": _larger("sessions", "started_at", "<"),
        "first_page": "CASE WHEN excluded.started_at < sessions.started_at THEN excluded.first_page ELSE sessions.first_page END",
        "seen_at": _larger("sessions", "seen_at"),
        "last_page": "CASE WHEN excluded.seen_at >= sessions.seen_at THEN excluded.last_page ELSE sessions.last_page END",
    },
)


def store(link: Link, directory: Directory, arrivals: Sequence[Arrival]) -> list[bool | Unstorable]:
    """Writes beacons within the transaction of `link`; for each whether it is new, or why it is not stored.

    Raises Unstorable when the database does not take one of them, and StoreDown; then nothing of this may be committed.
    """
    return Batch(link, directory, arrivals).store()


class Batch:
    """The rows of some beacons, on their way into the store."""

    def __init__(self, link: Link, directory: Directory, arrivals: Sequence[Arrival]) -> None:
        self._link = link
        self._directory = directory
        self._arrivals = arrivals
        self._next_view = 0
        self._views: dict[str, list[Any]] = {}
        self._changed: dict[int, list[Any]] = {}
        self._known_vitals: dict[tuple[int, str, str], float] = {}
        self._vitals_of: Counter[int] = Counter()
        self._known_errors: set[tuple[int, str]] = set()
        self._known_sessions: set[str] = set()
        self._vitals: dict[tuple[int, str, str], tuple[Any, ...]] = {}
        self._interactions: list[tuple[Any, ...]] = []
        self._requests: list[tuple[Any, ...]] = []
        self._errors: dict[tuple[int, str], list[Any]] = {}
        self._reasons: dict[str, list[Any]] = {}
        self._tallies: dict[tuple[str, int], list[Any]] = {}
        self._sessions: dict[str, list[Any]] = {}

    def store(self) -> list[bool | Unstorable]:
        """Reads what is known, adds what is new, writes both back."""
        link = self._link
        # In PostgreSQL other writers wait here, as they do at the beginning of a transaction in SQLite.
        marks = dict(
            link.select("SELECT name, value FROM marks WHERE name IN ('beacons', 'views') ORDER BY name" + link.for_update)
        )
        self._next_view, number = marks["views"] + 1, marks["beacons"]
        given = self._arrivals
        self._directory.begin(link, max((one.received_at.timestamp() for one in given), default=0.0))
        seen = {id_ for (id_,) in link.among("SELECT id FROM beacons WHERE id", [one.beacon.id for one in given])}
        self._read([one.beacon for one in given if one.beacon.id not in seen])
        outcomes: list[bool | Unstorable] = []
        rows = []
        for arrival in given:
            beacon = arrival.beacon
            if beacon.id in seen:
                outcomes.append(False)
                continue
            refused = self._refused(beacon)
            if refused is not None:
                outcomes.append(refused)
                continue
            seen.add(beacon.id)
            received = arrival.received_at.timestamp()
            changes = [
                self._add(arrival, view, page[:200] or OTHER, received)
                for view, page in zip(beacon.views, arrival.pages, strict=True)
            ]
            number += 1
            rows.append((number, beacon.id, received, change.encode(changes).decode()))
            outcomes.append(True)
        if rows:
            self._write(rows)
            link.execute(
                "UPDATE marks SET value = CASE name WHEN 'views' THEN ? ELSE ? END WHERE name IN ('views', 'beacons')",
                self._next_view - 1, number,
            )  # fmt: skip
        return outcomes

    def _read(self, given: Sequence[Beacon]) -> None:
        link = self._link
        names = ", ".join(f'"{column.name}"' for column in page_views.columns)
        wanted = {view.id for beacon in given for view in beacon.views}
        for row in link.among(f"SELECT {names} FROM page_views WHERE id", wanted):
            self._views[row[ID]] = list(row)
        self._known_sessions = {
            id_ for (id_,) in link.among("SELECT id FROM sessions WHERE views > 0 AND id", {one.session for one in given})
        }
        if self._views:
            numbers = [row[NUMBER] for row in self._views.values()]
            for view, name, id_, value in link.among("SELECT view, name, id, value FROM vitals WHERE view", numbers):
                self._known_vitals[view, name, id_] = value
                self._vitals_of[view] += 1
            self._known_errors = {tuple(row) for row in link.among("SELECT view, reason FROM page_errors WHERE view", numbers)}

    def _refused(self, beacon: Beacon) -> Unstorable | None:
        for view in beacon.views:
            row = self._views.get(view.id)
            if row is not None and (row[APP] != beacon.app or row[SESSION] != beacon.session):
                return Unstorable(f"view {view.id} belongs to another session; each page view needs an id of its own")
        return None

    def _add(self, arrival: Arrival, view: View, page: str, received: float) -> Change:
        beacon = arrival.beacon
        row = self._views.get(view.id)
        # A report carries what was told of a page, and is no view of it.
        new = row is None and view.type != "report"
        values: list[tuple[int, float | None, float]]
        if row is None:
            row = self._new(arrival, view, page, received)
            values = [] if view.hidden or row[TOTAL] is None else [(0, None, row[TOTAL])]
            newer = True
        else:
            newer = beacon.sent_at >= row[TOLD_AT]
            before = row[TOTAL]
            self._extend(row, beacon, view, newer)
            values = [] if row[HIDDEN] or row[TOTAL] == before else [(0, before, row[TOTAL])]
        number: int = row[NUMBER]
        self._changed[number] = row
        if view.vitals:
            self._add_vitals(number, view, newer, row[HIDDEN], values)
        acted = 0
        if view.interactions or view.interaction_counts:
            acted = max(sum(view.interaction_counts.values()), len(view.interactions))
            for index, act in enumerate(view.interactions, row[LISTED]):
                self._interactions.append((number, index, act.type, act.at_seconds, act.role, act.name, act.test_id))
            row[LISTED] += len(view.interactions)
            row[INTERACTIONS] += acted
        for index, one in enumerate(view.requests, row[REQUESTS]):
            told = (one.url, one.method, one.kind, one.at_seconds, one.duration_seconds, one.status, one.failure)
            self._requests.append((number, index, *told))
        row[REQUESTS] += len(view.requests)
        failed = 0
        errors = 0
        if view.errors:
            errors = self._add_errors(row, beacon, view)
            failed = int(errors > 0 and not row[ERRORS] and row[TYPE] != "report")
            row[ERRORS] += errors
        began = self._add_to_session(arrival, row, new, received, acted, errors, len(view.requests))
        return Change(
            row[SERIES], int(row[STARTED_AT] // 60), number, int(new), began, failed, errors, acted, len(view.requests), values
        )

    def _new(self, arrival: Arrival, view: View, page: str, received: float) -> list[Any]:
        beacon = arrival.beacon
        labels = Labels(
            beacon.app, page, arrival.traffic, beacon.environment[:60], beacon.release[:60], arrival.device,
            family(arrival.browser[:60]),
        )  # fmt: skip
        phase = view.phases.get
        synthetic = beacon.synthetic
        row = [
            self._next_view, view.id, beacon.app, beacon.session, page, view.url, view.title, view.referrer, view.type,
            started(beacon.sent_at, view.started_at, received), received, beacon.sent_at, beacon.release, beacon.environment,
            arrival.traffic, arrival.browser[:200], arrival.system[:200], arrival.device, view.hidden, view.ended,
            view.visible_seconds, *[phase(name) for name in PHASES], view.status, view.protocol, view.transfer_bytes,
            beacon.connection, *(beacon.viewport or (None, None)),
            *((synthetic.journey, synthetic.run, synthetic.step, synthetic.location) if synthetic else (None, None, None, None)),
            self._directory.series(self._link, labels), 0, 0, 0, 0,
        ]  # fmt: skip
        self._views[view.id] = row
        self._next_view += 1
        return row

    def _extend(self, row: list[Any], beacon: Beacon, view: View, newer: bool) -> None:
        row[ENDED] = row[ENDED] or view.ended
        if view.visible_seconds is not None:
            row[VISIBLE] = max(row[VISIBLE] or 0.0, view.visible_seconds)
        for phase, seconds in view.phases.items():
            position = PHASE_AT.get(phase)
            if position is not None and (newer or row[position] is None):
                row[position] = seconds
        for name, position in FILLED:
            value = getattr(view, name)
            if value and (newer or not row[position]):
                row[position] = value
        if newer:
            row[TOLD_AT] = beacon.sent_at

    def _add_vitals(
        self, number: int, view: View, newer: bool, hidden: bool, values: list[tuple[int, float | None, float]]
    ) -> None:
        for one in view.vitals:
            key = (number, one.name, one.id)
            row = self._vitals.get(key)
            before = row[3] if row else self._known_vitals.get(key)
            if before is not None and not newer:
                continue
            if before is None:
                if self._vitals_of[number] >= VITALS:
                    continue
                self._vitals_of[number] += 1
            attribution = msgspec.json.encode(one.attribution).decode() if one.attribution else row[4] if row else "{}"
            self._vitals[key] = (number, one.name, one.id, one.value, attribution)
            if before != one.value and not (hidden and one.name in _UNSEEN_WHEN_HIDDEN):
                values.append((METRIC_NUMBERS[one.name], before, one.value))

    def _add_errors(self, row: list[Any], beacon: Beacon, view: View) -> int:
        """How many of them are the page's own; what a browser reports of its policies is stored and not counted as such."""
        total = 0
        for error in view.errors:
            reason = self._directory.reason(self._link, beacon.app, error)
            at = row[STARTED_AT] + error.at_seconds
            key = (row[NUMBER], reason)
            listed = self._errors.get(key)
            first = int(listed is None and key not in self._known_errors)
            if listed is None:
                self._errors[key] = [*key, at, error.count, error.message, error.line, error.column]
            else:
                listed[3] += error.count
            if error.kind in SCRIPT_KINDS:
                total += error.count
            known = self._reasons.get(reason)
            if known is None:
                self._reasons[reason] = self._reason(beacon.app, reason, error, at, first)
            else:
                known[7] = min(known[7], at)
                known[8] = max(known[8], at)
                known[9] += error.count
                known[10] += first
            tally = self._tallies.setdefault((reason, int(at // 3600) * 3600), [0, 0])
            tally[0] += error.count
            tally[1] += first
        return total

    def _reason(self, app: str, reason: str, error: Any, at: float, first: int) -> list[Any]:
        if reason == other_reason(app):
            return [reason, app, "reported", "", "more kinds of errors than are kept apart", "", "", at, at, error.count, first]
        message = general(error.message)
        return [reason, app, error.kind, error.type, message, error.source, error.stack, at, at, error.count, first]

    def _add_to_session(
        self, arrival: Arrival, row: list[Any], new: bool, received: float, acted: int, errors: int, requests: int
    ) -> int:
        beacon = arrival.beacon
        seen_at = max(row[STARTED_AT], started(beacon.sent_at, beacon.sent_at, received))
        session = self._sessions.get(beacon.session)
        began = int(new and beacon.session not in self._known_sessions and (session is None or not session[12]))
        if session is None:
            self._sessions[beacon.session] = [
                beacon.session, beacon.app, row[STARTED_AT], seen_at, row[PAGE], row[PAGE], beacon.release, beacon.environment,
                arrival.traffic, arrival.browser[:200], arrival.system[:200], arrival.device, int(new), acted, errors, requests,
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
        return began

    def _write(self, rows: list[tuple[int, str, float, str]]) -> None:
        insert = self._link.insert
        insert(_ADD_BEACONS, rows)
        insert(_PUT_VIEWS, list(self._changed.values()))
        insert(_PUT_VITALS, list(self._vitals.values()))
        insert(_ADD_INTERACTIONS, self._interactions)
        insert(_ADD_REQUESTS, self._requests)
        insert(_PUT_ERRORS, list(self._errors.values()))
        insert(_PUT_REASONS, list(self._reasons.values()))
        insert(_PUT_TALLIES, [[*key, *tally] for key, tally in self._tallies.items()])
        insert(_PUT_SESSIONS, list(self._sessions.values()))


def started(sent_at: float, started_at: float, received: float) -> float:
    """When a view began, by our clock: what the browser says if that can be, else so long before now as it was before the beacon.

    A beacon may be a day late, as one that could not be sent waits for the next page.

    >>> started(1000.0, 990.0, 1001.0), started(5_000_000.0, 4_999_990.0, 1001.0)
    (990.0, 991.0)
    """
    if received - DAY <= started_at <= received + SKEW:
        return min(started_at, received)
    return received - min(max(sent_at - started_at, 0.0), DAY)
