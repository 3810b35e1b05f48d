"""Alerts about resolved errors that have come again: one for each app, until all of them are decided about."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from reports.source_maps.frames import describe_place, read_frames
from reports.source_maps.regressions import Regression
from runner.store import Store
from runner.store.alerts.alerts import AlertKind
from runner.store.tables.errors import error_states
from runner.store.tables.page_views import reasons
from runner.store.tables.runs import alerts

KIND: AlertKind = "regression"
"""The alert's location is the app; it belongs to no journey."""


class RegressionAlerts(Struct, frozen=True, kw_only=True):
    """Stores these alerts, and messages about them, which a scheduler on the same database sends."""

    store: Store
    targets: Sequence[str] = ()
    """The names of the addresses in `alert_urls`."""
    public_url: str | None = None

    def update(self, found: Sequence[Regression]) -> None:
        """Opens an alert for each app of these errors, or repeats it, and ends those of which nothing is left. Raises StoreDown."""
        now = datetime.now(UTC)
        with self.store.connected() as connection:
            left = select(error_states.c.app).where(error_states.c.state == "reopened").distinct()
            apps = set(connection.execute(left).scalars())
            same = (alerts.c.journey == "", alerts.c.kind == KIND, alerts.c.closed_at.is_(None))
            open_ones = set(connection.execute(select(alerts.c.location).where(*same)).scalars())
            words = {one.id: _describe(connection, one.id) for one in found}
        for app in sorted({one.app for one in found}):
            of_app = [one for one in found if one.app == app]
            releases = sorted({one.release for one in of_app if one.release})
            where = f" in release {', '.join(releases)}" if releases else ""
            lines = [f"{words[one.id]}{self._link(one.id)}" for one in of_app]
            self._record(
                app, f"A resolved error of {app} came again{where}: {words[of_app[0].id]}", "\n".join(lines), True, now
            )
        for app in sorted(open_ones - apps):
            self._record(app, f"The errors of {app} that came again are decided about", "", False, now)

    def _record(self, app: str, title: str, body: str, bad: bool, now: datetime) -> None:
        mute = self.store.mutes.of_journey("", app).get(KIND)
        targets = () if mute is not None and mute.holds(now) else self.targets
        self.store.alerts.record("", app, KIND, title[:400], body, bad, targets, now, None)

    def _link(self, error: str) -> str:
        return f"\n{self.public_url.rstrip('/')}/errors/{error}" if self.public_url else ""


def _describe(connection: Connection, error: str) -> str:
    """The type and the place of an error, or its message."""
    newest = select(reasons).where(reasons.c.error_group == error).order_by(reasons.c.last_at.desc()).limit(1)
    row = connection.execute(newest).mappings().one()
    return (
        f"{row['type'] or row['kind']} {describe_place(read_frames(row['original'])) or row['message'].partition(chr(10))[0]}"
    )
