"""Storage of recordings: each chunk is a file, as received, and a row that describes it.

A file is written whole and synced before its row is: a row therefore has its file, and a file without a row was never
acknowledged. Names of files are made from checked ids alone.
"""

import logging
import re
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from msgspec import Struct
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from reports.replay.chunk import Chunk, unpack
from runner.archive.archive import RECORDINGS
from runner.errors import JourneyError
from runner.private_files import make_private_folder, sync_to_disk, write_private_file
from runner.settings.sections.apps import NAME
from runner.store import Store
from runner.store.tables.replays import replay_chunks, session_events

FOLDER = RECORDINGS
"""The folder in `runs/`."""
INCOMING = ".incoming"
ORPHANED = 3600.0
"""Seconds after which a file that has no row is taken for one that will never have any."""
AT_ONCE = 200
"""Sessions that are removed at a time."""
BLOCK = 4096
"""Bytes by which files grow on most disks, and what a session's folder takes."""
ROW = 400
"""Bytes of a chunk's row with its places in indices, as measured in SQLite."""
EVENTS_AT_ONCE = 10_000
EVENTS_SAMPLE = 1_000
"""Events in the sample that estimates the size of one."""
EVENT_OVERHEAD = 150
"""Bytes of an event's row besides its texts, with its places in indices."""
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
log = logging.getLogger("journey.collector")


class ChunkContext(Struct, frozen=True):
    """What is known of a chunk besides what is in it."""

    app: str
    received_at: float
    traffic: str
    page: str


class NumberTaken(JourneyError):
    """Another chunk of this number is stored, and stays."""


