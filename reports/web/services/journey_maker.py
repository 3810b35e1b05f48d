"""Journeys that the dashboard creates from recorded sessions: one at a time; the newest are kept in the store."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from reports.codegen.result import Made
from runner.errors import JourneyError
from runner.store import Store
from runner.store.made_journeys import read_made_journey

_decode = msgspec.json.Decoder(Made).decode


class MakerBusy(JourneyError):
    """Another journey is being created."""


class JourneyMaker:
    """Creates journeys with `make`, which takes a session's id and raises JourneyError when that is impossible."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        self._make = make
        # It takes a browser and several seconds of processor time.
        self._turn = threading.Lock()

    def make(self, session: str, store: Store) -> Made:
        """Creates it, again if it exists, and keeps it. Raises MakerBusy, StoreDown, and JourneyError if it is impossible."""
        if not self._turn.acquire(blocking=False):
            raise MakerBusy("another journey is being created; try again in a minute")
        try:
            made = self._make(session)
            store.made_journeys.put(session, msgspec.json.encode(made).decode(), datetime.now(UTC))
        finally:
            self._turn.release()
        return made


def read_made(connection: Connection, session: str) -> Made | None:
    """The journey created from a session, on whichever server; None if there is none."""
    content = read_made_journey(connection, session)
    try:
        return _decode(content) if content is not None else None
    except msgspec.ValidationError:
        # Of another version of the program; it can be created again.
        return None
