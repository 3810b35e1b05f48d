"""Each page of the dashboard and each answer of the API is made of one read: one transaction, one state of the database."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zipfile import ZipFile

import pytest
from msgspec.structs import replace
from sqlalchemy import event, text
from starlette.routing import Route

from reports.collector.storage.series import group_by_message
from reports.replay.chunk_store import FOLDER, ChunkStore
from reports.web import api
from reports.web.routes import page_routes
from reports.web.site import Site
from runner.result import Artifact
from runner.store import Store
from runner.store.queries.runs import History
from tests.reports.collector.arrivals import error
from tests.reports.replay.synthetic import long_session
from tests.reports.web.visitors import EVIL_ID, NOW, fill, runs, seen, visits
from tests.support.requested_runs import ask
from tests.support.services.dashboard import Visited, made
from tests.support.services.databases import BOTH

PART = re.compile(r"\{(\w+)(?::\w+)?\}")
READS_NOTHING = {"/metrics-chart", "/api/v1", "/api/v1/openapi.json"}
STREAMS = {"/events", "/requests/{request}/changes", "/api/v1/runs/requests/{request}/events"}
EACH_FIGURE_ASKS = "SELECT min(at) FROM tallies WHERE step ="
"""One row of an index: since when there are sums by the minute, by which each figure chooses what it is added up of."""
MORE = [
    "/journeys/buy?range=30d&release=1.1&with_release=1.0",
    "/journeys/buy?range=1h&with=before",
    "/users?page=/pay&range=6h",
    "/users/journeys?page=/pay",
    "/sessions?errors=yes&page=/pay",
    "/journeys/nobody",
    "/runs/nothing",
]
"""Addresses of some pages read more than the plain one, and some are of nothing."""


@dataclass
class Filled:
    """A dashboard with something on each page, and what was asked of its database."""

    served: Visited
    parts: dict[str, str]
    """What stands in an address for each part that varies."""
    begun: list[None]
    """An entry for each transaction since this list was cleared."""

    def look(self, path: str) -> int:
        """Asks for a page; the status of the answer."""
        self.begun.clear()
        return self.served.get(path).status


@pytest.fixture(scope="module", params=BOTH)
def filled(request: pytest.FixtureRequest, lasting: Callable[[str], Callable[..., Visited]]) -> Iterator[Filled]:
    database = {"JOURNEY_DATABASE": request.getfixturevalue("postgres_copy")()} if request.param == "postgres" else {}
    served = lasting(f"read-{request.param}")(database)
    for number in range(6):
        served.store.add(made(ago=60.0 + 600 * number, release=f"1.{number % 2}", status="failed" if number == 2 else "passed"))
    result = saved(served)
    session = long_session(ChunkStore(served.store, served.archive.folder / FOLDER), 1, 20)
    fill(served.store, [*visits(), seen("/pay", NOW - 600, 1.0, session=session)], runs())
    with served.store.connected() as connection:
        chunk = connection.execute(text("SELECT min(id) FROM replay_chunks")).scalar_one()
        trace = connection.execute(text("SELECT min(id) FROM artifacts WHERE kind = 'trace'")).scalar_one()
    begun: list[None] = []

    def note(_: Any) -> None:
        begun.append(None)

    event.listen(served.store.engine, "begin", note)
    parts = {"journey": "buy", "run": result, "view": EVIL_ID, "session": session, "number": f"{trace}", "frame": "0"}
    parts["request"] = ask(served.store, "buy").id
    parts["error"] = group_by_message("shop", error("the card is refused"))
    yield Filled(served, parts | {"chunk": f"{chunk}"}, begun)
    event.remove(served.store.engine, "begin", note)


def saved(served: Visited) -> str:
    """A run with its files; its id."""
    kinds = {"trace": "trace.zip", "replay": "replay.json.gz", "console": "console.jsonl"}
    result = replace(made(), artifacts=tuple(Artifact(kind=kind, path=path, bytes=1) for kind, path in kinds.items()))
    folder = served.archive.scratch(result.id)
    with ZipFile(folder / "trace.zip", "w") as trace:
        trace.writestr("screencast/1.jpeg", b"\xff\xd8\xff\xe0")
    (folder / "replay.json.gz").write_bytes(gzip.compress(json.dumps({"events": [{"timestamp": 1.0}]}).encode()))
    (folder / "console.jsonl").write_text('{"text": "hello"}\n')
    served.store.add(result, served.archive.save(result, folder))
    return result.id


def addresses(filled: Filled) -> Iterator[tuple[str, str]]:
    """Every address that is looked at, as the routes have it and with its parts filled in."""
    site = Site(store=filled.served.store, archive=filled.served.archive)
    for one in [*page_routes(site), *api.api_routes(site)]:
        if isinstance(one, Route) and "GET" in (one.methods or ()) and one.path not in STREAMS:
            parts = filled.parts | ({"number": filled.parts["chunk"]} if one.path.startswith("/replays/") else {})
            yield one.path, PART.sub(lambda found, parts=parts: parts[found[1]], one.path)  # type: ignore[misc]


@pytest.mark.long
def test_every_page_is_one_transaction(filled: Filled) -> None:
    found: dict[str, int] = {}
    for path, address in addresses(filled):
        status = filled.look(address)
        assert status == (404 if path == "/sessions/{session}/journey.py" else 200), address
        found[path] = len(filled.begun)
    assert found == {path: int(path not in READS_NOTHING) for path in found}
    assert len(found) >= 35


@pytest.mark.thorough
@pytest.mark.long
@pytest.mark.parametrize("address", MORE)
def test_a_page_that_is_asked_for_more_is_one_transaction(filled: Filled, address: str) -> None:
    filled.look(address)
    assert len(filled.begun) == 1


@pytest.mark.thorough
@pytest.mark.long
def test_no_page_asks_the_same_question_twice(filled: Filled) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith(EACH_FIGURE_ASKS):
            asked.append((statement, repr(parameters)))

    event.listen(filled.served.store.engine, "before_cursor_execute", note)
    twice: dict[str, list[str]] = {}
    for _, address in addresses(filled):
        asked.clear()
        filled.look(address)
        if again := [statement for (statement, _), count in Counter(asked).items() if count > 1]:
            twice[address] = again
    event.remove(filled.served.store.engine, "before_cursor_execute", note)
    assert twice == {}


@pytest.mark.thorough
def test_those_who_follow_are_told_from_one_read(filled: Filled) -> None:
    from reports.web.pages.events import ChangeFeed

    filled.begun.clear()
    marks = ChangeFeed(filled.served.store)._look()
    assert set(marks) == {"runs", "views"}
    assert len(filled.begun) == 1


@pytest.mark.long
def test_a_snapshot_does_not_see_what_is_stored_meanwhile(filled: Filled) -> None:
    store: Store = filled.served.store
    with store.snapshot() as connection:
        before = History(connection).mark()
        store.add(made(journey="newcomer"))
        assert not History(connection).knows("newcomer")
        assert History(connection).mark() == before
    with store.snapshot() as connection:
        assert History(connection).knows("newcomer")
