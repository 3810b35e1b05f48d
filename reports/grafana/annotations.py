"""Failures and releases as annotations of Grafana: found in the store, and written through Grafana's API.

Each has a tag of its own that is derived from what it is about. Grafana is asked first which of them it has, so a call writes only
what is missing or has ended since: it can be repeated at any time, from several places, and after an outage.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from sqlalchemy import Connection, func, or_, select

from runner.store.alerts.alerts import AlertKind
from runner.store.tables.runs import alerts, runs

TAG = "journey"
"""All annotations from here have it."""
LIMIT = 200
"""The most annotations of a call, the newest."""
KINDS: dict[AlertKind, str] = {"failing": "failure", "monitor": "monitor-error"}
"""The alerts that are annotated, and their tag: a failure is the site's."""


class Annotation(Struct, frozen=True, kw_only=True):
    """Something that happened: at a moment, or from one to another."""

    tags: tuple[str, ...]
    text: str
    """As HTML, which Grafana shows."""
    begins_at: datetime
    ends_at: datetime | None = None

    @property
    def key(self) -> str:
        """The tag that no other annotation has."""
        return self.tags[-1]

    def encode(self) -> dict[str, Any]:
        """What Grafana's API reads."""
        found: dict[str, Any] = {"tags": list(self.tags), "text": self.text, "time": _milliseconds(self.begins_at)}
        return found | ({"timeEnd": _milliseconds(self.ends_at)} if self.ends_at else {})


class Stored(Struct, frozen=True):
    """An annotation that Grafana has."""

    id: int
    time: int
    time_end: int


class Change(Struct, frozen=True):
    """What is to be written: a new annotation, or the end of one that Grafana has under this number."""

    annotation: Annotation
    number: int | None = None


def find_annotations(connection: Connection, since: datetime, public_url: str | None) -> list[Annotation]:
    """What began or ended since then, oldest first: failures that led to an alert, and releases that were seen for the first time."""
    found = [*_failures(connection, since, public_url), *_releases(connection, since, public_url)]
    return sorted(found, key=lambda one: (one.begins_at, one.key))[-LIMIT:]


def choose_changes(wanted: Sequence[Annotation], stored: Mapping[str, Stored]) -> list[Change]:
    """What has to be written, for Grafana to have all that is wanted; `stored` is what it has, by the tags of their own."""
    changes = []
    for one in wanted:
        there = stored.get(one.key)
        if there is None:
            changes.append(Change(one))
        elif one.ends_at is not None and there.time_end != _milliseconds(one.ends_at):
            changes.append(Change(one, there.id))
    return changes


def _failures(connection: Connection, since: datetime, public_url: str | None) -> list[Annotation]:
    wanted = (
        select(alerts.c.kind, alerts.c.journey, alerts.c.location, alerts.c.opened_at, alerts.c.closed_at, alerts.c.run_id)
        .add_columns(alerts.c.title)
        .where(alerts.c.kind.in_(KINDS), or_(alerts.c.opened_at >= since, alerts.c.closed_at >= since))
        .order_by(alerts.c.opened_at.desc())
        .limit(LIMIT)
    )
    return [
        Annotation(
            tags=(
                TAG, KINDS[row.kind], f"journey:{row.journey}", f"location:{row.location}",
                _key(row.kind, row.journey, row.location, row.opened_at.isoformat()),
            ),
            text=escape(row.title) + _link(public_url, f"/runs/{quote(row.run_id)}" if row.run_id else "", "The run"),
            begins_at=row.opened_at,
            ends_at=row.closed_at,
        )
        for row in connection.execute(wanted)
    ]  # fmt: skip


def _releases(connection: Connection, since: datetime, public_url: str | None) -> list[Annotation]:
    named = runs.c.release != ""
    seen = (
        select(runs.c.release)
        .where(named, runs.c.started_at >= since)
        .group_by(runs.c.release)
        .order_by(func.max(runs.c.started_at).desc())
        .limit(LIMIT)
    )
    first = func.min(runs.c.started_at)
    wanted = (
        select(runs.c.release, first).where(named, runs.c.release.in_(seen)).group_by(runs.c.release).having(first >= since)
    )
    return [
        Annotation(
            tags=(TAG, "release", f"release:{release}", _key("release", release)),
            text=f"Release {escape(release)}" + _link(public_url, f"/runs?release={quote(release, safe='')}", "Its runs"),
            begins_at=at,
        )
        for release, at in connection.execute(wanted)
    ]


def _link(public_url: str | None, path: str, words: str) -> str:
    return f' <a href="{escape(public_url.rstrip("/") + path)}">{words}</a>' if public_url and path else ""


def _key(*of: str) -> str:
    return f"id:{sha256(repr(of).encode()).hexdigest()[:20]}"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
