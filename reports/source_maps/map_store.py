"""Storage of source maps: each is a file named by its checksum, and a row for each script of a release that it explains.

Nothing that a map or an uploader says becomes part of a path: names of scripts are in the database only.
"""

import gzip
import os
import re
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, select
from sqlalchemy.exc import IntegrityError

from runner.errors import JourneyError
from runner.private_files import make_private_folder, write_private_file
from runner.settings.settings import Settings
from runner.store import Store
from runner.store.tables.errors import source_maps

FOLDER = "source-maps"
"""The folder in `runs/`, unless the setting `source_maps_dir` names another."""
LARGEST = 64_000_000
"""Bytes of a map."""
MOST = 5_000
"""Scripts with a map in one release."""
MOST_BYTES = 1_000_000_000
"""Bytes of all maps of one release."""
MOST_OF_ALL = 10_000_000_000
"""Bytes of all maps, unless the setting `keep_source_maps_size` says otherwise."""
ORPHANED = 3600.0
"""Seconds after which a file without a row, or a piece of an upload, is removed."""
LONGEST_SCRIPT = 200
_CHECKSUM = re.compile(r"[0-9a-f]{64}\Z")
_DEBUG_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def maps_folder(settings: Settings) -> Path:
    """Where source maps are kept."""
    return settings.source_maps_dir or settings.runs_dir / FOLDER


class MapRejected(JourneyError):
    """A file that is not kept: it is not a source map, or is too large."""


class MapAbout(Struct, frozen=True, kw_only=True):
    """What a map explains: a script of a release."""

    release: str
    script: str
    """Its path, as uploaded; that at which it is served ends with it."""
    app: str = ""
    """Empty: of any app."""
    debug_id: str = ""


class StoredMap(Struct, frozen=True, kw_only=True):
    """A map that is kept."""

    app: str
    release: str
    script: str
    debug_id: str
    checksum: str
    bytes: int
    uploaded_at: float
    who: str


class _Header(Struct):
    version: int
    mappings: str | msgspec.UnsetType = msgspec.UNSET
    sources: list[str | None] = []
    sections: list[dict[str, msgspec.Raw]] | msgspec.UnsetType = msgspec.UNSET
    debugId: str = ""  # noqa: N815 (as ECMA-426 has it)
    debug_id: str = ""


_header = msgspec.json.Decoder(_Header)


def check_map(content: bytes) -> str:
    """The debug id of a map, empty if it has none. Raises MapRejected for what is not a map.

    >>> check_map(b'{"version": 3, "sources": [], "mappings": "", "debugId": "85314830-023F-4CF1-A267-535F4E37BB17"}')
    '85314830-023f-4cf1-a267-535f4e37bb17'
    """
    if len(content) > LARGEST:
        raise MapRejected(f"it has {len(content):,} bytes; at most {LARGEST:,} are allowed")
    # Some servers begin JSON with this, against inclusion as a script; the standard says to leave out the line.
    body = content.partition(b"\n")[2] if content.startswith(b")]}") else content
    try:
        header = _header.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MapRejected(f"it is not a source map: {error}") from error
    if header.version != 3 or header.mappings is header.sections is msgspec.UNSET:
        raise MapRejected("it is not a source map of version 3 with `mappings` or `sections`")
    return normalize_debug_id(header.debugId or header.debug_id)


def normalize_debug_id(text: str) -> str:
    """A debug id in small letters; empty if it is not one."""
    small = text.strip().lower()
    return small if _DEBUG_ID.match(small) else ""


