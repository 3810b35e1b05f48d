"""Runs that a scheduler elsewhere makes, followed over the dashboard's API until they have ended, whatever happens to connections."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec
from msgspec import Struct

from reports.remote.connection import Connection, DashboardAway, DashboardRefused
from reports.remote.event_stream import LONGEST, ServerEvent, parse_events
from runner.codec import decoder
from runner.errors import JourneyError
from runner.events import Moment, RunEnded, RunStarted, StepEnded
from runner.result import Failure, RunResult, Trigger
from runner.untrusted_text import decode_strictly

PAUSE = 1.0
"""Seconds before a lost connection is tried again."""
FIRST_PATIENCE = 5.0
"""Seconds in which a dashboard is asked again that did not answer the first time."""
PATIENCE = 120.0
"""Seconds after which a dashboard that does not answer is given up."""
_Wanted = TypeVar("_Wanted")
_moments = decoder(Moment)
_results = msgspec.json.Decoder(RunResult)


class RemoteRunsLost(JourneyError):
    """The runs can be followed no further; they may go on."""

    exit_code = 3


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked for; the names of the fields are those of the API."""

    journeys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    base_url: str | None = None
    params: dict[str, str] = {}
    release: str = ""
    reason: Trigger = "demand"


class _Asked(Struct):
    id: str
    runs: tuple["_Run", ...]


class _Run(Struct):
    id: str
    journey: str
    location: str
    state: str
    detail: str = ""
    ended_at: datetime | None = None


class _State(Struct):
    state: str


class _Cancelled(Struct):
    runs: tuple[_State, ...]


_unmade = msgspec.json.Decoder(_Run)


