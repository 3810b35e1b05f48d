"""When each journey is due next, read from the journeys' files in a thread: a page never waits for it, and never fails because of it."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from msgspec import Struct
from sqlalchemy import Connection

from runner.dsl.journey import Kind
from runner.dsl.slots.schedule import Schedule
from runner.errors import JourneyError
from runner.scheduler.loader import LoadRequest, load_in_subprocess
from runner.scheduler.watcher import fingerprint
from runner.store.scheduling.schedulers import is_any_scheduler_alive

PERIOD = 10.0
"""Seconds between two checks of the files."""
FIRST_READ = 20.0
"""Seconds that a request for runs waits at most for the first reading of the files."""
log = logging.getLogger("journey.serve")


class JourneyFacts(Struct, frozen=True, kw_only=True):
    """What a journey's file says about it."""

    file: str
    line: int
    owner: str
    runbook: str
    kind: Kind = "journey"
    tags: tuple[str, ...] = ()


class NextRuns:
    """The schedules of the requested journeys, read at the start and when a file changes."""

    def __init__(
        self, request: LoadRequest, period: float = PERIOD, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._request = request
        self._period = period
        self._now = now
        self._schedules: Mapping[str, Schedule] = {}
        self.declared: frozenset[str] | None = None
        """The names of all journeys in the files; None while that is not known: before they were read, and if one is broken."""
        self.facts: Mapping[str, JourneyFacts] = {}
        """Of each journey in the files, by its name."""
        self._read_once = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="upcoming", daemon=True)

    def __call__(self, connection: Connection) -> Mapping[str, datetime]:
        """The next slot of each scheduled journey; empty until the files have been read, and while no scheduler is running."""
        now = self._now()
        if not self._schedules or not is_any_scheduler_alive(connection, now):
            return {}
        return {name: one.after(name, now) for name, one in self._schedules.items()}

    def wait(self) -> None:
        """Returns when the files have been read once, which takes a second or two from the start, or after FIRST_READ seconds."""
        self._read_once.wait(FIRST_READ)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._read_once.set()

    def _work(self) -> None:
        seen: object = None
        while not self._stopped.is_set():
            found = fingerprint(self._request)
            if found != seen:
                seen = found
                self._read()
                self._read_once.set()
            self._stopped.wait(self._period)

    def _read(self) -> None:
        try:
            planning = load_in_subprocess(self._request)
        except (JourneyError, OSError) as error:
            log.warning("cannot determine the next runs: %s", error)
            self._schedules, self.declared, self.facts = {}, None, {}
            return
        for problem in planning.problems:
            log.info("no next runs are shown for %s: %s", problem.file, problem.message)
        self._schedules = {one.plan.journey: one.schedule for one in planning.planned if one.schedule is not None}
        self.facts = {
            one.plan.journey: JourneyFacts(
                file=str(one.plan.file),
                line=one.plan.line,
                owner=one.plan.owner,
                runbook=one.plan.runbook,
                kind=one.plan.kind,
                tags=one.plan.tags,
            )
            for one in planning.planned
        }
        names = frozenset(one.plan.journey for one in planning.planned)
        # A server in a folder without journeys shows those of others.
        self.declared = names if names and not planning.problems else None