class MapStore:
    """The maps in a folder, and their rows in a store. Raises StoreDown when the database cannot be used, OSError for the folder."""

    def __init__(self, store: Store, folder: Path, most: int = MOST_OF_ALL) -> None:
        self._store = store
        self._most = most
        self.folder = folder

    def put(self, about: MapAbout, content: bytes, who: str, now: float) -> bool:
        """Keeps a map in place of an earlier one of the same script; False if it is the same. Raises MapRejected."""
        debug_id = check_map(content) or normalize_debug_id(about.debug_id)
        self._check(about)
        checksum = sha256(content).hexdigest()
        found = self.find([about])
        if found and found[0].checksum == checksum and self.file(checksum).is_file():
            return False
        self._write(checksum, gzip.compress(content, 6, mtime=0))
        row = {**msgspec.structs.asdict(about), "debug_id": debug_id, "checksum": checksum}
        try:
            with self._store.connected() as connection:
                self._check_room(connection, about, len(content))
                connection.execute(delete(source_maps).where(_same(about)))
                connection.execute(insert(source_maps), [{**row, "bytes": len(content), "uploaded_at": now, "who": who[:100]}])
        except IntegrityError:
            # The same script was uploaded at the same time: one of them stays.
            return not any(one.checksum == checksum for one in self.find([about]))
        return True

    def _check(self, about: MapAbout) -> None:
        if not about.release:
            raise MapRejected("a release is needed: what the site's pages report as theirs")
        if not about.script.strip("/") or len(about.script) > LONGEST_SCRIPT or not about.script.isprintable():
            raise MapRejected(f"the script needs a path of at most {LONGEST_SCRIPT} printable characters")

    def _check_room(self, connection: Connection, about: MapAbout, size: int) -> None:
        columns = func.count(), func.coalesce(func.sum(source_maps.c.bytes), 0)
        of_release = select(*columns).where(source_maps.c.release == about.release, source_maps.c.app == about.app)
        count, taken = connection.execute(of_release).one()
        if count >= MOST or taken + size > MOST_BYTES:
            raise MapRejected(
                f"release {about.release} has {count:,} maps of {taken:,} bytes; at most {MOST:,} of {MOST_BYTES:,} bytes are kept"
            )
        others = select(columns[1]).where(not_(_same(about)))
        of_others = connection.execute(others).scalar_one()
        if of_others + size > self._most:
            # Were the oldest removed, an upload could take away what explains the errors of a release that is in use.
            raise MapRejected(
                f"all source maps have {of_others:,} bytes, and at most {self._most:,} are kept; remove releases with "
                "`journey sourcemaps remove --release NAME`, or set a larger keep_source_maps_size"
            )

    def _write(self, checksum: str, packed: bytes) -> None:
        make_private_folder(self.folder)
        incoming = self.folder / f".{uuid4().hex}"
        write_private_file(incoming, packed, sync=True)
        incoming.replace(self.file(checksum))

    def file(self, checksum: str) -> Path:
        """Where the map with this checksum is."""
        if not _CHECKSUM.match(checksum):
            raise ValueError("not a checksum")
        return self.folder / f"{checksum}.map.gz"

    def find(self, scripts: Iterable[MapAbout]) -> list[StoredMap]:
        """The rows of these scripts."""
        found = []
        with self._store.connected() as connection:
            for about in scripts:
                found += _read(connection, _same(about))
        return found

    def list(self, release: str | None = None, app: str | None = None) -> Sequence[StoredMap]:
        """All maps, or those of a release or an app; the newest first."""
        with self._store.connected() as connection:
            return read_maps(connection, release, app)

    def remove(self, release: str, app: str | None = None) -> int:
        """Removes the maps of a release; returns how many there were."""
        which = source_maps.c.release == release
        with self._store.connected() as connection:
            count = connection.execute(
                delete(source_maps).where(which if app is None else and_(which, source_maps.c.app == app))
            )
        self.sweep(0.0)
        return count.rowcount

    def sweep(self, before: float) -> None:
        """Removes files without a row that are older than some seconds: of removed maps, of uploads that were broken off."""
        if not self.folder.is_dir():
            return
        with self._store.connected() as connection:
            kept = set(connection.execute(select(source_maps.c.checksum)).scalars())
        now = time.time()
        for one in os.scandir(self.folder):
            checksum = one.name.removesuffix(".map.gz")
            # Files being written have a name of their own, and time to get it.
            least = before if _CHECKSUM.match(checksum) else ORPHANED
            if checksum not in kept and one.is_file(follow_symlinks=False) and now - one.stat().st_mtime >= least:
                with suppress(FileNotFoundError):
                    Path(one.path).unlink()


def read_maps(connection: Connection, release: str | None = None, app: str | None = None) -> Sequence[StoredMap]:
    """All maps, or those of a release or an app; the newest first."""
    wanted = [source_maps.c[name] == value for name, value in (("release", release), ("app", app)) if value is not None]
    return _read(connection, and_(*wanted) if wanted else None)


def unpack(packed: bytes) -> bytes:
    """A map as it was uploaded, compressed with gzip. Raises MapRejected."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(packed, LARGEST + 1)
    except zlib.error as error:
        raise MapRejected(f"it cannot be decompressed: {error}") from error
    if len(content) > LARGEST:
        raise MapRejected(f"it has more than {LARGEST:,} bytes")
    if not inflater.eof:
        raise MapRejected("its end is missing")
    return content


def _same(about: MapAbout) -> ColumnElement[bool]:
    return and_(source_maps.c.release == about.release, source_maps.c.app == about.app, source_maps.c.script == about.script)


def _read(connection: Connection, which: ColumnElement[bool] | None) -> list[StoredMap]:
    columns = [source_maps.c[name] for name in StoredMap.__struct_fields__]
    wanted = select(*columns).order_by(source_maps.c.uploaded_at.desc(), source_maps.c.script)
    return [StoredMap(**row) for row in connection.execute(wanted if which is None else wanted.where(which)).mappings()]
