"""A recorded session: what rrweb has noted in each of its tabs."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runner.store import Store


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


def read(store: Store, folder: Path, session: str) -> Recording | None:  # noqa: ARG001 (the rows of its parts will be there)
    """The recording of a session, None when there is none. Stands here until recordings are stored in parts."""
    file = folder / f"{session}.json"
    return msgspec.json.decode(file.read_bytes(), type=Recording) if file.is_file() else None
