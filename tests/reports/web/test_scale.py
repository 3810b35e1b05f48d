"""A store that has grown: no page asks for more of it than what it shows; and the benchmark's runs are what the store would make."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Table, event, select

from benchmarks import runs as bulk
from benchmarks.dashboard import pages
from reports.web.api.registry import ENDPOINTS
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.funnels import Funnel
from runner.settings.sections.objectives import Objective
from runner.store import Store, rollups
from runner.store import database as store_module
from runner.store.rollups import run_days, run_hours, step_days, step_hours
from runner.store.scheduling.requested_runs import NewRequest, WantedRun
from runner.store.tables.runs import runs
from tests.reports.web.visitors import fill, visits
from tests.support.services.dashboard import Visited
from tests.support.thorough import thorough_but

BOUNDS = {
    "runs": {"id", "started_at"}, "steps": {"run_id"}, "navigations": {"step_id"}, "artifacts": {"run_id", "rowid"},
    "attempts": {"run_id"}, "run_hours": {"hour"}, "run_days": {"day"}, "step_hours": {"hour"}, "step_days": {"day"},
    "slots": {"slot_at"}, "alerts": {"closed_at"}, "messages": {"alert_id"}, "sign_ins": {"id"},
    "page_views": {"rowid", "id", "started_at", "session", "run"}, "vitals": {"view"}, "interactions": {"view"},
    "page_errors": {"view", "at"}, "slow_requests": {"view"}, "sessions": {"id", "started_at"}, "tallies": {"at"},
    "histograms": {"at"}, "reasons": {"id", "last_at", "error_group"}, "reason_tallies": {"reason", "at"}, "beacons": {"number"},
    "replay_chunks": {"session", "received_at", "rowid"}, "session_events": {"session"},
    "incidents": {"started_at"}, "incident_updates": {"incident_id"},
    "run_requests": {"id", "made_at"}, "requested_runs": {"id", "request_id", "state"}, "run_events": {"run_id"},
}  # fmt: skip
"""The tables that grow with every run or page view, and the columns of which one has to bound what is read of them."""
SMALL = {"journeys", "series", "pauses", "schedulers", "locations", "marks", "groups", "mutes", "error_states", "source_maps"}
"""Have a row for each journey, combination of labels, pause …, however many runs and page views there were."""
OBJECTIVES = (
    Objective(name="all", journeys=(bulk.JOURNEYS[0],), target=0.9, window=7 * 86_400),
    Objective(name="fast", journeys=(bulk.JOURNEYS[0],), target=0.9, window=7 * 86_400, step=bulk.STEPS[0], under=0.3),
)
FUNNELS = (Funnel(name="checkout", app="shop", steps=("/", "/item/:id")),)
STATUS_PAGE = StatusPage(journeys=dict.fromkeys(bulk.JOURNEYS[:2], "Shop"))
STATUS = "/status/"
"""Is served beside the dashboard; its questions are those of the incidents' page."""
SMALLEST = re.compile(r"^SELECT min\((at|page_views\.number|page_views\.app)\)")
"""Read one row at the end of an index (https://sqlite.org/optoverview.html#the_min_max_optimization)."""


