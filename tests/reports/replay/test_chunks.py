"""Chunks as the collector takes them, and what becomes of them."""

import gzip
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from reports.replay.chunk import LARGEST
from reports.replay.chunk_store import BLOCK, ORPHANED, ROW, ChunkStore
from reports.replay.recording import read_chunk_rows, read_events, read_recording
from runner.store.tables.replays import session_events
from tests.support.asking import ask
from tests.support.services.collector import CONFIGURATION, Served
from tests.support.services.collector import served as served
from tests.support.thorough import thorough_but

SESSION = "0190a1b2-0000-7000-8000-000000000001"
TAB = "0190a1b2-0000-7000-8000-000000000002"


@pytest.fixture
def collector(served: Callable[..., Served], chunk_store: ChunkStore) -> Served:
    return served(CONFIGURATION, chunk_store=chunk_store)


def chunk(sequence: int = 0, full: bool = True, **fields: Any) -> dict[str, Any]:
    now = time.time() * 1000
    events = [{"type": 4, "timestamp": now, "data": {"href": "https://shop.example/item/sencha", "width": 800, "height": 600}}]
    if full:
        events.append({"type": 2, "timestamp": now + 1, "data": {"node": {"type": 0, "childNodes": [], "id": 1}}})
    ids = {"session": SESSION, "tab": TAB, "sequence": sequence}
    return {"version": 1, "app": "shop", "key": "", **ids, "first": full, "events": events, **fields}


def full_snapshot() -> dict[str, Any]:
    return {"type": 2, "timestamp": time.time() * 1000, "data": {"node": {"type": 0, "childNodes": [], "id": 1}}}


def packed(content: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(content).encode())


def test_a_chunk_is_kept_byte_by_byte(collector: Served, chunk_store: ChunkStore) -> None:
    body = packed(chunk())
    assert collector.post(body, "/v1/replay").status == 202
    (row,) = ask(chunk_store.store, read_chunk_rows, SESSION)
    (file,) = (chunk_store.folder / "shop" / SESSION).glob("*.json.gz")
    assert file.read_bytes() == body
    assert (row.bytes, row.events, row.has_full_snapshot, row.page, row.traffic) == (len(body), 2, True, "/item/:slug", "real")
    assert collector.metric("replay_chunks_total", app="shop", outcome="accepted") == 1


def test_one_that_comes_again_is_acknowledged_and_counts_once(collector: Served, chunk_store: ChunkStore) -> None:
    sent = packed(chunk())
    assert [collector.post(sent, "/v1/replay").status for _ in range(3)] == [202, 202, 202]
    assert len(ask(chunk_store.store, read_chunk_rows, SESSION)) == 1
    assert collector.metric("replay_chunks_total", outcome="duplicate") == 2


def test_the_last_chunk_of_a_page_comes_unpacked(collector: Served, chunk_store: ChunkStore) -> None:
    content = chunk()
    assert collector.post(content, "/v1/replay").status == 202
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert recording.tabs[0].events == content["events"]


def test_what_is_missing_is_told(collector: Served, chunk_store: ChunkStore) -> None:
    for sequence in (0, 3, 4, 6):
        collector.post(packed(chunk(sequence)), "/v1/replay")
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert recording.gaps == (f"parts 1 to 2 of tab {TAB} did not arrive", f"part 5 of tab {TAB} did not arrive")


def test_a_file_that_was_changed_is_not_read(collector: Served, chunk_store: ChunkStore) -> None:
    collector.post(packed(chunk()), "/v1/replay")
    (file,) = chunk_store.folder.rglob("*.json.gz")
    file.write_bytes(packed(chunk(7)))
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert recording.gaps == (f"part 0 of tab {TAB} cannot be read: its file has changed",)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"session": "../../../../etc/passwd"}, 422, "session"),
        ({"tab": "x/../y"}, 422, "tab"),
        ({"sequence": -1}, 422, "sequence"),
        ({"events": []}, 422, "events"),
        ({"version": 2}, 422, "version"),
        ({"app": "other"}, 404, "no app"),
        ({"app": "../shop"}, 404, "no app"),
        ({"app": "blog"}, 403, "accepts nothing from"),
        ({"events": [{"type": 9, "timestamp": 1}]}, 422, "events"),
        ({"events": [{"type": 3, "timestamp": 9e13}]}, 422, "future"),
    ],
)
def test_what_is_no_chunk_is_refused(
    collector: Served, chunk_store: ChunkStore, fields: dict[str, Any], status: int, said: str
) -> None:
    answer = collector.post(packed(chunk(**fields)), "/v1/replay")
    assert answer.status == status
    assert said in json.dumps(answer.json())
    assert list(chunk_store.folder.rglob("*.gz")) == []


