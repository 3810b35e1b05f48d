"""Recordings in either database: what is stored is found, once, and goes again."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select

from reports.collector.beacon import Synthetic
from reports.collector.storage.group_commit import Writer
from reports.replay.chunk import decode
from reports.replay.chunk_store import BLOCK, EVENT_OVERHEAD, FOLDER, ORPHANED, ROW, ChunkContext, ChunkStore
from reports.replay.recording import read_chunk_rows, read_recording, read_recording_starts
from reports.users.coverage import read_coverage
from reports.web.query.time_range import BadRequest, fixed_time_range
from reports.web.view_models.real_users.recordings import RecordingFilter, read_choices, read_recordings
from reports.web.view_models.replay import read_session_replay
from runner.result import Artifact, RunResult
from runner.store import Store
from runner.store.tables.replays import session_events
from tests.reports.collector.arrivals import arrival, click, error, view
from tests.reports.replay.test_chunks import chunk, packed
from tests.support.asking import ask
from tests.support.services.collector import CONFIGURATION, Served
from tests.support.services.collector import served as served
from tests.support.services.dashboard import made

NOW = datetime.now(UTC)
SPAN = fixed_time_range(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
Send = Callable[..., str]


@pytest.fixture
def chunk_store(url: str, tmp_path: Path) -> Any:
    with Store(url) as store:
        yield ChunkStore(store, tmp_path / "runs" / FOLDER)


@pytest.fixture
def send(served: Callable[..., Served], chunk_store: ChunkStore) -> Send:
    """Sends a visit of so many chunks, a second each; returns its session."""
    collector = served(CONFIGURATION, chunk_store=chunk_store)

    def one(chunks: int = 1, page: str = "/item/sencha", ago: float = 60.0, **fields: Any) -> str:
        session, tab, began = str(uuid4()), str(uuid4()), time.time() - ago
        for number in range(chunks):
            at = (began + number) * 1000
            events = [
                {"type": 4, "timestamp": at, "data": {"href": f"https://shop.example{page}", "width": 8, "height": 6}},
                {"type": 2, "timestamp": at + 999, "data": {"node": {"type": 0, "childNodes": [], "id": 1}}},
            ]
            content = chunk(number, events=events, **{"session": session, "tab": tab, **fields})
            assert collector.post(packed(content), "/v1/replay").status == 202
        return session

    return one


def test_a_chunk_that_comes_many_times_at_once_is_kept_once(served: Callable[..., Served], chunk_store: ChunkStore) -> None:
    collector = served(CONFIGURATION, chunk_store=chunk_store)
    body = packed(chunk())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: collector.post(body, "/v1/replay").status, range(16)))
    assert answers == [202] * 16
    (row,) = ask(chunk_store.store, read_chunk_rows, chunk()["session"])
    assert (row.sequence, row.has_full_snapshot, row.bytes) == (0, True, len(body))
    found = read_recording(chunk_store.store, chunk_store.folder, row.session)
    assert found is not None
    assert found.gaps == ()


def test_a_recording_is_found_played_and_removed(send: Send, chunk_store: ChunkStore) -> None:
    old, new = send(3, ago=300.0), send(2)
    replay = ask(chunk_store.store, read_session_replay, old, "")
    assert replay is not None
    assert ([len(tab.parts) for tab in replay.tabs], replay.unplayable) == ([3], "")
    assert set(ask(chunk_store.store, read_recording_starts, [old, new, "none"])) == {old, new}
    orphan = next(iter(chunk_store.folder.rglob("*.json.gz"))).with_name(f"{uuid4()}-0.json.gz")
    orphan.write_bytes(b"x")
    assert chunk_store.sweep(time.time() + ORPHANED + 1) == 1
    of_new = 2 * (BLOCK + ROW) + BLOCK
    assert chunk_store.prune(3600.0, of_new, time.time()) == 1
    assert (ask(chunk_store.store, read_chunk_rows, old), len(ask(chunk_store.store, read_chunk_rows, new))) == ([], 2)
    assert chunk_store.prune(1.0, of_new, time.time() + 60) == 1
    assert list(chunk_store.folder.rglob("*.json.gz")) == []


def test_a_chunk_that_comes_while_its_recording_is_removed_is_kept_if_it_is_acknowledged(
    chunk_store: ChunkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = str(uuid4())

    def put(number: int) -> bool:
        content = chunk(number, session=session)
        return chunk_store.put(decode(json.dumps(content).encode()), packed(content), ChunkContext("shop", 1.0, "real", "/"))

    @contextmanager
    def connected() -> Iterator[Connection]:
        monkeypatch.undo()
        with chunk_store.store.connected() as connection:
            yield connection
        assert put(1), "it comes when the rows of the recording are gone, and its files are not yet"

    assert put(0)
    monkeypatch.setattr(chunk_store.store, "connected", connected)
    chunk_store.remove("shop", session)
    (row,) = ask(chunk_store.store, read_chunk_rows, session)
    assert row.sequence == 1
    found = read_recording(chunk_store.store, chunk_store.folder, session)
    assert found is not None
    files = [file.name for file in (chunk_store.folder / "shop" / session).iterdir()]
    assert len(files) == 1, "that of the chunk that was removed is gone"
    assert f"-1-{row.checksum[:16]}" in files[0]
    chunk_store.remove("shop", session)
    assert not (chunk_store.folder / "shop" / session).exists()


def test_single_events_have_a_bound_of_their_own(send: Send, chunk_store: ChunkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.replay.chunk_store.EVENTS_AT_ONCE", 7)
    session = send(1)
    assert chunk_store.prune_events(0) == 0
    for number in range(30):
        chunk_store.note("shop", session, "x" * 200, f"{number:03}" + "y" * 197, time.time())
    size = 10 * (400 + 36 + 4 + EVENT_OVERHEAD)
    gone = []
    while some := chunk_store.prune_events(size):
        gone.append(some)
    assert (max(gone), sum(gone)) == (7, 20)
    with chunk_store.store.connected() as connection:
        left = connection.execute(select(session_events.c.target).order_by(session_events.c.id)).scalars().all()
    assert [one[:3] for one in left] == [f"{number:03}" for number in range(20, 30)]
    assert ask(chunk_store.store, read_chunk_rows, session), "recordings are not touched"


def test_an_app_may_be_called_as_a_run_is(served: Callable[..., Served], chunk_store: ChunkStore) -> None:
    name = "20260103T000000Z-shop"
    collector = served(CONFIGURATION.replace('"shop"', f'"{name}"'), chunk_store=chunk_store)
    for body in (chunk(0, app=name), chunk(1, app=name)):
        assert collector.post(packed(body), "/v1/replay").status == 202
    session = chunk()["session"]
    found = read_recording(chunk_store.store, chunk_store.folder, session)
    assert found is not None
    assert (found.app, len(found.tabs[0].events), found.gaps) == (name, 4, ())
    assert chunk_store.sweep(time.time() + ORPHANED + 1) == 0
    assert chunk_store.prune(3600.0, 0, time.time()) == 1
    assert not (chunk_store.folder / name / session).exists()


def listed(chunk_store: ChunkStore, **wanted: Any) -> list[str]:
    return [one.id for one in ask(chunk_store.store, read_recordings, SPAN, RecordingFilter(**wanted)).recordings]


def recorded_run(status: str, ago: float) -> RunResult:
    return made(status=status, ago=ago, artifacts=(Artifact(kind="replay", path="replay.json.gz", bytes=700),))


@pytest.mark.long
def test_recordings_are_chosen_by_page_release_error_length_and_traffic(send: Send, chunk_store: ChunkStore, url: str) -> None:
    short = send(1, ago=600.0, release="1.0")
    long = send(9, ago=500.0, release="2.0", page="/cart")
    robot = send(1, ago=400.0, webdriver=True)
    chunk_store.store.add(recorded_run("passed", 300.0))
    failed = recorded_run("failed", 200.0)
    chunk_store.store.add(failed)
    chunk_store.store.add(made(ago=100.0))
    of_run = Synthetic(journey="buy", run=failed.id)
    with Writer(url) as writer:
        told = view(started_at=NOW.timestamp() - 590, errors=(error("no tea"),))
        writer.put_blocking(arrival(told, session=short, at=NOW.timestamp() - 580, page="/help"))
        writer.put_blocking(arrival(session=failed.id, at=NOW.timestamp(), page="/cart", traffic="synthetic", synthetic=of_run))
    everything = listed(chunk_store)
    assert (everything[0], everything[2:]) == (failed.id, [robot, long, short])
    assert listed(chunk_store, traffic="real") == [long, short]
    assert listed(chunk_store, traffic="bot") == [robot]
    assert len(listed(chunk_store, traffic="synthetic")) == 2
    assert listed(chunk_store, release="2.0") == [long]
    assert listed(chunk_store, longer=5.0) == [long]
    assert listed(chunk_store, failed=True) == [failed.id, short]
    assert listed(chunk_store, page="/help") == [short]
    assert listed(chunk_store, page="/cart") == [failed.id, long]
    assert listed(chunk_store, page="/cart", traffic="real") == [long]
    assert listed(chunk_store, app="shop", failed=True) == [short]
    assert listed(chunk_store, app="attic") == []
    found = {one.id: one for one in ask(chunk_store.store, read_recordings, SPAN, RecordingFilter()).recordings}
    assert (found[long].first_page, found[long].release, round(found[long].seconds)) == ("/cart", "2.0", 9)
    assert (found[short].errors, found[failed.id].errors, found[failed.id].bytes) == (1, 1, 700)
    there = ask(chunk_store.store, read_choices, SPAN)
    assert (there.apps, there.pages, there.releases) == (("shop",), ("/cart", "/item/:slug"), ("1.0", "2.0"))


def test_the_list_comes_page_by_page(send: Send, chunk_store: ChunkStore) -> None:
    sent = [send(1, ago=900.0 - 100 * number) for number in range(4)]
    runs = [recorded_run("failed", 850.0 - 100 * number) for number in range(3)]
    for one in runs:
        chunk_store.store.add(one)
    whole = [one for pair in zip(sent, [*(run.id for run in runs), None], strict=True) for one in pair if one][::-1]
    found: list[str] = []
    older: str | None = ""
    while older is not None:
        page = ask(chunk_store.store, read_recordings, SPAN, RecordingFilter(before=older), most=2)
        found += [one.id for one in page.recordings]
        older = page.older
    assert found == whole
    for wrong in ("soon", "nan/x", "1e400/x", "1e18/x"):
        with pytest.raises(BadRequest, match="use the `older` of"):
            ask(chunk_store.store, read_recordings, SPAN, RecordingFilter(before=wrong))


def test_coverage_names_a_session_that_was_recorded_before_a_newer_one(send: Send, chunk_store: ChunkStore, url: str) -> None:
    recorded = send(1)
    with Writer(url) as writer:
        for session in (recorded, str(uuid4())):
            writer.put_blocking(
                arrival(
                    view(started_at=NOW.timestamp() - 60, interactions=(click("Call us"),)),
                    session=session,
                    at=NOW.timestamp(),
                    page="/help",
                )
            )
    found = ask(chunk_store.store, read_coverage, "shop", SPAN.range)
    (page,), (action,) = found.untouched_pages, found.untouched_actions
    assert (page.session, page.recorded, page.views) == (recorded, True, 2)
    assert (action.session, action.recorded, action.name) == (recorded, True, "Call us")
