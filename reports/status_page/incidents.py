"""Incidents of the status page: outages that the runs show, what people have written about them, and incidents that people have made."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from runner.store.incidents import Impact, IncidentState, IncidentUpdate, WrittenIncident, read_written_incidents


class PublicUpdate(Struct, frozen=True, kw_only=True):
    """What was written about an incident; who wrote it is not public."""

    at: datetime
    state: IncidentState
    text: str


class Incident(Struct, frozen=True, kw_only=True):
    """A time in which a component was not available, for all or for some, or something else that people should know."""

    component: str
    title: str
    started_at: datetime
    ended_at: datetime | None
    """None while it lasts."""
    updates: tuple[PublicUpdate, ...] = ()
    """The newest first."""

    @property
    def changed_at(self) -> datetime:
        """When something about it was last said, or it ended."""
        return max([self.ended_at or self.started_at, *(one.at for one in self.updates)])


class KnownIncident(Struct, frozen=True, kw_only=True):
    """An incident as the people know it who edit it."""

    id: int | None
    """None for an outage about which nothing was written."""
    component: str
    title: str
    measured: bool
    """Whether the runs show it: then its start and its end are theirs."""
    impact: Impact
    hidden: bool
    """Whether the public does not see it."""
    started_at: datetime
    ended_at: datetime | None
    updates: tuple[IncidentUpdate, ...] = ()
    """The newest first."""

    def publish(self) -> Incident:
        """As the public sees it."""
        return Incident(
            component=self.component,
            title=self.title,
            started_at=self.started_at,
            ended_at=self.ended_at,
            updates=tuple(PublicUpdate(at=one.at, state=one.state, text=one.text) for one in self.updates),
        )


class MeasuredOutage(Struct, frozen=True, kw_only=True):
    """A time in which runs of a component's journeys failed."""

    component: str
    started_at: datetime
    ended_at: datetime | None
    partial: bool = False
    """Whether the component has journeys or places that did not fail meanwhile."""


def read_known_incidents(
    connection: Connection, measured: Sequence[MeasuredOutage], components: Sequence[str], since: datetime
) -> list[KnownIncident]:
    """All incidents of the components since then, the newest first."""
    written = read_written_incidents(connection, since, components)
    about = {one.id: outage for one in written if one.measured_at and (outage := _find_outage(one, measured))}
    found = [_with_words(outage, one) for one in written if (outage := about.get(one.id))]
    found += [_with_words(outage, None) for outage in measured if outage not in about.values()]
    found += [_made_by_hand(one) for one in written if one.measured_at is None]
    return sorted(found, key=lambda one: one.started_at, reverse=True)


def _find_outage(written: WrittenIncident, measured: Sequence[MeasuredOutage]) -> MeasuredOutage | None:
    """The outage that was meant: it can have begun earlier since then, when another journey's run was stored."""
    at = written.measured_at
    for one in measured:
        if at is not None and one.component == written.component and one.started_at <= at and (one.ended_at or at) >= at:
            return one
    return None


def _with_words(outage: MeasuredOutage, written: WrittenIncident | None) -> KnownIncident:
    usual = f"{outage.component} {'was' if outage.ended_at else 'is'} {'partly' if outage.partial else 'not'} available"
    return KnownIncident(
        id=written.id if written else None,
        component=outage.component,
        title=(written.title if written else "") or usual,
        measured=True,
        impact="none",
        hidden=written.hidden if written else False,
        started_at=outage.started_at,
        ended_at=outage.ended_at,
        updates=written.updates[::-1] if written else (),
    )


def _made_by_hand(one: WrittenIncident) -> KnownIncident:
    last = one.updates[-1] if one.updates else None
    return KnownIncident(
        id=one.id,
        component=one.component,
        title=one.title,
        measured=False,
        impact=one.impact,
        hidden=one.hidden,
        started_at=one.started_at,
        ended_at=max(last.at, one.started_at) if last and last.state == "resolved" else None,
        updates=one.updates[::-1],
    )
