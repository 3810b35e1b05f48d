"""What page views and errors are grouped by: the series that a view belongs to, the reason that an error has.

Both come from untrusted senders, who could send a new page or message with every beacon. So each app has a limit per day; what exceeds
it is grouped as `__other__` in the roll-ups, while the rows keep what was sent.
"""

import re
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from reports.collector.beacon import ScriptError
from reports.collector.labels import OTHER
from reports.source_maps.stack import parse_stack
from runner.store.bulk_insert import Link

SERIES = 2_000
"""The most series that an app has on one day."""
REASONS = 1_000
"""The most new reasons that an app gets on one day: one for each error, release, and place that browsers name differently."""
FRAMES = 4
"""Frames of a stack that keep reasons apart."""
DAY = 86_400
_VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+", re.IGNORECASE)

_FIND = (
    "SELECT id FROM series WHERE app = ? AND page = ? AND traffic = ? AND environment = ? AND release = ? AND device = ? "
    "AND browser = ?"
)
_ADD = (
    "INSERT INTO series (app, page, traffic, environment, release, device, browser, seen_at, first_at, id, whole) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_NEXT = (
    "SELECT coalesce(max(last), 0) + 1 "
    "FROM (SELECT max(id) AS last FROM series UNION ALL SELECT value FROM marks WHERE name = 'series') AS given"
)
_SERIES_OF = "SELECT count(*) FROM series WHERE app = ? AND seen_at >= ?"
_REASONS_OF = "SELECT count(*) FROM reasons WHERE app = ? AND first_at >= ?"
ALL_PAGES = ""
"""The page of a series of all pages."""


class Labels(NamedTuple):
    """What roll-ups can be filtered and broken down by."""

    app: str
    page: str
    traffic: str
    environment: str
    release: str
    device: str
    browser: str


class Directory:
    """Knows the series and reasons of today; one writer's own. Changes are made good by `settle` or taken back by `undo`."""

    def __init__(self) -> None:
        self._day = self._moment = 0
        self._series: dict[Labels, int] = {}
        self._reasons: dict[str, str] = {}
        self._series_of: Counter[str] = Counter()
        self._reasons_of: Counter[str] = Counter()
        self._unsettled = False

    def begin(self, link: Link, moment: float) -> None:
        """Turns to the day of a moment; what an earlier process has used up of it is read from the store."""
        self._moment = int(moment)
        day = self._moment // DAY * DAY
        if day == self._day:
            return
        self._series.clear()
        self._reasons.clear()
        self._series_of = Counter(dict(link.select("SELECT app, count(*) FROM series WHERE seen_at >= ? GROUP BY app", day)))
        self._reasons_of = Counter(dict(link.select("SELECT app, count(*) FROM reasons WHERE first_at >= ? GROUP BY app", day)))
        self._day = day

    def settle(self) -> None:
        """What was learned has been committed."""
        self._unsettled = False

    def undo(self) -> None:
        """What was learned may be wrong: all is read again when it is needed."""
        if self._unsettled:
            self._day = 0
            self._unsettled = False

    def series(self, link: Link, labels: Labels) -> int:
        """The number of the series with these labels, made if there is none."""
        known = self._series.get(labels)
        if known is not None:
            return known
        self._unsettled = True
        found = link.select(_FIND + " AND seen_at >= ?", *labels, self._day)
        if not found:
            page = labels.page and OTHER
            rest = labels._replace(page=page, environment=OTHER, release=OTHER, browser=OTHER)
            self._series_of[labels.app] = self._count(link, _SERIES_OF, labels.app, self._series_of[labels.app], SERIES)
            if self._series_of[labels.app] >= SERIES and labels != rest:
                # Not remembered under its own labels: there is no end of those.
                return self.series(link, rest)
            self._series_of[labels.app] += 1
            whole = None if labels.page == ALL_PAGES else self.series(link, labels._replace(page=ALL_PAGES))
            found = link.select(_FIND, *labels)
            if found:
                link.execute("UPDATE series SET seen_at = ? WHERE id = ?", self._day, found[0][0])
            else:
                ((new,),) = found = link.select(_NEXT)
                link.execute(_ADD, *labels, self._day, self._moment, new, new if whole is None else whole)
        number: int = found[0][0]
        self._series[labels] = number
        return number

    def _count(self, link: Link, query: str, app: str, own: int, most: int) -> int:
        """How many there are of today; other collectors may have made some since, so that is asked again while there is room for more."""
        if own >= most or link.sqlite:
            return own
        ((count,),) = link.select(query, app, self._day)
        return max(own, int(count))

    def reason(self, link: Link, app: str, release: str, error: ScriptError) -> str:
        """The id of the reason of an error."""
        identity = reason_id(app, release, error)
        known = self._reasons.get(identity)
        if known is not None:
            return known
        self._unsettled = True
        if not link.select("SELECT 1 FROM reasons WHERE id = ?", identity):
            self._reasons_of[app] = self._count(link, _REASONS_OF, app, self._reasons_of[app], REASONS)
            if self._reasons_of[app] >= REASONS:
                return other_reason(app)
            self._reasons_of[app] += 1
        self._reasons[identity] = identity
        return identity


@lru_cache(maxsize=1_000)
def browser_family(browser: str) -> str:
    """A browser without its version.

    >>> browser_family("Mobile Safari 26"), browser_family("Firefox")
    ('Mobile Safari', 'Firefox')
    """
    name, _, version = browser.rpartition(" ")
    return name if name and version[:1].isdecimal() else browser


def generalize_message(message: str) -> str:
    """A message without what differs from one time to the next.

    >>> generalize_message("order 4711 of 1f0c9ab2-6d1e-4f7a-9c55-0123456789ab is not there")
    'order # of # is not there'
    """
    return _VARYING.sub("#", message[:500])


def reason_id(app: str, release: str, error: ScriptError) -> str:
    """The same for errors of a release that came from the same places and differ only in numbers and ids of the message."""
    frames = parse_stack(error.stack)[:FRAMES]
    # Errors without a stack have their place only.
    places = [f"{one.script}:{one.line}:{one.column}" for one in frames] or [
        f"{error.line}:{error.column}" if error.line else ""
    ]
    return _digest(group_by_message(app, error), release, *places)


def group_by_message(app: str, error: ScriptError) -> str:
    """The group of an error that no source map explains: the same for all that differ only in numbers and ids of the message, and in
    where of the source they came from."""
    return _digest(
        app, error.kind, error.type, generalize_message(error.message), generalize_message(error.source.partition("?")[0])
    )


def other_reason(app: str) -> str:
    """The id for everything beyond the limit."""
    return _digest(app, OTHER)


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
