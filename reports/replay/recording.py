"""Reading recordings: the events of each tab in order, and what is missing."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select

from reports.replay.chunk import CUSTOM, META, unpack
from reports.replay.chunk_store import chunk_path
from runner.store import Store
from runner.store.tables.replays import replay_chunks


class ChunkRow(Struct, frozen=True, kw_only=True):
    """What the store knows of a chunk. Moments are seconds since the epoch."""

    id: int
    app: str
    session: str
    tab: str
    sequence: int
    first_at: float
    last_at: float
    events: int
    has_full_snapshot: bool
    bytes: int
    checksum: str
    received_at: float
    traffic: str
    release: str
    page: str


class Tab(Struct, frozen=True, kw_only=True):
    """What one tab has shown: rrweb's events, the earliest first."""

    id: str
    events: list[dict[str, Any]]


class Recording(Struct, frozen=True, kw_only=True):
    """A session. `gaps` are what is missing of it, in words."""

    app: str
    session: str
    tabs: tuple[Tab, ...]
    """In the order in which they began."""
    gaps: tuple[str, ...]


class _Events(Struct):
    events: list[dict[str, Any]]


_decoder = msgspec.json.Decoder(_Events)


def read_chunk_rows(connection: Connection, session: str) -> list[ChunkRow]:
    """The chunks of a session, in the order in which they were recorded. Raises StoreDown."""
    table = replay_chunks.c
    wanted = select(replay_chunks).where(table.session == session).order_by(table.tab, table.sequence)
    return [ChunkRow(**row) for row in connection.execute(wanted).mappings()]


def read_recording_starts(connection: Connection, sessions: Iterable[str]) -> dict[str, float]:
    """Those of the sessions that were recorded, with the moment at which their recording begins."""
    wanted = (
        select(replay_chunks.c.session, func.min(replay_chunks.c.first_at))
        .where(replay_chunks.c.session.in_(list(sessions)))
        .group_by(replay_chunks.c.session)
    )
    return {row[0]: row[1] for row in connection.execute(wanted)}


def list_addresses(recording: Recording) -> Iterator[str]:
    """The addresses of the pages that a recording claims."""
    for tab in recording.tabs:
        for event in tab.events:
            data = event.get("data")
            if isinstance(data, dict) and event.get("type") == META:
                yield str(data.get("href") or "")
            elif isinstance(data, dict) and event.get("type") == CUSTOM and data.get("tag") == "view":
                payload = data.get("payload")
                yield str(payload.get("url") or "") if isinstance(payload, dict) else ""


def read_recording(store: Store, folder: Path, session: str) -> Recording | None:
    """The recording of a session, None when there is none; `folder` is `runs/replays`. Raises StoreDown."""
    with store.snapshot() as connection:
        known = read_chunk_rows(connection, session)
    if not known:
        return None
    gaps: list[str] = []
    tabs: list[Tab] = []
    for id_, of_tab in group_by_tab(known).items():
        gaps += find_gaps(of_tab)
        events: list[dict[str, Any]] = []
        for row in of_tab:
            try:
                events += read_events(
                    chunk_path(folder, row.app, row.session, row.tab, row.sequence, row.checksum), row.checksum
                )
            except (OSError, ValueError) as error:
                gaps.append(f"part {row.sequence} of tab {id_} cannot be read: {error}")
        tabs.append(Tab(id=id_, events=sorted(events, key=lambda event: event["timestamp"])))
    return Recording(app=known[0].app, session=session, tabs=tuple(tabs), gaps=tuple(gaps))


def group_by_tab(known: Sequence[ChunkRow]) -> dict[str, list[ChunkRow]]:
    """The chunks of each tab, in order; the tab that began first comes first."""
    tabs: dict[str, list[ChunkRow]] = {}
    for row in known:
        tabs.setdefault(row.tab, []).append(row)
    return dict(sorted(tabs.items(), key=lambda item: item[1][0].first_at))


def find_gaps(of_tab: Sequence[ChunkRow]) -> list[str]:
    """Which chunks of a tab are missing, in words."""
    gaps: list[str] = []
    expected = 0
    for row in of_tab:
        if row.sequence > expected:
            parts = f"part {expected}" if row.sequence == expected + 1 else f"parts {expected} to {row.sequence - 1}"
            gaps.append(f"{parts} of tab {row.tab} did not arrive")
        expected = row.sequence + 1
    return gaps


def read_events(file: Path, checksum: str = "") -> list[dict[str, Any]]:
    """The events of a chunk's file. Raises OSError, and ValueError for one that has changed since it was received, or is invalid."""
    packed = file.read_bytes()
    if checksum and sha256(packed).hexdigest() != checksum:
        raise ValueError("its file has changed")
    try:
        return _decoder.decode(unpack(packed)).events
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a chunk: {error}") from error
