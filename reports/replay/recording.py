"""A recorded session: what rrweb has noted in each of its tabs."""

from typing import Any

from msgspec import Struct

Event = dict[str, Any]
"""An event as rrweb 2.1 writes it: `type`, `data`, and `timestamp` in milliseconds since the epoch.

Two custom events are ours: `act` tells of an element that was acted on, `{type, id, role, name, testId, tag, inputType, index, checked}`
and never a value; `view` that a page view began, `{id, url}`.
"""


class Tab(Struct, frozen=True):
    """One tab of the browser, through all the documents that it showed."""

    id: str
    events: tuple[Event, ...]
    """In the order in which they came."""


class Recording(Struct, frozen=True, kw_only=True):
    """One session."""

    session: str
    tabs: tuple[Tab, ...]