def test_a_body_that_is_too_large_is_refused(collector: Served) -> None:
    assert collector.post(os.urandom(1_100_000), "/v1/replay").status == 413
    bomb = gzip.compress(b"[" * 9_000_000)
    assert collector.post(bomb, "/v1/replay").json()["error"] == "the body has more than 8388608 bytes once it is inflated"
    large = chunk(events=[*chunk()["events"], {"type": 5, "timestamp": time.time() * 1000, "data": {"tag": "x" * 3_000_000}}])
    assert collector.post(packed(large), "/v1/replay").status == 202


def test_recordings_go_when_they_are_too_old_or_too_much(collector: Served, chunk_store: ChunkStore) -> None:
    sessions = [str(uuid4()) for _ in range(4)]
    for session in sessions:
        for sequence in (0, 1):
            collector.post(packed(chunk(sequence, session=session)), "/v1/replay")
    size = 4 * (2 * (BLOCK + ROW) + BLOCK)
    assert sum(file.stat().st_size for file in chunk_store.folder.rglob("*.gz")) < size // 4, (
        "what counts is what the disk gives"
    )
    now = time.time()
    assert chunk_store.prune(60.0, size, now) == 0
    assert chunk_store.prune(60.0, int(size * 0.6), now) == 2
    assert [bool(ask(chunk_store.store, read_chunk_rows, session)) for session in sessions] == [False, False, True, True]
    assert len(list(chunk_store.folder.rglob("*.gz"))) == 4
    assert chunk_store.prune(60.0, size, now + 120) == 2
    assert list(chunk_store.folder.rglob("*.gz")) == []


def test_a_file_without_a_row_is_swept(collector: Served, chunk_store: ChunkStore, tmp_path: Path) -> None:
    collector.post(packed(chunk()), "/v1/replay")
    orphan = chunk_store.folder / "shop" / SESSION / f"{TAB}-9.json.gz"
    alone = chunk_store.folder / "shop" / str(uuid4()) / orphan.name
    alone.parent.mkdir()
    for file in (orphan, alone):
        file.write_bytes(b"x")
    (chunk_store.folder / ".incoming" / "half").write_bytes(b"x")
    elsewhere = tmp_path / "elsewhere.json.gz"
    elsewhere.write_bytes(b"x")
    assert chunk_store.sweep(time.time()) == 0
    assert chunk_store.sweep(time.time() + ORPHANED + 1) == 3
    assert not orphan.exists()
    assert not alone.parent.exists()
    assert elsewhere.exists()
    assert read_recording(chunk_store.store, chunk_store.folder, SESSION)


def test_without_apps_a_name_that_is_not_valid_is_refused_at_every_address(
    served: Callable[..., Served], chunk_store: ChunkStore
) -> None:
    collector = served("", chunk_store=chunk_store)
    for name, quoted in (("../../x", "../../x"), ("..", ".."), ("a\nb", "a%0Ab"), ("\x1b[31m", "%1b[31m")):
        answers = [collector.post(packed(chunk(app=name)), "/v1/replay", origin="http://localhost")]
        for address, body in (
            ("log-page-load", {"load_time": 1}),
            ("log-session-event", {"type": "x"}),
            ("reports", [{"type": "crash"}]),
        ):
            answers.append(collector.post(body, f"/{address}?app={quoted}", origin="http://localhost"))
        assert [(answer.status, answer.json()["field"]) for answer in answers] == [(422, "app")] * 4
    assert list(chunk_store.folder.rglob("*.gz")) == []
    for name in ("shop", "a.b-c_9"):
        sent = collector.post({"load_time": 1}, f"/log-page-load?app={name}", origin="http://localhost")
        assert sent.status == 200


def test_a_page_may_tell_single_events(collector: Served, chunk_store: ChunkStore) -> None:
    told = {"type": "click", "target": "#buy for ann@shop.example", "timestamp": "2026-11-24T10:00:00Z", "session": SESSION}
    assert collector.post(told, "/log-session-event?app=shop").status == 200
    assert collector.post({"type": "click"}, "/log-session-event?app=shop").status == 200
    for wrong, field in (
        ({"type": ""}, "type"),
        ({"type": "x", "timestamp": "noon"}, "timestamp"),
        ({"type": "x", "timestamp": "0001-01-01T00:00:00"}, "timestamp"),
        ({"type": "x", "timestamp": "9999-12-31T23:59:59-23:59"}, "timestamp"),
        ({"type": "x", "session": "a/b"}, "session"),
    ):
        answer = collector.post(wrong, "/log-session-event?app=shop")
        assert (answer.status, answer.json()["field"]) == (422, field)
    with chunk_store.store.connected() as connection:
        first, second = connection.execute(select(session_events).order_by(session_events.c.id)).mappings().all()
    assert (first["session"], first["type"], first["target"], first["at"]) == (
        SESSION,
        "click",
        "#buy for •••",
        1_795_514_400.0,
    )
    assert second["session"] != SESSION


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/admin",
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https:\\\\evil.example/",
        " https://evil.example/",
        "https://shop.example:8443/",
        "http://shop.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "https://[::1",
    ],
)
@pytest.mark.parametrize("place", thorough_but(1, ["meta", "view"]))
def test_a_recording_that_claims_a_page_of_another_site_is_refused(
    collector: Served, chunk_store: ChunkStore, address: str, place: str
) -> None:
    sent = chunk()
    event = {"type": 4, "timestamp": time.time() * 1000, "data": {"href": address}}
    if place == "view":
        event |= {"type": 5, "data": {"tag": "view", "payload": {"id": "x", "url": address}}}
    answer = collector.post(packed({**sent, "events": [*sent["events"], event]}), "/v1/replay")
    assert (answer.status, answer.json()["field"]) == (422, "events")
    assert "is not at an origin of app 'shop'" in answer.json()["error"]
    assert not ask(chunk_store.store, read_chunk_rows, SESSION)


