"""Adds what beacons have changed to the roll-ups: each beacon exactly once, whenever the process is killed.

The mark `rolled` says up to which beacon; it moves in the transaction that adds. A vital that is reported again moves
from its bucket to another, so the roll-ups always match the rows up to the mark.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from reports.collector.storage.rollup_delta import ViewChange, decode
from runner.store.bulk_insert import Insert, Link
from runner.store.tables.histogram import EDGES, bucket
from runner.store.tables.page_views import BUCKETS, METRICS, SIGN_COLUMNS, STEPS, Metric, histograms, marks, tallies

AT_ONCE = 4_000
"""Beacons in one transaction: beacons that arrive meanwhile wait for it."""
COUNT, SUM, WORST, VIEW, FIRST = 0, 1, 2, 3, 4
COUNTED = ("views", "sessions", "failed", "errors", "interactions", "requests", *SIGN_COLUMNS)

_PUT_HISTOGRAMS = Insert(
    histograms,
    added=("count", "sum", *BUCKETS),
    computed={
        "worst": "CASE WHEN excluded.worst > histograms.worst THEN excluded.worst ELSE histograms.worst END",
        "view": "CASE WHEN excluded.worst > histograms.worst THEN excluded.view ELSE histograms.view END",
    },
)
_PUT_TALLIES = Insert(tallies, added=COUNTED)

Key = tuple[int, int]
"""A time and a series."""


def roll_up(link: Link, turn: threading.Lock, minutes_from: float) -> int:
    """Adds the next beacons to the roll-ups; returns how many. `turn` is held while it writes; older minutes are left out."""
    with link.reading():
        ((rolled,),) = link.select("SELECT value FROM marks WHERE name = 'rolled'")
        rows = link.select("SELECT number, changes FROM beacons WHERE number > ? ORDER BY number LIMIT ?", rolled, AT_ONCE)
    if not rows:
        return 0
    sums = Sums()
    for _, changes in rows:
        for one in decode(changes):
            sums.add(one)
    with link.reading():
        sums.add_wholes(dict(map(tuple, link.among("SELECT id, whole FROM series WHERE id", sums.series))))
    with turn, link.transaction():
        # Another process may have been faster; then all of this is repeated from the new mark.
        if link.execute("UPDATE marks SET value = ? WHERE name = 'rolled' AND value = ?", rows[-1][0], rolled):
            sums.write(link, minutes_from)
    return len(rows)


def read_rolled_mark(connection: Connection) -> int:
    """The last beacon that is in the roll-ups; 0 while there is none. One look-up by key."""
    return connection.execute(select(marks.c.value).where(marks.c.name == "rolled")).scalar() or 0


class Sums:
    """What some changes add up to."""

    def __init__(self) -> None:
        self._tallies: dict[Key, list[int]] = {}
        self._histograms: dict[Metric, dict[Key, list[Any]]] = {metric: {} for metric in METRICS}

    def add(self, one: ViewChange) -> None:
        """Counts one change in its minute."""
        key = (one.minute * 60, one.series)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = [0] * len(COUNTED)
        amounts = (one.new, one.session, one.failed, one.errors, one.interactions, one.requests, *one.signs)
        for place, amount in enumerate(amounts):
            tally[place] += amount
        for number, before, value in one.values:
            metric = METRICS[number]
            cells = self._histograms[metric]
            cell: list[Any] | None = cells.get(key)
            if cell is None:
                cell = cells[key] = [0, 0.0, value, one.view, *[0] * len(BUCKETS)]
            if before is None:
                cell[COUNT] += 1
                cell[SUM] += value
            else:
                cell[SUM] += value - before
                cell[FIRST + bucket(metric, before)] -= 1
            cell[FIRST + bucket(metric, value)] += 1
            if value > cell[WORST]:
                cell[WORST], cell[VIEW] = value, one.view

    @property
    def series(self) -> set[int]:
        """Of which there is something."""
        return {series for _, series in self._tallies} | {series for cells in self._histograms.values() for _, series in cells}

    def add_wholes(self, wholes: Mapping[int, int]) -> None:
        """Counts all of it once more, in the series of all pages that each series is a part of.

        What belongs to a series that was removed is left out: a view may be kept for longer than the roll-ups, and be reported again.
        """
        self._tallies = {key: one for key, one in self._tallies.items() if key[1] in wholes}
        self._histograms = {
            metric: {key: one for key, one in cells.items() if key[1] in wholes} for metric, cells in self._histograms.items()
        }

        def whole(key: Key) -> Key:
            return key[0], wholes[key[1]]

        self._tallies |= _merged(self._tallies, whole, _add_tally)
        for metric, cells in self._histograms.items():
            self._histograms[metric] = cells | _merged(cells, whole, _add_cell)

    def write(self, link: Link, minutes_from: float) -> None:
        """Adds the sums of minutes, hours and days to what is stored."""
        for step in STEPS:
            if step > STEPS[0]:
                coarser = partial(_begin, step)
                self._tallies = _merged(self._tallies, coarser, _add_tally)
                self._histograms = {metric: _merged(cells, coarser, _add_cell) for metric, cells in self._histograms.items()}
            earliest = minutes_from if step == STEPS[0] else 0.0
            link.insert(_PUT_TALLIES, [(step, *key, *one) for key, one in sorted(self._tallies.items()) if key[0] >= earliest])
            for metric, cells in self._histograms.items():
                rows = [(metric, step, *key, *cell) for key, cell in sorted(cells.items()) if key[0] >= earliest]
                link.insert(_PUT_HISTOGRAMS, rows)


def _begin(step: int, key: Key) -> Key:
    """Of the longer step that a time lies in."""
    return key[0] // step * step, key[1]


def _merged(cells: dict[Key, list[Any]], key_of: Callable[[Key], Key], add: Callable[[Any, Any], None]) -> dict[Key, list[Any]]:
    """The cells under other keys; those that come under the same are added up."""
    sums: dict[Key, list[Any]] = {}
    for former, one in cells.items():
        key = key_of(former)
        known = sums.get(key)
        if known is None:
            sums[key] = list(one)
        else:
            add(known, one)
    return sums


def _add_tally(known: list[int], one: list[int]) -> None:
    for place, value in enumerate(one):
        known[place] += value


def _add_cell(known: list[Any], one: list[Any]) -> None:
    known[COUNT] += one[COUNT]
    known[SUM] += one[SUM]
    for place in range(FIRST, len(known)):
        known[place] += one[place]
    if one[WORST] > known[WORST]:
        known[WORST], known[VIEW] = one[WORST], one[VIEW]


assert all(len(edges) + 1 == len(BUCKETS) for edges in EDGES.values())
