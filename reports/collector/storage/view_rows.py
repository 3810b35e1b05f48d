"""A page view as a row of its table: created by its first beacon, extended by later ones."""

from typing import Any

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import Beacon, View
from reports.collector.storage.series import DAY, Directory, Labels, browser_family
from runner.store.bulk_insert import Insert, Link
from runner.store.tables.page_views import page_views
from runner.store.tables.runs import PHASES

SKEW = 60.0
"""Seconds by which a browser's clock may be ahead of ours; a clock that is off by more only says how long ago something was."""

SERVER_ERROR = 500
"""Statuses from this one on are errors of the site (RFC 9110, section 15.6)."""

_at = {column.name: position for position, column in enumerate(page_views.columns)}
NUMBER, ID, APP, SESSION, PAGE, URL, STARTED_AT, TOLD_AT = (
    _at[name] for name in ("number", "id", "app", "session", "page", "url", "started_at", "told_at")
)
TYPE, HIDDEN, ENDED, VISIBLE, SERIES = (_at[name] for name in ("type", "hidden", "ended", "visible_seconds", "series"))
INTERACTIONS, ERRORS, REQUESTS, LISTED = (_at[name] for name in ("interactions", "errors", "requests", "listed_interactions"))
TOTAL, STATUS = _at["total"], _at["status"]
PHASE_AT = {phase: _at[phase] for phase in PHASES}
FILLED = tuple((name, _at[name]) for name in ("title", "referrer", "status", "protocol", "transfer_bytes"))
"""Columns that take a later value that is not empty."""
MUTABLE = (
    "title", "referrer", "told_at", "ended", "visible_seconds", *PHASES, "status", "protocol", "transfer_bytes", "interactions", "errors",
    "requests", "listed_interactions",
)  # fmt: skip
PUT_VIEWS = Insert(page_views, replaced=MUTABLE)


def read_views(link: Link, ids: set[str], days: str) -> dict[str, list[Any]]:
    """The rows of the views that are stored, by id; `days` is the condition of the days that they may be of (`in_days`)."""
    names = ", ".join(f'"{column.name}"' for column in page_views.columns)
    return {row[ID]: list(row) for row in link.among(f"SELECT {names} FROM page_views WHERE {days}id", ids)}


def earliest_start(beacon: Beacon, received: float) -> float:
    """A moment before which no view of a beacon began: by the time that the page says, and by how long ago that was by its own clock."""
    began = min(view.started_at for view in beacon.views)
    return min(began, received - max(beacon.sent_at - began, 0.0), received) - DAY


def new_view(
    link: Link, directory: Directory, arrival: Arrival, view: View, page: str, received: float, number: int
) -> list[Any]:
    """The row of a new view; `number` is its key."""
    beacon = arrival.beacon
    labels = Labels(
        beacon.app, page, arrival.traffic, beacon.environment[:60], beacon.release[:60], arrival.device,
        browser_family(arrival.browser[:60]),
    )  # fmt: skip
    phase = view.phases.get
    synthetic = beacon.synthetic
    return [
        number, view.id, beacon.app, beacon.session, page, view.url, view.title, view.referrer, view.type,
        started_at(beacon.sent_at, view.started_at, received), received, beacon.sent_at, beacon.release, beacon.environment,
        arrival.traffic, arrival.browser[:200], arrival.system[:200], arrival.device, view.hidden, view.ended,
        view.visible_seconds, *[phase(name) for name in PHASES], view.status, view.protocol, view.transfer_bytes,
        beacon.connection, *(beacon.viewport or (None, None)),
        *((synthetic.journey, synthetic.run, synthetic.step, synthetic.location) if synthetic else (None, None, None, None)),
        directory.series(link, labels), 0, 0, 0, 0, view.trace or None,
    ]  # fmt: skip


def extend_view(row: list[Any], beacon: Beacon, view: View, newer: bool) -> None:
    """Adds what a further beacon reports about a view; `newer` says that it was sent after all known ones."""
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


def has_failed(row: list[Any]) -> bool:
    """Whether a view met an error: of the page's scripts, or the server answered with a 5xx.

    A 4xx does not count: the address may be wrong.
    """
    return bool(row[ERRORS] or row[STATUS] >= SERVER_ERROR)


def started_at(sent_at: float, at: float, received: float) -> float:
    """When a view started, by our clock: the browser's time if plausible, else as long before now as it was before the beacon.

    A beacon may be a day late, as an unsent one waits for the next page.

    >>> started_at(1000.0, 990.0, 1001.0), started_at(5_000_000.0, 4_999_990.0, 1001.0)
    (990.0, 991.0)
    """
    if received - DAY <= at <= received + SKEW:
        return min(at, received)
    return received - min(max(sent_at - at, 0.0), DAY)