def test_pages_of_every_origin_of_the_app_are_taken_and_those_of_no_origin(collector: Served) -> None:
    addresses = ["https://SHOP.example:443/x", "https://www.shop.example/", "about:blank", "", "blob:https://shop.example/1"]
    for number, address in enumerate(addresses):
        event = {"type": 4, "timestamp": time.time() * 1000, "data": {"href": address}}
        assert collector.post(packed(chunk(number, events=[event])), "/v1/replay").status == 202, address


def test_a_chunk_is_never_lost_to_another_of_the_same_number(collector: Served, chunk_store: ChunkStore) -> None:
    first, second = packed(chunk(release="one")), packed(chunk(release="two"))
    assert collector.post(first, "/v1/replay").status == 202
    answer = collector.post(second, "/v1/replay")
    assert (answer.status, answer.json()["field"]) == (409, "sequence")
    assert (
        collector.post(
            packed(chunk(app="blog", key="blog-key-1", events=[full_snapshot()])), "/v1/replay", "https://blog.example"
        ).status
        == 409
    )
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert (recording.app, recording.gaps) == ("shop", ())


def test_the_same_chunk_packed_in_another_way_is_the_same(collector: Served, chunk_store: ChunkStore) -> None:
    sent = json.dumps(chunk()).encode()
    bodies = (gzip.compress(sent, 1), sent, gzip.compress(sent, 9), gzip.compress(sent, 1))
    assert [collector.post(body, "/v1/replay").status for body in bodies] == [202] * 4
    (file,) = (chunk_store.folder / "shop" / SESSION).glob("*.json.gz")
    assert file.read_bytes() == bodies[0]


def test_of_many_that_are_sent_at_once_the_acknowledged_one_is_kept(collector: Served, chunk_store: ChunkStore) -> None:
    sent = [packed(chunk(release=f"r{number}")) for number in range(12)]
    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(lambda body: collector.post(body, "/v1/replay").status, sent))
    assert sorted(statuses) == [202] + [409] * 11
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert recording.gaps == ()
    (file,) = (chunk_store.folder / "shop" / SESSION).glob("*.json.gz")
    assert file.read_bytes() == sent[statuses.index(202)]


def test_a_recording_of_before_is_read_and_kept(collector: Served, chunk_store: ChunkStore) -> None:
    collector.post(packed(chunk()), "/v1/replay")
    (file,) = (chunk_store.folder / "shop" / SESSION).glob("*.json.gz")
    old = file.rename(file.with_name(f"{TAB}-0.json.gz"))
    os.utime(old, (0, 0))
    recording = read_recording(chunk_store.store, chunk_store.folder, SESSION)
    assert recording is not None
    assert recording.gaps == ()
    assert chunk_store.sweep(time.time() + 2 * ORPHANED) == 0
    assert old.exists()


def test_an_id_with_a_line_break_and_a_number_that_is_none_are_refused(collector: Served) -> None:
    for name in ("session", "tab"):
        answer = collector.post(packed({**chunk(), name: f"{SESSION}\n"}), "/v1/replay")
        assert (answer.status, answer.json()["field"]) == (422, name)
    text = json.dumps(chunk()).replace('"width": 800', '"width": 1e999')
    assert collector.post(text.encode(), "/v1/replay").status in {400, 422}


@pytest.mark.long
def test_a_file_with_something_behind_its_end_is_not_unpacked(collector: Served, chunk_store: ChunkStore) -> None:
    body = packed(chunk())
    assert collector.post(body + gzip.compress(b" " * 5_000_000), "/v1/replay").status == 400
    assert collector.post(body, "/v1/replay").status == 202
    (file,) = (chunk_store.folder / "shop" / SESSION).glob("*.json.gz")
    for stored in (body + gzip.compress(b" " * 5_000_000), gzip.compress(b" " * (LARGEST + 1)), body[:-9], b"no gzip"):
        # As an earlier version may have stored it.
        file.write_bytes(stored)
        with pytest.raises(ValueError, match="not a chunk: "):
            read_events(file)
        assert collector.post(packed(chunk(release="2")), "/v1/replay").status == 409, "the number is taken"
    file.write_bytes(body)
    assert len(read_events(file)) == 2
