"""Runs as forty schedules make them for months, written in bulk with their steps and sums: for the benchmark of the dashboard.

A million of them are stored in two minutes, through the driver and with no care for a power cut; what is written is what
`Store.add` would have written, which tests/reports/web/test_scale.py checks.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Table

from runner.store import rollups
from runner.store.quantile_sketch import Sketch
from runner.store.rollups import run_days, run_hours, step_days, step_hours
from runner.store.tables.runs import PHASES, artifacts, attempts, navigations, runs, slots, steps

LOCATIONS = ("berlin", "oslo")
JOURNEYS = tuple(f"walk_{number:02}" for number in range(20))
EVERY = 300.0
"""Seconds between two runs of a journey at a location."""
STEPS = ("open the shop", "search for a tea", "look at it", "pay")
PATHS = ("/", "/search?q=tea", "/item/sencha", "/checkout")
SITE = "https://shop.example"
ENVIRONMENT = json.dumps({"runner": "0.1.0", "playwright": "1.65.2", "browser": "chromium 156", "base_url": SITE})
REASONS = (
    "Locator expected to be visible",
    "HTTP 503 from /checkout after 1200 ms",
    "Timeout 5000ms exceeded",
    "net::ERR_CONNECTION_RESET",
)
SKIPPED = ("skipped", None, None, None, "stopwatch", "", "", None, *[None] * 5, 0, 0, 0, 0, None, None)
"""Of a step after the one that failed."""
WEEK = 7 * 86_400
"""Seconds from one release of the site to the next."""
CHUNK = 5_000
"""Runs in one transaction."""
LAST_SUCCESS = runs.columns.keys().index("last_success_at")
Row = tuple[Any, ...]


class Made(Struct, frozen=True):
    """One run, as rows; those of steps and navigations bring their own numbers."""

    at: float
    journey: str
    location: str
    status: str
    flaky: bool
    over_budget: bool
    contended: bool
    seconds: float
    run: Row
    slot: Row
    steps: Sequence[Row]
    navigations: Sequence[Row]
    attempts: Sequence[Row]
    artifacts: Sequence[Row]
    latencies: Sequence[tuple[int, float, int]]
    """Of each step that passed: its place, seconds and bytes."""


def fill(file: Path, number: int, until: float) -> None:
    """Stores so many runs that end at a moment into an empty store of SQLite, with all sums."""
    with sqlite3.connect(file) as connection:
        for setting in ("synchronous = OFF", "cache_size = -200000", "wal_autocheckpoint = 50000"):
            connection.execute(f"PRAGMA {setting}")
        sums = _Sums(connection)
        source = made(number, until)
        while given := list(islice(source, CHUNK)):
            _put(connection, runs, (one.run for one in given))
            _put(connection, slots, (one.slot for one in given))
            # Without the phases of a call, which steps of journeys have not.
            _put(connection, steps, ((*row, None) for one in given for row in one.steps))
            _put(connection, navigations, (row for one in given for row in one.navigations))
            _put(connection, attempts, (row for one in given for row in one.attempts))
            _put(connection, artifacts, (row for one in given for row in one.artifacts))
            for one in given:
                sums.add(one)
            connection.commit()
        sums.close()
        connection.commit()
    connection.close()


def made(number: int, until: float, seed: int = 1) -> Iterator[Made]:
    """So many runs, the last of which begins just before `until`; the same for the same seed."""
    dice = random.Random(seed)
    places = [(journey, location) for journey in JOURNEYS for location in LOCATIONS]
    pace = EVERY / len(places)
    step, last = 0, dict[tuple[str, str], str | None]()
    for nth in range(number):
        at = until - (number - nth) * pace
        place = places[nth % len(places)]
        one = _run(dice, at, place, step, last.get(place))
        step += len(one.steps)
        if one.status == "passed":
            last[place] = one.run[LAST_SUCCESS]
        yield one


def _run(dice: random.Random, at: float, place: tuple[str, str], numbered: int, last_success: str | None) -> Made:
    journey, location = place
    identity, lot = _identity(dice, at), dice.random()
    status = "passed" if lot > 0.04 else "failed" if lot > 0.008 else "error" if lot > 0.002 else "cancelled"
    flaky, contended = status == "passed" and dice.random() < 0.01, dice.random() < 0.02
    stops = len(STEPS) if status == "passed" else dice.randrange(len(STEPS))
    slow = dice.lognormvariate(0, 0.2)
    reason = None if status in {"passed", "cancelled"} else dice.choice(REASONS)
    taken: list[Row] = []
    loads: list[Row] = []
    latencies = []
    over, whole = False, 0.4
    for index, name in enumerate(STEPS):
        number = numbered + index + 1
        if index > stops:
            taken.append((number, identity, 1 + flaky, index, name, *SKIPPED))
            continue
        first = round(slow * dice.lognormvariate(-3, 0.3), 4)
        latency = round(first + slow * dice.lognormvariate(-1.8, 0.4), 4)
        opened = moment(at + whole)
        whole += latency + 0.12
        passed = index < stops
        budget = 0.6 if index == 1 else None
        over = over or (passed and budget is not None and latency > budget)
        size = 40_000 + dice.randrange(200_000)
        wrong = (None, None) if passed else ("assertion" if status == "failed" else "browser", reason)
        taken.append(
            (
                number, identity, 1 + flaky, index, name, "passed" if passed else status, opened,
                latency if passed else None, round(latency + 0.11, 4), "page", "navigation", "load", budget, first,
                round(first * 1.6, 4), round(latency * 0.9, 4), 0.03 if index else None, 0.002, 14, int(not passed), size, 0, *wrong,
            )
        )  # fmt: skip
        phases = (None, 0.004, 0.021, 0.018, round(first * 0.7, 4), 0.031, round(latency * 0.6, 4), 0.012, first, latency)
        loads.append((None, number, SITE + PATHS[index], "navigate", opened, 200 if passed else 503, "h2", 0, size, *phases))
        if passed:
            latencies.append((index, latency, size))
    seconds = round(whole + (2.0 if flaky else 0.0), 4)
    began, ended = moment(at), moment(at + seconds)
    success = ended if status == "passed" else last_success
    why = (None, None, None) if reason is None else (taken[stops][-2], STEPS[stops], reason)
    run = (
        identity, journey, location, status, flaky, 1 + flaky, began, 0.02, began, ended, seconds, over, contended, 0.4, 0.01, 1,
        *why, success, None, "[]", "[]", ENVIRONMENT, f"week {int(at // WEEK)}", False, "schedule", "",
    )  # fmt: skip
    files: list[Row] = []
    if reason is not None:
        files = [
            (None, identity, kind, path, 90_000, 1, STEPS[stops])
            for kind, path in (("trace", "trace.zip"), ("screenshot", "screenshots/pay.png"))
        ]
    earlier = [(None, identity, 1, "failed", began, 2.0, "timeout", STEPS[0], REASONS[2])] if flaky else []
    slot = (journey, location, began, "done", "", identity, "scheduler", began)
    return Made(
        at, journey, location, status, flaky, over, contended, seconds, run, slot, taken, loads, earlier, files, latencies
    )


class _Sums:
    """The sums of the hour and the day that are being written; both are stored when they are over."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._spans = (_Span(3600, run_hours, step_hours), _Span(86_400, run_days, step_days))
        self._newest: dict[tuple[str, str], Made] = {}

    def add(self, one: Made) -> None:
        """Counts a run, which began no earlier than the one before."""
        self._newest[one.journey, one.location] = one
        for span in self._spans:
            span.add(self._connection, one)

    def close(self) -> None:
        """Stores what is left."""
        for span in self._spans:
            span.write(self._connection)
        newest = [(*place, one.run[0], one.run[8]) for place, one in self._newest.items()]
        _put(self._connection, rollups.journeys, newest)


