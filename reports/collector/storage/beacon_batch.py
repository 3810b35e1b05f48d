"""Beacons into tables: what is new of each view is put together with what is known of it, and all is written at once.

A later beacon of a view adds to it and never takes away: an empty value replaces nothing, and of two values that of the beacon that
was sent later stays, in whatever order they arrive.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import OBSERVATIONS, Beacon, View
from reports.collector.frustration import Step, came_back, count_frustration
from reports.collector.labels import OTHER
from reports.collector.storage.error_rows import ErrorRows
from reports.collector.storage.rollup_delta import ViewChange, encode
from reports.collector.storage.series import DAY, Directory
from reports.collector.storage.session_rows import SessionRows
from reports.collector.storage.view_rows import (
    APP,
    ERRORS,
    HIDDEN,
    INTERACTIONS,
    LISTED,
    NUMBER,
    PAGE,
    PUT_VIEWS,
    REQUESTS,
    SERIES,
    SESSION,
    STARTED_AT,
    TOLD_AT,
    TOTAL,
    TYPE,
    URL,
    earliest_start,
    extend_view,
    has_failed,
    new_view,
    read_views,
)
from reports.collector.storage.vital_rows import ChangedValue, VitalRows
from runner.store.bulk_insert import Insert, Link, Unstorable
from runner.store.tables.page_views import beacons, interactions, slow_requests
from runner.store.write_turn import in_days, take_turn

_ADD_BEACONS = Insert(beacons)
_ADD_INTERACTIONS = Insert(interactions)
_ADD_REQUESTS = Insert(slow_requests)


QuickBacks = Counter[tuple[str, str, str]]
"""Quick backs by the app, the page that was left, and the traffic."""


def store_beacons(
    link: Link, directory: Directory, arrivals: Sequence[Arrival], quick_backs: QuickBacks | None = None
) -> list[bool | Unstorable]:
    """Writes beacons within the transaction of `link`; for each whether it is new, or why it is not stored.

    Adds to `quick_backs`. Raises Unstorable when the database rejects one of them, and StoreDown; then nothing of this may be committed.
    """
    batch = Batch(link, directory, arrivals)
    outcomes = batch.store()
    if quick_backs is not None:
        quick_backs.update(batch.quick_backs)
    return outcomes


class Batch:
    """The rows of some beacons, on their way into the store."""

    def __init__(self, link: Link, directory: Directory, arrivals: Sequence[Arrival]) -> None:
        self._link = link
        self._directory = directory
        self._arrivals = arrivals
        self._next_view = self._first_view = 0
        self._views: dict[str, list[Any]] = {}
        self._changed: dict[int, list[Any]] = {}
        self._vitals = VitalRows()
        self._interactions: list[tuple[Any, ...]] = []
        self._requests: list[tuple[Any, ...]] = []
        self._errors = ErrorRows(directory)
        self._sessions = SessionRows()
        self.quick_backs: QuickBacks = Counter()

    def store(self) -> list[bool | Unstorable]:
        """Reads what is known, adds what is new, writes both back."""
        link = self._link
        given = self._arrivals
        newest = max((one.received_at.timestamp() for one in given), default=0.0)
        view, number = take_turn(link, newest)
        self._next_view = self._first_view = view + 1
        self._directory.begin(link, newest)
        known = f"SELECT id FROM beacons WHERE {in_days(number + 1, newest - DAY)}id"
        seen = {id_ for (id_,) in link.among(known, [one.beacon.id for one in given])}
        self._read([one for one in given if one.beacon.id not in seen])
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
                change
                for view, page in zip(beacon.views, arrival.pages, strict=True)
                for change in self._add(arrival, view, page[:200] or OTHER, received)
            ]
            number += 1
            rows.append((number, beacon.id, received, encode(changes).decode()))
            outcomes.append(True)
        if rows:
            self._write(rows)
            link.execute(
                "UPDATE marks SET value = CASE name WHEN 'views' THEN ? ELSE ? END WHERE name IN ('views', 'beacons')",
                self._next_view - 1, number,
            )  # fmt: skip
        return outcomes

    def _read(self, given: Sequence[Arrival]) -> None:
        since = min((earliest_start(one.beacon, one.received_at.timestamp()) for one in given), default=0.0)
        self._views = read_views(
            self._link, {view.id for one in given for view in one.beacon.views}, in_days(self._next_view, since)
        )
        self._sessions.read(self._link, {one.beacon.session for one in given})
        if self._views:
            numbers = [row[NUMBER] for row in self._views.values()]
            self._vitals.read(self._link, numbers)
            self._errors.read(self._link, numbers)

    def _refused(self, beacon: Beacon) -> Unstorable | None:
        for view in beacon.views:
            row = self._views.get(view.id)
            if row is not None and (row[APP] != beacon.app or row[SESSION] != beacon.session):
                return Unstorable(f"view {view.id} belongs to another session; each page view needs an id of its own")
        return None

    def _add(self, arrival: Arrival, view: View, page: str, received: float) -> list[ViewChange]:
        beacon = arrival.beacon
        row = self._views.get(view.id)
        # A report is about a page, but not a view of it.
        new = row is None and view.type != "report"
        values: list[ChangedValue]
        failed_before = row is not None and has_failed(row)
        if row is None:
            row = self._views[view.id] = new_view(self._link, self._directory, arrival, view, page, received, self._next_view)
            self._next_view += 1
            values = [] if view.hidden or row[TOTAL] is None else [(0, None, row[TOTAL])]
            newer = True
        else:
            newer = beacon.sent_at >= row[TOLD_AT]
            before = row[TOTAL]
            extend_view(row, beacon, view, newer)
            values = [] if row[HIDDEN] or row[TOTAL] == before else [(0, before, row[TOTAL])]
        number: int = row[NUMBER]
        self._changed[number] = row
        if view.vitals:
            values += self._vitals.add(number, view, newer, row[HIDDEN])
        acted = self._add_interactions(row, view) if view.interactions or view.interaction_counts else 0
        self._add_requests(row, view)
        errors = 0
        if view.errors:
            errors = self._errors.add(self._link, beacon.app, beacon.release, number, row[STARTED_AT], view.errors)
        row[ERRORS] += errors
        failed = int(has_failed(row) and not failed_before and row[TYPE] != "report")
        signs = count_frustration(view)
        left = self._follow(arrival, row, view) if new else []
        began = self._sessions.add(arrival, row, new, received, acted, errors, len(view.requests), sum(signs) + len(left))
        return [
            ViewChange(
                row[SERIES], _minute(row[STARTED_AT]), number, int(new), began, failed, errors, acted, len(view.requests), values,
                signs,
            ),
            *left,
        ]  # fmt: skip

    def _follow(self, arrival: Arrival, row: list[Any], view: View) -> list[ViewChange]:
        """What a new view changes in the one before it in its session: whether that was left by a quick back."""
        session = arrival.beacon.session
        # Addresses are only compared, and can be long.
        address = blake2b(row[URL].encode(), digest_size=8).hexdigest()
        now = Step(row[NUMBER], row[SERIES], row[STARTED_AT], row[PAGE], address)
        left = self._sessions.follow(session, now, came_back(view.type, view.interactions))
        if left is None:
            return []
        self.quick_backs[arrival.beacon.app, left.page, arrival.traffic] += 1
        signs = (0, 0, 0, 1)
        return [ViewChange(left.series, _minute(left.started_at), left.number, 0, 0, 0, 0, 0, 0, [], signs)]

    def _add_interactions(self, row: list[Any], view: View) -> int:
        """Returns how many there were, including those that are only counted."""
        counted = sum(count for name, count in view.interaction_counts.items() if name not in OBSERVATIONS)
        acted = max(counted, sum(act.type not in OBSERVATIONS for act in view.interactions))
        for index, act in enumerate(view.interactions, row[LISTED]):
            what = (act.role, act.name, act.test_id, act.element)
            self._interactions.append((row[NUMBER], index, act.type, act.at_seconds, *what))
        row[LISTED] += len(view.interactions)
        row[INTERACTIONS] += acted
        return acted

    def _add_requests(self, row: list[Any], view: View) -> None:
        for index, one in enumerate(view.requests, row[REQUESTS]):
            values = (one.url, one.method, one.kind, one.at_seconds, one.duration_seconds, one.status, one.failure)
            self._requests.append((row[NUMBER], index, *values))
        row[REQUESTS] += len(view.requests)

    def _write(self, rows: list[tuple[int, str, float, str]]) -> None:
        link = self._link
        link.add(_ADD_BEACONS, rows)
        known = [row for number, row in self._changed.items() if number < self._first_view]
        link.add(PUT_VIEWS, [row for number, row in self._changed.items() if number >= self._first_view], known)
        self._vitals.write(link)
        link.add(_ADD_INTERACTIONS, self._interactions)
        link.add(_ADD_REQUESTS, self._requests)
        self._errors.write(link)
        self._sessions.write(link)


def _minute(at: float) -> int:
    return int(at // 60)
