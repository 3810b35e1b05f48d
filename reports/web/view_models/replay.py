"""A recording for the player: the parts of each tab, the events, and what is missing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from reports.replay.chunk_store import FOLDER, chunk_path
from reports.replay.recording import ChunkRow, find_gaps, group_by_tab, read_chunk_rows, read_recording_starts
from reports.users.page_view_queries import read_session_views, read_view
from reports.web.view_models.run import RunData
from runner.archive.archive import Archive
from runner.result import RunResult, StepResult
from runner.store.tables.histogram import GOOD
from runner.store.tables.replays import replay_chunks, session_events

MARKS = 500
"""Of each kind that are listed."""
VIEWS = 100
"""Page views of a session whose clicks, errors and vitals are looked up."""


class RecordingPart(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A piece of a recording. Moments are milliseconds since the epoch, as rrweb has them."""

    url: str
    from_: float
    to: float
    full: bool
    """Whether a player can begin in it."""


class TabParts(Struct, frozen=True, kw_only=True):
    """What one tab has shown."""

    id: str
    parts: tuple[RecordingPart, ...]


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """Something that happened."""

    at: float
    """Milliseconds since the epoch."""
    kind: str
    """page, click, error, slow, event, step or failure."""
    text: str


class Replay(Struct, frozen=True, kw_only=True):
    """A recording. `unplayable` says why nothing can be played; empty otherwise."""

    start: float
    end: float
    tabs: tuple[TabParts, ...]
    moments: tuple[TimelineEntry, ...]
    gaps: tuple[str, ...]
    unplayable: str
    app: str = ""
    """Of a session; empty for a run, and where it is not known."""
    first_page: str = ""
    """The page at which a session's recording begins, as its route."""


def read_session_replay(connection: Connection, session: str, root: str) -> Replay | None:
    """The recording of a session with its beacons and events; None for an unknown session."""
    known = read_chunk_rows(connection, session)
    moments = [*_reported(connection, session), *_seen(connection, session)]
    if not known and not moments:
        return None
    tabs = tuple(
        TabParts(id=id_, parts=tuple(_part(row, f"{root}/replays/chunks/{row.id}") for row in of_tab))
        for id_, of_tab in group_by_tab(known).items()
    )
    unplayable = ""
    if not known:
        unplayable = "This session was not recorded, or its recording has been removed; below is what its pages reported."
    elif not any(row.has_full_snapshot for row in known):
        unplayable = "No full snapshot of a page has arrived, so playback cannot start: the first part was lost in transit."
    gaps = tuple(gap for of_tab in group_by_tab(known).values() for gap in find_gaps(of_tab))
    first = min(known, key=lambda row: row.first_at, default=None)
    views = read_session_views(connection, session, 1) if first is None or not first.page else []
    page = first.page if first and first.page else views[0].page if views else ""
    return msgspec.structs.replace(_replay(tabs, moments, gaps, unplayable), app=first.app if first else "", first_page=page)


def find_chunk_file(connection: Connection, archive: Archive, number: int) -> Path | None:
    """The file of a part of a recording, by its id; None when there is none of this id."""
    table = replay_chunks.c
    wanted = select(table.app, table.session, table.tab, table.sequence, table.checksum).where(table.id == number)
    row = connection.execute(wanted).first()
    return chunk_path(archive.folder / FOLDER, row.app, row.session, row.tab, row.sequence, row.checksum) if row else None


def is_recorded(connection: Connection, session: str) -> bool:
    """Whether a recording of the session is stored."""
    return bool(read_recording_starts(connection, [session]))


def make_run_replay(data: RunData, parts: Sequence[tuple[str, float, float]]) -> Replay | None:
    """The recording of a run: `parts` are address, start and end in milliseconds of each page's; None when it has none."""
    if not parts:
        return None
    tabs = tuple(
        TabParts(id=f"page {number}", parts=(RecordingPart(url=url, from_=start, to=end, full=True),))
        for number, (url, start, end) in enumerate(parts, start=1)
    )
    moments: list[TimelineEntry] = []
    for step in _recorded_steps(data.result) if data.result else ():
        if step.started_at is None:
            continue
        at = step.started_at.timestamp() * 1000
        moments.append(TimelineEntry(at=at, kind="step", text=step.name))
        if step.failure is not None:
            ended = at + (step.wall_seconds or 0.0) * 1000
            moments.append(
                TimelineEntry(at=ended, kind="failure", text=f"{step.name}: {step.failure.message.partition(chr(10))[0]}")
            )
    return _replay(tabs, moments, (), "")


def _recorded_steps(result: RunResult) -> tuple[StepResult, ...]:
    """The steps of the walk that the newest replay shows."""
    look = result.second_look
    newest = max((one.attempt for one in result.artifacts if one.kind == "replay"), default=0)
    return look.steps if look is not None and look.number == newest else result.steps


def _replay(tabs: tuple[TabParts, ...], moments: list[TimelineEntry], gaps: tuple[str, ...], unplayable: str) -> Replay:
    parts = [part for tab in tabs for part in tab.parts]
    # A recording defines the range: pages may have reported something long before it started.
    start = min((part.from_ for part in parts), default=min((one.at for one in moments), default=0.0))
    end = max((part.to for part in parts), default=max((one.at for one in moments), default=0.0))
    return Replay(
        start=start,
        end=end,
        tabs=tabs,
        moments=tuple(sorted(moments, key=lambda one: one.at)),
        gaps=gaps,
        unplayable=unplayable,
    )


def _part(row: ChunkRow, url: str) -> RecordingPart:
    return RecordingPart(url=url, from_=row.first_at * 1000, to=row.last_at * 1000, full=row.has_full_snapshot)


def _reported(connection: Connection, session: str) -> Iterable[TimelineEntry]:
    table = session_events.c
    wanted = select(table.at, table.type, table.target).where(table.session == session).order_by(table.at).limit(MARKS)
    for at, type_, target in connection.execute(wanted).all():
        yield TimelineEntry(at=at * 1000, kind="event", text=f"{type_} {target}".strip())


def _seen(connection: Connection, session: str) -> Iterable[TimelineEntry]:
    for seen in read_session_views(connection, session, VIEWS):
        at = _milliseconds(seen.started_at)
        yield TimelineEntry(at=at, kind="page", text=seen.url or seen.page)
        view = read_view(connection, seen.id)
        if view is None:
            continue
        for act in view.interactions[:MARKS]:
            what = " ".join(word for word in (act.type, act.role, f"“{act.name}”" if act.name else "") if word)
            yield TimelineEntry(at=at + act.at_seconds * 1000, kind="click", text=what)
        for error in view.errors[:MARKS]:
            yield TimelineEntry(at=_milliseconds(error.at), kind="error", text=error.message)
        for vital in view.vitals:
            if vital.value <= GOOD.get(vital.name, 0.0):
                continue
            value = f"{vital.value:.2f}" if vital.name == "cls" else f"{vital.value:.2f} s"
            when = vital.attribution.get("at_seconds", 0.0 if vital.name in {"cls", "inp"} else vital.value)
            yield TimelineEntry(at=at + float(when) * 1000, kind="slow", text=f"{vital.name.upper()} {value}")


def _milliseconds(moment: datetime) -> float:
    return moment.timestamp() * 1000