class RemoteRuns:
    """Asks for runs and follows them. `note` gets what happens to the connection, in words; a verdict is waited for `limit` seconds."""

    def __init__(self, connection: Connection, note: Callable[[str], object], limit: float) -> None:
        self._connection = connection
        self._note = note
        self._limit = limit
        self.request = ""
        """The id of the request that was followed last."""

    def make(self, wish: Wish, listeners: Sequence[Callable[[Moment], object]]) -> list[RunResult]:
        """Has the runs made; the listeners hear of them as of runs on this machine. The results in the order in which the runs ended.

        A run that no scheduler has made has a result with the status `error`, or `cancelled`. Raises DashboardAway, DashboardRefused,
        RemoteRunsLost.
        """
        deadline = time.monotonic() + self._limit
        asked = self._ask(wish)
        self.request = asked.id
        results: list[RunResult] = []
        shown: dict[str, set[str]] = {run.id: set() for run in asked.runs}
        for event in self._follow(asked.id, deadline):
            for moment in self._read_event(event, wish, shown):
                if isinstance(moment, RunEnded):
                    results.append(moment.result)
                for listener in listeners:
                    listener(moment)
        if not results:
            raise RemoteRunsLost(f"{self._connection.address} has sent a verdict without results; see {self.page}")
        return results

    def cancel(self) -> str:
        """Cancels what has not begun of the request that was followed last; what that means, in words. Raises as `make` does."""
        if not self.request:
            return "nothing was asked for yet"
        data = self._connection.ask("POST", f"/runs/requests/{quote(self.request)}/cancel")
        states = [run.state for run in self._convert(data, _Cancelled).runs]
        cancelled, going = states.count("cancelled"), states.count("claimed")
        words = [
            f"{cancelled} {'run' if cancelled == 1 else 'runs'} that had not begun {'was' if cancelled == 1 else 'were'} cancelled"
        ]
        if going:
            words.append(f"{going} {'goes' if going == 1 else 'go'} on: {self.page}")
        return "; ".join(words)

    @property
    def page(self) -> str:
        """The address of the page about the request that was followed last."""
        return f"{self._connection.address}/requests/{self.request}"

    def page_of_run(self, run: str) -> str:
        """The address of the page of a run."""
        return f"{self._connection.address}/runs/{run}"

    def _ask(self, wish: Wish) -> _Asked:
        """Sends the request, again if need be: the key makes it one."""
        body = {name: value for name, value in msgspec.to_builtins(wish).items() if value}
        key = {"Idempotency-Key": str(uuid4())}
        # Whoever has not been reached once may be at another address.
        given_up = time.monotonic() + (PATIENCE if self.request else FIRST_PATIENCE)
        while True:
            try:
                return self._convert(self._connection.ask("POST", "/runs", body, key), _Asked)
            except DashboardAway as error:
                if time.monotonic() >= given_up:
                    raise
                self._note(f"{error}; trying again")
                time.sleep(PAUSE)

    def _convert(self, answer: dict[str, Any], kind: type[_Wanted]) -> _Wanted:
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            raise DashboardRefused(f"{self._connection.address} answered in another form: {error}", 404) from error

    def _follow(self, request: str, deadline: float) -> Iterator[ServerEvent]:
        """All events up to the verdict."""
        last, heard, lost = "", time.monotonic(), False
        while True:
            try:
                with self._open(request, last) as stream:
                    if lost:
                        self._note("connected again")
                    lost = False
                    for event in parse_events(_lines(stream, deadline)):
                        heard, last = time.monotonic(), event.id or last
                        yield event
                        if event.kind == "verdict":
                            return
                why = "the connection was closed"
            except (OSError, HTTPException, DashboardAway) as error:
                why = str(error)
            except ValueError as error:
                raise self._lose(error) from error
            now = time.monotonic()
            if now >= deadline:
                raise RemoteRunsLost(f"no verdict within {self._limit:g} s (--remote-timeout); see {self.page}")
            if now - heard >= PATIENCE and lost:
                raise RemoteRunsLost(f"{why}; given up after {PATIENCE:g} s; the runs may go on, see {self.page}")
            if not lost:
                self._note(f"{why}; going on from where it was")
                lost = True
            time.sleep(PAUSE)

    def _open(self, request: str, last: str) -> HTTPResponse:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        return self._connection.open("GET", f"/runs/requests/{quote(request)}/events", None, headers)

    def _read_event(self, event: ServerEvent, wish: Wish, shown: dict[str, set[str]]) -> list[Moment]:
        """The moments of an event. Raises RemoteRunsLost for what cannot be read."""
        try:
            return list(self._read(event, wish, shown))
        except msgspec.DecodeError as error:
            raise self._lose(error) from error

    def _lose(self, error: Exception) -> RemoteRunsLost:
        return RemoteRunsLost(
            f"{self._connection.address} has sent an event that cannot be read: {error}; "
            f"is journey-runner of the same version there? The runs may go on, see {self.page}"
        )

    def _read(self, event: ServerEvent, wish: Wish, shown: dict[str, set[str]]) -> Iterator[Moment]:
        """The moments of an event."""
        if event.kind == "moment":
            moment: Moment = decode_strictly(event.data, _moments)
            if isinstance(moment, StepEnded):
                shown.setdefault(moment.run, set()).add(f"{moment.attempt} {moment.step.name}")
            yield moment
        elif event.kind == "result":
            result = decode_strictly(event.data, _results)
            seen = shown.setdefault(result.id, set())
            if not seen:
                yield RunStarted(run=result.id, journey=result.journey)
            # A scheduler's events may be lost, its results are not.
            for step in result.steps:
                if step.status != "skipped" and f"{result.attempts} {step.name}" not in seen:
                    yield StepEnded(run=result.id, journey=result.journey, attempt=result.attempts, step=step)
            yield RunEnded(result=result)
        elif event.kind == "run":
            run = decode_strictly(event.data, _unmade)
            yield RunEnded(result=_not_made(run, wish))


def _lines(stream: HTTPResponse, deadline: float) -> Iterator[bytes]:
    while time.monotonic() < deadline:
        line = stream.readline(LONGEST)
        if not line:
            return
        yield line


def _not_made(run: _Run, wish: Wish) -> RunResult:
    """The result of a run that no scheduler has made."""
    at = run.ended_at or datetime.now(UTC)
    message = f"the run was {run.state}: {run.detail}" if run.state != run.detail else f"the run was {run.state}"
    values: dict[str, Any] = {
        "id": run.id,
        "journey": run.journey,
        "status": "cancelled" if run.state == "cancelled" else "error",
        "started_at": at,
        "ended_at": at,
        "duration_seconds": 0.0,
        "location": run.location,
        "failure": Failure(kind="monitor", message=message),
        "release": wish.release,
        "trigger": wish.reason,
    }
    return RunResult(**values)
