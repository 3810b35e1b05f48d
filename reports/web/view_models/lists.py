"""Lists: runs page by page, files of a run, open alerts, and slots that were not run."""

from datetime import datetime
from typing import get_args

from msgspec import Struct
from sqlalchemy import Connection

from reports.web.query.time_range import BadRequest, TimeRange
from reports.web.view_models.run import Kept, read_kept_files
from runner.archive.archive import Archive
from runner.settings.parsers.values import Engine
from runner.store.alerts.mutes import Mute, read_alert_states
from runner.store.queries.runs import History, RunRow

STATUSES = ("passed", "failed", "error", "cancelled")
PAGE = 50
MOST = 1_000
"""Of a list at a time."""


class RunList(Struct, frozen=True, kw_only=True):
    """Runs, the newest first."""

    runs: tuple[RunRow, ...]
    older: str | None
    """The id to ask for as `before`; None at the end."""


class KeptList(Struct, frozen=True, kw_only=True):
    """Files of a run."""

    artifacts: tuple[Kept, ...]


class OpenAlert(Struct, frozen=True, kw_only=True):
    """Something that is known to be wrong with a journey."""

    id: int
    journey: str
    location: str
    kind: str
    title: str
    opened_at: datetime
    told_at: datetime
    run_id: str | None
    mute: Mute | None
    """Acknowledged or muted: by whom, and until when."""


class AlertList(Struct, frozen=True, kw_only=True):
    """What is wrong, the newest first."""

    alerts: tuple[OpenAlert, ...]


class LostSlot(Struct, frozen=True, kw_only=True):
    """A moment at which a journey was due and was not run: `missed`, or `paused` on purpose."""

    journey: str
    location: str
    slot_at: datetime
    state: str
    reason: str


class SlotList(Struct, frozen=True, kw_only=True):
    """Slots that were not run, the newest first; at most 100."""

    slots: tuple[LostSlot, ...]


def read_runs(
    connection: Connection,
    time_range: TimeRange,
    journey: str | None = None,
    location: str | None = None,
    statuses: tuple[str, ...] = (),
    release: str | None = None,
    before: str | None = None,
    most: int = PAGE,
    browser: str | None = None,
) -> RunList:
    """A page of the runs of a time range. Raises BadRequest for an unknown status."""
    history = History(connection)
    for one in statuses:
        if one not in STATUSES:
            raise BadRequest(f"status: {one[:40]!r} is not valid; choose one of {', '.join(STATUSES)}")
    if browser is not None and browser not in get_args(Engine):
        raise BadRequest(f"browser: {browser[:40]!r} is not valid; choose one of {', '.join(get_args(Engine))}")
    if before is not None and history.run(before) is None:
        raise BadRequest(f"before: run {before[:60]!r} does not exist; use the `older` of the previous page")
    found = history.runs(time_range.range, journey, location, statuses, release, before, most + 1, browser)
    return RunList(runs=tuple(found[:most]), older=found[most - 1].id if len(found) > most else None)


def read_names_and_locations(connection: Connection) -> tuple[list[str], list[str]]:
    """The names of all journeys and of all locations with runs."""
    found = History(connection).places()
    return sorted({name for name, _ in found}), sorted({place for _, place in found})


def read_artifacts(connection: Connection, archive: Archive, run: str) -> KeptList | None:
    """The files of a run; None if it is not stored."""
    found = read_kept_files(connection, archive, run)
    return KeptList(artifacts=found) if found is not None else None


def read_alerts(connection: Connection, now: datetime) -> AlertList:
    """Open alerts."""
    names = OpenAlert.__struct_fields__
    found = [one for one in read_alert_states(connection, now) if one.opened_at]
    return AlertList(alerts=tuple(OpenAlert(**{name: getattr(one, name) for name in names}) for one in found))


def read_lost_slots(connection: Connection, time_range: TimeRange) -> SlotList:
    """The slots of a span that were not run."""
    names = LostSlot.__struct_fields__
    return SlotList(
        slots=tuple(LostSlot(**{name: one[name] for name in names}) for one in History(connection).missed(time_range.range))
    )
