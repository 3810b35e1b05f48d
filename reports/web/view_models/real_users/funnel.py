"""A funnel: how many sessions came to each of its pages, and the sessions that went no further."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from reports.replay.recording import read_recording_starts
from reports.users.funnels import FunnelStep, count_funnel, read_dropped
from reports.users.rollup_queries import Filter
from reports.users.session_queries import Session
from runner.settings.sections.funnels import Funnel
from runner.store.queries.time_range import Range


class FunnelData(Struct, frozen=True, kw_only=True):
    """A funnel over a span."""

    funnels: tuple[Funnel, ...]
    """Those of the settings."""
    name: str
    """Empty for steps that the address names."""
    app: str
    start: datetime
    end: datetime
    since: datetime
    """From when on page views were read; later than `start` where a page has more than 20,000 views."""
    within_seconds: float
    steps: tuple[FunnelStep, ...]
    dropped: tuple[Session, ...]
    """Sessions that came to the chosen step and no further, the newest first."""


class FunnelWithRecordings(Struct, frozen=True, kw_only=True):
    """The same, with when the recordings of its sessions begin, in seconds since the epoch."""

    data: FunnelData
    recorded: dict[str, float]


def read_funnel(
    connection: Connection,
    known: Sequence[Funnel],
    funnel: Funnel | None,
    which: Filter,
    when: Range,
    dropped: int = 0,
    limit: int = 50,
) -> FunnelData:
    """The figures; without a funnel, the definitions alone. `dropped` is a step, the first is 1; 0 for no sessions."""
    if funnel is None:
        return FunnelData(
            funnels=tuple(known), name="", app=which.app, start=when.start, end=when.end, since=when.start,
            within_seconds=0.0, steps=(), dropped=(),
        )  # fmt: skip
    chosen = replace(which, app=funnel.app, page=None)
    count = count_funnel(connection, chosen, when, funnel.steps, funnel.within)
    return FunnelData(
        funnels=tuple(known),
        name=funnel.name,
        app=funnel.app,
        start=when.start,
        end=when.end,
        since=count.since,
        within_seconds=funnel.within,
        steps=count.steps,
        dropped=tuple(read_dropped(connection, count.reached, dropped, limit)) if 0 < dropped < len(funnel.steps) else (),
    )


def add_recordings(connection: Connection, data: FunnelData) -> FunnelWithRecordings:
    """With the recordings of the sessions that are listed."""
    return FunnelWithRecordings(data=data, recorded=read_recording_starts(connection, [one.id for one in data.dropped]))
