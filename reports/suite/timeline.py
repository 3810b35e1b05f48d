"""When each worker ran what: a row for each, with a bar for each attempt."""

from collections.abc import Sequence
from datetime import datetime
from heapq import heappop, heappush

from msgspec import Struct

from reports.suite.entries import Entry, EntryAttempt

WIDTH = 1000.0
"""Of the axis, in units of the drawing."""
ROW = 22.0
SPARSE = 0.02
"""A span of which so little was spent in runs is not drawn: they were not run together."""


class Bar(Struct, frozen=True):
    """An attempt."""

    x: float
    width: float
    status: str
    title: str


class Lane(Struct, frozen=True):
    """A worker."""

    name: str
    y: float
    bars: tuple[Bar, ...]
    attempts: int
    busy_seconds: float


class Timeline(Struct, frozen=True):
    """All workers over one axis."""

    lanes: tuple[Lane, ...]
    seconds: float
    height: float
    label: str


def draw_timeline(entries: Sequence[Entry]) -> Timeline | None:
    """The timeline; None for less than two attempts, and for runs that lie far apart."""
    ran = [(one, attempt) for one in entries for attempt in one.attempts if attempt.seconds > 0]
    if len(ran) < 2:
        return None
    start = min(attempt.started_at for _, attempt in ran)
    seconds = (max(attempt.ended_at for _, attempt in ran) - start).total_seconds()
    busy = sum(attempt.seconds for _, attempt in ran)
    if seconds <= 0 or busy < SPARSE * seconds:
        return None
    rows = _assign(sorted(ran, key=lambda pair: pair[1].started_at))
    lanes = tuple(_make_lane(name, rows[name], index, start, seconds) for index, name in enumerate(sorted(rows, key=_order)))
    words = "; ".join(f"{one.name}: {one.attempts} in {one.busy_seconds:.1f} s" for one in lanes)
    return Timeline(lanes, seconds, ROW * len(lanes) + 18, f"{seconds:.1f} s in all; {words}")


def _order(name: str) -> tuple[str, int, str]:
    """`gw10` after `gw2`."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0), name


def _assign(ran: Sequence[tuple[Entry, EntryAttempt]]) -> dict[str, list[tuple[Entry, EntryAttempt]]]:
    """By worker; where it is not known, each goes into the first row that is free."""
    rows: dict[str, list[tuple[Entry, EntryAttempt]]] = {}
    free: list[int] = []
    running: list[tuple[datetime, int]] = []
    count = 0
    for entry, attempt in ran:
        name = attempt.worker
        if not name:
            while running and running[0][0] <= attempt.started_at:
                heappush(free, heappop(running)[1])
            if not free:
                count += 1
                heappush(free, count)
            row = heappop(free)
            heappush(running, (attempt.ended_at, row))
            name = f"worker {row}"
        rows.setdefault(name, []).append((entry, attempt))
    return rows


def _make_lane(name: str, ran: Sequence[tuple[Entry, EntryAttempt]], index: int, start: datetime, seconds: float) -> Lane:
    scale = WIDTH / seconds
    bars = tuple(
        Bar(
            round((attempt.started_at - start).total_seconds() * scale, 1),
            round(max(attempt.seconds * scale, 0.6), 1),
            attempt.status,
            f"{entry.name}: {attempt.label}, {attempt.seconds:.2f} s",
        )
        for entry, attempt in ran
    )
    return Lane(name, ROW * index, bars, len(bars), sum(attempt.seconds for _, attempt in ran))