def unbounded(connection: Any, statement: str, parameters: Any) -> list[str]:
    """The lines of a statement's plan that read more of a table that grows than a key or a span of time says."""
    found = []
    words = " ".join(statement.split())
    lines = [line for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    ordered = " LIMIT " in words and not any("TEMP B-TREE FOR ORDER BY" in line for line in lines)
    names = {alias: name for name, alias in re.findall(r"\b(\w+) AS (\w+)", statement) if name in BOUNDS.keys() | SMALL}
    for line in lines:
        how = re.match(r"(SCAN|SEARCH) (\w+)", line)
        table = names.get(how[2], how[2]) if how else None
        if table not in BOUNDS:
            # Sorting, or what another line has made.
            assert table is None or table in SMALL or not table.islower() or table.startswith(("anon_", "subquery")), line
            continue
        used = set(re.findall(r"(\w+)[=<>]", line.partition("(")[2]))
        # Along an index, in its order, as far as LIMIT says: no row is read that is not wanted, and at most equals are sorted.
        wanted = set(re.findall(r"\w+\.(\w+) (?:[=<>]|IS|IN|LIKE)", words.partition(" WHERE ")[2]))
        if not used & BOUNDS[table] and not (ordered and wanted <= used) and not SMALLEST.match(words):
            found.append(f"{line}: {statement}")
    return found


@pytest.fixture(scope="module")
def grown(lasting: Callable[[str], Callable[..., Visited]]) -> Visited:
    """A dashboard on two days of runs, and a day of page views."""
    served = lasting("grown")(objectives=OBJECTIVES, status_page=STATUS_PAGE, funnels=FUNNELS)
    fill(served.store, visits(), [])
    bulk.fill(served.archive.folder / "journeys.db", 3_000, time.time() - 60)
    return served


@pytest.fixture
def asked(grown: Visited) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that the dashboard sends to its store."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement != "BEGIN":
            sent.append((statement, parameters))

    event.listen(grown.store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(grown.store.engine, "before_cursor_execute", note)


def a_run(store: Store, status: str) -> str:
    with store.connected() as connection:
        wanted = select(runs.c.id).where(runs.c.status == status).limit(1)
        return str(connection.execute(wanted).scalar_one())


@pytest.mark.thorough
def test_no_page_reads_a_whole_table(grown: Visited, asked: list[tuple[str, Any]]) -> None:
    failed = a_run(grown.store, "failed")
    journey = f"/journeys/{bulk.JOURNEYS[0]}"
    paths = [
        *(path for path in pages(grown.store, failed).values() if path != STATUS),
        "/?range=1h", "/?location=oslo", f"{journey}?location=oslo", f"{journey}?range=6h",
        f"/runs?journey={bulk.JOURNEYS[0]}&range=30d", f"/runs?journey={bulk.JOURNEYS[0]}&status=failed&location=oslo",
        "/runs?status=cancelled&range=90d", f"/runs?before={failed}",
        "/runs?release=1.1&range=90d", f"/runs?release=1.1&journey={bulk.JOURNEYS[0]}&status=failed",
        "/users?page=/item/:id&device=mobile", "/users?range=1h",
        "/objectives", "/locations", "/incidents", "/recordings", "/recordings?page=/item/:id&errors=yes", "/recordings?release=1", "/coverage",
        f"{journey}?with=before", "/sessions?page=/item/:id", "/sessions?longer=1m&errors=yes",
    ]  # fmt: skip
    asked.clear()
    connection = sqlite3.connect(grown.archive.folder / "journeys.db")
    for path in paths:
        assert grown.get(path).status == 200, path
        assert [one for statement in asked for one in unbounded(connection, *statement)] == [], path
        assert asked or path == "/metrics-chart"
        asked.clear()
    connection.close()


@pytest.mark.thorough
@pytest.mark.long
def test_nothing_of_the_api_reads_a_whole_table(grown: Visited, asked: list[tuple[str, Any]]) -> None:
    with grown.store.connected() as database:
        newest = "SELECT id, session FROM page_views ORDER BY number DESC LIMIT 1"
        view, session = database.exec_driver_sql(newest).one()
        error = database.exec_driver_sql("SELECT error_group FROM reasons LIMIT 1").scalar_one()
    run = a_run(grown.store, "failed")
    now = datetime.now(UTC)
    wanted = (WantedRun("asked-for", bulk.JOURNEYS[0], "oslo"),)
    request = NewRequest(id="a-request", who="ada", reason="demand", runs=wanted, deadline=now)
    grown.store.requested_runs.add(request, now)
    there = {"journey": bulk.JOURNEYS[0], "run": run, "view": view, "session": session, "error": error, "request": request.id}
    asked.clear()
    connection = sqlite3.connect(grown.archive.folder / "journeys.db")
    for endpoint in ENDPOINTS:
        path = f"/api/v1{endpoint.path.format(**there)}"
        assert grown.get(path, accept="application/json").status == 200, path
        assert asked
        assert [one for statement in asked for one in unbounded(connection, *statement)] == [], path
        asked.clear()
    connection.close()


@pytest.mark.long
@pytest.mark.parametrize(
    "statement",
    thorough_but(
        1,
        [
            "SELECT count(*) FROM runs",
            "SELECT max(last_success_at) FROM runs WHERE journey = 'walk_00' AND location = 'oslo'",
            "SELECT * FROM slots WHERE state = 'missed'",
            "SELECT * FROM runs WHERE runs.journey = 'walk_00' AND runs.flaky = 1 ORDER BY runs.started_at LIMIT 1",
            "SELECT * FROM runs WHERE runs.journey = 'walk_00' ORDER BY runs.duration_seconds LIMIT 1",
            "SELECT * FROM page_views WHERE app = 'shop' AND page = '/'",
            "SELECT sum(views) FROM tallies WHERE step = 3600",
        ],
    ),
)
def test_a_question_that_reads_what_it_does_not_show_would_be_noticed(grown: Visited, statement: str) -> None:
    connection = sqlite3.connect(grown.archive.folder / "journeys.db")
    assert len(unbounded(connection, statement, ())) == 1
    connection.close()


def sums(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All roll-ups of runs, in order."""

    def rows(table: Table) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]

    return {table.name: rows(table) for table in (run_hours, run_days, step_hours, step_days, rollups.journeys)}


def near(one: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> bool:
    """Whether two lists of rows are the same, but for what is lost when many numbers are added up in another order."""
    return [{**row, "seconds": 0} for row in one] == [{**row, "seconds": 0} for row in other] and [
        row.get("seconds") for row in one
    ] == pytest.approx([row.get("seconds") for row in other])


@pytest.mark.long
def test_runs_written_in_bulk_are_summed_up_as_the_store_does(tmp_path: Path) -> None:
    file = tmp_path / "journeys.db"
    with Store(f"sqlite:///{file}") as store:
        bulk.fill(file, 2_000, time.time())
        with store.connected() as connection:
            before = sums(connection)
            config = Config()
            config.set_main_option("script_location", str(Path(store_module.__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            # The migrations sum up what they find.
            command.downgrade(config, "0003")
            command.upgrade(config, "head")
            after = sums(connection)
    assert set(before) == set(after)
    for name, rows in before.items():
        assert len(rows) >= 40, name
        assert near(rows, after[name]), name
    assert sum(row["passed"] for row in before["run_days"]) > 1_900
