"""Web vitals of page views: of two values under one id, the later beacon's is kept."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import msgspec

from reports.collector.beacon import View
from reports.collector.storage.rollup_delta import METRIC_NUMBERS
from runner.store.bulk_insert import Insert, Link
from runner.store.tables.page_views import vitals

MOST = 100
"""The maximum of values per view, whatever their ids."""
_UNSEEN_WHEN_HIDDEN = frozenset(("fcp", "lcp"))
_EMPTY = "CAST(excluded.attribution AS TEXT) = '{}'"
_PUT_VITALS = Insert(
    vitals,
    replaced=("value",),
    computed={"attribution": f"CASE WHEN {_EMPTY} THEN vitals.attribution ELSE excluded.attribution END"},
)
Key = tuple[int, str, str]
"""The view's number, the vital's name and id."""
ChangedValue = tuple[int, float | None, float]
"""A metric's number, the value that is counted in the roll-ups, and the one that is to be."""


class VitalRows:
    """The vitals of a batch."""

    def __init__(self) -> None:
        self._known: dict[Key, float] = {}
        self._count: Counter[int] = Counter()
        self._rows: dict[Key, tuple[Any, ...]] = {}

    def read(self, link: Link, views: Collection[int]) -> None:
        """Reads what is known of these views, by their numbers."""
        for view, name, id_, value in link.among("SELECT view, name, id, value FROM vitals WHERE view", views):
            self._known[view, name, id_] = value
            self._count[view] += 1

    def add(self, number: int, view: View, newer: bool, hidden: bool) -> list[ChangedValue]:
        """Adds the vitals that a beacon reports for a view; `newer` says that it was sent after all known ones. Returns the changed values."""
        changed: list[ChangedValue] = []
        for one in view.vitals:
            key = (number, one.name, one.id)
            row = self._rows.get(key)
            before = row[3] if row else self._known.get(key)
            if before is not None and not newer:
                continue
            if before is None:
                if self._count[number] >= MOST:
                    continue
                self._count[number] += 1
            attribution = msgspec.json.encode(one.attribution).decode() if one.attribution else row[4] if row else "{}"
            self._rows[key] = (number, one.name, one.id, one.value, attribution)
            if before != one.value and not (hidden and one.name in _UNSEEN_WHEN_HIDDEN):
                changed.append((METRIC_NUMBERS[one.name], before, one.value))
        return changed

    def write(self, link: Link) -> None:
        """Writes all rows."""
        known = [row for key, row in self._rows.items() if key in self._known]
        link.add(_PUT_VITALS, [row for key, row in self._rows.items() if key not in self._known], known)
