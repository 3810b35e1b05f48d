"""A failure at one place is walked once more, at another one, before it alerts: it may be a matter of that place."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from runner.archive.archive import Saved
from runner.archive.run_id import run_id
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.store import Store, StoreDown
from runner.store.scheduling.locations import read_locations
from runner.store.scheduling.requested_runs import NewRequest, RunRequest, WantedRun, confirmation_id

POLL = 1.0
"""Seconds between two looks for the runs that confirm."""
log = logging.getLogger("journey.alerts")

Outcome = Literal["confirmed", "refuted", "unconfirmed"]


class Confirmation(Struct, frozen=True, kw_only=True):
    """What a second run has said about a failure."""

    outcome: Outcome
    location: str = ""
    run: str = ""
    why: str = ""
    """Why nothing is known, for one that is unconfirmed."""

    def describe(self) -> str:
        """In a line of a message."""
        if self.outcome == "unconfirmed":
            return f"not confirmed: {self.why}"
        return f"{self.outcome} by run {self.run} at {self.location}"


def read_outcome(request: RunRequest, now: datetime) -> Confirmation | None:
    """What has become of a request; None while it is open."""
    (run,) = request.runs
    if run.state == "done" and run.status in {"passed", "failed"}:
        outcome: Outcome = "refuted" if run.status == "passed" else "confirmed"
        return Confirmation(outcome=outcome, location=run.location, run=run.id)
    if run.state == "done":
        why = f"the run at {run.location} ended with {run.status}, so it says nothing about the site"
    elif request.ended:
        why = run.detail or f"the run at {run.location} was not made"
    elif now > request.deadline:
        why = f"{run.location} has not answered in time"
    else:
        return None
    return Confirmation(outcome="unconfirmed", location=run.location, why=why)


class Confirmations:
    """Asks for runs that confirm failures, and calls `settle` with what each has said, in a thread of its own.

    `places` gives the places of a journey.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        places: Callable[[str], tuple[str, ...]],
        settle: Callable[[Saved, Confirmation], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._places = places
        self._settle = settle
        self._pending: dict[str, Saved] = {}
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="confirm", daemon=True)

    def wanted(self, result: RunResult) -> bool:
        """Whether failures of the journey are confirmed: elsewhere only if it has another place."""
        confirm = self._settings.confirm
        return confirm == "same" or (confirm == "elsewhere" and bool(set(self._places(result.journey)) - {result.location}))

    @property
    def waiting(self) -> int:
        """How many failures are not settled yet."""
        return len(self._pending)

    def ask(self, saved: Saved) -> None:
        """Asks for a run, unless it was asked for already, and waits for its result. Raises StoreDown."""
        result, now = saved.result, datetime.now(UTC)
        known = self._store.requested_runs.read(confirmation_id(result.id))
        if known is None and (place := self._choose(result, now)):
            self._store.requested_runs.add(
                NewRequest(
                    id=confirmation_id(result.id),
                    who="",
                    reason="confirm",
                    runs=(WantedRun(run_id(), result.journey, place),),
                    deadline=now + timedelta(seconds=self._settings.confirm_within),
                    release=result.release,
                    about_run=result.id,
                ),
                now,
            )
            log.info("%s failed; it is run at %s too", result.journey, place, extra={"journey": result.journey})
        self._pending[result.id] = saved
        if not self._thread.is_alive() and not self._stopping:
            self._thread.start()
        self._changed.set()

    def outcome(self, run: str, now: datetime) -> Confirmation | None:
        """What is known about a failed run; None while a second run is under way. Raises StoreDown."""
        request = self._store.requested_runs.read(confirmation_id(run))
        if request is None:
            return Confirmation(outcome="unconfirmed", why="no other location answers")
        return read_outcome(request, now)

    def check(self) -> None:
        """Settles what can be settled. Raises StoreDown."""
        for run, saved in list(self._pending.items()):
            found = self.outcome(run, datetime.now(UTC))
            if found is not None:
                self._settle(saved, found)
                self._pending.pop(run, None)

    def stop(self, timeout: float) -> None:
        """Ends the thread; what is pending is asked about again at the next start."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _choose(self, result: RunResult, now: datetime) -> str:
        """The next place in the journey's list that is up; empty when there is none."""
        if self._settings.confirm == "same":
            return result.location
        with self._store.snapshot() as connection:
            up = {one.location for one in read_locations(connection, now) if one.up}
        places = self._places(result.journey)
        at = places.index(result.location) + 1 if result.location in places else 0
        return next((one for one in (*places[at:], *places[:at]) if one in up and one != result.location), "")

    def _work(self) -> None:
        while not self._stopping:
            self._changed.wait(POLL if self._pending else None)
            self._changed.clear()
            try:
                self.check()
            except StoreDown as error:
                log.warning("%s", error)
            if self._pending and not self._stopping:
                self._changed.wait(POLL)