class _Span:
    """Sums over so many seconds."""

    def __init__(self, seconds: int, of_runs: Table, of_steps: Table) -> None:
        self._seconds, self._of_runs, self._of_steps = seconds, of_runs, of_steps
        self._at = 0
        self._runs: dict[tuple[str, str], tuple[dict[str, int], Sketch]] = {}
        self._steps: dict[tuple[str, str, int], tuple[list[float], Sketch]] = {}

    def add(self, connection: sqlite3.Connection, one: Made) -> None:
        """Counts a run; one that lies after the span begins the next."""
        at = int(one.at // self._seconds) * self._seconds
        if at != self._at:
            self.write(connection)
            self._at = at
        place = (one.journey, one.location)
        counts, sketch = self._runs.setdefault(
            place, (dict.fromkeys((*rollups.STATUSES, "flaky", "over_budget", "contended"), 0), Sketch())
        )
        counts[one.status] += 1
        for name in ("flaky", "over_budget", "contended"):
            counts[name] += getattr(one, name)
        if one.status == "passed":
            sketch.add(one.seconds)
        for index, seconds, size in one.latencies:
            sums, latencies = self._steps.setdefault((*place, index), ([0.0, 0], Sketch()))
            sums[0] += seconds
            sums[1] += size
            latencies.add(seconds)

    def write(self, connection: sqlite3.Connection) -> None:
        """Stores the span."""
        at = moment(self._at)
        of_runs = [
            (*place, at, *counts.values(), json.dumps(sketch.written())) for place, (counts, sketch) in self._runs.items()
        ]
        of_steps = [
            (journey, location, at, STEPS[index], index, *sums, json.dumps(latencies.written()))
            for (journey, location, index), (sums, latencies) in self._steps.items()
        ]
        _put(connection, self._of_runs, of_runs)
        _put(connection, self._of_steps, of_steps)
        self._runs, self._steps = {}, {}


def moment(at: float) -> str:
    """As SQLAlchemy stores it in SQLite."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _identity(dice: random.Random, at: float) -> str:
    """A UUID of version 7, made at a moment."""
    text = f"{int(at * 1000) << 16 | 0x7000 | dice.getrandbits(12):016x}{0x8 << 60 | dice.getrandbits(60):016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _put(connection: sqlite3.Connection, table: Table, rows: Iterable[Row]) -> None:
    # What the database fills in by itself is left to it.
    columns = table.columns.keys()
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)


assert len(PHASES) == 10