class ChunkStore:
    """The recordings in the folder `runs/replays`, and their rows in a store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder

    def put(self, chunk: Chunk, packed: bytes, kept: ChunkContext) -> bool:
        """Returns when file and row are on the disk; False when they were before.

        Raises NumberTaken when another chunk has this number, StoreDown, OSError.
        """
        checksum = sha256(packed).hexdigest()
        if self._is_stored(chunk, kept.app, packed, checksum):
            return False
        file = chunk_path(self.folder, kept.app, chunk.session, chunk.tab, chunk.sequence, checksum)
        _write(file, self.folder / INCOMING, packed)
        row = {
            **{name: getattr(chunk, name) for name in ("session", "tab", "sequence", "first_at", "last_at", "release")},
            **{name: getattr(kept, name) for name in ("app", "received_at", "traffic", "page")},
            "has_full_snapshot": chunk.has_full_snapshot,
            "events": len(chunk.events),
            "bytes": len(packed),
            "checksum": checksum,
        }
        try:
            with self.store.connected() as connection:
                connection.execute(insert(replay_chunks), [row])
        except IntegrityError:
            # A chunk of this number was sent at the same time: the same, whose file is this one, or another, which stays.
            try:
                return not self._is_stored(chunk, kept.app, packed, checksum)
            except NumberTaken:
                file.unlink(missing_ok=True)
                raise
        return True

    def _is_stored(self, chunk: Chunk, app: str, packed: bytes, checksum: str) -> bool:
        table = replay_chunks.c
        wanted = select(table.app, table.checksum).where(
            table.session == chunk.session, table.tab == chunk.tab, table.sequence == chunk.sequence
        )
        with self.store.connected() as connection:
            found = connection.execute(wanted).first()
        if found is None:
            return False
        if found.app == app and found.checksum != checksum:
            # As a page goes, it sends again, as it is, what is under way packed.
            file = chunk_path(self.folder, app, chunk.session, chunk.tab, chunk.sequence, found.checksum)
            if file.is_file() and _hold_the_same(file.read_bytes(), packed):
                return True
        elif found.app == app:
            return True
        raise NumberTaken(f"tab {chunk.tab} has another chunk {chunk.sequence}")

    def note(self, app: str, session: str, type_: str, target: str, at: float) -> None:
        """Stores one event that a page reported. Raises StoreDown."""
        row = {"app": app, "session": session, "type": type_, "target": target, "at": at, "received_at": time.time()}
        with self.store.connected() as connection:
            connection.execute(insert(session_events), [row])

    def prune(self, keep: float, size: int, now: float) -> int:
        """Removes the recordings that ended more than `keep` seconds ago, and the oldest while all take more than `size` bytes.

        Recordings go whole; returns how many. Raises StoreDown.
        """
        ended = func.max(replay_chunks.c.received_at)
        # What the disk gives them: a thousand chunks of a hundred bytes are four million bytes.
        of_one = (replay_chunks.c.bytes + (BLOCK - 1)) // BLOCK * BLOCK + ROW
        sessions = (
            select(replay_chunks.c.app, replay_chunks.c.session, ended, func.sum(of_one) + BLOCK)
            .group_by(replay_chunks.c.app, replay_chunks.c.session)
            .order_by(ended)
        )
        with self.store.connected() as connection:
            connection.execute(delete(session_events).where(session_events.c.received_at < now - keep))
            recorded = func.count(func.distinct(replay_chunks.c.session))
            taken = connection.execute(select(func.coalesce(func.sum(of_one), 0) + recorded * BLOCK)).scalar_one()
            gone = []
            for app, session, last, bytes_ in connection.execute(sessions.limit(AT_ONCE)):
                if last >= now - keep and taken <= size:
                    break
                gone.append((app, session))
                taken -= bytes_
        for app, session in gone:
            self.remove(app, session)
        return len(gone)

    def prune_events(self, size: int) -> int:
        """Removes the oldest of the events that pages reported while all of them take more than `size` bytes; returns how many."""
        table = session_events.c
        with self.store.connected() as connection:
            first, last = connection.execute(select(func.min(table.id), func.max(table.id))).one()
            if first is None:
                return 0
            texts = func.length(table.type) + func.length(table.target) + func.length(table.session) + func.length(table.app)
            of_one = connection.execute(select(func.avg(texts)).where(table.id > last - EVENTS_SAMPLE)).scalar_one() or 0
            most = int(size / (float(of_one) + EVENT_OVERHEAD))
            over = min(last - first + 1 - most, EVENTS_AT_ONCE)
            if over <= 0:
                return 0
            return connection.execute(delete(session_events).where(table.id < first + over)).rowcount

    def remove(self, app: str, session: str) -> None:
        """Removes a recording: first its rows, so that none is without a file, then the files of these rows alone.

        A chunk that comes meanwhile is acknowledged, and stays with its file until its recording is removed again.
        """
        table = replay_chunks.c
        gone = delete(replay_chunks).where(table.app == app, table.session == session)
        with self.store.connected() as connection:
            removed = connection.execute(gone.returning(table.tab, table.sequence, table.checksum)).all()
        folder = session_folder(self.folder, app, session)
        for tab, sequence, checksum in removed:
            for name in (_file_name(tab, sequence, checksum), _file_name(tab, sequence)):
                (folder / name).unlink(missing_ok=True)
        _remove_if_empty(folder)

    def sweep(self, now: float) -> int:
        """Removes files without a row, which a killed process leaves; returns how many."""
        swept = 0
        for file in (self.folder / INCOMING).glob("*"):
            swept += _remove_old(file, now)
        for folder in self.folder.glob("*/*"):
            if not _ID.fullmatch(folder.name) or folder.is_symlink():
                continue
            with self.store.connected() as connection:
                table = replay_chunks.c
                found = select(table.tab, table.sequence, table.checksum).where(table.session == folder.name)
                rows = [tuple(row) for row in connection.execute(found)]
                known = {_file_name(*row) for row in rows} | {_file_name(*row[:2]) for row in rows}
            for file in folder.glob("*.json.gz"):
                if file.name not in known:
                    swept += _remove_old(file, now)
            if not rows:
                _remove_if_empty(folder)
        return swept


def _hold_the_same(stored: bytes, packed: bytes) -> bool:
    try:
        return unpack(stored) == unpack(packed)
    except ValueError:
        return False


def session_folder(folder: Path, app: str, session: str) -> Path:
    """Where a session's recording is. Raises ValueError for an invalid name."""
    if not NAME.fullmatch(app) or not _ID.fullmatch(session):
        raise ValueError(f"{app!r}, {session!r}: not a valid app and session")
    return folder / app / session


def chunk_path(folder: Path, app: str, session: str, tab: str, sequence: int, checksum: str) -> Path:
    """The file of a chunk. Its checksum is in its name, so that no other chunk takes its place. Raises ValueError for an invalid name."""
    if not _ID.fullmatch(tab) or not _CHECKSUM.fullmatch(checksum):
        raise ValueError(f"{tab!r}, {checksum!r}: not a valid tab and checksum")
    place = session_folder(folder, app, session)
    old = place / _file_name(tab, sequence)
    # Recordings of before had no checksum in their names.
    return (
        old
        if old.is_file() and not (place / _file_name(tab, sequence, checksum)).is_file()
        else place / _file_name(tab, sequence, checksum)
    )


def _file_name(tab: str, sequence: int, checksum: str = "") -> str:
    return f"{tab}-{sequence}{checksum and '-'}{checksum[:16]}.json.gz"


def _write(file: Path, incoming: Path, content: bytes) -> None:
    make_private_folder(incoming)
    first = not file.parent.is_dir()
    make_private_folder(file.parent)
    unfinished = incoming / uuid4().hex
    try:
        write_private_file(unfinished, content, sync=True)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    for folder in (file.parent, *(list(file.parents)[1:3] if first else ())):
        sync_to_disk(folder)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        # Otherwise a chunk has come meanwhile.
        folder.rmdir()


def _remove_old(file: Path, now: float) -> int:
    try:
        if now - file.stat().st_mtime < ORPHANED:
            return 0
        file.unlink()
    except FileNotFoundError:
        return 0
    return 1
