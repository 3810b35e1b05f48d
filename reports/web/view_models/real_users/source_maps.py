"""The source maps that are kept."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.source_maps.map_store import read_maps
from reports.users.row_filters import from_epoch

MOST = 1_000


class KeptMap(Struct, frozen=True, kw_only=True):
    """A source map: of which script it is, never what is in it."""

    release: str
    app: str
    """Empty: of any app."""
    script: str
    debug_id: str
    checksum: str
    bytes: int
    uploaded_at: datetime
    who: str


class MapList(Struct, frozen=True, kw_only=True):
    """The newest source maps."""

    maps: tuple[KeptMap, ...]
    total: int


def read_map_list(connection: Connection, release: str | None, app: str | None) -> MapList:
    """Those of a release or an app, or all."""
    found = read_maps(connection, release, app)
    same = ("release", "app", "script", "debug_id", "checksum", "bytes", "who")
    kept = [
        KeptMap(**{name: getattr(one, name) for name in same}, uploaded_at=from_epoch(one.uploaded_at)) for one in found[:MOST]
    ]
    return MapList(maps=tuple(kept), total=len(found))
